"""`# allow W0107`: comments that silence findings at their line, and what is wrong with such comments.

At the end of a line a comment speaks of that line; on a line of its own, of the next line that is not a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from striate.lint.registry import LINTS
from striate_dsl.diagnostics import Diagnostic, Severity
from striate_dsl.lexer import tokenize
from striate_dsl.names import nearest
from striate_dsl.source import Source, Span

MOST = 10_000
"""Comments of one text that are read as allowances."""

UNUSED = "W0100"
_DIRECTIVE = r"#\s*allow\s+([EW]\d+(?:(?:\s*,\s*|\s+)[EW]\d+)*)\s*\b"
_CODE = r"[EW]\d+"
_EMPTY_LINES = re.compile(r"[^\n]*\n(?:[ \t\r]*(?:#[^\n]*)?\n)*")
_KNOWN = tuple(item.code for item in LINTS)


@dataclass(eq=False, slots=True)
class Allowance:
    """One code of an `allow` comment: where it is written, and the line of which it speaks (0 where there is none)."""

    code: str
    span: Span
    line: int


def allowances(source: Source) -> list[Allowance]:
    """Return the allowances of a text, in order (of a text with more than `MOST` only those)."""
    found: list[Allowance] = []
    following = _Following(source)
    for comment in islice(_directives(source), MOST):
        directive = re.match(_DIRECTIVE, comment.text)
        if directive is None:
            continue
        line = following.line(comment.end) if _alone(comment) else comment.line
        for code in re.finditer(_CODE, directive[1]):
            start = comment.start + directive.start(1) + code.start()
            place = Span(source, start, start + len(code[0]))
            found.append(Allowance(code[0], place, line))
    return found


def _directives(source: Source) -> Iterator[Span]:
    """Yield the comments that begin with `allow`; what looks like one inside a text is none."""
    text = source.text
    for match in re.finditer(r"#[ \t]*allow\b[^\n]*", text):
        line = text.rfind("\n", 0, match.start()) + 1
        end = match.start() + len(match[0].rstrip())
        tokens, _ = tokenize(text, line, match.end())
        if all(token.end <= match.start() or token.start >= match.end() for token in tokens):
            yield Span(source, match.start(), end)


def _alone(comment: Span) -> bool:
    text = comment.source.text
    return not text[text.rfind("\n", 0, comment.start) + 1 : comment.start].strip()


@dataclass(slots=True)
class _Following:
    """Finds the next line that is neither blank nor a comment, going through the text once."""

    source: Source
    _from: int = 0
    _to: int = -1
    _line: int = 0

    def line(self, offset: int) -> int:
        """Return the number of the first such line behind an offset, 0 at the end of the text; offsets only grow."""
        if not self._from <= offset < self._to:
            text = self.source.text
            match = _EMPTY_LINES.match(text, offset)
            end = match.end() if match else offset
            self._from, self._to = offset, end
            self._line = self.source.position(end)[0] if text[end:].strip() else 0
        return self._line


def silence(findings: Iterable[Diagnostic], source: Source, *, complete: bool) -> list[Diagnostic]:
    """Return the findings that no comment of the text silences; errors cannot be silenced.

    Args:
        findings: everything found in the file.
        source: its text.
        complete: whether all models were looked at and linted, so that an allowance without an effect is a finding.
    """
    allowed = allowances(source)
    if not allowed:
        return list(findings)
    by_place = {(item.code, item.line): item for item in allowed}
    used: set[tuple[str, int]] = set()
    kept = []
    for found in findings:
        key = (found.code, found.span.line) if found.span and found.span.source is source else None
        if key in by_place and found.severity is not Severity.ERROR:
            used.add(key)
        else:
            kept.append(found)
    return [*kept, *(_idle(allowed, used) if complete else ())]


def _idle(allowed: list[Allowance], used: set[tuple[str, int]]) -> Iterator[Diagnostic]:
    tolerant = {item.line for item in allowed if item.code == UNUSED}
    seen: set[tuple[str, int]] = set()
    for item in allowed:
        key = (item.code, item.line)
        if item.code == UNUSED or item.line in tolerant or (key in used and key not in seen):
            seen.add(key)
            continue
        yield Diagnostic(
            UNUSED,
            f"allow {item.code} silences nothing{_why(item, repeated=key in seen)}",
            item.span,
            severity=Severity.WARNING,
            help=_advice(item),
        )


def _why(item: Allowance, *, repeated: bool) -> str:
    if item.code.startswith("E"):
        return ": errors cannot be silenced"
    if item.code not in _KNOWN:
        return ": there is no lint of that code"
    if repeated:
        return ": it is written twice"
    return f" at line {item.line}" if item.line else ": no line follows"


def _advice(item: Allowance) -> str:
    near = None if item.code in _KNOWN or item.code.startswith("E") else nearest(item.code, _KNOWN)
    return f"did you mean {near}?" if near else "remove it"
