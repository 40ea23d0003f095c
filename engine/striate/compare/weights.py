"""What becomes of a checkpoint: which weights still fit, which would after renaming, which no longer do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from striate.compare.facts import LayerFacts, NetworkFacts

Size = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WeightChanges:
    """The weights of the first side, as the second side would take them.

    Attributes:
        fitting: how many fit as they are.
        renamed: old and new name of those that fit under another name.
        resized: old and new name, old and new size of those of layers that are still there.
        unused: names and sizes of those whose layer is gone.
        missing: names and sizes of those that only the second side has.
    """

    fitting: int
    renamed: tuple[tuple[str, str], ...]
    resized: tuple[tuple[str, str, Size, Size], ...]
    unused: tuple[tuple[str, Size], ...]
    missing: tuple[tuple[str, Size], ...]

    @property
    def is_empty(self) -> bool:
        """Whether every weight fits as it is, and no other is needed."""
        return not (self.renamed or self.resized or self.unused or self.missing)

    def to_json(self) -> dict[str, Any]:
        """Return the changes as plain data."""
        return {
            "fitting": self.fitting,
            "renamed": [{"old": old, "new": new} for old, new in self.renamed],
            "resized": [
                {"old": old, "new": new, "old_size": list(before), "new_size": list(after)}
                for old, new, before, after in self.resized
            ],
            "unused": [{"name": name, "size": list(size)} for name, size in self.unused],
            "missing": [{"name": name, "size": list(size)} for name, size in self.missing],
        }


def weight_changes(
    old: NetworkFacts, new: NetworkFacts, pairs: Iterable[tuple[LayerFacts, LayerFacts]]
) -> WeightChanges:
    """Return what becomes of the weights of a network.

    Args:
        old: the network that they were trained in.
        new: the network that is to take them.
        pairs: the layers that are the same on both sides.
    """
    target: dict[str, str] = {}
    taken: set[str] = set()
    for left, right in pairs:
        if left.op != right.op:
            continue
        for role, name in left.weights.items():
            wanted = right.weights.get(role)
            if wanted is not None and name not in target and wanted not in taken:
                target[name] = wanted
                taken.add(wanted)
    fitting, renamed, resized = 0, [], []
    for name, wanted in target.items():
        before, after = old.weights[name], new.weights[wanted]
        if before != after:
            resized.append((name, wanted, before, after))
        elif name != wanted:
            renamed.append((name, wanted))
        else:
            fitting += 1
    unused = tuple((name, size) for name, size in old.weights.items() if name not in target)
    missing = tuple((name, size) for name, size in new.weights.items() if name not in taken)
    return WeightChanges(fitting, tuple(renamed), tuple(resized), unused, missing)
