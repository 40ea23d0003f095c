"""Kinds of pictures: what is run, and how what comes out is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from striate.ops.record import OpRecord
from striate.reference.pictures.drawing import Panel, cells, curves, grey, laid_out, shades
from striate.reference.pictures.execution import Weights, channels_of, reach, results, seen_from
from striate.reference.pictures.values import counting, mixed, photo
from striate.reference.sample_runs import written_call

if TYPE_CHECKING:
    from torch import Tensor

Arguments = Mapping[str, Any]
PLAIN: tuple[Arguments, ...] = ({},)
Made = Callable[[tuple[int, ...]], "Tensor"]


@dataclass(frozen=True)
class Curve:
    """A function of one entry, plotted; a sequence of numbers flows through the layer."""

    calls: tuple[Arguments, ...] = PLAIN
    low: float = -4
    high: float = 4
    bottom: float = -4
    top: float = 4

    def shows(self, record: OpRecord) -> str:
        return f"{record.name} as a function of one entry"

    def draw(self, record: OpRecord) -> str:
        import torch

        places = torch.linspace(self.low, self.high, 161, dtype=torch.float64)
        lines = [
            (written_call(record, call), results(record, call, [places.reshape(1, 1, -1)])[0].flatten().tolist())
            for call in self.calls
        ]
        known = [value for _, values in lines for value in values if isfinite(value)]
        bottom, top = max(min([*known, 0.0]), self.bottom), min(max([*known, 0.0]), self.top)
        return curves(places.tolist(), lines, bottom, top).svg()


@dataclass(frozen=True)
class Cells:
    """Small values before and after, as coloured numbers.

    Attributes:
        calls: the arguments of the calls that are shown.
        shape: the size of what flows in.
        start: what flows in.
        others: further inputs, with their names.
        weights: weights by role that are not those of the start.
        training: whether the layer runs as in training.
    """

    calls: tuple[Arguments, ...] = PLAIN
    shape: tuple[int, ...] = (1, 4, 4)
    start: Made = counting
    others: tuple[tuple[str, Callable[[], Tensor]], ...] = ()
    weights: Weights | None = None
    training: bool = False

    def shows(self, record: OpRecord) -> str:
        return f"what {record.name} makes of a few numbers{' in training' if self.training else ''}"

    def draw(self, record: OpRecord) -> str:
        values = [self.start(self.shape), *(make() for _, make in self.others)]
        shown = list(zip(["in", *(name for name, _ in self.others)], values, strict=True))
        for call in self.calls:
            made = results(record, call, values, self.weights, training=self.training)
            titles = [written_call(record, call), *(f"output {place + 1}" for place in range(1, len(made)))]
            shown += zip(titles, made, strict=True)
        known = [number for _, value in shown for number in value.flatten().tolist() if isfinite(number)]
        return laid_out([cells(title, channels_of(value), min(known), max(known)) for title, value in shown]).svg()


@dataclass(frozen=True)
class Photo:
    """A grey image before and after; a layer that gives slopes is shown with 0 as grey."""

    calls: tuple[Arguments, ...] = PLAIN
    zero: Literal["black", "grey"] = "black"
    more: tuple[Callable[[], Tensor], ...] = ()

    def shows(self, record: OpRecord) -> str:
        return f"what {record.name} makes of a drawn image"

    def draw(self, record: OpRecord) -> str:
        values = [photo(), *(make() for make in self.more)]
        panels = [grey("in", values[0][0, 0].tolist(), 3)]
        for call in self.calls:
            made = results(record, call, values)[0][0, 0]
            # Sums of several pixels reach beyond 1: what is brighter than the brightest is drawn as that.
            shown = made if self.zero == "black" else made / 2 + 0.5
            panels.append(grey(written_call(record, call), shown.tolist(), 3))
        return laid_out(panels).svg()


@dataclass(frozen=True)
class Seen:
    """Which pixels one pixel of the output (framed) depends on, and how strongly where all weights are 1."""

    calls: tuple[Arguments, ...]
    shape: tuple[int, int, int] = (1, 7, 7)
    place: tuple[int, int] = (1, 1)
    weights: Weights | None = None

    def shows(self, record: OpRecord) -> str:
        return f"which pixels the framed output of {record.name} sees"

    def draw(self, record: OpRecord) -> str:
        panels: list[Panel] = []
        for call in self.calls:
            value, weights = mixed(self.shape), {"weight": 1.0, "bias": 0.0} if self.weights is None else self.weights
            seen, out = seen_from(record, call, value, weights, self.place)
            strongest = max(float(seen.max()), 1e-9)
            panels.append(shades(written_call(record, call), (seen[0, 0] / strongest).tolist()))
            panels.append(shades("out", [[0.0] * out.shape[-1]] * out.shape[-2], self.place))
        return laid_out(panels).svg()


@dataclass(frozen=True)
class Reach:
    """Which place of the output, a row each, depends on which place of the input, a column each."""

    calls: tuple[Arguments, ...]
    shape: tuple[int, ...]
    others: tuple[Callable[[], Tensor], ...] = ()
    weights: Weights | None = None

    def shows(self, record: OpRecord) -> str:
        return f"which place of the output of {record.name} (rows) depends on which of the input (columns)"

    def draw(self, record: OpRecord) -> str:
        values = [mixed(self.shape) / 10, *(make() for make in self.others)]
        panels = [
            shades(written_call(record, call), reach(record, call, values, self.weights or {}).tolist())
            for call in self.calls
        ]
        return laid_out(panels).svg()


Kind = Curve | Cells | Photo | Seen | Reach


def calls_with(name: str, choices: Sequence[Any], **common: Any) -> tuple[Arguments, ...]:
    """Return calls that differ in one argument."""
    return tuple({**common, name: choice} for choice in choices)
