"""Layer calls for the tests: run a record's rules by hand, and draw calls at random from its argument schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from striate.dims import Dim
from striate.graph import TensorType, Weight
from striate.ops import (
    BUILTIN,
    Argument,
    Check,
    Flag,
    Integer,
    Kind,
    LayerError,
    OneOf,
    OpRecord,
    Optional,
    Padding,
    Pair,
    Real,
    Sample,
    TorchCall,
    convert_all,
)
from striate.ops.initializers import start_values

LARGEST_SIZE = 24
SAMPLES = [(record, sample) for record in BUILTIN.values() for sample in record.samples]
ACCEPTED = [(record, sample) for record, sample in SAMPLES if sample.fails is None]
REFUSED = [(record, sample) for record, sample in SAMPLES if sample.fails is not None]


def sample_id(value: Any) -> str:
    """A name for a record or a sample among the parameters of a test."""
    if isinstance(value, OpRecord):
        return value.name
    if isinstance(value, Sample):
        written = ",".join(f"{name}={item}" for name, item in value.arguments.items())
        sizes = "+".join("x".join(map(str, shape)) for shape in value.inputs)
        return f"{written or 'plain'}|{sizes}".replace(" ", "")
    return str(value)


@dataclass(frozen=True)
class Layer:
    """A layer call whose rule has been run: settled attributes, sizes without the batch axis, open conditions."""

    record: OpRecord
    attributes: Mapping[str, Any]
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    check: Check

    def weights(self, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
        """Return weights by role; statistics and biases are given values too, so that leaving one out shows."""
        generator = torch.Generator().manual_seed(seed)
        made = {}
        for spec in self.record.weights(self.attributes, self.inputs):
            start = torch.from_numpy(start_values(Weight(spec.role, spec.shape, spec.initializer), seed))
            made[spec.role] = (start + torch.rand(spec.shape, generator=generator) / 2).to(dtype)
        return made

    def weight_sizes(self) -> dict[str, Tensor]:
        """Return weights by role that have sizes and no values."""
        specs = self.record.weights(self.attributes, self.inputs)
        return {spec.role: torch.empty(spec.shape, device="meta") for spec in specs}

    def run(self, inputs: Sequence[Tensor], weights: Mapping[str, Tensor], *, training: bool = False) -> Tensor:
        """Compute the layer in torch."""
        return self.record.torch(TorchCall(torch, self.attributes, inputs, weights, training))


def infer(record: OpRecord, written: Mapping[str, Any], shapes: Sequence[tuple[Dim, ...]]) -> Layer:
    """Convert and settle what is written and run the shape rule; raises what the rules raise."""
    inputs = tuple(TensorType(tuple(shape)) for shape in shapes)
    check = Check()
    attributes = record.settle(convert_all(record.arguments, written), inputs)
    return Layer(record, attributes, inputs, record.shape(attributes, inputs, check), check)


def tensors(
    shapes: Sequence[tuple[int, ...]],
    batch: int,
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> list[Tensor]:
    """Return random inputs with a batch axis in front; a larger batch begins with the images of a smaller one."""
    generator = torch.Generator().manual_seed(seed)
    images = [[torch.randn(shape, generator=generator) for shape in shapes] for _ in range(batch)]
    return [torch.stack(column).to(dtype) for column in zip(*images, strict=True)]


def input_sizes(shapes: Sequence[tuple[int, ...]], batch: int) -> list[Tensor]:
    """Return inputs that have sizes and no values."""
    return [torch.empty((batch, *shape), device="meta") for shape in shapes]


def sizes_of(layer: Layer, batch: int) -> list[tuple[Dim, ...]]:
    """Return the output sizes with the batch axis in front."""
    return [(batch, *kind.shape) for kind in layer.outputs]


def legal_values(kind: Kind) -> st.SearchStrategy[Any]:
    """Values that a kind takes, small ones first."""
    match kind:
        case Integer(minimum):
            return st.integers(minimum, minimum + 7)
        case Pair(minimum):
            size = st.integers(minimum, minimum + 3)
            return st.one_of(size, st.tuples(size, size))
        case Padding():
            width = st.integers(0, 3)
            named = st.sampled_from(["valid", "same", "half"])
            return st.one_of(named, width, st.tuples(width, width), st.tuples(width, width, width, width))
        case Optional(inner):
            return st.one_of(st.none(), legal_values(inner))
        case Flag():
            return st.booleans()
        case OneOf(names):
            return st.sampled_from(names)
        case Real(minimum, maximum, open_maximum):
            return st.floats(max(minimum, 0.05), min(maximum, 2.0), exclude_max=open_maximum and maximum <= 2)
    raise NotImplementedError(f"say here which values {kind} takes")


def illegal_values(kind: Kind) -> st.SearchStrategy[Any]:
    """Values that a kind must refuse."""
    match kind:
        case Integer(minimum):
            return st.sampled_from([minimum - 1, -5, 1.5, True, "three", None, (3, 3)])
        case Pair(minimum):
            return st.sampled_from([minimum - 1, (3, minimum - 1), (3, 3, 3), 2.5, True, "same", None, ()])
        case Padding():
            return st.sampled_from([-1, (1, -1), (1, 2, 3), 0.5, "full", True, None, ()])
        case Optional(inner):
            return illegal_values(inner).filter(lambda value: value is not None)
        case Flag():
            return st.sampled_from([0, 1, "true", None])
        case OneOf():
            return st.sampled_from(["nothing", 1, None, True])
        case Real(minimum, maximum):
            return st.sampled_from([minimum - 1, maximum + 1, float("nan"), float("inf"), "much", True])
    raise NotImplementedError(f"say here which values {kind} refuses")


@st.composite
def written_arguments(draw: st.DrawFn, arguments: Sequence[Argument]) -> dict[str, Any]:
    """Legal values for the required arguments and for some of the others."""
    return {
        argument.name: draw(legal_values(argument.kind))
        for argument in arguments
        if argument.required or draw(st.booleans())
    }


@st.composite
def input_shapes(draw: st.DrawFn, record: OpRecord) -> tuple[tuple[int, ...], ...]:
    """Sizes for one call: mostly images that need not be square; merged values mostly fit, and sometimes do not."""
    size = st.integers(1, LARGEST_SIZE)
    image = st.tuples(st.integers(1, 8), size, size)
    first = draw(st.one_of(image, image, image, st.tuples(size)))
    if not record.merge:
        return (first,)
    others = [list(first) for _ in range(draw(st.integers(0, 2)))]
    for other in others:
        if draw(st.booleans()):
            other[draw(st.integers(0, len(other) - 1))] = draw(st.one_of(st.just(1), size))
    return (first, *map(tuple, others))


Call = tuple[Layer, tuple[tuple[int, ...], ...]]
"""A layer whose call is legal, and the sizes of its inputs."""


@st.composite
def legal_calls(draw: st.DrawFn, record: OpRecord, largest: int = LARGEST_SIZE) -> Call:
    """A legal call: what the rule refuses is taken back, argument by argument, and then the image is made larger."""
    written = draw(written_arguments(record.arguments))
    shapes = tuple(tuple(min(size, largest) for size in shape) for shape in draw(input_shapes(record)))
    required = {argument.name for argument in record.arguments if argument.required}
    for _ in range(len(written) + 2):
        try:
            return infer(record, written, shapes), shapes
        except LayerError as error:
            argument = error.problem.argument
            if argument in written and argument not in required:
                del written[argument]
            else:
                shapes = tuple((*shape[:1], LARGEST_SIZE, LARGEST_SIZE) for shape in shapes)
    raise AssertionError(f"no legal call found near {record.name} {written} on {shapes}")
