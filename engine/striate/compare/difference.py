"""The differences between two networks and between two files of networks; empty where nothing but text differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from striate.compare.facts import LayerFacts, NetworkFacts
from striate.compare.weights import WeightChanges

Status = Literal["added", "removed", "changed", "renamed", "moved", "sizes", "same"]
"""What became of a layer; `sizes` where nothing but sizes and costs differs, because something before it changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that has one text on one side and another on the other; None where it is not there."""

    what: str
    old: str | None
    new: str | None

    def mirrored(self) -> Change:
        """Return the change the other way round."""
        return Change(self.what, self.new, self.old)


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """What became of one layer.

    Attributes:
        status: the most important thing that happened to it.
        old: the layer on the first side, None where it was added.
        new: the layer on the second side, None where it was removed.
        changes: what differs: the layer itself, arguments, inputs (new ones by the names of the second side), sizes
            and costs.
    """

    status: Status
    old: LayerFacts | None
    new: LayerFacts | None
    changes: tuple[Change, ...] = ()

    @property
    def layer(self) -> LayerFacts:
        """The layer on the second side, or on the first where it was removed."""
        found = self.new or self.old
        assert found is not None, "a layer is on one side at least"
        return found

    @property
    def renamed(self) -> bool:
        """Whether the layer has another name."""
        return self.old is not None and self.new is not None and self.old.name != self.new.name

    def mirrored(self) -> LayerDifference:
        """Return the difference the other way round; inputs go by the names that they have then."""
        status: Status = {"added": "removed", "removed": "added"}.get(self.status, self.status)  # type: ignore[assignment]  # both are statuses
        return LayerDifference(status, self.new, self.old, tuple(item.mirrored() for item in self.changes))


@dataclass(frozen=True, slots=True)
class NetworkDifference:
    """What differs between two networks.

    Attributes:
        old, new: the networks.
        layers: all layers, those of the second side in order, with removed ones where they stood.
        settings: what else differs, under `inputs`, `outputs`, `tasks`, `domain` and the titles of recipes and export
            contracts; with any difference also under `parameters`, those of the models.
        totals: what differs of the totals.
        weights: what becomes of a checkpoint of the first side.
    """

    old: NetworkFacts
    new: NetworkFacts
    layers: tuple[LayerDifference, ...]
    settings: Mapping[str, tuple[Change, ...]]
    totals: tuple[Change, ...]
    weights: WeightChanges

    @property
    def is_empty(self) -> bool:
        """Whether the networks are the same; the model's name does not count."""
        return not self.settings and not self.totals and all(item.status == "same" for item in self.layers)

    @property
    def changed_layers(self) -> tuple[LayerDifference, ...]:
        """The layers to which something happened."""
        return tuple(item for item in self.layers if item.status != "same")

    def count(self, status: Status) -> int:
        """Return how many layers have a status."""
        return sum(item.status == status for item in self.layers)


@dataclass(frozen=True, slots=True)
class FileDifference:
    """What differs between two files, or two networks of files.

    Attributes:
        old, new: how the sides are called.
        removed, added: models that only one side has.
        networks: the others.
    """

    old: str
    new: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    networks: tuple[NetworkDifference, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing but text differs."""
        return not self.removed and not self.added and all(item.is_empty for item in self.networks)

    def to_json(self) -> dict[str, Any]:
        """Return the difference as plain data; layers to which nothing happened are left out."""
        return {
            "old": self.old,
            "new": self.new,
            "same": self.is_empty,
            "models": {"removed": list(self.removed), "added": list(self.added)},
            "networks": [_network_data(item) for item in self.networks],
        }


def _network_data(network: NetworkDifference) -> dict[str, Any]:
    return {
        "old": network.old.model,
        "new": network.new.model,
        "same": network.is_empty,
        "totals": _changes(network.totals),
        "settings": {title: _changes(changes) for title, changes in network.settings.items()},
        "layers": [
            {
                "status": item.status,
                "old": item.old.name if item.old else None,
                "new": item.new.name if item.new else None,
                "layer": item.layer.op,
                "arguments": dict(item.layer.arguments),
                "size": item.layer.size,
                "changes": _changes(item.changes),
            }
            for item in network.changed_layers
        ],
        "weights": network.weights.to_json(),
    }


def _changes(changes: Iterable[Change]) -> dict[str, dict[str, str | None]]:
    return {item.what: {"old": item.old, "new": item.new} for item in changes}


def changed_settings(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    """Return what differs between two mappings, in the order of the first, then of the second."""
    keys = dict.fromkeys([*old, *new])
    return tuple(Change(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key))
