"""The differences between two files of networks as lines of text, block by block, narrow enough for 80 columns.

Blocks that are new, gone, renamed or of other sizes as a whole take one line. Layers that only see more of the input,
because something before them changed, are counted and not listed. Lines carry a style, for whoever colours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal

from striate.compare.difference import Change, FileDifference, LayerDifference, NetworkDifference
from striate.compare.facts import LayerFacts
from striate.compare.weights import WeightChanges
from striate.view.difference_words import elided, growth, listed, parent, plural, prefixes, size_text

Style = Literal["heading", "added", "removed", "changed", "renamed", "quiet", "plain"]
StyledLine = tuple[Style, str]

WIDTH = 80
_LABEL = 18
_DISTANCES = ("receptive field", "stride")


def difference_lines(difference: FileDifference, width: int = WIDTH) -> list[StyledLine]:
    """Return a difference as lines of at most `width` columns; no lines where nothing but text differs."""
    if difference.is_empty:
        return []
    lines: list[StyledLine] = [
        ("removed", elided(f"--- {difference.old}", width)),
        ("added", elided(f"+++ {difference.new}", width)),
    ]
    lines += [("removed", elided(f"- model {name}", width)) for name in difference.removed]
    lines += [("added", elided(f"+ model {name}", width)) for name in difference.added]
    for network in difference.networks:
        if not network.is_empty:
            lines += [("plain", ""), *_network(network, width)]
    return lines


def _network(network: NetworkDifference, width: int) -> Iterator[StyledLine]:
    names = dict.fromkeys([network.old.model, network.new.model])
    yield "heading", elided(f"model {' -> '.join(names)}", width)
    for change in network.totals:
        yield from _change(change, width, indent=2, more=growth(change))
    yield "plain", elided(f"  {_counts(network)}", width)
    for title, changes in network.settings.items():
        yield "heading", elided(f"@ {title}", width)
        yield from _settings(changes, width)
    yield from _layers(network, width)
    yield from _weights(network.weights, width)


def _counts(network: NetworkDifference) -> str:
    found = Counter(item.status for item in network.layers)
    words = {"sizes": "with other sizes only"}
    parts = [
        f"{found[status]:,} {words.get(status, status)}"
        for status in ("added", "removed", "changed", "renamed", "moved", "sizes")
        if found[status]
    ]
    return f"layers: {', '.join(parts)}" if parts else "layers: all the same"


def _settings(changes: Iterable[Change], width: int) -> Iterator[StyledLine]:
    for change in changes:
        if change.old is not None:
            yield "removed", elided(f"- {change.what} = {change.old}", width)
        if change.new is not None:
            yield "added", elided(f"+ {change.what} = {change.new}", width)


# ------------------------------------------------------------------------------------------------ layers


def _layers(network: NetworkDifference, width: int) -> Iterator[StyledLine]:
    entries = _Collapsing(network).entries()
    for block, group in groupby(entries, key=lambda entry: entry[0]):
        yield "heading", elided(f"@ {block or 'the model itself'}", width)
        for _, items in group:
            yield from _entry(block, items, width)


class _Collapsing:
    """Finds the largest blocks to which as a whole one thing happened."""

    def __init__(self, network: NetworkDifference) -> None:
        self._layers = network.layers
        self._total: dict[str, Counter[str]] = {"old": Counter(), "new": Counter()}
        self._kinds: dict[tuple[str, str], Counter[str]] = {}
        for item in network.layers:
            for side, layer in (("old", item.old), ("new", item.new)):
                for prefix in prefixes(layer.name) if layer else ():
                    self._total[side][prefix] += 1
                    self._kinds.setdefault((side, _kind(item)), Counter())[prefix] += 1

    def entries(self) -> Iterator[tuple[str, list[LayerDifference]]]:
        """Yield blocks with the layers that one entry of theirs is about."""
        for (_, _, block), group in groupby(self._layers, key=self._key):
            items = [item for item in group if item.status != "same" and not _only_sees_more(item)]
            if items:
                yield block, items

    def _key(self, item: LayerDifference) -> tuple[str, str, str]:
        """Return the kind of a layer's difference, what its entry is about, and the block that the entry stands in."""
        kind = _kind(item)
        if kind == "renamed" and item.old and item.new:
            old, new = _renaming(item)
            return kind, f"{old} -> {new}", parent(new)
        if kind == "changed":
            return kind, item.layer.name, parent(item.layer.name)
        side = "old" if item.new is None else "new"
        counted = self._kinds[(side, kind)]
        whole = [prefix for prefix in prefixes(item.layer.name) if counted[prefix] == self._total[side][prefix]]
        spot = whole[0] if whole else item.layer.name
        return kind, spot, parent(spot)


def _only_sees_more(item: LayerDifference) -> bool:
    """Whether nothing but its distance from the input differs: that is so for all layers behind an inserted one."""
    return item.status == "sizes" and all(change.what in _DISTANCES for change in item.changes)


def _kind(item: LayerDifference) -> str:
    """Return the status, with layers of other sizes among those to which nothing happened."""
    return "sizes" if item.status == "same" else item.status


