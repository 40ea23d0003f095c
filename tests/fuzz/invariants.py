"""What holds for every text, whatever is in it: a function per target, which raises `AssertionError` where it does not.

Nothing may raise; findings lie in the text, have a page and speak the user's language; repairs can be made and help;
the canonical form is stable and says the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from striate.checking import check_source
from striate.codes import catalogue
from striate.editor.server.places import readable
from striate.fixing import fix_source
from striate_dsl.diagnostics import Diagnostic, Severity
from striate_dsl.edits import apply_edits
from striate_dsl.formatter import format_source
from striate_dsl.lexer import tokenize
from striate_dsl.parser import parse
from striate_dsl.render import render_text, to_json
from striate_dsl.sarif import Found, to_sarif
from striate_dsl.source import Source, Span
from striate_dsl.tables import tables
from tests.engine.editor.desk import Desk
from tests.engine.editor.questions import check_answers

NAME = "/nowhere/fuzz/net.cnn"
"""What texts are called: nothing lies beside them."""

_TERMINALS = {symbol for row in tables().states for symbol in row if symbol.isupper()} - {"X"}
_PYTHON = re.compile(
    r"<[\w.]+ object at|\b0x[0-9a-f]{6,}|Traceback|\bNoneType\b|\bfrozenset\b|\brange\(-?\d+, |\b(?:Choice|Span|Expr|"
    r"ValueRef|LayerRef|BlockRef|Bound|Given|Token|CallValue|UsedFile|TensorType|OpRecord|Source|Identifier)\(|"
    r"\b(?:None|True|False|nan|inf)\b|\\x[0-9a-f]{2}|\bLark\b|\bUnexpected"
)


def source_of(text: str) -> Source:
    """Return a text under a name that no file has."""
    return Source(NAME, text)


def hold_parse(text: str) -> None:
    """Parsing never raises; there is a tree exactly where there is no error."""
    source = source_of(text)
    result = parse(source)
    hold_findings(result.diagnostics, source)
    assert (result.file is None) == result.diagnostics.has_errors, "a tree and errors, or neither"


def hold_check(text: str) -> None:
    """Checking never raises, and what it finds can be told."""
    source = source_of(text)
    checked = check_source(source)
    hold_findings(checked.diagnostics, source)
    for domain in checked.domains.values():
        assert domain.sentences() is not None
        smallest = domain.smallest()
        assert smallest is None or domain.contains(smallest), "the smallest size is not legal"


def hold_format(text: str) -> None:
    """The canonical form of a text is its own canonical form, and has the same tree and comments."""
    formatted = format_source(source_of(text))
    assert (formatted.text is None) == formatted.diagnostics.has_errors, "a text with errors has no canonical form"
    if formatted.text is None:
        return
    again = format_source(source_of(formatted.text))
    assert again.text == formatted.text, "the canonical form has another canonical form"
    assert outline(parse(source_of(formatted.text)).file) == outline(parse(source_of(text)).file), "another tree"
    assert _comments(formatted.text) == _comments(text), "other comments"


def hold_fix(text: str) -> None:
    """Repairing never raises, ends with a text that is no worse, and what it says is about that text."""
    for unsafe in (False, True):
        before = check_source(source_of(text))
        fixed = fix_source(source_of(text), unsafe=unsafe)
        hold_findings(fixed.checked.diagnostics, fixed.after)
        torn = parse(source_of(text)).file is None
        assert not fixed.changed or parse(fixed.after).file is not None, "repaired, and does not parse"
        assert torn or _errors(fixed.checked.diagnostics) <= _errors(before.diagnostics), "more errors than before"


def hold_render(text: str) -> None:
    """Everything found can be shown, in any width, as text, JSON and SARIF."""
    found = list(check_source(source_of(text)).diagnostics)
    for width in (0, 40, 100):
        for color in (False, True):
            shown = render_text(found, color=color, width=width)
            assert all(f"[{item.code}]" in shown for item in found), "a finding is not shown"
    plain = render_text(found)
    odd = [char for char in plain if not char.isprintable() and char != "\n"]
    assert not odd, f"not visible: {odd!r}"
    assert len(to_json(found)) == len(found)
    assert to_sarif([Found(NAME, item) for item in found], {}, "1", Path("/nowhere"))["version"] == "2.1.0"


@cache
def _desk() -> Desk:
    return Desk(Path("/nowhere/fuzz"))


def hold_server(text: str) -> None:
    """The language server answers every question about a text and a place in it, and what it says lies in the text."""
    text = readable(text)
    check_answers(_desk(), text, crc32(text.encode()) % (len(text) + 1))


TARGETS: dict[str, Callable[[str], None]] = {
    "parse": hold_parse,
    "check": hold_check,
    "format": hold_format,
    "fix": hold_fix,
    "render": hold_render,
    "server": hold_server,
}
"""The functions by the names of the targets."""


def hold_findings(findings: Iterable[Diagnostic], source: Source) -> None:
    """Check what holds for every finding: its code, places, words and repairs."""
    for item in findings:
        assert item.code in catalogue(), f"{item.code} has no page"
        for span in filter(None, (item.span, *(label.span for label in item.labels))):
            _hold_span(span)
        _hold_words(item, source.text)
        for fix in item.fixes:
            for edit in fix.edits:
                _hold_span(edit.span)
            if all(edit.span.source is source for edit in fix.edits):
                apply_edits(source.text, fix.edits)


def _hold_span(span: Span) -> None:
    assert 0 <= span.start <= span.end <= len(span.source.text), f"{span.start}-{span.end} lies outside of the text"


def _hold_words(item: Diagnostic, text: str) -> None:
    """What is said holds no name of a terminal and nothing of Python's, unless the text itself does."""
    said = " ".join([item.message, item.label, item.help or "", *item.notes, *(label.text for label in item.labels)])
    said = re.sub(r"U\+[0-9A-F]{4,} [-A-Z0-9 ]+", "", said)  # the names that Unicode gives to characters
    assert item.message.strip(), "nothing is said"
    shouted = _TERMINALS & set(re.findall(r"\w+", said)) - set(re.findall(r"\w+", text))
    assert not shouted, f"names of terminals: {shouted} in {said!r}"
    python = [found for found in _PYTHON.findall(said) if found not in text]
    assert not python, f"Python shows through: {python} in {said[:300]!r}"


def _errors(findings: Iterable[Diagnostic]) -> int:
    return sum(item.severity is Severity.ERROR for item in findings)


def _comments(text: str) -> list[str]:
    found, end = [], 0
    for token in tokenize(text)[0]:
        found += re.findall(r"#[^\n]*", text[end : token.start])
        end = token.end
    return [comment.rstrip(" \t\r") for comment in found]


def outline(node: Any) -> Any:
    """Return a tree as nested tuples that say everything but the places."""
    if isinstance(node, tuple):
        return tuple(map(outline, node))
    if isinstance(node, Span):
        return None
    if not is_dataclass(node):
        return (type(node).__name__, repr(node))
    return (type(node).__name__, *(outline(getattr(node, field.name)) for field in fields(node)))
