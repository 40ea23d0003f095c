"""What can be done about findings: the repairs they propose, all safe ones at once, and comments that silence lints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from striate.checking import Checked, check_parsed
from striate.editor.server.builder import Builder
from striate.editor.server.documents import Analysis, Document, Library
from striate.editor.server.places import Lines
from striate.fixing import fix_source
from striate.project.linking import link_parsed
from striate_dsl.comments import comments
from striate_dsl.diagnostics import Diagnostic, Edit, Severity
from striate_dsl.source import Source, Span

_LINT = re.compile(r"W01\d\d")
_UNSILENCED = ("W0100",)


@dataclass(frozen=True, slots=True)
class Action:
    """Edits of one text with a title, and the finding that they are for; `is_safe` where nothing else changes."""

    title: str
    finding: Diagnostic
    edits: tuple[Edit, ...]
    is_safe: bool
    is_repair: bool = True


def actions(analysis: Analysis, start: int, end: int) -> list[Action]:
    """Return what can be done about the findings of a text that touch a stretch of it, safe repairs first."""
    source = analysis.source
    found: list[Action] = []
    for item in analysis.findings:
        span = item.span
        if span is None or span.source is not source or span.start > end or span.end < start:
            continue
        found += _repairs(item, source)
        silencing = _silencing(item, source)
        found += [silencing] if silencing else []
    return sorted(found, key=lambda action: (not action.is_repair, not action.is_safe))


def _repairs(item: Diagnostic, source: Source) -> Iterator[Action]:
    for fix in item.fixes:
        if fix.grade == "display" or not fix.edits or any(edit.span.source is not source for edit in fix.edits):
            continue
        is_safe = fix.grade == "safe"
        title = fix.title if is_safe else f"{fix.title} (unsafe: may change the network)"
        yield Action(title, item, fix.edits, is_safe)


def _silencing(item: Diagnostic, source: Source) -> Action | None:
    """Return the action that allows a lint at its line."""
    if item.severity is Severity.ERROR or not _LINT.fullmatch(item.code) or item.code in _UNSILENCED:
        return None
    assert item.span is not None, "called for findings with a place"
    edit = _allowance(source, item.span.start, item.code)
    return Action(f"allow {item.code} at this line", item, (edit,), is_safe=True, is_repair=False)


def _allowance(source: Source, offset: int, code: str) -> Edit:
    """Return the edit that writes `# allow CODE`: into such a comment, at the end of the line, or on a line above."""
    lines = Lines(source.text, "utf-32")
    begin, end = lines.whole_line(lines.line_of(offset))
    there = next((span for span in comments(source) if begin <= span.start <= end), None)
    if there is None:
        stop = begin + len(source.text[begin:end].rstrip())
        return Edit(Span(source, stop, stop), f"  # allow {code}")
    allowed = re.match(r"#\s*allow\s+[EW]\d+(?:[\s,]+[EW]\d+)*", there.text)
    if allowed is not None:
        stop = there.start + allowed.end()
        return Edit(Span(source, stop, stop), f", {code}")
    indentation = source.text[begin:end][: len(source.text[begin:end]) - len(source.text[begin:end].lstrip())]
    return Edit(Span(source, begin, begin), f"{indentation}# allow {code}\n")


def fix_all(library: Library, document: Document) -> str | None:
    """Return the text with all safe repairs made, None where there is none to make."""

    def check(source: Source) -> Checked:
        result = link_parsed(source, library.texts.parse(source), library.catalogue, library.texts)
        return check_parsed(source, result, library.catalogue, Builder().run, linted=True)

    fixed = fix_source(document.source, check=check)
    return fixed.after.text if fixed.changed else None
