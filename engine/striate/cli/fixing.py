"""`striate check --fix`: repairing files, and saying what was done. What is repaired is decided in `striate.fixing`."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from striate.checking import Checked
from striate.fixing import Fixed, Repair, fix_source
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.reading import read_source


@dataclass(frozen=True, slots=True)
class FixedFile:
    """What came of a file: the check of what it holds (or would hold) now, and the repairs, None if it is no text."""

    checked: Checked
    fixed: Fixed | None = None


def fix_file(path: Path, *, unsafe: bool, write: bool) -> FixedFile:
    """Repair a file and, with `write`, put the result in its place; what cannot be read or written is a finding."""
    try:
        fixed = fix_source(read_source(path), unsafe=unsafe)
        if write and fixed.changed:
            _write(path, fixed.after.text)
    except DiagnosticError as error:
        return FixedFile(Checked(str(path), list(error.diagnostics)))
    return FixedFile(fixed.checked, fixed)


def _write(path: Path, text: str) -> None:
    """Replace a file's text; its byte order mark and its permissions stay."""
    from striate.runtime.atomic import atomic_file

    with path.open("rb") as stream:
        mark = codecs.BOM_UTF8 if stream.read(3) == codecs.BOM_UTF8 else b""
    with atomic_file(path) as stream:
        Path(stream.name).chmod(path.stat().st_mode & 0o7777)
        stream.write(mark + text.encode())


def show_repairs(files: list[FixedFile]) -> None:
    """Print what was repaired, file by file."""
    for item in files:
        if item.fixed is None or not item.fixed.made:
            continue
        made = item.fixed.made
        click.echo(f"{item.checked.file}: fixed {_findings(len(made))}")
        for repair in made:
            click.echo(f"  {_line(repair)}")


def _line(repair: Repair) -> str:
    span = repair.finding.span
    place = f"{span.line}:{span.column} " if span else ""
    unsafe = " (unsafe)" if repair.fix.grade == "unsafe" else ""
    return f"{place}{repair.finding.code} {repair.fix.title}{unsafe}"


def show_difference(files: list[FixedFile]) -> None:
    """Print the repairs as a unified difference."""
    import difflib

    for item in files:
        if item.fixed is not None and item.fixed.changed:
            name = item.checked.file
            before, after = (source.text.splitlines(keepends=True) for source in (item.fixed.before, item.fixed.after))
            for line in difflib.unified_diff(before, after, name, name):
                click.echo(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n", nl=False)


def repairs_as_data(files: list[FixedFile]) -> list[dict[str, Any]]:
    """Return the repairs as plain data."""
    return [
        {
            "file": item.checked.file,
            "code": repair.finding.code,
            "line": repair.finding.span.line if repair.finding.span else None,
            "column": repair.finding.span.column if repair.finding.span else None,
            "title": repair.fix.title,
            "grade": repair.fix.grade,
        }
        for item in files
        for repair in (item.fixed.made if item.fixed else ())
    ]


def _findings(number: int) -> str:
    return f"{number} finding{'s' * (number != 1)}"
