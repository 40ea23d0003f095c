"""Layer calls for the tests: run a record's rules by hand, and draw calls at random from its argument schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from striate.conformance.layer_call import LayerCall, infer, tensors
from striate.dims import Dim
from striate.ops import BUILTIN, Argument, LayerError, OpRecord, Optional, Sample
from striate.ops.shape_arguments import NamedValue
from tests.engine.ops.argument_values import written_arguments
from tests.engine.ops.likely_calls import LIKELY

__all__ = ["Layer", "infer", "tensors"]
"""What the kit for plugin authors has as well, and what these tests import from here."""

LARGEST_SIZE = 24
REGIONS = ("roi_pool", "roi_align", "psroi_pool")
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


Layer = LayerCall


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
