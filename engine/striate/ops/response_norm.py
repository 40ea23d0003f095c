"""Normalisation by the size of what is near: across neighbouring channels, and to unit length along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from striate.dims import Dim
from striate.ops.arguments import Argument, Choice, Integer, OneOf, Real
from striate.ops.axes import NAMED_AXES, axes_of, remaining, window_along
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import EVERY_RANK
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.sizes import entries, product, same_type, with_space
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work, per_entry

if TYPE_CHECKING:
    from torch import Tensor


def _lrn_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    with_space(inputs)
    return same_type(inputs)


def _alpha(attributes: Attributes) -> float:
    """Return the weight of the mean of squares."""
    factor = attributes["size"] if attributes["squares"] == "sum" else 1
    return float(attributes["alpha"] * factor)


def _lrn_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # The square, the mean of so many, times alpha, plus k, the power, the division.
    return entries(outputs[0]) * (int(attributes["size"]) + 5)


def _lrn_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), numbers=entries(outputs[0]) * 2 + _padded(attributes, inputs))


def _lrn_scratch(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    channels = inputs[0].channels
    few = isinstance(channels, int) and channels < attributes["size"] - 1
    return _padded(attributes, inputs) if few else entries(outputs[0]) * 2


def _padded(attributes: Attributes, inputs: Types) -> Dim:
    """Return the entries of the squares with the channels that are not there as zeros."""
    channels, *space = inputs[0].shape
    return product((channels + int(attributes["size"]) - 1, *space))


def _lrn_torch(call: TorchCall) -> Tensor:
    attributes = call.attributes
    result: Tensor = call.torch.nn.functional.local_response_norm(
        call.inputs[0], attributes["size"], _alpha(attributes), attributes["beta"], attributes["k"]
    )
    return result


def _lrn_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    attributes = call.attributes
    if attributes["size"] % 2 and call.input_types[0].rank == 3:
        settings = {"size": attributes["size"], "alpha": _alpha(attributes), "beta": attributes["beta"]}
        sink.node("LRN", call.inputs, call.outputs, bias=attributes["k"], **settings)
    else:
        _written_out(call, sink)


def _written_out(call: OnnxCall, sink: OnnxSink) -> None:
    """Write the formula: ONNX Runtime knows LRN for images and odd sizes only.

    ONNX's own LRN puts the odd channel of an even size on the other side.
    """
    write, value, attributes = Decomposition(call, sink), call.inputs[0], call.attributes
    size = attributes["size"]
    flat = write("Reshape", write("Mul", value, value), write.sizes([0, 0, -1]))
    mean = write(
        "AveragePool",
        write("Unsqueeze", flat, write.sizes([1])),
        kernel_shape=(size, 1),
        pads=(size // 2, 0, (size - 1) // 2, 0),
        count_include_pad=1,
    )
    near = write("Reshape", write("Squeeze", mean, write.sizes([1])), write.sizes_of(call.input_types[0], value))
    total = write("Add", write("Mul", near, write.number(_alpha(attributes))), write.number(attributes["k"]))
    write.result("Div", value, write("Pow", total, write.number(attributes["beta"])))


LRN = OpRecord(
    name="lrn",
    work=Work(_lrn_operations, _lrn_keeps, scratch=_lrn_scratch),
    summary="Local response normalisation across channels: out = in / (k + alpha * mean(in^2)) ^ beta, the mean over "
    "size channels around each (an even size takes the extra one before it; those that are not there count as 0).",
    role="normalisation",
    arguments=(
        Argument("size", Integer(), "Number of channels that count."),
        Argument("alpha", Real(0), "Weight of the squares.", 1e-4),
        Argument("beta", Real(0), "Exponent of the divisor.", 0.75),
        Argument("k", Real(0), "Added to the weighted squares (AlexNet takes 2).", 1.0),
        Argument(
            "squares",
            OneOf(("mean", "sum")),
            "What alpha weighs: the mean of the squares, as in torch, Caffe and ONNX, or their sum, as in AlexNet's "
            "paper and TensorFlow. AlexNet's 1e-4 over 5 channels is a sum: 5e-4 of the mean.",
            Choice("mean"),
        ),
    ),
    shape=_lrn_shape,
    torch=_lrn_torch,
    onnx=_lrn_onnx,
    samples=(
        Sample({"size": 5}, ((8, 6, 7),)),
        Sample({"size": 3, "alpha": 0.5, "beta": 0.5, "k": 2}, ((7, 4, 3),)),
        Sample({"size": 5, "alpha": 0.1, "squares": "sum"}, ((8, 6, 7),)),
        Sample({"size": 4, "alpha": 0.5}, ((7, 4, 3),)),
        Sample({"size": 7, "alpha": 0.5}, ((2, 4, 3),)),
        Sample({"size": 1, "alpha": 0.5}, ((3, 4, 3),)),
        Sample({"size": 3, "alpha": 0.5}, ((6, 9),)),
        Sample({"size": 3, "alpha": 0.5}, ((6, 2, 4, 3),)),
        Sample({"size": 5}, ((64,),), fails="needs pixels beside the channels, but gets 64"),
        Sample({"size": 0}, ((8, 6, 7),), fails="size must be a whole number of at least 1"),
    ),
    reference="Krizhevsky, Sutskever and Hinton, ImageNet classification with deep CNNs, 2012, section 3.3",
)


def _l2norm_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    axes_of(attributes["axis"], inputs[0].rank)
    return same_type(inputs)


def _l2norm_window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return window_along(axes_of(attributes["axis"], inputs[0].rank), inputs[0])


def _l2norm_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept((0,), numbers=_lengths(attributes, inputs, outputs) * 2)


def _lengths(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return remaining(inputs[0], axes_of(attributes["axis"], inputs[0].rank))


def _l2norm_torch(call: TorchCall) -> Tensor:
    axes = axes_of(call.attributes["axis"], call.inputs[0].dim() - 1)
    result: Tensor = call.torch.nn.functional.normalize(call.inputs[0], dim=axes, eps=call.attributes["eps"])
    return result


def _l2norm_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, axes = Decomposition(call, sink), axes_of(call.attributes["axis"], call.input_types[0].rank)
    length = write.reduced("ReduceL2", call.inputs[0], axes)
    write.result("Div", call.inputs[0], write("Max", length, write.number(call.attributes["eps"])))


L2NORM = OpRecord(
    name="l2norm",
    work=Work(per_entry(3), _l2norm_keeps, scratch=_lengths),
    summary="Scales to length 1 along an axis: out = in / max(sqrt(sum(in^2)), eps).",
    role="normalisation",
    arguments=(
        Argument("eps", Real(0), "Least length that is divided by, for values that are zero.", 1e-12),
        Argument(
            "axis",
            OneOf(NAMED_AXES),
            "What gets length 1: the channels of each pixel, the pixels of each channel (space), everything (all), or "
            "the entries along one axis.",
            Choice("channels"),
        ),
    ),
    shape=_l2norm_shape,
    window=_l2norm_window,
    torch=_l2norm_torch,
    onnx=_l2norm_onnx,
    samples=(
        *(Sample({}, (shape,)) for shape in EVERY_RANK),
        Sample({"eps": 2.0}, ((5, 4, 3),)),
        Sample({"axis": "space"}, ((5, 4, 3),)),
        Sample({"axis": "all"}, ((5, 4, 3),)),
        Sample({"axis": "height"}, ((5, 4, 3),)),
        Sample({"eps": -1}, ((5, 4, 3),), fails="eps must be a number of at least 0"),
        Sample({"axis": "width"}, ((10,),), fails="its input has no width"),
    ),
    reference="Liu, Rabinovich and Berg, ParseNet, 2015, section 3.3, with eps as in torch's normalize",
)

RECORDS = (LRN, L2NORM)
