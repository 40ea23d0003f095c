"""A summary as a piece of HTML for notebooks: one `<details>` per block instance, nothing loaded from outside.

Colours are those of the page around it, so it reads on light and dark ones; every text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from striate.view.rows import LayerRow, Totals
from striate.view.tables import has_folded_rows
from striate.view.totals import totals_texts
from striate.view.tree import Group, build_tree
from striate.view.wording import Wording, extent_text

_STYLE = """<style>
.striate-summary { font-size: 90%; line-height: 1.5; overflow-x: auto; }
.striate-summary .row { display: grid; column-gap: 1em; white-space: nowrap; min-width: 60em;
  grid-template-columns: minmax(16em, 3fr) minmax(12em, 2fr) 11em 8em 9em 6em 8em; }
.striate-summary .row > * { overflow: hidden; text-overflow: ellipsis; }
.striate-summary .row > :nth-child(n + 4) { text-align: right; font-variant-numeric: tabular-nums; }
.striate-summary .head { font-weight: bold; border-bottom: 1px solid currentColor; }
.striate-summary summary { display: block; cursor: pointer; }
.striate-summary summary .name::before { content: "\\25B8\\00A0"; }
.striate-summary details[open] > summary .name::before { content: "\\25BE\\00A0"; }
.striate-summary .layer .name::before { content: "\\00A0\\00A0\\00A0"; }
.striate-summary .quiet { opacity: 0.6; }
.striate-summary table { width: 100%; font-size: inherit; margin-top: 0.8em; border-top: 1px solid currentColor; }
.striate-summary td { text-align: left; padding: 0 1em 0 0; }
.striate-summary td:last-child { width: 100%; }
</style>"""

_HEADER = ("name", "layer", "output", "parameters", "MACs", "memory", "receptive field")
_INDENT_EM = 1.2


def html_table(model: str, rows: tuple[LayerRow, ...], totals: Totals, wording: Wording) -> str:
    """Return a summary as HTML; blocks are closed and open on a click."""
    parts = [_STYLE, '<div class="striate-summary">', f"<p><b>{escape(model)}</b>, {totals.layers:,} layers</p>"]
    parts.append(_row(_HEADER, "row head", 0))
    for name, kind in totals.inputs.items():
        parts.append(_row((name, "input", wording.size(kind, spaced=True), "", "", "", ""), "row layer quiet", 0))
    parts.extend(_groups(build_tree(rows), wording, 0))
    parts.append("<table>")
    for label, text in totals_texts(totals, wording, folded=has_folded_rows(rows, None)):
        parts.append(f"<tr><td><b>{escape(label)}</b></td><td>{escape(text)}</td></tr>")
    parts.append("</table></div>")
    return "\n".join(parts)


def _groups(groups: tuple[Group, ...], wording: Wording, depth: int) -> Iterator[str]:
    for group in groups:
        if group.is_layer:
            yield _row(_cells(group, wording), "row layer", depth)
        else:
            yield f"<details><summary>{_row(_cells(group, wording), 'row', depth)}</summary>"
            yield from _groups(group.members, wording, depth + 1)
            yield "</details>"


def _cells(group: Group, wording: Wording) -> tuple[str, ...]:
    many = f"{group.count} x " if group.count > 1 else ""
    detail = f" {group.every[0].detail}" if group.is_layer else ""
    parameters = wording.count(group.parameters, full=True) if group.parameters else ""
    return (
        group.name,
        f"{many}{group.label}{detail}".rstrip(),
        wording.size(group.output, spaced=True),
        "shared" if group.shared else parameters,
        wording.count(group.macs, full=True) if group.macs != 0 else "",
        wording.memory(group.memory),
        extent_text(group.receptive_field, spaced=True),
    )


def _row(texts: tuple[str, ...], classes: str, depth: int) -> str:
    indent = f' style="padding-left: {depth * _INDENT_EM:.1f}em"' if depth else ""
    first, *others = (escape(text) for text in texts)
    cells = "".join(f'<span title="{text}">{text}</span>' for text in others)
    return f'<div class="{classes}"><span class="name"{indent} title="{first}">{first}</span>{cells}</div>'
