"""Colours for `.cnn` texts wherever Pygments is used: pygmentize, Sphinx, MkDocs, rich, notebooks.

Found by Pygments through its entry point, under the names `cnn` and `striate` and by the ending `.cnn`. It knows words
and signs, not meanings: what `tower` stands for is not looked up.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace

from striate.editor.vocabulary import CONSTANTS, CONTROL, CURRENT, LOGICAL, NAME, NAMING, NUMBER, OPENING, PATH, any_of

_grouped: Any = bygroups  # its stub has no types
_START = r"(^|(?<=[;{]))([^\S\n]*)"
"""Where a statement may begin; blanks are taken here first."""
_OPENING = any_of(OPENING)
_SIGN = r"[=!<>]=|[<>]"


class CnnLexer(RegexLexer):
    """A lexer for striate's language."""

    name = "striate"
    aliases: ClassVar[list[str]] = ["cnn", "striate"]
    filenames: ClassVar[list[str]] = ["*.cnn"]
    url = ""
    version_added = ""

    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            (r"#[^\n]*", Comment.Single),
            (
                rf"{_START}(block|model|train|export|search|profile)(\s+)({NAME})",
                _grouped(Text, Whitespace, Keyword.Declaration, Whitespace, Name.Class),
            ),
            (
                rf"{_START}(requires)(\s+)({NAME}(?:\s*\.\s*{NAME})*)(\s*)({_SIGN})(\s*)([0-9][\w.]*)",
                _grouped(
                    Text, Whitespace, Keyword.Declaration, Whitespace, Name, Whitespace, Operator, Whitespace, Number
                ),
            ),
            (rf"{_START}({_OPENING})\b(?!\s*[=(.]|\s*->)", _grouped(Text, Whitespace, Keyword.Declaration)),
            (r"\n", Whitespace),
            (r"[^\S\n]+", Whitespace),
            (r"(?<=[0-9])x", Operator),  # of sizes that are written together, as in 3x224x224
            (r"\.\.", Operator),
            (rf"(\.)(\s*)({NAME})", _grouped(Punctuation, Whitespace, Name.Attribute)),
            (rf"({NAME})(\s*)(=)(?!=)", _grouped(Name.Attribute, Whitespace, Operator)),
            (rf"({NAMING})(\s+)({PATH}|{NAME})", _grouped(Keyword, Whitespace, Name.Variable)),
            (rf"({PATH})(\s*)(?=[({{])", _grouped(Name.Function, Whitespace)),
            (PATH, Name),
            (r"(where)(?=[^\S\n]+[\w(])", Keyword),
            (words(CONSTANTS, suffix=r"\b"), Keyword.Constant),
            (words((*LOGICAL, CURRENT), suffix=r"\b"), Operator.Word),
            (words((*CONTROL, NAMING), suffix=r"\b"), Keyword),
            (rf"({NAME})(\s*)(?=[({{])", _grouped(Name.Function, Whitespace)),
            (rf"{NUMBER}|[0-9]+(?=x)", Number),
            (NAME, Name),
            (r'"(?:[^"\\\n]|\\[^\n])*"', String),
            (r"->|[=!<>]=|//|[-+*/%<>=]", Operator),
            (r"[()\[\]{},:;.]", Punctuation),
            (r".", Text),
        ]
    }
