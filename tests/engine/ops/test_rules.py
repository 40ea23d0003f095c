"""Shape rules against torch over random calls: what a rule accepts torch computes, to the same size, and vice versa."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.graph import TensorType
from striate.ops import BUILTIN, ArgumentError, Check, LayerError, OpRecord, convert_all
from tests.engine.ops.argument_values import illegal_values, written_arguments
from tests.engine.ops.configurations import (
    Layer,
    any_call,
    infer,
    input_sizes,
    sizes_of,
)

records = pytest.mark.parametrize("record", BUILTIN.values(), ids=lambda record: record.name)

ENTRY_BY_ENTRY = ("sub", "maximum", "minimum", "average", "stack", "dot", "cosine_similarity", "l2_distance")
COMPARISONS = ("greater", "greater_equal", "less", "less_equal", "equal", "logical_and", "logical_or", "logical_xor")
TWO_VALUES = ("sub", "div", "matmul", "dot", "cosine_similarity", "l2_distance", *COMPARISONS, "pow", "fmod", "mod")
REDUCTIONS = (
    "reduce_mean",
    "reduce_sum",
    "reduce_max",
    "reduce_min",
    "reduce_prod",
    "reduce_logsumexp",
    "reduce_std",
    "argmax",
    "argmin",
)
FILTERS = (
    *("sobel", "prewitt", "laplacian", "sharpen", "emboss", "box_blur", "gaussian_blur"),
    *("median_blur", "bilateral"),
)

GLOBAL = ("avgpool", "maxpool", "minpool", "lppool")
PLAIN_POOLS = ("minpool", "lppool", "mixed_pool", "stochastic_pool")
OTHER_POOLS = (
    *PLAIN_POOLS,
    "fractional_maxpool",
    "roi_pool",
    "roi_align",
    "psroi_pool",
    "adaptive_avgpool",
    "adaptive_maxpool",
    "spp",
    "max_unpool",
)

NOTHING_TO_ASK = {
    "its input has no": "axes have names here; torch counts them",
    "names an axis twice": "the same",
    "order names": "the same",
    "exchanges an axis with itself": "the same",
    "needs pixels beside the channels": "torch is told which axes to work on",
    "takes one of": "of several arguments one must be chosen; torch's functions are called with it",
    "takes only one of": "the same",
    "takes modulation together with offsets": "the same",
    ", its input has": "one number per axis; torch is called with what the axes need",
    "has no coordinates": "torch has one name for each legal combination",
    "is for images": "the same",
    "is for volumes": "the same",
    "value has no effect": "the same",
    "differ in their number of axes": "sizes are read off a value axis by axis",
    "needs regions K x 4": "torch has no layer for regions",
    "would make the state smaller": "torch has no such layer",
    "needs images one after the other": "the same",
    "needs an adjacency matrix": "the same",
    "is not smaller than the window": "the same",
    "has no pixel in its middle": "the same",
    "for each output channel, of which nothing is left": "torch makes a kernel of zeros",
    "starts from a": "torch is given as many numbers as the states have, in whatever order of axes",
    "needs a sequence": "torch has one axis of steps",
    "has no sizes that auto": "torch is told the sizes",
    "needs a grid 2 x H x W": "grids have their channels first here, last in torch",
}
"""Refusals of what torch has no way to be asked, whatever the layer, by a part of the message."""

STRICTER_THAN_TORCH = {
    ("maxpool", "not smaller than the window"): "torch's own layer refuses it too (its limit is half the window); "
    "padded by hand it gives -inf where a window holds no pixel",
    ("avgpool", "not smaller than the window"): "the same; the average of no pixel is 0 / 0",
    ("maxpool", "dilation"): "torch gives -inf where all entries of a dilated window miss the image",
    **{(name, "not smaller than the window"): "the same" for name in PLAIN_POOLS},
    ("minpool", "dilation"): "the same as maxpool",
    ("conv", "needs an image"): "torch takes a sequence for an image without a batch",
    ("deconv", "needs an image"): "the same",
    ("maxpool", "needs an image"): "the same",
    ("avgpool", "needs an image"): "the same",
    **{(f"global_{kind}", "needs an image"): "torch reduces whatever axes there are" for kind in GLOBAL},
    **{(name, "needs an image"): "torch takes a sequence for an image without a batch" for name in OTHER_POOLS},
    ("mixed_pool", "a learned share cannot start"): "its logit is infinite",
    ("fractional_maxpool", "cannot begin at different places"): "torch refuses it in training; in evaluation places "
    "are read off the image one by one, and could be the same",
    ("fractional_maxpool", "the ratio leaves nothing"): "torch makes an image without pixels",
    ("psroi_pool", "cannot be dealt out"): "the same",
    ("max_unpool", "needs one index for each entry"): "torch scatters as many entries as there are indices",
    ("scatter", "do not fit"): "torch takes entries as long as there are no fewer than indices",
    ("one_hot", "needs one number of a class"): "torch compares whatever numbers there are with the classes",
    ("glu", "cannot be split"): "torch cuts odd channels into unequal halves, and repeats one of them where it is 1",
    ("dropconnect", "needs a flat value"): "the same as dense",
    ("cutout", "needs an image"): "in evaluation torch is asked for nothing",
    ("instancenorm", "has one entry for each mean"): "with running statistics torch refuses it in training only",
    (
        "groupnorm",
        "has one entry for each mean",
    ): "torch refuses it for a batch of one image only",
    ("adain", "takes two values"): "a third value would be left out without a word",
    ("adain", "number of axes"): "torch takes means over the axes there are",
    ("adain", "differ in channels"): "torch repeats the statistics of a single channel",
    ("attention", "there must be a value for each key"): "torch repeats a single one",
    (
        "window_attention",
        "needs an image",
    ): "torch is told which axes are cut",
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
    ("deconv", "has nothing to fill"): "torch's function has no such argument; its layer refuses it",
    ("deconv", "pad = same needs a kernel"): "torch has no such padding; its size would need rows made of nothing",
    ("pixel_unshuffle", "needs an image"): "torch takes a sequence for an image without a batch",
    ("pixel_shuffle", "needs an image"): "the same",
    (
        "slice",
        "is outside of the",
    ): "torch clips ranges to what there is; a place that does not exist is mostly a mistake",
    ("slice", "nothing lies between"): "torch makes a value without entries",
    ("split", "cannot be split into"): "the same, or one part more than was asked for",
    ("chunk", "cannot be cut into"): "torch gives fewer parts than were asked for",
    ("roll", "more than once round"): "torch goes round as often as it is told to",
    ("crop", "nothing is left"): "torch makes an image without pixels",
    ("upsample", "nothing is left"): "the same",
    ("affine_grid", "needs the 6 numbers"): "torch is shown whatever can be read as rows of 2 x 3",
    ("matmul", "are not equal in number"): "torch repeats a single matrix",
    ("matmul", "needs matrices"): "torch multiplies the flat values of a batch as one matrix, where there are as many",
    ("attention", "needs a mask"): "torch is given as many numbers as there are keys, in whatever order of axes",
    ("partial_conv", "needs a mask"): "torch repeats a single row of a mask",
    ("deform_conv", "needs an image"): "torch takes a sequence for an image without a batch",
    **{(name, "needs an image"): "torch takes an image for one without a batch" for name in FILTERS},
    **{(name, "leaves no axis of"): "a value has one axis at least beside the batch" for name in REDUCTIONS},
    **{(name, "takes two values"): "which of more would be meant is open" for name in TWO_VALUES},
    **{(name, "branch sizes differ"): "torch repeats sizes of 1" for name in ENTRY_BY_ENTRY if name != "stack"},
    **{(name, "at least two values"): "a merge of one is mostly a mistake" for name in (*ENTRY_BY_ENTRY, *TWO_VALUES)},
    **{(name, "number of axes"): "torch lines the axes up from the right" for name in (*ENTRY_BY_ENTRY, *TWO_VALUES)},
}
"""What the rules refuse and torch computes, by layer and a part of the message, with the reason."""


@records
@given(data=st.data())
def test_rule_agrees_with_torch(record: OpRecord, data: st.DataObject):
    written, shapes = data.draw(any_call(record))
    try:
        layer = infer(record, written, shapes)
    except LayerError as refusal:
        assert _torch_refuses(record, written, shapes) or _listed(record, refusal), refusal
        return
    assert not layer.check.open
    for training in (False, True):
        results = layer.results(input_sizes(shapes, 2), layer.weight_sizes(), training=training)
        assert [tuple(result.shape) for result in results] == sizes_of(layer, 2)


def _torch_refuses(record: OpRecord, written: dict[str, Any], shapes: tuple[tuple[int, ...], ...]) -> bool:
    inputs = tuple(TensorType(shape) for shape in shapes)
    try:
        attributes = record.settle(convert_all(record.arguments, written), inputs)
        layer = Layer(record, attributes, inputs, (), Check())
        # With values: without them torch accepts some calls that it then cannot compute.
        weights = {role: torch.zeros(size.shape) for role, size in layer.weight_sizes().items()}
        layer.run(layer.tensors(shapes, 2), weights)
    except (RuntimeError, IndexError, ValueError, UserWarning):  # it warns of a division by zero
        return True
    except LayerError:  # refused before there is anything that torch could be asked
        return len(shapes[0]) == 1
    return False


def _listed(record: OpRecord, refusal: LayerError) -> bool:
    listed = (name == record.name and part in str(refusal) for name, part in STRICTER_THAN_TORCH)
    return any(listed) or any(part in str(refusal) for part in NOTHING_TO_ASK)


@pytest.mark.parametrize("part", NOTHING_TO_ASK)
def test_every_general_refusal_is_shown_by_a_sample(part: str):
    assert any(part in (sample.fails or "") for record in BUILTIN.values() for sample in record.samples)


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
            required = [item.name for item in record.arguments if item.required and item is not argument]
            others = {name: [[0]] if name == "table" else 1 for name in required}
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
