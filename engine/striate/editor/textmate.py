"""The TextMate grammar of the language (VS Code, Sublime Text, GitHub), as the data of its JSON file.

It follows `striate_dsl.layout` as far as one line at a time allows: a word is a keyword where it opens a statement, and
a plain name in settings, behind a dot and as the name of an argument. `grammars.py` writes the file.
"""

from __future__ import annotations

from typing import Any

from striate.editor.vocabulary import (
    BRINGING_IN,
    CHOICES,
    CODE,
    CONSTANTS,
    CONTROL,
    CURRENT,
    DEFINING,
    FUNCTIONS,
    LOGICAL,
    NAME,
    NAMING,
    NUMBER,
    PADDINGS,
    PATH,
    SECTIONS,
    TOTALS,
    any_of,
)
from striate_dsl.lexer import RESERVED

Rule = dict[str, Any]

_START = r"(?:^|(?<=[;{]))\s*"
"""Where a statement may begin; nothing else takes blanks, so this is tried first."""
_WORD = rf"\b(?!(?:{any_of(tuple(RESERVED))})\b){NAME}"
_PATH = rf"(?:{PATH}|{_WORD}(?:\s*\.\s*{NAME})*)"
_LINE_END = r"(?=[;}])|$"


def _rule(scope: str, pattern: str, *groups: str) -> Rule:
    """A pattern with a scope (for the whole, where no scopes of its groups are given); `""` leaves a group plain."""
    if not groups:
        return {"name": f"{scope}.cnn", "match": pattern}
    return {"match": pattern, "captures": _captures(scope, *groups)}


def _captures(*groups: str) -> Rule:
    return {str(number): {"name": f"{scope}.cnn"} for number, scope in enumerate(groups, 1) if scope}


def _span(begin: str, groups: tuple[str, ...], end: str, *inside: str, scope: str = "") -> Rule:
    """Everything from one pattern to another, with rules of its own inside."""
    named = {"name": f"{scope}.cnn"} if scope else {}
    return {
        **named,
        "begin": begin,
        "beginCaptures": _captures(*groups),
        "end": end,
        "patterns": [_include(name) for name in inside],
    }


def _include(name: str) -> Rule:
    return {"include": f"#{name}"}


def _bracketed(opening: str, closing: str, *inside: str) -> Rule:
    rule = _span(rf"(\{opening})", ("punctuation.bracket.open",), rf"(\{closing})", *inside)
    return rule | {"endCaptures": _captures("punctuation.bracket.close")}


def grammar() -> Rule:
    """Return the grammar of `.cnn` files."""
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "comment": "Made by `python -m striate.editor.grammars`; change engine/striate/editor/textmate.py instead.",
        "name": "striate",
        "scopeName": "source.cnn",
        "fileTypes": ["cnn"],
        "patterns": [_include("statements")],
        "repository": {**_definitions(), **_bodies(), **_statements(), **_expressions(), **_names(), **_literals()},
    }


def _definitions() -> dict[str, Rule]:
    """What stands at the top of a file; inside of a body these words are names unless a name follows them."""
    section = rf"{_START}({any_of(SECTIONS)})\b(?=\s*(?:$|\{{|{NAME}))(?:\s+({_WORD}))?(?:\s+({NAMING})\s+({NAME}))?"
    return {
        "section": _span(
            section,
            ("storage.type.section", "entity.name.type.model", "keyword.control.as", "entity.name.tag.recipe"),
            r"(?<=\})|(?=;)|$",
            "comment",
            "settings",
            scope="meta.section",
        ),
        "settings": _bracketed("{", "}", "comment", "setting", "settings", "expression"),
        "setting": _rule(
            "variable.other.property.setting", rf"{_START}({NAME}(?:\s*\.\s*{NAME})*)(?=\s*(?:=(?!=)|\{{))", ""
        ),
        "bringing-in": {
            "patterns": [
                _span(
                    rf"{_START}({any_of(BRINGING_IN)})\b(?=\s*(?:[\"0-9]|{NAME}|$))",
                    ("keyword.control.import",),
                    _LINE_END,
                    "comment",
                    "naming",
                    "string",
                    "version",
                    "namespace",
                ),
            ]
        },
        "version": _rule("constant.numeric.version", r"(?<![\w.])[0-9][\w.]*"),
        "namespace": {"patterns": [_rule("entity.name.namespace", NAME), _include("operator")]},
        "header": {
            "patterns": [
                _rule(
                    "storage.type.definition",
                    rf"{_START}({any_of(DEFINING)})\s+({_WORD})\s*(=)\s*({_PATH})",
                    "entity.name.type.model",
                    "keyword.operator.assignment",
                    "entity.name.type.model",
                ),
                _span(
                    rf"{_START}({any_of(DEFINING)})\s+({_WORD})\s*(\()",
                    ("storage.type.definition", "entity.name.type.model", "punctuation.bracket.open"),
                    r"(\))",
                    "comment",
                    "parameter",
                    "expression",
                )
                | {"endCaptures": _captures("punctuation.bracket.close")},
                _rule(
                    "storage.type.definition",
                    rf"{_START}({any_of(DEFINING)})\b(?=\s*(?:$|{NAME}))(?:\s+({_WORD}))?",
                    "entity.name.type.model",
                ),
            ]
        },
        "parameter": _rule("variable.parameter", rf"(?:(?<=[(,])|^)\s*({_WORD})(?=\s*(?:[=,)]|$))", ""),
    }


