"""Many entries to one along named axes: mean, sum, maximum, minimum, standard deviation, and the place of the largest.

The layers keep the axes with size 1, or leave them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from striate.dims import Dim
from striate.graph import format_shape
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf, Real
from striate.ops.axes import ONE_AXIS, SINGLE_AXES, axes_of, axis_of, window_over
from striate.ops.decomposition import Decomposition
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, Window
from striate.ops.shape_arguments import AxisNames
from striate.ops.sizes import entries, product, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Kept, Work, keeping, per_entry, per_input_entry, reducing

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 1
"""ONNX's number for float32."""


def _positions(attributes: Attributes, rank: int) -> list[int]:
    """Return the positions of the named axes, in order; demands that none is named twice."""
    names = attributes["axis"] if isinstance(attributes["axis"], tuple) else (attributes["axis"],)
    found = [position for name in names for position in axes_of(name, rank)]
    if len(set(found)) < len(found):
        raise LayerError(Problem("names an axis twice", code="E0216", argument="axis", help="name every axis once"))
    return sorted(found)


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    along = _positions(attributes, inputs[0].rank)
    if not attributes["keep"] and len(along) == inputs[0].rank:
        raise LayerError(
            Problem(
                f"leaves no axis of {format_shape(inputs[0])}",
                code="E0216",
                argument="keep",
                help="write keep = true, and flatten behind it for one feature",
                repair=(("keep", "true"),),
            )
        )
    sizes = enumerate(inputs[0].shape, start=1)
    if attributes["keep"]:
        return typed(*(1 if position in along else size for position, size in sizes))
    return typed(*(size for position, size in sizes if position not in along))


