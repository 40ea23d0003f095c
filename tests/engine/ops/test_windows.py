"""Receptive windows against measurement: which rows of the input an output row depends on."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from striate.ops import BUILTIN, OpRecord, Sample, Window
from tests.engine.ops.configurations import ACCEPTED, Layer, infer, sample_id, tensors

IMAGES = [(record, sample) for record, sample in ACCEPTED if len(sample.inputs[0]) == 3 and record.name != "flatten"]


def known_sizes(layer: Layer) -> list[tuple[int, ...]]:
    """Return the input sizes of a layer without open sizes."""
    return [tuple(size for size in item.shape if isinstance(size, int)) for item in layer.inputs]


def dependence(layer: Layer, axis: int) -> Tensor:
    """Return which rows (axis 0) or columns (axis 1) of the output change with those of the first input.

    Values are replaced by large ones: gradients of a maximum would show the largest pixel only.
    """
    weights, values = layer.weights(), tensors(known_sizes(layer), 1)
    before = layer.run(values, weights)
    columns = []
    for index in range(values[0].shape[2 + axis]):
        changed = values[0].clone()
        row = changed.select(2 + axis, index)
        row.copy_(10 + 10 * torch.rand(row.shape))
        difference = layer.run([changed, *values[1:]], weights) != before
        columns.append(difference.amax(dim=(0, 1, 3 - axis)))
    return torch.stack(columns, dim=1)


def seen_by(window: Window, axis: int, place: int) -> range:
    """Return the positions that an output place can see; a transposed convolution's window has fractional ends."""
    start = place * window.stride[axis] - window.padding[axis]
    return range(math.ceil(start - 1e-9), math.floor(start + window.extent[axis] - 1 + 1e-9) + 1)


@pytest.mark.parametrize("axis", [0, 1], ids=["rows", "columns"])
@pytest.mark.parametrize(("record", "sample"), IMAGES, ids=sample_id)
def test_window_is_what_is_measured(record: OpRecord, sample: Sample, axis: int):
    layer = infer(record, sample.arguments, sample.inputs)
    window = record.window(layer.attributes, layer.inputs)
    measured = dependence(layer, axis)
    if window == "all":
        assert measured.all()
        return
    assert isinstance(window, Window)
    size = sample.inputs[0][1 + axis]
    interior = 0
    for place, sees in enumerate(measured):
        predicted = seen_by(window, axis, place)
        found = [index for index, depends in enumerate(sees.tolist()) if depends]
        assert set(found) <= set(predicted), f"{place} sees {found}"
        if predicted and predicted[0] >= 0 and predicted[-1] < size:
            interior += 1
            assert (found[0], found[-1]) == (predicted[0], predicted[-1]), f"{place} sees {found}"
    assert interior or window.extent[axis] > size - 2, "some window lies inside the image"


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
