"""Receptive fields of every layer against measurement, for samples and random calls, all inputs and outputs.

What the analysis says of a graph of one layer is never less than what is measured, and inside the image the same,
but for the layers listed here with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.analysis.receptive import Field
from striate.analysis.track import Number, Track
from striate.ops import BUILTIN, OpRecord, Sample, Window
from tests.engine.ops.configurations import ACCEPTED, Layer, Shapes, infer, legal_calls, sample_id
from tests.engine.ops.dependence import dependence, fields_of, positions

WIDER = {
    **dict.fromkeys(("reshape", "unflatten", "flatten", "permute", "transpose"), "axes change their names"),
    "flip": "what is seen lies on the other side of the image",
    "tile": "every copy begins anew",
    "select": "places may lie in any order",
    **dict.fromkeys(("split", "chunk"), "each part begins elsewhere"),
    "concat": "along an axis of positions each place belongs to one value",
    "stack": "the axes change their names",
    **dict.fromkeys(("expand", "broadcast"), "one pixel is seen from everywhere"),
    "parameter": "nothing is seen",
    **dict.fromkeys(("gather", "scatter"), "the indices decide"),
    "topk": "the largest entries decide",
    "one_hot": "one number is seen from every class",
    "cumprod": "only what lies before each place is seen, or behind it",
    "cumsum": "only what lies before each place is seen, or behind it",
    "matmul": "rows of one value meet columns of the other",
    **dict.fromkeys(("grid_sample", "affine_grid"), "the grid decides"),
    "deform_conv": "the offsets decide",
    "max_unpool": "the indices decide",
    **dict.fromkeys(("roi_pool", "roi_align", "psroi_pool"), "the regions decide"),
    **dict.fromkeys(("lstm", "gru"), "one direction sees what came before, and gates may close"),
    "attention": "where causal, nothing is seen of what comes later",
    "convlstm": "what came before is seen",
    "window_attention": "with the features behind, the axes of the image go by other names",
    "gumbel_softmax": "what is rounded shows the largest entry",
    "nonlocal": "relu leaves pairs out",
    "graphconv": "the neighbours decide",
}
"""Layers that say "all" where less is seen: a window has no words for it. What is said is never too little."""

CONTINUED = {
    "pad": "beyond the border an image continues mirrored, repeated or from its other side",
    "roll": "an image continues from its other side",
    "tile": "the same",
    **dict.fromkeys(("upsample", "resize"), "beyond the border lie the outermost pixels"),
    **dict.fromkeys(
        ("sobel", "prewitt", "laplacian", "sharpen", "emboss", "box_blur", "gaussian_blur", "median_blur", "bilateral"),
        "an image may continue from its other side",
    ),
}
"""Layers whose border places see pixels that lie elsewhere in the image; windows are those of the places inside."""

LESS = {
    "fractional_maxpool": "windows hold all those that training can draw: one of them is no wider than what is said",
    "window_attention": "each place sees its window, wherever in it the place lies",
    "median_blur": "the median need not move with one row of its window, where the border holds many zeros",
    "partial_conv": "what the mask leaves out is not seen",
}
"""Layers whose places see a part of what is said, never more, and not always its ends."""


CONSTANT = {
    **dict.fromkeys(("softmax", "log_softmax", "softmin", "gumbel_softmax"), "the share of one entry is 1"),
    **dict.fromkeys(("layernorm", "reduce_std"), "one entry does not differ from its mean"),
    **dict.fromkeys(("argmax", "argmin", "topk"), "of one entry it is the first"),
    "maxpool": "the place in a window of one pixel is that pixel",
    "clip": "between two equal numbers lies one",
}
"""Layers with calls that give the same whatever flows in: then nothing at all is seen of an output."""


class Seen(NamedTuple):
    """One position of one output along an axis of one input: first and last that is measured and that is said."""

    where: str
    output: int
    axis: int
    found: tuple[int, int] | None
    first: Number
    last: Number
    size: int

    @property
    def inside(self) -> bool:
        """Whether all that is said to be seen lies in the input."""
        return self.first >= 0 and self.last < self.size

    @property
    def too_much(self) -> bool:
        """Whether something is seen that is said not to be."""
        return self.found is not None and (self.found[0] < self.first or self.found[1] > self.last)

    @property
    def exact(self) -> bool:
        """Whether what is seen begins and ends where it is said to."""
        nothing = self.first > self.last
        return (self.found is None) == nothing and (nothing or self.found == (self.first, self.last))


def continues(layer: Layer) -> bool:
    """Whether border places see pixels that lie elsewhere, as they do with padding that holds rows of the image."""
    return layer.record.name in CONTINUED or layer.attributes.get("fill") in ("reflect", "replicate", "circular")


def looks(layer: Layer, shapes: Shapes, field: Field) -> Iterator[Seen]:
    """Measure every position of every output that has the axes of an input, along each axis, for each input read."""
    for source in layer.variables(layer.tensors(shapes, 1)):
        name = f"in{source}"
        if name not in field.axes:
            assert source == layer.record.work.unread(layer.attributes), f"nothing is said of {name}"
        for axis, place in enumerate(positions(shapes[source])):
            tracks = field.axes.get(name, ((),) * field.count)[axis]
            for number, seen in enumerate(dependence(layer, shapes, source, place)):
                for position, row in enumerate(seen.tolist()):
                    said = f"out{number} at {position} of axis {place} sees of {name}"
                    yield Seen(said, number, axis, _ends(row), *_said(tracks, position), shapes[source][place - 1])


def _ends(row: list[bool]) -> tuple[int, int] | None:
    found = [index for index, depends in enumerate(row) if depends]
    return (found[0], found[-1]) if found else None


def _said(tracks: tuple[Track, ...], position: int) -> tuple[Number, Number]:
    """Return the first and last whole position that is said to be seen."""
    ends = [track.at(position) for track in tracks]
    return min((low for low, _ in ends), default=1), max((high for _, high in ends), default=0)


def sees_less(layer: Layer) -> bool:
    """Whether the ends of what is said need not be seen; of bicubic weights some are 0, of exclusive sums the first."""
    attributes = layer.attributes
    return layer.record.name in LESS or attributes.get("mode") == "bicubic" or attributes.get("exclusive") is True


def _beside(look: Seen, found: list[Seen]) -> bool:
    """Whether nothing can be seen since along another axis every position lies beside the image, in its padding."""
    others = {other.axis for other in found} - {look.axis, *(other.axis for other in found if other.inside)}
    return look.found is None and bool(others)


def check_looks(layer: Layer, found: list[Seen]) -> int:
    """Check that nothing else is seen than what is said, and inside the image nothing less; return where that held."""
    changing = {look.output for look in found if look.found is not None or layer.record.name not in CONSTANT}
    exact = 0
    for look in found:
        assert not look.too_much or (continues(layer) and not look.inside), look
        if look.inside and not sees_less(layer) and look.output in changing and not _beside(look, found):
            assert look.exact, look
            exact += 1
    return exact


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_samples_see_what_is_said(record: OpRecord, sample: Sample):
    layer = infer(record, sample.arguments, sample.inputs)
    field = fields_of(layer)
    if isinstance(field, Field):
        check_looks(layer, list(looks(layer, sample.inputs, field)) if field.placed else [])
    elif record.name not in WIDER:
        for axis in range(2, len(sample.inputs[0]) + 1):
            assert all(seen.all() for seen in dependence(layer, sample.inputs, 0, axis))


@pytest.mark.parametrize("name", BUILTIN)
@settings(max_examples=12)
@given(data=st.data())
def test_random_calls_see_what_is_said(name: str, data: st.DataObject):
    layer, shapes = data.draw(legal_calls(BUILTIN[name], largest=9))
    field = fields_of(layer)
    if isinstance(field, Field) and field.placed:
        check_looks(layer, list(looks(layer, shapes, field)))


@pytest.mark.parametrize("name", BUILTIN)
def test_some_sample_of_every_layer_shows_its_field(name: str):
    """So that no layer slips through: it says "all", or places inside the image see what is said."""
    layers = [infer(record, sample.arguments, sample.inputs) for record, sample in ACCEPTED if record.name == name]
    shown = 0
    for layer, (_, sample) in zip(layers, (case for case in ACCEPTED if case[0].name == name), strict=True):
        field = fields_of(layer)
        if isinstance(field, str):
            shown += 1
        elif field.placed:
            found = list(looks(layer, sample.inputs, field))
            shown += any(look.found is not None for look in found) if sees_less(layer) else check_looks(layer, found)
    assert shown


@pytest.mark.parametrize("name", ["dense", "global_avgpool", "global_maxpool"])
def test_layers_that_see_everything_say_so(name: str):
    record = BUILTIN[name]
    sample = record.samples[0]
    layer = infer(record, sample.arguments, sample.inputs)
    assert record.window(layer.attributes, layer.inputs) == "all"


def test_stacked_dilated_kernels():
    """Rates 1, 2 and 4 see 3, 7 and 15 pixels; each window widens the field by its extent less one."""
    field, fields = 1.0, []
    for rate in (1, 2, 4):
        layer = infer(BUILTIN["conv"], {"channels": 1, "kernel": 3, "dilation": rate}, [(1, 32, 32)])
        window = BUILTIN["conv"].window(layer.attributes, layer.inputs)
        assert isinstance(window, Window)
        field += window.extent[0] - 1
        fields.append(field)
    assert fields == [3, 7, 15]
