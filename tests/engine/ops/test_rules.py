"""Shape rules against torch over random calls: what a rule accepts torch computes, to the same size, and vice versa."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.graph import TensorType
from striate.ops import BUILTIN, ArgumentError, Check, LayerError, OpRecord, convert_all
from tests.engine.ops.configurations import (
    Layer,
    illegal_values,
    infer,
    input_shapes,
    input_sizes,
    sizes_of,
    tensors,
    written_arguments,
)

records = pytest.mark.parametrize("record", BUILTIN.values(), ids=lambda record: record.name)

STRICTER_THAN_TORCH = {
    ("maxpool", "not smaller than the window"): "torch's own layer refuses it too (its limit is half the window); "
    "padded by hand it gives -inf where a window holds no pixel",
    ("avgpool", "not smaller than the window"): "the same; the average of no pixel is 0 / 0",
    ("maxpool", "dilation"): "torch gives -inf where all entries of a dilated window miss the image",
    ("dense", "needs a flat value"): "torch multiplies the last axis where its size happens to fit",
    ("add", "branch sizes differ"): "torch repeats sizes of 1; in a sum that is mostly a mistake",
    ("add", "number of axes"): "torch lines the axes up from the right, so that batch and channels meet",
    ("mul", "number of axes"): "the same",
    ("add", "at least two values"): "a merge of one value is mostly a forgotten branch",
    ("mul", "at least two values"): "the same",
    ("concat", "at least two values"): "the same",
    ("deconv", "must be smaller than the stride"): "below the dilation torch adds rows of nothing but bias; "
    "ONNX and ONNX Runtime do not take it",
    ("deconv", "takes the whole output away"): "torch makes an image without pixels",
    ("deconv", "output channels cannot be split"): "torch's function is told the output channels per group, so that "
    "a remainder is lost; its layer refuses",
    ("deconv", "pad = same needs a kernel"): "torch has no such padding; its size would need rows made of nothing",
}
"""What the rules refuse and torch computes, by layer and a part of the message, with the reason."""


@records
@given(data=st.data())
def test_rule_agrees_with_torch(record: OpRecord, data: st.DataObject):
    written, shapes = data.draw(written_arguments(record.arguments)), data.draw(input_shapes(record))
    try:
        layer = infer(record, written, shapes)
    except LayerError as refusal:
        assert _torch_refuses(record, written, shapes) or _listed(record, refusal), refusal
        return
    assert not layer.check.open
    for training in (False, True):
        result = layer.run(input_sizes(shapes, 2), layer.weight_sizes(), training=training)
        assert [tuple(result.shape)] == sizes_of(layer, 2)


def _torch_refuses(record: OpRecord, written: dict[str, Any], shapes: tuple[tuple[int, ...], ...]) -> bool:
    inputs = tuple(TensorType(shape) for shape in shapes)
    try:
        attributes = record.settle(convert_all(record.arguments, written), inputs)
        layer = Layer(record, attributes, inputs, (), Check())
        # With values: without them torch accepts some calls that it then cannot compute.
        weights = {role: torch.zeros(size.shape) for role, size in layer.weight_sizes().items()}
        layer.run(tensors(shapes, 2), weights)
    except (RuntimeError, IndexError, ValueError):
        return True
    except LayerError:  # refused before there is anything that torch could be asked
        return len(shapes[0]) == 1
    return False


def _listed(record: OpRecord, refusal: LayerError) -> bool:
    return any(name == record.name and part in str(refusal) for name, part in STRICTER_THAN_TORCH)


@pytest.mark.parametrize(("layer", "part"), STRICTER_THAN_TORCH)
def test_every_listed_refusal_is_shown_by_a_sample(layer: str, part: str):
    shown = []
    for sample in BUILTIN[layer].samples:
        try:
            infer(BUILTIN[layer], sample.arguments, sample.inputs)
        except (LayerError, ArgumentError) as refusal:
            shown.append(str(refusal))
    assert any(part in message for message in shown)


@records
@given(data=st.data())
def test_illegal_values_are_refused_by_name(record: OpRecord, data: st.DataObject):
    if not record.arguments:
        return
    written = data.draw(written_arguments(record.arguments))
    argument = data.draw(st.sampled_from(record.arguments))
    written[argument.name] = data.draw(illegal_values(argument.kind))
    with pytest.raises(ArgumentError, match=f"^{argument.name} must be "):
        convert_all(record.arguments, written)


@records
def test_required_arguments_are_missed(record: OpRecord):
    for argument in record.arguments:
        if argument.required:
            others = {item.name: 1 for item in record.arguments if item.required and item is not argument}
            with pytest.raises(KeyError, match=argument.name):
                convert_all(record.arguments, others)


def test_output_channels_that_groups_do_not_divide_are_refused_by_the_layer_of_torch():
    with pytest.raises(ValueError, match="out_channels must be divisible by groups"):
        torch.nn.ConvTranspose2d(3, 4, 1, groups=3)


@pytest.mark.parametrize("function", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize("pad", [2, 3])
def test_padding_that_the_pools_refuse_is_refused_by_torch_itself(function: str, pad: int):
    with pytest.raises(RuntimeError, match="at most half of"):
        getattr(torch.nn.functional, function)(torch.zeros(1, 1, 5, 5), 2, 2, pad)
