"""What may be written at a place of an unfinished text: decided by the words before it alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from striate.editor.server.scanner import scan
from striate.editor.server.words import CallSite, Definition, Frame, Role, Scan, Word
from striate_dsl.lexer import Token

_NAME_BEFORE = re.compile(r"[A-Za-z_]\w*\Z")
_ALLOW = re.compile(r"#\s*allow\s+(?:[EW]\w*[\s,]+)*\Z")
_EXPRESSION = frozenset({"if", "repeat", "for", "assert"})
_ENDS = frozenset({"NAME", "NUMBER", "RPAR", "RSQUARE", "RBRACE", "TEXT", "TRUE", "FALSE"})


class Wanted(StrEnum):
    """What kind of thing belongs at a place."""

    NOTHING = "nothing"
    DEFINITION = "definition"
    STATEMENT = "statement"
    STEP = "step"
    AFTER_STEP = "after step"
    VALUE = "value"
    ARGUMENT = "argument"
    ATTRIBUTE = "attribute"
    OUTPUT = "output"
    HEAD = "head"
    MODEL = "model"
    FILE = "file"
    PATH = "path"
    PLUGIN = "plugin"
    KEY = "key"
    SETTING = "setting"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Context:
    """What belongs at a place, and what is known of it.

    Attributes:
        wanted: what may be written.
        start: where the unfinished word begins.
        typed: that word as far as it is written.
        frame: the brackets or braces around it.
        call: the call whose argument is wanted.
        argument: the name of the argument whose value is wanted, if it is written.
        before: the word before the dot.
        definition: the definition around it, as far as it is written.
    """

    wanted: Wanted
    start: int
    typed: str
    frame: Frame
    call: CallSite | None = None
    argument: str | None = None
    before: Word | None = None
    definition: Definition | None = None


def context_at(text: str, offset: int) -> Context:
    """Return what may be written at an offset."""
    found = _NAME_BEFORE.search(text, max(offset - 200, 0), offset)
    start = found.start() if found else offset
    scanned = scan(text, start)
    frame = scanned.frames[-1]
    typed = text[start:offset]
    tokens = scanned.tokens[:-1]
    last = next((token for token in reversed(tokens) if token.kind != "NEWLINE"), None)
    tail = text[tokens[-1].end if tokens else 0 : start]
    definition = scanned.definitions[-1] if scanned.definitions else None
    if definition is not None and definition.end < start:
        definition = None
    if "#" in tail or (last is not None and last.kind == "OPEN_TEXT"):
        return _in_text(text, start, offset, frame, last if "#" not in tail else None, definition)
    word = scanned.words[-1] if scanned.words else None
    wanted = _wanted(scanned, frame, last, word, definition)
    argument = word.text if word is not None and word.role is Role.ARGUMENT and _is(last, "EQUALS") else None
    before = word if _is(last, "DOT") else None
    return Context(wanted, start, typed, frame, frame.call, argument, before, definition)


def _in_text(
    text: str, start: int, offset: int, frame: Frame, opened: Token | None, definition: Definition | None
) -> Context:
    """Within a comment, or a text in quotes that is not closed."""
    if opened is not None:
        is_path = definition is not None and definition.kind == "use"
        begin = opened.start + 1
        return Context(Wanted.PATH if is_path else Wanted.NOTHING, begin, text[begin:offset], frame)
    line = text.rfind("\n", 0, start) + 1
    wanted = Wanted.CODE if _ALLOW.search(text, line, start) else Wanted.NOTHING
    return Context(wanted, start, text[start:offset], frame)


def _wanted(
    scanned: Scan, frame: Frame, last: Token | None, word: Word | None, definition: Definition | None
) -> Wanted:
    if _is(last, "DOT"):
        return _behind_dot(frame, definition)
    if not frame.is_braced:
        return _in_brackets(frame, last)
    if frame.kind == "top":
        return _at_top(frame, last, definition)
    if frame.kind == "settings":
        if frame.fresh:
            return Wanted.KEY
        return Wanted.SETTING if frame.is_valued and not _ends(last) else Wanted.NOTHING
    return _in_body(frame, last, word)


def _behind_dot(frame: Frame, definition: Definition | None) -> Wanted:
    if frame.kind == "settings" and not frame.is_valued:
        return Wanted.KEY
    if frame.kind == "top" and definition is not None:
        return {"use": Wanted.FILE, "model": Wanted.MODEL}.get(definition.kind, Wanted.NOTHING)
    return Wanted.ATTRIBUTE


def _in_brackets(frame: Frame, last: Token | None) -> Wanted:
    if frame.kind == "params":
        return Wanted.VALUE if _is(last, "EQUALS") else Wanted.NOTHING
    if _ends(last) or frame.is_loop_head or frame.kind == "names":
        return Wanted.NOTHING
    if frame.section and frame.call is None:
        return Wanted.SETTING
    return Wanted.ARGUMENT if frame.call is not None and _is(last, "LPAR", "COMMA") else Wanted.VALUE


def _at_top(frame: Frame, last: Token | None, definition: Definition | None) -> Wanted:
    if frame.fresh or definition is None:
        return Wanted.DEFINITION
    kind = definition.kind
    if kind == "model" and _is(last, "EQUALS"):
        return Wanted.MODEL
    begins = last is not None and last.start == definition.start
    table = {
        "use": Wanted.FILE,
        "requires": Wanted.PLUGIN,
        "train": Wanted.MODEL,
        "export": Wanted.MODEL,
        "search": Wanted.MODEL,
    }
    return table.get(kind, Wanted.NOTHING) if begins else Wanted.NOTHING


def _in_body(frame: Frame, last: Token | None, word: Word | None) -> Wanted:
    if frame.is_step or _is(last, "ARROW"):
        return Wanted.STEP
    if frame.fresh:
        return Wanted.STATEMENT
    if _is(last, "AS") or frame.is_loop_head:
        return Wanted.NOTHING
    opened = word is not None and last is not None and word.start == last.start and word.text == frame.statement
    if frame.statement in ("output", "head", "input", "let") and opened:
        return {"output": Wanted.OUTPUT, "head": Wanted.HEAD}.get(frame.statement, Wanted.NOTHING)
    if frame.statement == "output":
        return Wanted.OUTPUT if _is(last, "COMMA") else Wanted.NOTHING
    if _ends(last):
        return Wanted.AFTER_STEP if frame.statement in ("flow", "") else Wanted.NOTHING
    is_value = frame.statement in _EXPRESSION or (frame.statement in ("let", "input") and not _is(last, "COLON"))
    return Wanted.VALUE if is_value else Wanted.NOTHING


def _is(token: Token | None, *kinds: str) -> bool:
    return token is not None and token.kind in kinds


def _ends(token: Token | None) -> bool:
    """Whether an expression or step may end with a token, so that no name can follow it."""
    return token is not None and token.kind in _ENDS
