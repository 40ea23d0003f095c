"""The differences between two files of networks as one HTML page that needs nothing else: side by side, with a filter.

It follows the reader's choice of light or dark. Without scripts all layers are shown; with them, those that changed
first, and a field that narrows the rows down to a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from striate.compare.difference import Change, FileDifference, LayerDifference, NetworkDifference
from striate.compare.facts import LayerFacts
from striate.compare.weights import WeightChanges
from striate.view.difference_words import growth, size_text

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --added: #2da44e33; --removed: #cf222e2e; --changed: #bf870040;
  --renamed: #0969da30; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 90rem; }
h1 { font-size: 1.4rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { margin-bottom: .3rem; }
code, td.mono { font-family: ui-monospace, monospace; font-size: .9em; }
.wide { overflow-x: auto; } table { border-collapse: collapse; }
th, td { padding: .2rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
h1 code { overflow-wrap: anywhere; }
table.layers { width: 100%; min-width: 52rem; } table.layers td { overflow-wrap: anywhere; }
table.layers td:first-child { overflow-wrap: normal; } table.layers td.size { min-width: 7rem; }
table.layers th { position: sticky; top: 0; background: Canvas; }
tr.added td.new, .added { background: var(--added); } tr.removed td.old, .removed { background: var(--removed); }
tr.changed td { background: var(--changed); } tr.renamed td, tr.moved td { background: var(--renamed); }
tr.same td, tr.sizes td { opacity: .75; }
.tools { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; margin: 1rem 0; }
.tools input[type=search] { font: inherit; padding: .3rem .5rem; min-width: 18rem; }
[hidden] { display: none; }
"""

_SCRIPT = """
for (const tools of document.querySelectorAll('.tools')) {
  const rows = tools.nextElementSibling.querySelectorAll('tbody tr');
  const word = tools.querySelector('input[type=search]'), all = tools.querySelector('input[type=checkbox]');
  const shown = tools.querySelector('output');
  const update = () => {
    const wanted = word.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !(all.checked || row.className !== 'same') || !row.textContent.toLowerCase().includes(wanted);
      count += !row.hidden;
    }
    shown.textContent = count + ' of ' + rows.length + ' layers';
  };
  word.addEventListener('input', update);
  all.addEventListener('change', update);
  tools.hidden = false;
  update();
}
"""


def difference_page(difference: FileDifference) -> str:
    """Return the page."""
    title = f"{difference.old} and {difference.new}"
    parts = [f"<h1><code>{escape(difference.old)}</code> and <code>{escape(difference.new)}</code></h1>"]
    if difference.is_empty:
        parts.append("<p>The networks are the same: at most the text differs.</p>")
    parts += [f'<p class="removed">Model {escape(name)} is gone.</p>' for name in difference.removed]
    parts += [f'<p class="added">Model {escape(name)} is new.</p>' for name in difference.added]
    for network in difference.networks:
        parts += _network(network)
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n"
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _network(network: NetworkDifference) -> Iterator[str]:
    names = dict.fromkeys([network.old.model, network.new.model])
    yield f"<h2>{escape(' and '.join(names))}</h2>"
    if network.is_empty:
        yield "<p>The same.</p>"
        return
    yield _totals(network)
    for title, changes in network.settings.items():
        yield f"<h3>{escape(title)}</h3>"
        yield _table(("", "before", "after"), ((change.what, change.old, change.new) for change in changes))
    yield from _weights(network.weights)
    yield "<h3>layers</h3>"
    yield (
        '<div class="tools" hidden><input type="search" placeholder="name, layer, size …" aria-label="filter">'
        '<label><input type="checkbox"> unchanged layers too</label><output></output></div>'
    )
    rows = "\n".join(map(_row, network.layers))
    heads = "<th></th><th>before</th><th>size</th><th>after</th><th>size</th><th>what changed</th>"
    table = f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>"
    yield f'<div class="wide"><table class="layers">{table}</table></div>'


def _totals(network: NetworkDifference) -> str:
    changed = {change.what: change for change in network.totals}
    rows = []
    for what in dict.fromkeys([*network.old.totals, *network.new.totals]):
        old, new = network.old.totals.get(what), network.new.totals.get(what)
        more = growth(changed[what]) if what in changed else ""
        cells = "".join(f'<td class="number">{escape(text or "")}</td>' for text in (old, new, more))
        rows.append(f'<tr class="{"changed" if what in changed else "same"}"><td>{escape(what)}</td>{cells}</tr>')
    head = "<tr><th></th><th>before</th><th>after</th><th></th></tr>"
    return f'<div class="wide"><table class="totals">{head}\n' + "\n".join(rows) + "\n</table></div>"


def _row(item: LayerDifference) -> str:
    changes = "<br>".join(_change(change) for change in item.changes)
    if item.status == "moved":
        changes = "runs at another place" + (f"<br>{changes}" if changes else "")
    old, new = _layer(item.old, "old"), _layer(item.new, "new")
    status = "" if item.status == "same" else item.status
    return f'<tr class="{item.status}"><td>{status}</td>{old}{new}<td>{changes}</td></tr>'


def _layer(layer: LayerFacts | None, side: str) -> str:
    if layer is None:
        return f'<td class="{side}"></td><td class="{side} size"></td>'
    arguments = ", ".join(f"{name} = {text}" for name, text in layer.arguments.items())
    call = f"{layer.op}({arguments})" if arguments else layer.op
    name = f"<b>{escape(layer.name)}</b>"
    return f'<td class="{side} mono">{name}<br>{escape(call)}</td><td class="{side} size">{escape(layer.size)}</td>'


def _change(change: Change) -> str:
    old, new = (escape(text) if text else "nothing" for text in (change.old, change.new))
    return f"{escape(change.what)}: <del>{old}</del> <ins>{new}</ins>"


def _weights(weights: WeightChanges) -> Iterator[str]:
    if weights.is_empty:
        return
    yield "<h3>weights of a checkpoint</h3>"
    yield f"<p>{weights.fitting:,} fit as they are.</p>"
    lists: list[tuple[str, list[tuple[str, ...]]]] = [
        ("fit under another name", list(weights.renamed)),
        (
            "have another size",
            [(old, new, size_text(before), size_text(after)) for old, new, before, after in weights.resized],
        ),
        ("are no longer used", [(name, size_text(size)) for name, size in weights.unused]),
        ("start anew", [(name, size_text(size)) for name, size in weights.missing]),
    ]
    for title, rows in lists:
        if rows:
            yield f"<details><summary>{len(rows):,} {title}</summary>"
            yield _table((), rows)
            yield "</details>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str | None]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "\n".join("<tr>" + "".join(f"<td>{escape(cell or '')}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table>{f"<tr>{top}</tr>" if top else ""}\n{lines}\n</table></div>'
