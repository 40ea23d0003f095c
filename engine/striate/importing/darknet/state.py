"""What the reader of a section sees: the layers so far, by number, and the weights that come next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from striate.importing.building import Builder
from striate.importing.darknet.sections import Section, misread
from striate.importing.darknet.weights import WeightStream
from striate.importing.findings import UnsupportedError
from striate.importing.network import Value, text_of
from striate.ops.arguments import Choice


class UnknownInputError(Exception):
    """A section uses what another one would have made, which is told already."""


@dataclass(frozen=True, slots=True)
class Head:
    """An output: its name, the value, and what the cfg says about it, in lines."""

    name: str
    value: Value
    remarks: tuple[str, ...]


@dataclass(slots=True)
class State:
    """Where the conversion stands.

    Attributes:
        build: adds layers.
        weights: the numbers of the weights file.
        outputs: what every layer gives, in order: None for a layer that could not be read.
        sections: the layers' sections, in order.
        current: what flows into the next section; None where that could not be read.
        heads: the outputs of the network.
        closed: the head or loss that the current value has come to, behind which nothing can be computed.
        notes: what is worth telling.
    """

    build: Builder
    weights: WeightStream
    current: Value | None
    outputs: list[Value | None] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    closed: str = ""
    notes: list[str] = field(default_factory=list)

    def flow(self) -> Value:
        """Return what flows into the section that is read.

        Raises:
            UnknownInputError: nobody knows.
            UnsupportedError: it is what a head decodes, not a layer's output.
        """
        if self.closed:
            raise UnsupportedError(f"what flows into it is decoded by {self.closed}")
        if self.current is None:
            raise UnknownInputError
        return self.current

    def image(self) -> Value:
        """Return what flows in as an image C x H x W; raises like `flow`."""
        value = self.flow()
        if len(value.sizes) == 1 and self.outputs == []:
            raise UnsupportedError("[net] gives numbers without height and width, and it needs an image")
        return self.build.image(value)

    def layer(self, section: Section, key: str, number: int) -> Value:
        """Return the output of a layer by its number, counted from the section itself where it is below 0.

        Raises:
            DiagnosticError: E0654, there is no such layer before the section.
            UnknownInputError: it could not be read.
            UnsupportedError: it is a head.
        """
        index = number if number >= 0 else section.index + number
        if not 0 <= index < section.index:
            raise misread(
                f"{key} = {number} of {section} is layer {index}, which is not before it",
                section.place(key),
                f"this is layer {section.index}",
                "layers are counted from 0, or back from the section with numbers below 0",
            )
        value = self.outputs[index]
        if self.sections[index].kind in HEADS:
            raise UnsupportedError(f"it takes the output of {self.sections[index]}, which decodes boxes")
        if value is None:
            raise UnknownInputError
        return value

    def demand(self, section: Section, key: str, off: float = 0) -> None:
        """Refuse an option that changes what is computed, where it is on.

        Raises:
            UnsupportedError: it is.
        """
        if section.number(key, off) != off:
            raise UnsupportedError(f"{key} = {section.word(key)} has no counterpart")

    def same_place(self, first: Value, other: Value, what: str) -> None:
        """Refuse values of different height or width; raises `UnsupportedError`."""
        if first.sizes[1:] != other.sizes[1:]:
            raise UnsupportedError(f"{what} differ in size: {text_of(first.sizes)} and {text_of(other.sizes)}")


HEADS = frozenset({"yolo", "Gaussian_yolo", "region", "detection"})
"""Sections that decode a map into boxes."""


def channels_of(value: Value) -> int:
    """Return the channels of an image, or the entries of a flat value."""
    return int(value.sizes[0])  # type: ignore[arg-type]  # a cfg leaves no size open


def size_of(value: Value) -> tuple[int, int, int]:
    """Return channels, height and width of an image."""
    channels, height, width = (int(size) for size in value.sizes)  # type: ignore[arg-type]
    return channels, height, width


def padding(before: int, after: int) -> Any:
    """Return padding of both axes as the language writes it."""
    return before if before == after else (before, after, before, after)


SAME = Choice("same")
