"""Explains and repairs what is not part of the language at all: signs of other languages, look-alikes, broken literals.

`repair` puts the token that was meant in the place of each odd one, so that nothing else is reported because of it.
"""

from __future__ import annotations

import re

from striate_dsl.complaints import clipped, complaint, edit, place, quoted, replacing
from striate_dsl.diagnostics import Diagnostic, Diagnostics, Fix
from striate_dsl.lexer import ODD, Token, stand_ins, tokenize
from striate_dsl.odd_characters import goes_on, odd_character, odd_word, unclosed_quote
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
        elif token.kind == "OPEN_QUOTE":
            findings.add(unclosed_quote(source, token))
            out += _known(source, token.start + 1, token.end)
        elif token.text == "\ufeff" and token.start == 0:
            continue  # the byte order mark of a text that was not read by `reading.py`
        elif token.kind == "BAD":
            while goes_on(tokens[position - 1], tokens[position]):
                position += 1
            out += odd_character(source, token, tokens[position - 1].end, findings)
        elif token.kind in ODD and token.kind != "BAD_NUMBER":
            found, meant = _explain(source, token, out)
            findings.add(found)
            out += meant
        else:
            out.append(token)
    return out


def repair_numbers(source: Source, tokens: list[Token], findings: Diagnostics, most: int) -> None:
    """Turn what still looks like a number and is none into what was meant, once sizes and versions are known."""
    for at in reversed(range(len(tokens))):
        token = tokens[at]
        if token.kind == "BAD_NUMBER":
            found = _bad_number(source, token)
            if len(findings) < most:
                findings.add(found)
            meant = found.fixes[0].edits[0].replacement if found.fixes else "1"
            tokens[at : at + 1] = stand_ins(meant, token.start, token.end)


def _explain(source: Source, token: Token, before: list[Token]) -> tuple[Diagnostic, list[Token]]:
    if token.kind == "FOREIGN_WORD":
        return _foreign_word(source, token, before)
    if token.kind == "QUOTED":
        inner = token.text[1:-1].replace('"', '\\"')
        fix = replacing(source, token, f'"{inner}"', f'write "{clipped(inner)}"')
        found = complaint("E0104", 'a text stands in double quotes " "', place(source, token), fix=fix)
        return found, stand_ins(f'"{inner}"', token.start, token.end)
    if token.kind == "ODD_WORD":
        return odd_word(source, token)
    return _foreign_sign(source, token, before)


def _foreign_word(source: Source, token: Token, before: list[Token]) -> tuple[Diagnostic, list[Token]]:
    span = place(source, token)
    if token.text == "None":
        advice, fix = "leave the argument or setting out instead", _left_out(source, token, before)
        return complaint("E0115", "there is no `None` here", span, advice=advice, fix=fix), stand_ins(
            "none", token.start, token.end
        )
    last = next((piece.kind for piece in reversed(before) if piece.kind != "NEWLINE"), "")
    meant = {"True": "true", "False": "false", "elif": "else if" if last == "RBRACE" else "if"}[token.text]
    fix = replacing(source, token, meant, f"write {meant}")
    return complaint("E0115", f"`{token.text}` is written `{meant}` here", span, fix=fix), stand_ins(
        meant, token.start, token.end
    )


def _left_out(source: Source, token: Token, before: list[Token]) -> Fix | None:
    """Return the repair of `, stride = None`: the argument with its comma is deleted."""
    kinds = [piece.kind for piece in before[-3:]]
    if kinds != ["COMMA", "NAME", "EQUALS"]:
        return None
    name = before[-2].text
    return Fix(f"leave {name} out", (edit(source, before[-3].start, token.end, ""),), "unsafe")


def _foreign_sign(source: Source, token: Token, before: list[Token]) -> tuple[Diagnostic, list[Token]]:
    text, span = token.text, place(source, token)
    if text.startswith("/*"):
        return _block_comment(source, token), []
    if text == "**":
        advice = "multiply instead: a * a"
        return complaint("E0115", "there is no power operator `**`", span, advice=advice), stand_ins(
            "*", token.start, token.end
        )
    if len(text) == 2 and text[1] == "=" and text[0] in "+-*/%":
        advice = "values do not change here; give the new value a name of its own with `let`"
        return complaint("E0115", f"`{text}` cannot change a value", span, advice=advice), stand_ins(
            "=", token.start, token.end
        )
    meant = "->" if text.startswith("--") else _FOREIGN_SIGNS[text]
    if text == "=>" and _line_word(before) in _COMPARING_WORDS:
        meant = ">="
    title = f"write {meant}" if text != "..=" else "write .. with a stop that is one larger: the stop is left out"
    if text in {"&", "|"}:
        if text == "|" and _line_word(before) not in _COMPARING_WORDS:
            fix = replacing(source, token, "->", "write ->", "unsafe")
            return complaint("E0102", f"`{text}` means nothing here", span, fix=fix), stand_ins(
                "->", token.start, token.end
            )
        message, advice = f"`{text}` means nothing here", "conditions are joined by the words `and` and `or`"
        return complaint("E0102", message, span, advice=advice), stand_ins(meant, token.start, token.end)
    fix = replacing(source, token, _apart(source, token, meant), title, "unsafe" if text == "..=" else "safe")
    return complaint("E0115", f"{quoted(text)} is written `{meant}` here", span, fix=fix), stand_ins(
        meant, token.start, token.end
    )


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
    if rest_of_line.strip() and token.text.endswith("*/") and "\n" not in token.text and "#" not in rest_of_line:
        end = token.end + len(rest_of_line.rstrip())
        written = f"  # {token.text[2:-2].strip()}"
        gone = token.end + len(rest_of_line) - len(rest_of_line.lstrip())
        edits = (edit(source, token.start, gone, ""), edit(source, end, end, written))
        return complaint("E0115", message, span, fix=Fix("put it at the end of the line, behind #", edits, "safe"))
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
    return [text, *_known(source, end, token.end)]


def _known(source: Source, start: int, end: int) -> list[Token]:
    """The tokens of a part of the text that are in the language; nothing is said about the others."""
    return [piece for piece in tokenize(source.text, start, end)[0][:-1] if piece.kind not in ODD]


def _inside_brackets(before: list[Token]) -> bool:
    depth = 0
    for token in reversed(before):
        if token.kind == "NEWLINE":
            return False
        depth += (token.kind in {"RPAR", "RSQUARE"}) - (token.kind in {"LPAR", "LSQUARE"})
        if depth < 0:
            return True
    return False


# -------------------------------------------------------------------------------------------- numbers


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
        title = f"write {meant}: k is thousand, M million, G a thousand million"
        fix = replacing(source, token, meant, title, "unsafe")
        return complaint("E0105", message, span, fix=fix)
    advice = "numbers look like 64, 1_000, 0.5, 1e-4, 300k or 5M; names begin with a letter"
    return complaint("E0105", message, span, advice=advice)