def _renaming(item: LayerDifference) -> tuple[str, str]:
    """Return the old and the new name without the parts at their ends that are the same, but the last such part."""
    assert item.old is not None and item.new is not None, "renamed layers are on both sides"
    old, new = item.old.name.split("."), item.new.name.split(".")
    while len(old) > 1 and len(new) > 1 and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return ".".join(old), ".".join(new)


def _entry(block: str, items: list[LayerDifference], width: int) -> Iterator[StyledLine]:
    first = items[0]
    if first.status == "changed":
        yield "changed", elided(f"~ {_inside(first.layer.name, block)}  {first.layer.op}", width)
        for change in _told(first):
            yield from _change(change, width, indent=4)
    elif first.status == "renamed":
        old, new = _renaming(first)
        count = f"  {plural(len(items), 'layer')}" if len(items) > 1 else ""
        yield "renamed", elided(f"> {_inside(old, block)} -> {_inside(new, block)}{count}", width)
    elif first.status == "sizes":
        what = items[0].layer.name if len(items) == 1 else _common(items)
        sizes = f"{_size(first)}" if len(items) == 1 else f"{plural(len(items), 'layer')} with other sizes"
        yield "quiet", elided(f"  {_inside(what, block)}  {sizes}", width)
    elif first.status == "moved":
        for item in items:
            yield "renamed", elided(f"> {_inside(item.layer.name, block)}  runs at another place", width)
    else:
        yield _came_or_went(block, items, width)


def _came_or_went(block: str, items: list[LayerDifference], width: int) -> StyledLine:
    style: Style = "added" if items[0].status == "added" else "removed"
    sign = "+" if style == "added" else "-"
    if len(items) == 1:
        layer = items[0].layer
        text = f"{_inside(layer.name, block)}  {_call(layer)}  {layer.size}"
    else:
        count = sum(item.layer.parameters for item in items)
        text = f"{_inside(_common(items), block)}  {plural(len(items), 'layer')}, {count:,} parameters"
    return style, elided(f"{sign} {text}", width)


def _told(item: LayerDifference) -> list[Change]:
    """Return the changes of a layer that was changed: sizes and costs only where it has them on both sides."""
    name = [Change("name", item.old.name, item.new.name)] if item.renamed and item.old and item.new else []
    return [*name, *(change for change in item.changes if change.what not in _DISTANCES)]


def _size(item: LayerDifference) -> str:
    found = next((change for change in item.changes if change.what == "size"), None) or item.changes[0]
    return f"{found.what} {found.old} -> {found.new}"


def _call(layer: LayerFacts) -> str:
    arguments = ", ".join(f"{name} = {text}" for name, text in layer.arguments.items())
    return f"{layer.op}({arguments})" if arguments else layer.op


def _common(items: list[LayerDifference]) -> str:
    """Return the longest path that all layers lie under."""
    ways = [list(prefixes(item.layer.name)) for item in items]
    shared = [way for way in ways[0] if all(way in other for other in map(set, ways))]
    return shared[-1] if shared else items[0].layer.name


def _inside(name: str, block: str) -> str:
    return name.removeprefix(f"{block}.") if block else name


def _change(change: Change, width: int, *, indent: int, more: str = "") -> Iterator[StyledLine]:
    """Yield `label old -> new`, in two lines where that is too long for one."""
    margin = " " * indent
    old, new = change.old or "nothing", change.new or "nothing"
    label = f"{change.what:{_LABEL}}"
    whole = f"{margin}{label} {old} -> {new}{f'  {more}' if more else ''}"
    if len(whole) <= width:
        yield "plain", whole
        return
    yield "plain", elided(f"{margin}{label} {old}", width)
    yield "plain", elided(f"{margin}{'':{_LABEL - 3}} -> {new}{f'  {more}' if more else ''}", width)


# ------------------------------------------------------------------------------------------------ weights


def _weights(weights: WeightChanges, width: int) -> Iterator[StyledLine]:
    if weights.is_empty:
        return
    yield "heading", "@ weights of a checkpoint"
    yield "plain", f"  {weights.fitting:,} fit as they are"
    if weights.renamed:
        yield from _several("renamed", f"{len(weights.renamed):,} fit under another name", weights.renamed, width)
    if weights.resized:
        pairs = [
            (old if old == new else f"{old} -> {new}", f"{size_text(before)} -> {size_text(after)}")
            for old, new, before, after in weights.resized
        ]
        yield from _several("changed", f"{len(pairs):,} have another size", pairs, width, between="  ")
    if weights.unused:
        yield from _plain_names("removed", f"{len(weights.unused):,} are no longer used", weights.unused, width)
    if weights.missing:
        yield from _plain_names("added", f"{len(weights.missing):,} start anew", weights.missing, width)


def _several(
    style: Style, title: str, pairs: Iterable[tuple[str, str]], width: int, between: str = " -> "
) -> Iterator[StyledLine]:
    yield style, elided(f"  {title}:", width)
    for line in listed([f"{first}{between}{second}" for first, second in pairs]):
        yield style, elided(f"    {line}", width)


def _plain_names(
    style: Style, title: str, weights: Iterable[tuple[str, tuple[int, ...]]], width: int
) -> Iterator[StyledLine]:
    yield style, elided(f"  {title}:", width)
    for line in listed([f"{name}  {size_text(size)}" for name, size in weights]):
        yield style, elided(f"    {line}", width)
