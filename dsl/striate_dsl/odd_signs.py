"""Explains and repairs what is not part of the language at all: signs of other languages, look-alikes, broken literals.

`repair` puts the token that was meant in the place of each odd one, so that nothing else is reported because of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from striate_dsl.complaints import clipped, complaint, edit, place, quoted, replacing
from striate_dsl.diagnostics import Diagnostic, Diagnostics, Fix
from striate_dsl.lexer import ODD, RESERVED, SIGNS, Token, tokenize
from striate_dsl.source import Source, Span

_FOREIGN_SIGNS = {
    "->>": "->",
    "~>": "->",
    "|>": "->",
    "=>": "->",
    "=<": "<=",
    "<>": "!=",
    "===": "==",
    "!==": "!=",
    ":=": "=",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "...": "..",
    "..=": "..",
}
_COMPARING_WORDS = frozenset({"assert", "if", "requires", "else"})
_LETTERS = dict(zip("аеорсухіјѕԁԛԝһАВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "aeopcyxijsdqwhABEKMHOPCTYXIJSABEZHIKMNOPTYXo", strict=True))  # noqa: RUF001
_SIGNS = {"–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "→": "->", "⟶": "->", "⇒": "->", "➔": "->", "➜": "->"}  # noqa: RUF001
_SIGNS |= {"×": "x", "·": "*", "⋅": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "…": "..", "⁄": "/", "∕": "/"}  # noqa: RUF001
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = _TURNING | frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")
_KERNEL = re.compile(r"([0-9]+)x([0-9]+)")
_SUFFIXED = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?)([KmgbB])")


def repair(source: Source, tokens: list[Token], findings: Diagnostics, most: int) -> list[Token] | None:
    """Return the tokens with every odd one replaced by what was meant, or left out; None after `most` findings."""
    out: list[Token] = []
    position = 0
    while position < len(tokens):
        if len(findings) >= most:
            return None
        token = tokens[position]
        position += 1
        if token.kind == "OPEN_TEXT":
            out += _close_text(source, token, out, findings)
        elif token.text == "\ufeff" and token.start == 0:
            continue  # the byte order mark of a text that was not read by `reading.py`
        elif token.kind == "BAD":
            while _goes_on(tokens[position - 1], tokens[position]):
                position += 1
            out += _character(source, token, tokens[position - 1].end, findings)
        elif token.kind in ODD and token.kind != "BAD_NUMBER":
            found, meant = _explain(source, token, out)
            findings.add(found)
            out += meant
        else:
            out.append(token)
    return out


def repair_numbers(source: Source, tokens: list[Token], findings: Diagnostics) -> None:
    """Turn what still looks like a number and is none into a number, once sizes and versions are known."""
    for token in tokens:
        if token.kind == "BAD_NUMBER":
            findings.add(_bad_number(source, token))
            token.kind, token.text = "NUMBER", "1"


def _tokens_for(meant: str, token: Token) -> list[Token]:
    """The tokens of a replacement, all lying where the odd one lies."""
    pieces, _ = tokenize(meant)
    return [Token(piece.kind, piece.text, token.start, token.end) for piece in pieces[:-1]]


def _explain(source: Source, token: Token, before: list[Token]) -> tuple[Diagnostic, list[Token]]:
    if token.kind == "FOREIGN_WORD":
        return _foreign_word(source, token, before)
    if token.kind == "QUOTED":
        inner = token.text[1:-1].replace('"', '\\"')
        fix = replacing(source, token, f'"{inner}"', f'write "{clipped(inner)}"')
        found = complaint("E0104", 'a text stands in double quotes " "', place(source, token), fix=fix)
        return found, _tokens_for(f'"{inner}"', token)
    if token.kind == "ODD_WORD":
        return _odd_word(source, token)
    return _foreign_sign(source, token, before)


def _foreign_word(source: Source, token: Token, before: list[Token]) -> tuple[Diagnostic, list[Token]]:
    span = place(source, token)
    if token.text == "None":
        advice = "leave the argument or setting out instead"
        return complaint("E0115", "there is no `None` here", span, advice=advice), _tokens_for("none", token)
    last = next((piece.kind for piece in reversed(before) if piece.kind != "NEWLINE"), "")
    meant = {"True": "true", "False": "false", "elif": "else if" if last == "RBRACE" else "if"}[token.text]
    fix = replacing(source, token, meant, f"write {meant}")
    return complaint("E0115", f"`{token.text}` is written `{meant}` here", span, fix=fix), _tokens_for(meant, token)


def _foreign_sign(source: Source, token: Token, before: list[Token]) -> tuple[Diagnostic, list[Token]]:
    text, span = token.text, place(source, token)
    if text.startswith("/*"):
        return _block_comment(source, token), []
    if text == "**":
        advice = "multiply instead: a * a"
        return complaint("E0115", "there is no power operator `**`", span, advice=advice), _tokens_for("*", token)
    if len(text) == 2 and text[1] == "=" and text[0] in "+-*/%":  # noqa: PLR2004 - an operator and `=`
        advice = "values do not change here; give the new value a name of its own with `let`"
        return complaint("E0115", f"`{text}` cannot change a value", span, advice=advice), _tokens_for("=", token)
    meant = "->" if text.startswith("--") else _FOREIGN_SIGNS[text]
    if text == "=>" and _line_word(before) in _COMPARING_WORDS:
        meant = ">="
    title = f"write {meant}" if text != "..=" else "write .. with a stop that is one larger: the stop is left out"
    if text in {"&", "|"}:
        message, advice = f"`{text}` means nothing here", "conditions are joined by the words `and` and `or`"
        return complaint("E0102", message, span, advice=advice), _tokens_for(meant, token)
    fix = replacing(source, token, _apart(source, token, meant), title, "unsafe" if text == "..=" else "safe")
    return complaint("E0115", f"`{text}` is written `{meant}` here", span, fix=fix), _tokens_for(meant, token)


def _apart(source: Source, token: Token, meant: str) -> str:
    """A word with blanks where it would otherwise grow together with its neighbours."""
    before, after = source.text[token.start - 1 : token.start], source.text[token.end : token.end + 1]
    if not meant.isalpha():
        return meant
    return " " * (not before.isspace() and before not in {"", "(", "["}) + meant + " " * (not after.isspace())


def _block_comment(source: Source, token: Token) -> Diagnostic:
    span = place(source, token)
    rest_of_line = source.line_text(span.end_line)[span.end_column - 1 :]
    message, advice = "comments begin with `#`", "put a # before each line of the comment"
    if rest_of_line.strip() or not token.text.endswith("*/"):
        return complaint("E0115", message, span, advice=advice)
    lines = token.text[2:-2].strip().splitlines() or [""]
    indent = re.match(r"[ \t]*", source.line_text(span.line))
    margin = "\n" + (indent[0] if indent else "")
    commented = margin.join(f"# {line.strip()}".rstrip() for line in lines)
    return complaint("E0115", message, span, fix=replacing(source, token, commented, advice))


def _line_word(before: list[Token]) -> str:
    """The first word of the line that the tokens end in."""
    first = ""
    for token in reversed(before):
        if token.kind in {"NEWLINE", "SEMICOLON", "LBRACE"}:
            break
        first = token.text
    return first


# -------------------------------------------------------------------------------------------- texts


def _close_text(source: Source, token: Token, before: list[Token], findings: Diagnostics) -> list[Token]:
    """End an open text at the end of its line, inside brackets before the next comma or closing bracket."""
    end = token.start + len(token.text.rstrip())
    if _inside_brackets(before):
        inner = re.match(r'"[^,)\]]*', token.text)
        end = token.start + len(inner[0].rstrip()) if inner else end
    closed = source.text[token.start : end] + '"'
    fix = Fix(f"close it: {clipped(closed)}", (edit(source, end, end, '"'),), "safe")
    findings.add(complaint("E0104", "this text is never closed", Span(source, token.start, end), fix=fix))
    text = Token("TEXT", re.sub(r"\\(?=\"$)", "", closed), token.start, end)
    rest, _ = tokenize(source.text, end, token.end)
    return [text, *(piece for piece in rest[:-1] if piece.kind not in ODD)]


def _inside_brackets(before: list[Token]) -> bool:
    depth = 0
    for token in reversed(before):
        if token.kind == "NEWLINE":
            return False
        depth += (token.kind in {"RPAR", "RSQUARE"}) - (token.kind in {"LPAR", "LSQUARE"})
        if depth < 0:
            return True
    return False


# -------------------------------------------------------------------------------------------- words and numbers


def _odd_word(source: Source, token: Token) -> tuple[Diagnostic, list[Token]]:
    span = place(source, token)
    meant = "".join(_look_alike(char) or char for char in token.text)
    odd = [char for char in token.text if not char.isascii()]
    named = ", ".join(_named(char) for char in list(dict.fromkeys(odd))[:3])
    if meant.isascii() and meant.isidentifier():
        fix = replacing(source, token, meant, f"write {meant} with plain letters")
        found = complaint("E0103", f"{quoted(token.text)} contains letters that only look like a-z", span, named, fix=fix)
        return found, _tokens_for(meant, token)
    advice = "names consist of the letters a-z and A-Z, digits and _"
    found = complaint("E0102", f"{quoted(token.text)} cannot be a name", span, named, advice=advice)
    return found, [Token("NAME", token.text, token.start, token.end)]


def _bad_number(source: Source, token: Token) -> Diagnostic:
    text, span = token.text, place(source, token)
    message = f"{quoted(text)} is neither a number nor a name"
    kernel, suffixed = _KERNEL.fullmatch(text), _SUFFIXED.fullmatch(text)
    if kernel:
        meant = kernel[1] if kernel[1] == kernel[2] else f"({kernel[1]}, {kernel[2]})"
        fix = replacing(source, token, meant, f"write {meant}; `x` separates sizes in an `input` only")
        return complaint("E0105", message, span, fix=fix)
    if suffixed:
        meant = suffixed[1] + {"K": "k", "m": "M", "g": "G", "b": "G", "B": "G"}[suffixed[2]]
        fix = replacing(source, token, meant, f"write {meant}: k is thousand, M million, G a thousand million", "unsafe")
        return complaint("E0105", message, span, fix=fix)
    advice = "numbers look like 64, 1_000, 0.5, 1e-4, 300k or 5M; names begin with a letter"
    return complaint("E0105", message, span, advice=advice)


# -------------------------------------------------------------------------------------------- single characters


def _goes_on(token: Token, following: Token) -> bool:
    """Whether two unknown characters stand side by side and are equally meaningless: they make one complaint."""
    adjacent = following.kind == "BAD" and token.end == following.start
    return adjacent and not any(_look_alike(t.text) or _blank(t.text) or t.text in _INVISIBLE for t in (token, following))


def _blank(char: str) -> bool:
    return unicodedata.category(char) in {"Zs", "Zl", "Zp"} or char in "\f\v\x1c\x1d\x1e\x1f\x85"


def _look_alike(char: str) -> str | None:
    """The plain character that a letter or sign looks like, if any."""
    if 0xFF01 <= ord(char) <= 0xFF5E:  # noqa: PLR2004 - the full-width forms of ASCII
        return chr(ord(char) - 0xFEE0)
    return _LETTERS.get(char) or _SIGNS.get(char)


def _named(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, 'control character')}"


def _character(source: Source, token: Token, end: int, findings: Diagnostics) -> Iterator[Token]:
    """Report the characters up to `end` and yield the tokens that they stand for."""
    char, span = token.text, Span(source, token.start, end)
    meant = _look_alike(char)
    if meant is not None:
        fix = replacing(source, token, meant, f"write {meant}")
        findings.add(complaint("E0103", f"`{char}` is not the sign `{meant}`", span, _named(char), fix=fix))
        if meant in SIGNS or meant in RESERVED or meant.isalnum():
            yield from _tokens_for(meant, token)
    elif char in _INVISIBLE or _blank(char):
        findings.add(_unseen(source, token, span))
    else:
        findings.add(_unknown(source, token, span))


def _unseen(source: Source, token: Token, span: Span) -> Diagnostic:
    char = token.text
    if _blank(char):
        fix = replacing(source, token, " ", "write a plain space")
        return complaint("E0103", "this blank is not a plain space", span, _named(char), fix=fix)
    what = "an invisible character that turns the direction of the text" if char in _TURNING else "an invisible character"
    return complaint("E0103", f"{what} is hidden here", span, _named(char), fix=replacing(source, token, "", "delete it"))


def _unknown(source: Source, token: Token, span: Span) -> Diagnostic:
    char = token.text
    if char == "\0":
        fix = Fix("delete it", (edit(source, span.start, span.end, ""),), "unsafe")
        return complaint("E0102", "a NUL byte is in the text", span, "is this a text file?", fix=fix)
    if char == "\\":
        advice = "a line goes on inside ( ) and [ ], or when the next one begins with ->"
        return complaint("E0102", "a line is not continued with `\\` here", span, advice=advice)
    if char in "'\"":
        return complaint("E0104", "this text is never closed", span, 'a text stands in double quotes " "')
    shown = clipped(span.text) if span.text.isprintable() else _named(char)
    label = "" if char.isascii() else _named(char)
    return complaint("E0102", f"`{shown}` means nothing here", span, label)
