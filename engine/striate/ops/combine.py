"""More layers that merge values, entry by entry or behind each other: differences, extremes, stacks."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.ops.decomposition import Decomposition
from striate.ops.domains import ABOVE_ZERO
from striate.ops.merge import check_merge, common_sizes, in_turn
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Work, keeping, keeping_all, merging, no_operations, per_entry

if TYPE_CHECKING:
    from torch import Tensor

_SAME = "every entry is combined with the one at its place, so the sizes must be the same"
_GATE = "each size must be the same or 1, as in a divisor of C x 1 x 1"


def exactly_two(inputs: Types) -> None:
    """Demand two values of the same number of axes.

    Raises:
        LayerError: there are fewer or more, or their axes differ.
    """
    check_merge(inputs)
    if len(inputs) > 2:
        raise LayerError(
            Problem(
                f"takes two values, but gets {len(inputs)}", code="E0212", help="combine two of them in a line before"
            )
        )


def _same_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    check_merge(inputs)
    return typed(*common_sizes(inputs, check, _SAME))


def _difference_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    exactly_two(inputs)
    return typed(*common_sizes(inputs, check, _SAME))


def _quotient_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    exactly_two(inputs)
    return typed(*common_sizes(inputs, check, _GATE, repeat=True))


def _sub_torch(call: TorchCall) -> Tensor:
    return call.inputs[0] - call.inputs[1]


def _div_torch(call: TorchCall) -> Tensor:
    return call.inputs[0] / call.inputs[1]


def _maximum_torch(call: TorchCall) -> Tensor:
    return reduce(call.torch.maximum, call.inputs)


def _minimum_torch(call: TorchCall) -> Tensor:
    return reduce(call.torch.minimum, call.inputs)


def _average_torch(call: TorchCall) -> Tensor:
    total: Tensor = reduce(call.torch.add, call.inputs)
    return total / len(call.inputs)


def _average_operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) * len(inputs)


def _average_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("Mean", call.inputs, call.outputs)


REFUSED = (
    Sample({}, ((64, 28, 28), (64, 27, 27)), fails="branch sizes differ in height: 28 and 27"),
    Sample({}, ((64, 28, 28),), fails="at least two values, but gets 1"),
    Sample({}, ((64, 7, 7), (3136,)), fails="differ in their number of axes: 64 x 7 x 7 and 3136"),
)
_EVERY_RANK = (
    Sample({}, ((4, 9, 7), (4, 9, 7))),
    Sample({}, ((10,), (10,))),
    Sample({}, ((3, 8), (3, 8))),
    Sample({}, ((2, 3, 4, 5), (2, 3, 4, 5))),
)
_THREE = Sample({}, ((4, 5, 3), (4, 5, 3), (4, 5, 3)))
TOO_MANY = Sample({}, ((4, 5, 3), (4, 5, 3), (4, 5, 3)), fails="takes two values, but gets 3")
_NOT_REPEATED = Sample({}, ((4, 5, 3), (4, 1, 1)), fails="branch sizes differ in height: 5 and 1")

SUB = OpRecord(
    name="sub",
    work=Work(merging, KEEPS_NOTHING),
    summary="Difference of two values of the same size: out = a - b, a being what flows in or the first branch.",
    merge=True,
    shape=_difference_shape,
    torch=_sub_torch,
    onnx=in_turn("Sub"),
    samples=(*_EVERY_RANK, _NOT_REPEATED, TOO_MANY, *REFUSED),
    reference="Zagoruyko and Komodakis, Learning to compare image patches, 2015, section 3 (two branches compared)",
)

DIV = OpRecord(
    name="div",
    work=Work(merging, keeping_all),
    summary="Quotient of two values: out = a / b; a size of 1 is repeated, so that C x 1 x 1 divides whole channels.",
    merge=True,
    shape=_quotient_shape,
    torch=_div_torch,
    onnx=in_turn("Div"),
    samples=(
        *_EVERY_RANK,
        Sample({}, ((4, 9, 7), (4, 1, 1))),
        Sample({}, ((1, 9, 7), (4, 9, 1))),
        TOO_MANY,
        *REFUSED,
    ),
    reference="numpy.divide, with the repetition of sizes of 1 that a gate needs",
)

MAXIMUM = OpRecord(
    name="maximum",
    work=Work(merging, keeping_all),
    summary="Largest of the entries at each place of values of the same size: out = max(a, b, …).",
    merge=True,
    shape=_same_shape,
    torch=_maximum_torch,
    onnx=in_turn("Max"),
    samples=(*_EVERY_RANK, _THREE, _NOT_REPEATED, *REFUSED),
    reference="Goodfellow et al., Maxout networks, 2013, section 3; Su et al., Multi-view CNNs, 2015 (view pooling)",
)

MINIMUM = OpRecord(
    name="minimum",
    work=Work(merging, keeping_all),
    summary="Smallest of the entries at each place of values of the same size: out = min(a, b, …).",
    merge=True,
    shape=_same_shape,
    torch=_minimum_torch,
    onnx=in_turn("Min"),
    samples=(*_EVERY_RANK, _THREE, _NOT_REPEATED, *REFUSED),
    reference="numpy.minimum, over any number of values",
)

AVERAGE = OpRecord(
    name="average",
    work=Work(_average_operations, KEEPS_NOTHING, scratch=per_entry(1)),
    summary="Mean of values of the same size, entry by entry: out = (a + b + …) / n.",
    merge=True,
    shape=_same_shape,
    torch=_average_torch,
    onnx=_average_onnx,
    samples=(*_EVERY_RANK, _THREE, _NOT_REPEATED, *REFUSED),
    reference="Ciresan, Meier and Schmidhuber, Multi-column deep neural networks, 2012, section 2 (columns averaged)",
)


def _pow_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.pow(call.inputs[0], call.inputs[1])
    return result


def _fmod_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.fmod(call.inputs[0], call.inputs[1])
    return result


def _fmod_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("Mod", call.inputs, call.outputs, fmod=1)


_GATED = (Sample({}, ((4, 9, 7), (4, 1, 1))), Sample({}, ((1, 9, 7), (4, 9, 1))))

POW = OpRecord(
    name="pow",
    work=Work(merging, keeping(0, 1, output=True)),
    summary="Power of two values: out = a ^ b, for entries a above 0; a size of 1 is repeated.",
    merge=True,
    shape=_quotient_shape,
    torch=_pow_torch,
    onnx=in_turn("Pow"),
    domain=ABOVE_ZERO,
    samples=(*_EVERY_RANK, *_GATED, TOO_MANY, *REFUSED),
    reference="numpy.power, ONNX's Pow; Radenovic et al., Fine-tuning CNN image retrieval, 2018 (generalised mean)",
)

FMOD = OpRecord(
    name="fmod",
    work=Work(merging, keeping(0, 1)),
    summary="Remainder of a division towards 0: out = a - b * (a / b cut off), with the sign of a; a size of 1 is "
    "repeated.",
    merge=True,
    shape=_quotient_shape,
    torch=_fmod_torch,
    onnx=_fmod_onnx,
    domain=ABOVE_ZERO,
    samples=(*_EVERY_RANK, *_GATED, TOO_MANY, *REFUSED),
    reference="ISO C, fmod; ONNX's Mod with fmod = 1",
)


def _mod_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.remainder(call.inputs[0], call.inputs[1])
    return result


def _mod_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write the remainder towards 0, and one divisor more where that has the other sign; ONNX's own came late."""
    write, divisor = Decomposition(call, sink), call.inputs[1]
    zero = write.number(0)
    rest = write("Mod", *call.inputs, fmod=1)
    signs = (write("Less", rest, zero), write("Less", divisor, zero))
    exact = write("Equal", rest, zero)
    unlike = write("And", write("Xor", *signs), write("Not", exact))
    write.result("Where", unlike, write("Add", rest, divisor), rest)


