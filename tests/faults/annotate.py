"""Writes what striate says today into files of the corpus, for the author to read: `python -m tests.faults.annotate`.

Reasons for having no repair are kept; a new one is left empty, and the test refuses it until it is written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from striate.checking import check_source
from striate.fixing import fix_source
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.edits import apply_edits
from striate_dsl.source import Source
from tests.faults.corpus import MARK, AnnotationError, Case, local, read_case


def annotated(case: Case) -> str:
    """Return the file's text with the annotations that fit what striate says now."""
    source = Source(str(case.path), case.text)
    found = check_source(source).diagnostics
    reasons = {(item.line, item.code): item.all("no fix") for item in case.expected}
    lines = [f"{MARK} {case.title}"]
    for number, line in enumerate(case.text.splitlines(), 1):
        lines.append(line)
        for item in found:
            if item.span is not None and item.span.line == number:
                lines += _finding(case, item, reasons)
    grades = {fix.grade for item in found for fix in item.fixes if fix.edits}
    for grade, flag in (("safe", "fix"), ("unsafe", "unsafe-fixes")):
        if grade in grades:
            left = sorted(item.code for item in fix_source(source, unsafe=grade == "unsafe").checked.diagnostics)
            lines.append(f"{MARK} after --{flag}: {' '.join(left) or 'clean'}")
    return "".join(f"{line}\n" for line in lines)


def _finding(case: Case, item: Diagnostic, reasons: dict[tuple[int, str], list[str]]) -> Iterator[str]:
    assert item.span is not None, "only findings with a place are annotated"
    column = item.span.column
    width = max(1, len(item.span.text.splitlines()[0]) if item.span.text else 0)
    place = f" @{column}" if column <= len(MARK) else " " * (column - 1 - len(MARK)) + "^" * width
    yield f"{MARK}{place} {item.severity.value}[{item.code}]: {local(item.message)}"
    for kind, words in (("help", [item.help] if item.help else []), ("note", item.notes)):
        yield from (f"{MARK} {kind}: {local(line).splitlines()[0]}" for line in words)
    yield from (f"{MARK} here: {label.text}" for label in item.labels)
    before = {line.strip() for line in case.text.splitlines()}
    for fix in item.fixes:
        if fix.edits:
            yield f"{MARK} fix ({fix.grade}): {fix.title}"
            new = apply_edits(case.text, fix.edits).splitlines()
            yield from (f"{MARK} now: {line.strip()}" for line in new if line.strip() and line.strip() not in before)
    if not any(fix.edits for fix in item.fixes):
        yield f"{MARK} no fix: {' '.join(reasons.get((item.span.line, item.code), [])) or '?'}"


def main() -> int:
    """Annotate the files that are named."""
    for path in (Path(name).resolve() for name in sys.argv[1:]):
        try:
            case = read_case(path)
        except AnnotationError as error:
            sys.stderr.write(f"{error}\n")
            continue
        path.write_text(annotated(case), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
