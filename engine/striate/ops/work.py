"""What a layer does beside its multiply-adds: arithmetic, what backward keeps, and whose memory its output lies in.

Counting, for one image, by the formula in the layer's documentation: `+`, `-`, `*`, `/`, a comparison (so each entry
but the first of a maximum), and a value of exp, log, a root, tanh or erf are one operation each. Moving, padding and
choosing entries are none. Counted is evaluation: a normalisation with stored statistics is one scale and one shift.
What backward keeps is what torch's autograd does; the tests hold both against torch for every sample of every layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from striate.dims import Dim
from striate.graph import TensorType
from striate.ops.sizes import entries

Attributes = Mapping[str, Any]
Types = tuple[TensorType, ...]
Count = Callable[[Attributes, Types, Types], Dim]
"""A number that follows from attributes, input types and output types."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the forward pass in training leaves for the backward pass, weights left out, for one image.

    Attributes:
        inputs: the places of the inputs that are kept.
        output: whether the (first) output is kept.
        numbers: how many further numbers of the type of the values are kept.
        indices: how many whole numbers of 64 bits; torch makes them in evaluation too, while the layer runs.
        marks: how many truth values of one byte.
    """

    inputs: tuple[int, ...] = ()
    output: bool = False
    numbers: Dim = 0
    indices: Dim = 0
    marks: Dim = 0


Keeping = Callable[[Attributes, Types, Types], Kept]


def per_entry(operations: int) -> Count:
    """Return the rule of so many operations for every entry of the (first) output."""
    return lambda attributes, inputs, outputs: entries(outputs[0]) * operations


def per_input_entry(operations: int) -> Count:
    """Return the rule of so many operations for every entry of the first input."""
    return lambda attributes, inputs, outputs: entries(inputs[0]) * operations


def reducing(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count one operation for every entry of the first input but one per entry of the output: a sum, a maximum."""
    return entries(inputs[0]) - entries(outputs[0])


def merging(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count what merges n values entry by entry: n - 1 operations for every entry of the output."""
    return entries(outputs[0]) * (len(inputs) - 1)


def no_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count nothing: entries are moved, or passed on."""
    return 0


def keeping(*inputs: int, output: bool = False, per_output: int = 0, per_input: int = 0) -> Keeping:
    """Return a rule: inputs by place, the output, and numbers per entry of the first output or the first input."""

    def rule(attributes: Attributes, given: Types, made: Types) -> Kept:
        numbers: Dim = 0
        if per_output:
            numbers = numbers + entries(made[0]) * per_output
        if per_input:
            numbers = numbers + entries(given[0]) * per_input
        return Kept(inputs, output, numbers)

    return rule


def keeping_all(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """Keep every input, and of more than two the products in between, as a product of several values does."""
    return Kept(tuple(range(len(inputs))), numbers=entries(outputs[0]) * max(len(inputs) - 2, 0))


ONE_PER_ENTRY = per_entry(1)
KEEPS_NOTHING = keeping()
KEEPS_INPUT = keeping(0)
KEEPS_OUTPUT = keeping(output=True)


@dataclass(frozen=True, slots=True)
class Work:
    """What a layer does beside its multiply-adds.

    Attributes:
        operations: the arithmetic operations for one image in evaluation, those of `macs` left out.
        keeps: what the forward pass in training leaves for the backward pass.
        scratch: how many numbers torch needs for one image beside inputs and outputs while it evaluates the layer in
            several functions; None where they are the `numbers` that backward keeps.
        view: whether the output always lies in the memory of the first input (slice, split, permute).
        size_only: the argument that names a value of which the size alone is read (resize's `like`).
        passes_gradient: whether the gradients of the inputs lie in the memory of the output's gradient (add, concat).
    """

    operations: Count = ONE_PER_ENTRY
    keeps: Keeping = KEEPS_INPUT
    scratch: Count | None = None
    view: bool = False
    size_only: str = ""
    passes_gradient: bool = False

    def unread(self, attributes: Attributes) -> int | None:
        """Return the place among the inputs of the value of which the size alone is read, if a call names one."""
        place: int | None = attributes.get(self.size_only) if self.size_only else None
        return place

    def scratch_bytes(self, attributes: Attributes, inputs: Types, outputs: Types, bytes_per_number: int) -> Dim:
        """Return the bytes beside inputs and outputs that torch needs for one image while it evaluates the layer."""
        kept = self.keeps(attributes, inputs, outputs)
        numbers = kept.numbers if self.scratch is None else self.scratch(attributes, inputs, outputs)
        return numbers * bytes_per_number + kept.indices * _INDEX_BYTES


_INDEX_BYTES = 8

USUAL = Work()
"""What is assumed of a layer that does not say: one operation for every entry of its output, its input kept."""

MOVING = Work(no_operations, KEEPS_NOTHING)
"""Entries are copied to other places, and their gradients back."""

VIEWING = Work(no_operations, KEEPS_NOTHING, view=True)
"""The output is another look at the memory of the input; its gradient is laid into one of the input's size."""

TURNING = Work(no_operations, KEEPS_NOTHING, view=True, passes_gradient=True)
"""The output is another look at all entries of the input, and so is the gradient."""