def _bodies() -> dict[str, Rule]:
    """Bodies, and what in them opens another body or hands a value on."""
    loop = any_of(("for", "repeat"))
    return {
        "statements": {
            "patterns": [
                _include(name)
                for name in (
                    *("comment", "section", "header", "bringing-in", "input", "output", "head", "let", "assert"),
                    *("choice-head", "loop-head", "flow-start", "arrow", "body", "expression"),
                )
            ]
        },
        "body": _bracketed("{", "}", "statements"),
        "choice-head": _span(
            rf"{_START}(if)\b|\b(else)\s+(if)\b",
            ("keyword.control.conditional",) * 3,
            r"(?=[{;}])|$",
            "comment",
            "condition",
        ),
        "loop-head": _span(
            rf"{_START}({loop})\b",
            ("keyword.control.loop",),
            r"(?=[{;}])|$",
            *("comment", "loop-in", "condition"),
        ),
        "loop-in": _rule("keyword.control.loop", rf"\b{CURRENT}\b(?!\s*\.)"),
        # No layer with a body stands in a condition: the brace behind it is the statement's.
        "condition": {
            "patterns": [_rule("variable.other", rf"{_WORD}(?=\s*\{{)"), _include("expression")],
        },
        "flow-start": {
            "patterns": [
                _rule("variable.other.value", rf"{_START}({_PATH})(?=\s*->)", ""),
                _rule("entity.name.function.layer", rf"{_START}({_PATH})(?!\s*[=:,])", ""),
            ]
        },
        "arrow": _span(
            r"(->)",
            ("keyword.operator.arrow",),
            rf"({_PATH})|(?=[^\s#A-Za-z_])|(?=\b(?:{any_of(tuple(RESERVED))})\b)",
            "comment",
        )
        | {"endCaptures": _captures("entity.name.function.layer")},
    }


def _statements() -> dict[str, Rule]:
    """The other statements of a body, by their first word."""
    return {
        "input": _span(
            rf"{_START}(input)\b(?:\s+({_WORD}))?\s*(:)",
            ("storage.type.input", "variable.other.definition", "punctuation.separator.sizes"),
            r"(?<=\})|(?=[;}])|$",
            *("comment", "where", "settings", "size", "expression"),
            scope="meta.input",
        ),
        "where": _span(r"\b(where)\b", ("keyword.control.where",), r"(?=[{;}])|$", "comment", "expression"),
        "size": {
            "patterns": [
                _rule("keyword.operator.times", r"x(?=[0-9A-Z]|\b)"),
                _rule("constant.numeric.size", r"[0-9]+(?=x(?:[0-9A-Z]|\b))"),
                _rule("constant.other.symbol", r"\b[A-Z](?![A-Za-z0-9_])|[A-Z](?=x(?:[0-9A-Z]|\b))|(?<=x)[A-Z]\b"),
            ]
        },
        "output": _span(
            rf"{_START}(output)\b(?=\s*(?:$|[;}}#]|\s{NAME}))", ("storage.type.output",), _LINE_END, "comment", "result"
        ),
        "result": {
            "patterns": [_include("naming"), _rule("variable.other.definition", _PATH), _include("punctuation")]
        },
        "head": _rule("storage.type.head", rf"{_START}(head)\s+({_PATH})", "entity.name.function.head"),
        "let": _rule(
            "storage.type.let", rf"{_START}(let)\b(?:\s+({_PATH})|(?=\s*(?:$|[=;}}])))", "variable.other.definition"
        ),
        "assert": _span(
            rf"{_START}(assert)\b",
            ("keyword.control.assert",),
            _LINE_END,
            *("comment", "message", "total", "expression"),
        ),
        "total": _rule("variable.language.total", rf"\b(?:{any_of(TOTALS)})\b(?!\s*[=(])"),
    }