def _window(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    return window_over(_positions(attributes, inputs[0].rank), inputs[0])


def _reduced(function: str) -> Callable[[TorchCall], Tensor]:
    def rule(call: TorchCall) -> Tensor:
        along = _positions(call.attributes, call.inputs[0].dim() - 1)
        result: Tensor = getattr(call.inputs[0], function)(along, keepdim=call.attributes["keep"])
        return result

    return rule


def _written(op_type: str) -> Callable[[OnnxCall, OnnxSink], None]:
    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        write, along = Decomposition(call, sink), _positions(call.attributes, call.input_types[0].rank)
        write.reduced_result(op_type, call.inputs[0], along, keep=call.attributes["keep"])

    return rule


_AXIS = Argument(
    "axis",
    AxisNames((*SINGLE_AXES, "space", "all", "last")),
    "The axis, or a list of axes: space is all but the channels, all is everything.",
    Choice("space"),
)
_KEEP = Argument("keep", Flag(), "Whether the axes stay with size 1, or are left out.", True)


def _samples(more: dict[str, Any] | None = None) -> Sequence[Sample]:
    given = more or {}
    return (
        Sample(given, ((6, 5, 7),)),
        Sample({**given, "axis": "channels"}, ((6, 5, 7),)),
        Sample({**given, "axis": ["channels", "width"], "keep": False}, ((6, 5, 7),)),
        Sample({**given, "axis": "space", "keep": False}, ((6, 5, 7),)),
        Sample({**given, "axis": "height"}, ((6, 5, 7),)),
        Sample({**given, "axis": "all"}, ((10,),)),
        Sample({**given, "axis": "last", "keep": False}, ((4, 9),)),
        Sample({**given, "axis": ["depth", "height"]}, ((3, 4, 2, 5),)),
        Sample({"axis": "all", "keep": False}, ((6, 5, 7),), fails="leaves no axis of 6 x 5 x 7"),
        Sample({}, ((10,),), fails="its input has no other axis than channels"),
        Sample({"axis": "depth"}, ((6, 5, 7),), fails="its input has no depth"),
        Sample({"axis": ["height", "space"]}, ((6, 5, 7),), fails="names an axis twice"),
        Sample({"keep": 1}, ((6, 5, 7),), fails="keep must be true or false"),
    )


def _reduction(name: str, summary: str, function: str, op_type: str, reference: str, work: Work) -> OpRecord:
    return OpRecord(
        name=name,
        work=work,
        summary=summary,
        arguments=(_AXIS, _KEEP),
        shape=_shape,
        window=_window,
        torch=_reduced(function),
        onnx=_written(op_type),
        samples=tuple(_samples()),
        reference=reference,
    )


REDUCE_MEAN = _reduction(
    "reduce_mean",
    "Mean along named axes: over space it is global average pooling, over channels a map of one channel.",
    "mean",
    "ReduceMean",
    "Woo et al., CBAM: Convolutional block attention module, 2018, section 3 (mean over space and over channels)",
    Work(per_input_entry(1), KEEPS_NOTHING),
)
REDUCE_SUM = _reduction(
    "reduce_sum",
    "Sum along named axes.",
    "sum",
    "ReduceSum",
    "Babenko and Lempitsky, Aggregating deep convolutional features, 2015 (sum pooling)",
    Work(reducing, KEEPS_NOTHING),
)
REDUCE_MAX = _reduction(
    "reduce_max",
    "Largest entry along named axes.",
    "amax",
    "ReduceMax",
    "Woo et al., CBAM: Convolutional block attention module, 2018, section 3 (maximum over space and over channels)",
    Work(reducing, keeping(0, output=True)),
)
REDUCE_MIN = _reduction(
    "reduce_min",
    "Smallest entry along named axes.",
    "amin",
    "ReduceMin",
    "numpy.min over named axes, ONNX's ReduceMin",
    Work(reducing, keeping(0, output=True)),
)


def _product(call: TorchCall) -> Tensor:
    """Multiply along one axis after the other: torch's own product knows no several axes."""
    value, along = call.inputs[0], _positions(call.attributes, call.inputs[0].dim() - 1)
    for position in reversed(along):
        value = value.prod(position, keepdim=call.attributes["keep"])
    return value


def _product_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    sizes = list(inputs[0].shape)
    between: Dim = 0
    for position in reversed(_positions(attributes, inputs[0].rank)):
        sizes[position - 1] = 1
        between = between + product(sizes)
    return Kept((0,), output=True, numbers=between - entries(outputs[0]))


REDUCE_PROD = OpRecord(
    name="reduce_prod",
    work=Work(reducing, _product_keeps),
    summary="Product of the entries along named axes.",
    arguments=(_AXIS, _KEEP),
    shape=_shape,
    window=_window,
    torch=_product,
    onnx=_written("ReduceProd"),
    samples=tuple(_samples()),
    reference="numpy.prod over named axes, ONNX's ReduceProd",
)


REDUCE_LOG_SUM_EXP = _reduction(
    "reduce_logsumexp",
    "Logarithm of the sum of e^in along named axes, without loss of digits: a smooth maximum.",
    "logsumexp",
    "ReduceLogSumExp",
    "Boyd and Vandenberghe, Convex optimization, 2004, section 3.1.5 (log-sum-exp)",
    Work(per_input_entry(4), keeping(0, output=True)),
)


def _std_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    outputs = _shape(attributes, inputs, check)
    along = _positions(attributes, inputs[0].rank)
    number, correction = product(inputs[0].shape[position - 1] for position in along), attributes["correction"]

    def problem() -> Problem:
        return Problem(
            f"has {number} entries for each deviation and divides by {correction} less",
            code="E0216",
            argument="correction",
            help="write correction = 0 to divide by the number itself",
            repair=(("correction", "0"),),
        )

    check.at_least(number, correction + 1, problem)
    return outputs


def _std_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # The mean; less the mean, square, sum; then division, eps and root.
    return entries(inputs[0]) * 4 + entries(outputs[0]) * 3


def _std_torch(call: TorchCall) -> Tensor:
    along = _positions(call.attributes, call.inputs[0].dim() - 1)
    keep, correction = call.attributes["keep"], call.attributes["correction"]
    variance = call.inputs[0].var(along, correction=correction, keepdim=keep)
    result: Tensor = (variance + call.attributes["eps"]).sqrt()
    return result


def _std_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, value = Decomposition(call, sink), call.inputs[0]
    along = _positions(call.attributes, call.input_types[0].rank)
    keep, correction = call.attributes["keep"], call.attributes["correction"]
    away = write("Sub", value, write.reduced("ReduceMean", value, along))
    squares = write("Mul", away, away)
    if correction == 0:
        variance = write.reduced("ReduceMean", squares, along, keep=keep)
    else:
        sizes = write("Gather", write("Shape", value), write.sizes(along), axis=0)
        number = write("Cast", write("ReduceProd", sizes, keepdims=0), to=_FLOAT)
        divisor = write("Sub", number, write.number(correction))
        variance = write("Div", write.reduced("ReduceSum", squares, along, keep=keep), divisor)
    write.result("Sqrt", write("Add", variance, write.number(call.attributes["eps"])))


REDUCE_STD = OpRecord(
    name="reduce_std",
    work=Work(_std_operations, keeping(0, output=True), scratch=per_entry(2)),
    summary="Standard deviation along named axes: out = sqrt(sum of (in - mean)^2 / (n - correction) + eps).",
    arguments=(
        _AXIS,
        _KEEP,
        Argument(
            "correction", Integer(0), "What the number of entries is less by in the division: 1 is Bessel's n - 1.", 0
        ),
        Argument("eps", Real(0), "Added to the variance: the root has no gradient at 0.", 1e-5),
    ),
    shape=_std_shape,
    window=_window,
    torch=_std_torch,
    onnx=_std_onnx,
    samples=(
        *_samples(),
        Sample({"correction": 1}, ((6, 5, 7),)),
        Sample({"correction": 1, "axis": "channels", "keep": False}, ((6, 5, 7),)),
        Sample({"eps": 0.5}, ((6, 5, 7),)),
        Sample({"correction": 1}, ((6, 1, 1),), fails="has 1 entries for each deviation and divides by 1 less"),
        Sample({"eps": -1}, ((6, 5, 7),), fails="eps must be a number of at least 0"),
    ),
    reference="Karras et al., Progressive growing of GANs, 2018, section 3 (the deviation as a feature)",
)


def _argmax_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    return _shape({**attributes, "axis": (attributes["axis"],)}, inputs, check)


def _place_torch(function: str) -> Callable[[TorchCall], Tensor]:
    def rule(call: TorchCall) -> Tensor:
        value = call.inputs[0]
        axis = axis_of(call.attributes["axis"], value.dim() - 1)
        place: Tensor = getattr(value, function)(axis, keepdim=call.attributes["keep"])
        return place.to(value.dtype)

    return rule


def _place_onnx(op_type: str) -> Callable[[OnnxCall, OnnxSink], None]:
    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        write = Decomposition(call, sink)
        axis = axis_of(call.attributes["axis"], call.input_types[0].rank)
        place = write(op_type, call.inputs[0], axis=axis, keepdims=int(call.attributes["keep"]))
        write.result("Cast", place, to=_FLOAT)

    return rule


ARGMAX = OpRecord(
    name="argmax",
    work=Work(reducing, KEEPS_NOTHING, scratch=per_entry(2)),
    summary="Place of the largest entry along an axis, as a number of the type of the values: the class of each pixel "
    "in an exported network. Of equal entries the first counts. It has no gradient.",
    arguments=(Argument("axis", OneOf(ONE_AXIS), "The axis.", Choice("channels")), _KEEP),
    shape=_argmax_shape,
    window=_window,
    torch=_place_torch("argmax"),
    onnx=_place_onnx("ArgMax"),
    samples=(
        Sample({}, ((6, 5, 7),)),
        Sample({"keep": False}, ((6, 5, 7),)),
        Sample({"axis": "width"}, ((6, 5, 7),)),
        Sample({}, ((10,),)),
        Sample({"axis": "length", "keep": False}, ((4, 9),)),
        Sample({"axis": "depth"}, ((3, 4, 2, 5),)),
        Sample({"keep": False}, ((10,),), fails="leaves no axis of 10"),
        Sample({"axis": "depth"}, ((6, 5, 7),), fails="its input has no depth"),
    ),
    reference="Long, Shelhamer and Darrell, Fully convolutional networks, 2015, section 4 (the class of each pixel)",
)

ARGMIN = OpRecord(
    name="argmin",
    work=Work(reducing, KEEPS_NOTHING, scratch=per_entry(2)),
    summary="Place of the smallest entry along an axis, as a number of the type of the values: the nearest of several "
    "distances. Of equal entries the first counts. It has no gradient.",
    arguments=ARGMAX.arguments,
    shape=_argmax_shape,
    window=_window,
    torch=_place_torch("argmin"),
    onnx=_place_onnx("ArgMin"),
    samples=ARGMAX.samples,
    reference="van den Oord, Vinyals and Kavukcuoglu, Neural discrete representation learning, 2017, equation 1",
)

RECORDS = (
    REDUCE_MEAN,
    REDUCE_SUM,
    REDUCE_MAX,
    REDUCE_MIN,
    REDUCE_PROD,
    REDUCE_LOG_SUM_EXP,
    REDUCE_STD,
    ARGMAX,
    ARGMIN,
)
