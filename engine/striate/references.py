"""References that a file is compared with: outputs computed once, and how far two of them are apart by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.onnx.comparison import Difference
    from striate.onnx.trials import Trial
    from striate.onnx.verify import Reference


class Remembered:
    """A reference that computes the outputs of a trial once."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._known: dict[int, Mapping[str, Any]] = {}

    def outputs(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the outputs by name."""
        if id(inputs) not in self._known:
            self._known[id(inputs)] = self._reference.outputs(inputs)
        return self._known[id(inputs)]

    def values(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return every value of the graph by name."""
        return self._reference.values(inputs)


def largest_difference(expected: Reference, actual: Reference, trials: Sequence[Trial]) -> Difference:
    """Return how far two references are from each other at most."""
    from striate.onnx.comparison import Difference, compare

    worst = Difference(0.0, 0.0)
    for trial in trials:
        wanted, found = expected.outputs(trial.inputs), actual.outputs(trial.inputs)
        for name, values in wanted.items():
            worst = worst.or_larger(compare(values, found[name]))
    return worst
