"""Receptive windows against measurement: which rows of the input an output row depends on."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from striate.ops import BUILTIN, OpRecord, Sample, Window
from tests.engine.ops.configurations import ACCEPTED, Layer, infer, sample_id

WIDER = {
    "reshape": "where entries go depends on the sizes",
    "unflatten": "the same",
    "flatten": "the same",
    "permute": "axes change their names",
    "transpose": "the same",
    "flip": "what is seen lies on the other side of the image",
    "tile": "every copy begins anew",
    "select": "places may lie in any order",
    "concat": "along an axis of the image each place belongs to one value",
    "stack": "the axes change their names",
    "expand": "one pixel is seen from everywhere",
    "broadcast": "the same",
    "parameter": "nothing is seen",
    "cumprod": "the same as cumsum",
    "gather": "the indices decide",
    "scatter": "the same",
    "topk": "the largest entries decide",
    "one_hot": "one number is seen from every class",
    "cumsum": "only what lies before each place is seen, or behind it",
    "matmul": "rows of one value meet columns of the other",
    "grid_sample": "the grid decides",
    "deform_conv": "the offsets decide",
    "max_unpool": "the indices decide",
    **dict.fromkeys(("lstm", "gru"), "one direction sees what came before, and gates may close"),
    "attention": "where causal, nothing is seen of what comes later",
    "convlstm": "what came before is seen",
    "window_attention": "with the features behind, the axes of the image go by other names",
    "gumbel_softmax": "what is rounded shows the largest entry",
    "nonlocal": "relu leaves pairs out",
    "split": "each part begins elsewhere",
    "chunk": "the same",
}
"""Layers that say "all" where less is seen: a window has no words for it. What is said is never too little."""

CONTINUED = {
    "pad": "beyond the border an image continues mirrored, repeated or from its other side",
    "roll": "an image continues from its other side",
    "tile": "the same",
    "upsample": "beyond the border lie the outermost pixels",
    "resize": "the same",
    **dict.fromkeys(("sobel", "prewitt", "gaussian_blur", "median_blur"), "an image may continue from its other side"),
}
"""Layers whose border places see pixels that lie elsewhere in the image; windows are those of the places inside."""


def continues(layer: Layer) -> bool:
    """Whether border places see pixels that lie elsewhere, as they do with padding that holds rows of the image."""
    return layer.record.name in CONTINUED or layer.attributes.get("fill") in ("reflect", "replicate", "circular")


def keeps_axes(layer: Layer) -> bool:
    """Whether the first output has the axes of the first input."""
    return layer.inputs[0].rank == layer.outputs[0].rank


GRIDS = [
    pytest.param(record, sample, axis, id=f"{sample_id(record)}-{sample_id(sample)}-{axis}")
    for record, sample in ACCEPTED
    if keeps_axes(infer(record, sample.arguments, sample.inputs))
    for axis in range(len(sample.inputs[0]) - 1)
]


DRAWN = frozenset({"fractional_maxpool"})
"""Layers whose windows hold all those that training can draw: one of them is no wider than what is said."""
ALIGNED = {
    "window_attention": "each place sees its window, wherever in it the place lies",
    "partial_conv": "what the mask leaves out is not seen",
}
"""Layers whose places see different parts of what the window says, which are never more."""


ROUNDING = 1e-9
"""A change that is none: a weight of 0 that came out as 1e-17."""


def known_sizes(layer: Layer) -> list[tuple[int, ...]]:
    """Return the input sizes of a layer without open sizes."""
    return [tuple(size for size in item.shape if isinstance(size, int)) for item in layer.inputs]


def dependence(layer: Layer, axis: int) -> Tensor:
    """Return which positions along an axis of the output change with those of the first input.

    Values are replaced by large ones, and by small ones: gradients of a maximum would show the largest pixel only.
    Zeros change truths, and what the second input has changes which entries are equal.
    """
    weights = layer.weights(dtype=torch.float64)
    values = layer.tensors(known_sizes(layer), 1, dtype=torch.float64)
    if layer.record.name == "logical_or":  # which is true whatever the first input is, where the second is not 0
        values[1] = torch.zeros_like(values[1])
    before = layer.run(values, weights)
    columns = []
    for index in range(values[0].shape[2 + axis]):
        difference = torch.zeros_like(before, dtype=torch.bool)
        for other in others_for(values, axis, index):
            changed = values[0].clone()
            changed.select(2 + axis, index).copy_(other)
            difference |= ~torch.isclose(layer.run([changed, *values[1:]], weights), before, 0, ROUNDING, True)
        others = [other for other in range(difference.dim()) if other != 2 + axis]
        columns.append(difference.amax(dim=others))
    return torch.stack(columns, dim=1)


def others_for(values: list[Tensor], axis: int, index: int) -> list[Tensor]:
    """Return what to put in the place of a row of the first input; a step stays where it is for one of two signs."""
    row = values[0].select(2 + axis, index)
    large = 10 + 10 * torch.rand(row.shape, dtype=torch.float64)
    found = [large, -large, torch.zeros_like(row)]
    if len(values) == 2 and values[1].dim() == values[0].dim():
        place = min(index, values[1].shape[2 + axis] - 1)
        same = values[1].select(2 + axis, place)
        same = same[tuple(slice(own) for own in row.shape)]
        if all(size in (1, own) for size, own in zip(same.shape, row.shape, strict=True)):
            found.append(same.expand_as(row))
    return found


def seen_by(window: Window, axis: int, place: int) -> range:
    """Return the positions that an output place can see; a transposed convolution's window has fractional ends."""
    extent, stride, padding = window.along(axis)
    start = place * stride - padding
    return range(math.ceil(start - 1e-9), math.floor(start + extent - 1 + 1e-9) + 1)


@pytest.mark.parametrize(("record", "sample", "axis"), GRIDS)
def test_window_is_what_is_measured(record: OpRecord, sample: Sample, axis: int):
    layer = infer(record, sample.arguments, sample.inputs)
    window = record.window(layer.attributes, layer.inputs)
    measured = dependence(layer, axis)
    if window == "all":
        assert measured.all() or record.name in WIDER
        return
    assert isinstance(window, Window)
    size = sample.inputs[0][1 + axis]
    interior = 0
    for place, sees in enumerate(measured):
        predicted = seen_by(window, axis, place)
        found = [index for index, depends in enumerate(sees.tolist()) if depends]
        inside = predicted and predicted[0] >= 0 and predicted[-1] < size
        assert set(found) <= set(predicted) or (continues(layer) and not inside), f"{place} sees {found}"
        if record.name in DRAWN:
            interior += bool(inside)
        elif record.name in ALIGNED:
            interior += inside and len(found) > 1
        elif inside and not (layer.attributes.get("mode") == "bicubic" and len(found) == 1):  # three weights are 0
            interior += 1
            assert (found[0], found[-1]) == (predicted[0], predicted[-1]), f"{place} sees {found}"
    assert interior or window.along(axis)[0] > size - 2, "some window lies inside the image"


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
