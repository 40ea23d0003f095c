"""A summary as comma-separated values (RFC 4180) and as a Markdown table: one line per layer."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

from striate.view.columns import Column, total
from striate.view.lines import printable
from striate.view.rows import LayerRow
from striate.view.tree import single
from striate.view.wording import Wording


def csv_text(rows: tuple[LayerRow, ...], columns: Sequence[Column], wording: Wording) -> str:
    """Return a line of names and one per layer, numbers with all digits; no line of totals, which sums would count."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["name", *(column.name for column in columns)])
    for row in rows:
        group = single(row)
        writer.writerow([row.name, *(column.plain(column.value(group), wording) for column in columns)])
    return out.getvalue()


def markdown_text(rows: tuple[LayerRow, ...], columns: Sequence[Column], wording: Wording) -> str:
    """Return a table in GitHub's Markdown, with the totals in its last line."""
    lines = [
        _line(["name", *(column.title for column in columns)]),
        _line(["---", *("---:" if column.is_number else "---" for column in columns)]),
    ]
    for row in rows:
        group = single(row)
        lines.append(_line([row.name, *(column.text(column.value(group), wording, full=True) for column in columns)]))
    last = [column.text(total(column, rows), wording, full=True) for column in columns]
    lines.append(_line(["**total**", *(f"**{text}**" if text else "" for text in last)]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    written = (printable(cell).replace("\\", "\\\\").replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(written)} |"
