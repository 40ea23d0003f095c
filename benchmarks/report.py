"""Results for people and machines: a Markdown page and a JSON file per benchmark, the machine in both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from machine import describe_machine

RESULTS = Path(__file__).resolve().parent / "results"

Row = dict[str, Any]


@dataclass(slots=True)
class Table:
    """Rows with the same keys, and what is to be said about them."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()


@dataclass(slots=True)
class Report:
    """The tables of one benchmark."""

    name: str
    title: str
    tables: list[Table] = field(default_factory=list)
    machine: dict[str, str] = field(default_factory=describe_machine)

    def add(self, title: str, rows: Sequence[Row], *notes: str) -> None:
        """Add a table and print it."""
        table = Table(title, rows, notes)
        self.tables.append(table)
        print("\n".join(_markdown(table)), flush=True)

    def finish(self, *, save: bool) -> None:
        """Write the report to `results/` if it shall be kept."""
        if not save:
            return
        RESULTS.mkdir(exist_ok=True)
        stem = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{self.name}"
        stem.with_suffix(".md").write_text(self.markdown(), encoding="utf-8")
        document = {
            "name": self.name,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": self.machine,
            "tables": [{"title": t.title, "rows": list(t.rows), "notes": list(t.notes)} for t in self.tables],
        }
        stem.with_suffix(".json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        print(f"\nwritten: {stem.with_suffix('.md')} and .json")

    def markdown(self) -> str:
        """Return the report as a Markdown page."""
        lines = [f"# {self.title}", "", *(f"- {topic}: {fact}" for topic, fact in self.machine.items())]
        for table in self.tables:
            lines += _markdown(table)
        return "\n".join(lines) + "\n"


def start(name: str, title: str) -> Report:
    """Begin a report and print the machine."""
    report = Report(name, title)
    print(f"\n# {title}\n\n" + "\n".join(f"- {topic}: {fact}" for topic, fact in report.machine.items()), flush=True)
    return report


def _markdown(table: Table) -> list[str]:
    if not table.rows:
        return ["", f"## {table.title}", "", *table.notes]
    keys = list(table.rows[0])
    cells = [[_cell(row.get(key)) for key in keys] for row in table.rows]
    widths = [max(len(key), *(len(row[place]) for row in cells)) for place, key in enumerate(keys)]
    lines = ["", f"## {table.title}", "", _line(keys, widths), _line(["-" * width for width in widths], widths)]
    lines += [_line(row, widths) for row in cells]
    return [*lines, *([""] if table.notes else []), *table.notes]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