MOD = OpRecord(
    name="mod",
    work=Work(merging, keeping(0, 1)),
    summary="Remainder of a division downwards: out = a - b * floor(a / b), with the sign of b, as angles are brought "
    "back to a full turn; a size of 1 is repeated.",
    merge=True,
    shape=_quotient_shape,
    torch=_mod_torch,
    onnx=_mod_onnx,
    domain=ABOVE_ZERO,
    samples=(*_EVERY_RANK, *_GATED, TOO_MANY, *REFUSED),
    reference="Knuth, The art of computer programming, volume 1, section 1.2.4; numpy.mod, ONNX's Mod with fmod = 0",
)


def _stack_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    check_merge(inputs)
    channels, *space = common_sizes(inputs, check, _SAME)
    number: Dim = len(inputs)
    return typed(channels, number, *space)


def _stack_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.stack(tuple(call.inputs), 2)
    return result


def _stack_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    axis = write.sizes([2])
    write.result("Concat", *(write("Unsqueeze", value, axis) for value in call.inputs), axis=2)


STACK = OpRecord(
    name="stack",
    work=Work(no_operations, KEEPS_NOTHING, passes_gradient=True),
    summary="Values of the same size behind each other along a new axis after the channels: D images C x H x W give a "
    "volume C x D x H x W, L flat values F a sequence F x L.",
    merge=True,
    shape=_stack_shape,
    window=sees_everything,
    torch=_stack_torch,
    onnx=_stack_onnx,
    samples=(*_EVERY_RANK, _THREE, _NOT_REPEATED, *REFUSED),
    reference="torch.stack along axis 2, the first one behind batch and channels",
)

RECORDS = (SUB, DIV, MAXIMUM, MINIMUM, AVERAGE, STACK, POW, FMOD, MOD)