def _expressions() -> dict[str, Rule]:
    inside = ("comment", "argument", "expression")
    return {
        "expression": {
            "patterns": [
                _include(name)
                for name in (
                    *("comment", "string", "path", "number", "property", "operator", "naming", "function", "choice"),
                    *("word", "call", "name", "parentheses", "brackets", "punctuation"),
                )
            ]
        },
        "parentheses": _bracketed("(", ")", *inside),
        "brackets": _bracketed("[", "]", *inside),
        "naming": _rule("keyword.control.as", rf"\b({NAMING})\b(?:\s+({_PATH}))?", "variable.other.definition"),
        "function": _rule("support.function", rf"\b(?:{any_of(FUNCTIONS)})\b(?=\s*\()"),
        "choice": {
            "patterns": [
                _rule("support.constant.padding", rf"\b(?:{any_of(PADDINGS)})\b(?!\s*[.=(])"),
                _rule("support.constant.choice", rf"\b(?:{any_of(CHOICES)})\b(?!\s*[.=(])"),
            ]
        },
        "word": {
            "patterns": [
                _rule("constant.language.boolean", rf"\b(?:{any_of(CONSTANTS)})\b"),
                _rule("keyword.operator.logical", rf"\b(?:{any_of(LOGICAL)})\b"),
                _rule("variable.language.current", rf"\b{CURRENT}\b"),
                _rule("keyword.control", rf"\b(?:{any_of(CONTROL)})\b"),
            ]
        },
        "operator": {
            "patterns": [
                _rule("keyword.operator.arrow", r"->"),
                _rule("keyword.operator.range", r"\.\."),
                _rule("keyword.operator.comparison", r"[=!<>]=|[<>]"),
                _rule("keyword.operator.assignment", r"="),
                _rule("keyword.operator.arithmetic", r"//|[-+*/%]"),
            ]
        },
        "punctuation": {
            "patterns": [
                _rule("punctuation.separator", r"[,:]"),
                _rule("punctuation.terminator.statement", r";"),
                _rule("punctuation.accessor", r"\."),
            ]
        },
    }


def _names() -> dict[str, Rule]:
    return {
        "argument": {
            "patterns": [
                _rule("variable.parameter", rf"(?:(?<=[(,])|^)\s*({NAME})(?=\s*=(?!=))", ""),
                _rule("variable.parameter", rf"({_WORD})(?=\s*=(?!=))", ""),
            ]
        },
        "property": {
            "match": rf"(?<!\.)(\.)(?!\.)\s*({NAME})",
            "captures": _captures("punctuation.accessor", "variable.other.property"),
        },
        "call": _rule("entity.name.function.layer", rf"({_PATH})(?=\s*[({{])", ""),
        "path": _rule("variable.other", rf"\b{PATH}(?!\s*[({{])"),
        "name": _rule("variable.other", rf"{NAME}"),
    }


def _literals() -> dict[str, Rule]:
    text = _span(r'(")', ("punctuation.definition.string.begin",), r'(")|$', "escape", scope="string.quoted.double")
    text |= {"endCaptures": _captures("punctuation.definition.string.end")}
    codes = rf"{CODE}(?:(?:\s*,\s*|\s+){CODE})*"
    return {
        "string": text,
        "message": text | {"patterns": [_include("escape"), _rule("variable.other.placeholder", r"\{[^{}\"]*\}")]},
        "escape": {
            "patterns": [
                _rule("constant.character.escape", r'\\[nt"\\]'),
                _rule("invalid.illegal.escape", r"\\."),
            ]
        },
        "number": {
            "patterns": [
                _rule("constant.numeric", NUMBER),
                _rule("invalid.illegal.number", r"[0-9]\w*(?:\.\w+)*"),
            ]
        },
        "comment": {
            "patterns": [
                {
                    "name": "comment.line.number-sign.cnn",
                    "match": rf"(#)\s*(?:(allow)\s+({codes})\s*\b)?.*$",
                    "captures": _captures(
                        "punctuation.definition.comment", "keyword.other.allow", "constant.other.code"
                    ),
                }
            ]
        },
    }


def markdown() -> Rule:
    """Return the grammar that colours fenced blocks of the language in Markdown texts."""
    return {
        "comment": "Made by `python -m striate.editor.grammars`; change engine/striate/editor/textmate.py instead.",
        "scopeName": "markdown.cnn.codeblock",
        "injectionSelector": "L:text.html.markdown",
        "patterns": [_include("fence")],
        "repository": {
            "fence": {
                "name": "markup.fenced_code.block.markdown",
                "begin": r"(^|\G)(\s*)(`{3,}|~{3,})\s*(?i:(cnn|striate)((?:\s+|:|,|\{|\?)[^`]*)?$)",
                "beginCaptures": {
                    "3": {"name": "punctuation.definition.markdown"},
                    "4": {"name": "fenced_code.block.language.markdown"},
                    "5": {"name": "fenced_code.block.language.attributes.markdown"},
                },
                "end": r"(^|\G)(\2|\s{0,3})(\3)\s*$",
                "endCaptures": {"3": {"name": "punctuation.definition.markdown"}},
                "patterns": [
                    {
                        "begin": r"(^|\G)(\s*)(.*)",
                        "while": r"(^|\G)(?!\s*([`~]{3,})\s*$)",
                        "contentName": "meta.embedded.block.cnn",
                        "patterns": [{"include": "source.cnn"}],
                    }
                ],
            }
        },
    }
