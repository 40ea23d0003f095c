"""Colours for `.cnn` texts wherever Pygments is used: pygmentize, Sphinx, MkDocs, rich, notebooks.

Found by Pygments through its entry point, under the names `cnn` and `striate` and by the ending `.cnn`. It knows words
and signs, not meanings: what `tower` stands for is not looked up.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace

from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import RESERVED

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
NUMBER = r"[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+|[kMG])?"
_grouped: Any = bygroups  # its stub has no types
_CONSTANTS = ("true", "false")
_WORD_OPERATORS = ("and", "or", "not", "in")
_STATEMENTS = tuple(word for word in RESERVED if word not in (*_CONSTANTS, *_WORD_OPERATORS))
_LEADING = (*DEFINITION_WORDS, *STATEMENT_WORDS)


class CnnLexer(RegexLexer):
    """A lexer for striate's language."""

    name = "striate"
    aliases: ClassVar[list[str]] = ["cnn", "striate"]
    filenames: ClassVar[list[str]] = ["*.cnn"]
    url = ""
    version_added = ""

    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            (r"\s+", Whitespace),
            (r"#[^\n]*", Comment.Single),
            (rf"(block|model|train)(\s+)({NAME})", _grouped(Keyword.Declaration, Whitespace, Name.Class)),
            (rf"(as)(\s+)({NAME})", _grouped(Keyword, Whitespace, Name.Variable)),
            (words(_LEADING, prefix=r"(?m)(?<![\w.])", suffix=r"\b(?!\s*[=(.])"), Keyword.Declaration),
            (words(_CONSTANTS, suffix=r"\b"), Keyword.Constant),
            (words(_WORD_OPERATORS, suffix=r"\b"), Operator.Word),
            (words(_STATEMENTS, suffix=r"\b"), Keyword),
            (rf"({NAME})(\s*)(=)(?!=)", _grouped(Name.Attribute, Whitespace, Operator)),
            (rf"({NAME})(\s*)(?=[({{])", _grouped(Name.Function, Whitespace)),
            (NAME, Name),
            (NUMBER, Number),
            (r'"(?:[^"\\\n]|\\[^\n])*"', String),
            (r"->|\.\.|[=!<>]=|//|[-+*/%<>=]", Operator),
            (r"[()\[\]{},:;.]", Punctuation),
            (r".", Text),
        ]
    }
