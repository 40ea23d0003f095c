"""Comparing texts."""

from __future__ import annotations

from striate.compare.difference import FileDifference, NetworkDifference
from striate.differing import Side, difference
from striate_dsl.source import Source


def side(text: str, model: str | None = None, name: str = "net.cnn") -> Side:
    return Side(name, Source(name, text), None, model)


def files(old: str, new: str) -> FileDifference:
    return difference(side(old), side(new))


def networks(old: str, new: str, old_model: str | None = None, new_model: str | None = None) -> NetworkDifference:
    """Compare one model of each text."""
    (found,) = difference(side(old, old_model), side(new, new_model)).networks
    return found


def statuses(found: NetworkDifference) -> list[tuple[str, str | None, str | None]]:
    """What happened to which layer: status, name before, name after."""
    return [
        (item.status, item.old.name if item.old else None, item.new.name if item.new else None)
        for item in found.changed_layers
    ]


def changes(found: NetworkDifference, name: str) -> dict[str, tuple[str | None, str | None]]:
    """What differs in the layer of a name on the second side."""
    (item,) = [item for item in found.layers if item.new and item.new.name == name]
    return {change.what: (change.old, change.new) for change in item.changes}
