"""Runs the samples of a layer's record: the sizes, weights and costs they have, or the words they are refused with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, TypeAlias

from striate.dims import Dim, symbol
from striate.dims.domain import Domain, solve
from striate.graph import TensorType
from striate.ops.arguments import Argument, ArgumentError, Choice, Optional, convert_all, format_value
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import OpRecord, Sample, WeightSpec, Window
from striate.ops.shape_arguments import NamedValue
from striate.ops.work import Kept

Shapes: TypeAlias = Sequence[Sequence[Dim]]

AXES: Mapping[int, tuple[str, ...]] = {2: ("L",), 3: ("H", "W"), 4: ("D", "H", "W")}
"""The names of open sizes behind the channels, by the number of axes of a value."""


@dataclass(frozen=True, slots=True)
class SampleRun:
    """A sample that its layer takes.

    Attributes:
        call: the call as it is written in a file.
        attributes: the settled attributes.
        inputs: the sizes that flow in, without the batch axis.
        outputs: the sizes that come out.
        weights: the weights that the layer makes.
        macs: multiply-adds for one image.
        flops: floating-point operations for one image: two for each multiply-add, and the others.
        kept: what training keeps for the backward pass.
        window: what one output pixel sees.
        domain: the legal input sizes where some are open.
    """

    call: str
    attributes: Mapping[str, Any]
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    weights: tuple[WeightSpec, ...]
    macs: Dim
    flops: Dim
    kept: Kept
    window: Window | Literal["all"]
    domain: Domain

    @property
    def parameters(self) -> int:
        """Trainable entries of all weights."""
        return sum(prod(weight.shape) for weight in self.weights if weight.trainable)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sample that its layer refuses: the call, the sizes that flow in, and the finding's code and words."""

    call: str
    inputs: tuple[TensorType, ...]
    code: str
    message: str
    help: str | None = None


def taken(record: OpRecord) -> list[SampleRun]:
    """Run the samples that the layer takes, in the order of the record."""
    return [_run(record, sample.arguments, sample.inputs) for sample in record.samples if sample.fails is None]


def refused(record: OpRecord) -> Iterator[Refusal]:
    """Run the samples that the layer refuses; one that it takes after all shows nothing and is left out."""
    for sample in record.samples:
        if sample.fails is None:
            continue
        call, inputs = written_call(record, sample.arguments), _types(sample.inputs)
        problem = _problem(record, sample)
        if problem is not None:
            yield Refusal(call, inputs, problem.code, problem.message, problem.help)


def open_run(record: OpRecord) -> SampleRun | None:
    """Run the first sample on a value with axes behind its channels with these sizes left open.

    Where a layer does not take an open depth, height and width are; where other values must have known sizes (regions
    are rows of four or five numbers), those of the first one. None where there is no such sample, or where the layer
    takes known sizes only.
    """
    for sample in record.samples:
        if sample.fails is None and all(len(shape) in AXES for shape in sample.inputs):
            opened = [tuple(_opened(shape, keep) for shape in sample.inputs) for keep in (1, 2)]
            for shapes in (opened[0], (opened[0][0], *sample.inputs[1:]), opened[1]):
                try:
                    return _run(record, sample.arguments, shapes)
                except LayerError:
                    continue
            return None
    return None


def _opened(shape: tuple[int, ...], keep: int) -> tuple[Dim, ...]:
    return (*shape[:keep], *map(symbol, AXES[len(shape)][keep - 1 :]))


def written_call(record: OpRecord, arguments: Mapping[str, Any]) -> str:
    """Return a call as it is written in a file: what must be given by position, the rest by name."""
    parts: list[str] = []
    for index, argument in enumerate(record.arguments):
        if argument.name not in arguments:
            continue
        value = format_value(_shown(argument, arguments[argument.name]))
        by_position = argument.required and len(parts) == index
        parts.append(value if by_position else f"{argument.name} = {value}")
    return f"{record.name}({', '.join(parts)})" if parts else record.name


def _shown(argument: Argument, value: Any) -> Any:
    """Return a sample's value as a file writes it: a value of the network is named, samples have its place only."""
    kind = argument.kind.kind if isinstance(argument.kind, Optional) else argument.kind
    if isinstance(kind, NamedValue):
        return Choice(named_value(argument))
    return _plain(argument, value)


def named_value(argument: Argument) -> str:
    """Return what the value that an argument names is called in calls that are shown."""
    return "skip" if argument.name == "like" else argument.name


def _plain(argument: Argument, value: Any) -> Any:
    """Return a sample's text as the plain name that it stands for, unless the argument takes it as a text only."""
    if isinstance(value, list):
        named = [Choice(item) if isinstance(item, str) else item for item in value]
        return named if _takes(argument, named) else value
    if not isinstance(value, str) or not value.isidentifier():
        return value
    return value if _takes(argument, value) and not _takes(argument, Choice(value)) else Choice(value)


def _takes(argument: Argument, value: Any) -> bool:
    try:
        argument.kind.convert(value)
    except ArgumentError:
        return False
    return True


def _types(shapes: Shapes) -> tuple[TensorType, ...]:
    return tuple(TensorType(tuple(shape)) for shape in shapes)


def _run(record: OpRecord, arguments: Mapping[str, Any], shapes: Shapes) -> SampleRun:
    inputs, check = _types(shapes), Check()
    known = {item.name: item for item in record.arguments}
    written = {name: _plain(known[name], value) if name in known else value for name, value in arguments.items()}
    attributes = record.settle(convert_all(record.arguments, written), inputs)
    outputs = record.shape(attributes, inputs, check)
    macs = record.macs(attributes, inputs, outputs)
    others: Dim = 0 if record.inference == "same" else record.work.operations(attributes, inputs, outputs)
    return SampleRun(
        call=written_call(record, arguments),
        attributes=attributes,
        inputs=inputs,
        outputs=outputs,
        weights=record.weights(attributes, inputs),
        macs=macs,
        flops=macs * 2 + others,
        kept=record.work.keeps(attributes, inputs, outputs),
        window=record.window(attributes, inputs),
        domain=solve(check.open, ()),
    )


def _problem(record: OpRecord, sample: Sample) -> Problem | None:
    try:
        _run(record, sample.arguments, sample.inputs)
    except LayerError as error:
        return error.problem
    except ArgumentError as error:
        return Problem(str(error), code="E0211")
    return None
