"""Layer calls for the tests: run a record's rules by hand, and draw calls at random from its argument schema."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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
    LayerError,
    OpRecord,
    Optional,
    Sample,
    TorchCall,
    convert_all,
)
from striate.ops.axes import axis_of
from striate.ops.initializers import start_values
from striate.ops.record import all_results
from striate.ops.shape_arguments import NamedValue
from tests.engine.ops.argument_values import written_arguments
from tests.engine.ops.likely_calls import LIKELY

LARGEST_SIZE = 24
ABOVE_ZERO = frozenset({"log", "sqrt", "reciprocal", "graphconv", "power", "pow", "fmod", "mod"})
"""Layers whose entries must be positive: logarithms, and edges, whose sums are divided by."""
ABOVE_ONE = frozenset({"acosh"})
"""Layers whose entries must be above 1."""
WITHIN_ONE = frozenset({"asin", "acos", "atanh"})
"""Layers whose entries must lie between -1 and 1."""


def _with_places(attributes: Mapping[str, Any], values: list[Tensor]) -> list[Tensor]:
    """Replace the indices of an unpooling layer by places of the image to be made; some come more than once."""
    like = attributes["like"]
    room = math.prod(attributes["size"] if like is None else values[like].shape[2:])
    made = list(values)
    made[attributes["indices"]] = (values[attributes["indices"]].abs() * 10).floor() % room
    return made


def _with_entries(attributes: Mapping[str, Any], values: list[Tensor]) -> list[Tensor]:
    """Replace indices by places along the axis, none twice where there is room; some are counted from the end."""
    places, value = values[attributes["indices"]], values[0]
    axis = axis_of(attributes["axis"], value.dim() - 1)
    made = list(values)
    found = places.argsort(axis) % value.shape[axis]
    made[attributes["indices"]] = torch.where(places < 0, found - value.shape[axis], found).to(places.dtype)
    return made


def _with_classes(attributes: Mapping[str, Any], values: list[Tensor]) -> list[Tensor]:
    """Replace random numbers by numbers of classes, of which some are none and others count from the end."""
    return [(values[0] * attributes["classes"]).round()]


def _with_regions(attributes: Mapping[str, Any], values: list[Tensor]) -> list[Tensor]:
    """Replace random numbers by regions around the image, some of them cut by its border; each of its own image."""
    image, drawn = values[0], values[attributes["rois"]]
    height, width = (size / attributes["spatial_scale"] for size in image.shape[2:])
    room = torch.tensor([width, height], dtype=drawn.dtype)
    corner, extent = drawn[..., -4:-2] * room / 2, drawn[..., -2:].abs() * room / 2
    regions = torch.cat([corner, corner + extent], -1)
    if drawn.shape[-1] == 5:
        number = torch.arange(drawn.shape[0], dtype=drawn.dtype).reshape(-1, 1, 1)
        regions = torch.cat([number.expand(*drawn.shape[:2], 1), regions], -1)
    made = list(values)
    made[attributes["rois"]] = regions
    return made


REGIONS = ("roi_pool", "roi_align", "psroi_pool")
FITTING: Mapping[str, Callable[[Mapping[str, Any], list[Tensor]], list[Tensor]]] = {
    "max_unpool": _with_places,
    "gather": _with_entries,
    "scatter": _with_entries,
    "one_hot": _with_classes,
    **dict.fromkeys(REGIONS, _with_regions),
}
"""Layers that take places as an input: what makes such places of random numbers."""
PLACES = {**dict.fromkeys(("max_unpool", "gather", "scatter"), "indices"), **dict.fromkeys(REGIONS, "rois")}
"""Layers that take places as an input, and the argument that names it; no gradient flows into places."""
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

    def variables(self, values: Sequence[Tensor]) -> list[int]:
        """Return which inputs a gradient flows into."""
        places = self.attributes.get(PLACES.get(self.record.name, ""))
        return [index for index, _ in enumerate(values) if index != places]

    def weight_sizes(self) -> dict[str, Tensor]:
        """Return weights by role that have sizes and no values."""
        specs = self.record.weights(self.attributes, self.inputs)
        return {spec.role: torch.empty(spec.shape, device="meta") for spec in specs}

    def tensors(
        self,
        shapes: Sequence[tuple[int, ...]],
        batch: int,
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> list[Tensor]:
        """Return random inputs for which the layer is defined, with a batch axis in front."""
        made = tensors(shapes, batch, seed=seed, dtype=dtype)
        if self.record.name in FITTING:
            return FITTING[self.record.name](self.attributes, made)
        if self.record.name in WITHIN_ONE:
            return [0.9 * item.tanh() for item in made]
        least = 0.1 if self.record.name in ABOVE_ZERO else 1.1 if self.record.name in ABOVE_ONE else None
        return made if least is None else [item.abs() + least for item in made]

    def run(self, inputs: Sequence[Tensor], weights: Mapping[str, Tensor], *, training: bool = False) -> Tensor:
        """Compute the layer in torch and return its first output."""
        return self.results(inputs, weights, training=training)[0]

    def results(
        self, inputs: Sequence[Tensor], weights: Mapping[str, Tensor], *, training: bool = False
    ) -> tuple[Tensor, ...]:
        """Compute the layer in torch and return all its outputs."""
        return all_results(self.record.torch(TorchCall(torch, self.attributes, inputs, weights, training)))


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


Written = dict[str, Any]
Shapes = tuple[tuple[int, ...], ...]


def takes_values(arguments: Sequence[Argument], written: Mapping[str, Any]) -> int:
    """Return how many named values a call takes beside the one that flows in."""
    kinds = {argument.name: argument.kind for argument in arguments}
    named = [kind.kind if isinstance(kind, Optional) else kind for name, kind in kinds.items() if written.get(name)]
    return sum(isinstance(kind, NamedValue) for kind in named)


@st.composite
def any_shape(draw: st.DrawFn) -> tuple[int, ...]:
    """Sizes of one value: mostly images that need not be square."""
    size, small, channels = st.integers(1, LARGEST_SIZE), st.integers(1, 6), st.integers(1, 8)
    image = st.tuples(channels, size, size)
    return draw(
        st.one_of(image, image, image, st.tuples(size), st.tuples(channels, size), st.tuples(channels, *[small] * 3))
    )


@st.composite
def any_call(draw: st.DrawFn, record: OpRecord) -> tuple[Written, Shapes]:
    """Arguments and sizes for one call, often legal ones; merged values mostly fit, and sometimes do not."""
    if record.name in LIKELY and draw(st.booleans()):
        return draw(LIKELY[record.name])
    first = draw(any_shape())
    written = draw(written_arguments(record.arguments, max(len(first) - 1, 1)))
    if not record.merge:
        return written, (first, *(draw(any_shape()) for _ in range(takes_values(record.arguments, written))))
    others = [list(first) for _ in range(draw(st.integers(0, 2)))]
    for other in others:
        if draw(st.booleans()):
            size = st.integers(1, LARGEST_SIZE)
            other[draw(st.integers(0, len(other) - 1))] = draw(st.one_of(st.just(1), size))
    return written, (first, *map(tuple, others))


Call = tuple[Layer, tuple[tuple[int, ...], ...]]
"""A layer whose call is legal, and the sizes of its inputs."""


@st.composite
def legal_calls(draw: st.DrawFn, record: OpRecord, largest: int = LARGEST_SIZE) -> Call:
    """A legal call: what the rule refuses is taken back, argument by argument, and then the image is made larger."""
    if record.name in LIKELY:
        written, shapes = draw(LIKELY[record.name])
    else:
        written, shapes = draw(any_call(record))
        shapes = tuple(tuple(min(size, largest) for size in shape) for shape in shapes)
    required = {argument.name for argument in record.arguments if argument.required}
    for _ in range(len(written) + 4):
        try:
            return infer(record, written, shapes), shapes
        except LayerError as error:
            problem = error.problem
            if problem.argument in written and problem.argument not in required:
                del written[problem.argument]
            elif problem.code == "E0205":
                parts = written.get(problem.argument or "", 2)
                shapes = tuple((shape[0] * parts, *shape[1:]) for shape in shapes)
            elif problem.code == "E0211":  # two arguments that do not go together
                written = {name: value for name, value in written.items() if name in required}
            elif problem.before == "flatten":
                shapes = tuple(shape[:1] for shape in shapes)
            elif problem.code in ("E0203", "E0212"):
                shapes = (shapes[0], shapes[0])
            elif problem.code == "E0204":  # another number of axes: a sequence first, then an image
                axes = 1 if len(shapes[0]) == 1 else 2
                shapes = tuple((*shape[:1], *(LARGEST_SIZE for _ in range(axes))) for shape in shapes)
            elif len(shapes[0]) == 1:
                shapes = tuple((LARGEST_SIZE,) for _ in shapes)
            else:
                shapes = tuple((*shape[:1], *(LARGEST_SIZE for _ in shape[1:])) for shape in shapes)
    raise AssertionError(f"no legal call found near {record.name} {written} on {shapes}")
