"""Comparisons and truths as numbers: 1 where something holds, 0 elsewhere; and choices made by them.

Every entry that is not 0 counts as true. No gradient comes back through a comparison, only through what is chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.graph import format_shape
from striate.ops.combine import REFUSED, TOO_MANY, exactly_two
from striate.ops.decomposition import Decomposition
from striate.ops.entrywise import samples, unchanged
from striate.ops.merge import check_merge, common_sizes
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import KEEPS_NOTHING, Kept, Work, per_entry, per_input_entry

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT, _BOOL = 1, 9
"""ONNX's numbers for float32 and for truths."""

_GATE = "each size must be the same or 1, as in a threshold of C x 1 x 1"
_REFERENCE = "ONNX's operator of that kind, with float32 for its truths"


def _truths(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count torch's truths as numbers: a byte for each."""
    return entries(outputs[0]) // 4


def _all_truths(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    total: Dim = entries(outputs[0])
    for each in inputs:
        total = total + entries(each)
    return total // 4


_COMPARED = Work(per_entry(1), KEEPS_NOTHING, scratch=_truths)
_TRUTHS = Work(per_entry(3), KEEPS_NOTHING, scratch=_all_truths)
"""Each of two values is compared with 0 first."""

_SAMPLES = (
    Sample({}, ((4, 9, 7), (4, 9, 7))),
    Sample({}, ((10,), (10,))),
    Sample({}, ((3, 8), (3, 8))),
    Sample({}, ((2, 3, 4, 5), (2, 3, 4, 5))),
    Sample({}, ((4, 9, 7), (4, 1, 1))),
    Sample({}, ((1, 9, 7), (4, 9, 1))),
)


def _two_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    exactly_two(inputs)
    return typed(*common_sizes(inputs, check, _GATE, repeat=True))


def _compared(function: str, *, truths: bool, call: TorchCall) -> Tensor:
    left, right = call.inputs
    if truths:
        left, right = left != 0, right != 0
    result: Tensor = getattr(call.torch, function)(left, right)
    return result.to(call.inputs[0].dtype)


def _onnx(op_type: str, *, truths: bool) -> Callable[[OnnxCall, OnnxSink], None]:
    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        write = Decomposition(call, sink)
        given = [write("Cast", value, to=_BOOL) for value in call.inputs] if truths else call.inputs
        write.result("Cast", write(op_type, *given), to=_FLOAT)

    return rule


def _comparison(name: str, summary: str, function: str, op_type: str, *, truths: bool = False) -> OpRecord:
    return OpRecord(
        name=name,
        work=_TRUTHS if truths else _COMPARED,
        summary=summary,
        merge=True,
        shape=_two_shape,
        torch=partial(_run, function, truths),
        onnx=_onnx(op_type, truths=truths),
        samples=(*_SAMPLES, TOO_MANY, *REFUSED),
        reference=_REFERENCE,
    )


def _run(function: str, truths: bool, call: TorchCall) -> Tensor:  # bound by position
    return _compared(function, truths=truths, call=call)


GREATER = _comparison("greater", "Comparison: 1 where a > b, 0 elsewhere; a size of 1 is repeated.", "gt", "Greater")
GREATER_EQUAL = _comparison(
    "greater_equal",
    "Comparison: 1 where a >= b, 0 elsewhere; a size of 1 is repeated.",
    "ge",
    "GreaterOrEqual",
)
LESS = _comparison("less", "Comparison: 1 where a < b, 0 elsewhere; a size of 1 is repeated.", "lt", "Less")
LESS_EQUAL = _comparison(
    "less_equal", "Comparison: 1 where a <= b, 0 elsewhere; a size of 1 is repeated.", "le", "LessOrEqual"
)
EQUAL = _comparison(
    "equal",
    "Comparison: 1 where a and b are the same number, 0 elsewhere; a size of 1 is repeated.",
    "eq",
    "Equal",
)
LOGICAL_AND = _comparison(
    "logical_and",
    "Both truths: 1 where neither a nor b is 0, 0 elsewhere; a size of 1 is repeated.",
    "logical_and",
    "And",
    truths=True,
)
LOGICAL_OR = _comparison(
    "logical_or",
    "Either truth: 1 where a or b is not 0, 0 elsewhere; a size of 1 is repeated.",
    "logical_or",
    "Or",
    truths=True,
)
LOGICAL_XOR = _comparison(
    "logical_xor",
    "One truth alone: 1 where exactly one of a and b is 0, 0 elsewhere; a size of 1 is repeated.",
    "logical_xor",
    "Xor",
    truths=True,
)


def _not_torch(call: TorchCall) -> Tensor:
    return (call.inputs[0] == 0).to(call.inputs[0].dtype)


def _not_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    write.result("Cast", write("Not", write("Cast", call.inputs[0], to=_BOOL)), to=_FLOAT)


LOGICAL_NOT = OpRecord(
    name="logical_not",
    work=_COMPARED,
    summary="The other truth: 1 where an entry is 0, 0 elsewhere.",
    shape=unchanged,
    torch=_not_torch,
    onnx=_not_onnx,
    samples=samples(),
    reference=_REFERENCE,
)


def _where_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    check_merge(inputs)
    if len(inputs) != 3:
        raise LayerError(
            Problem(
                f"takes three values, but gets {len(inputs)}: {', '.join(map(format_shape, inputs))}",
                code="E0212",
                help="write choice -> where(a, b): a where the choice is not 0, b elsewhere",
            )
        )
    return typed(*common_sizes(inputs, check, _GATE, repeat=True))


def _where_keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept(marks=entries(inputs[0]))


def _where_torch(call: TorchCall) -> Tensor:
    choice, left, right = call.inputs
    result: Tensor = call.torch.where(choice != 0, left, right)
    return result


def _where_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write = Decomposition(call, sink)
    write.result("Where", write("Cast", call.inputs[0], to=_BOOL), *call.inputs[1:])


WHERE = OpRecord(
    name="where",
    work=Work(per_input_entry(1), _where_keeps),
    summary="Choice between two values, entry by entry: out = a where what flows in is not 0, b elsewhere; a size of 1 "
    "is repeated.",
    merge=True,
    shape=_where_shape,
    torch=_where_torch,
    onnx=_where_onnx,
    samples=(
        Sample({}, ((4, 9, 7), (4, 9, 7), (4, 9, 7))),
        Sample({}, ((1, 9, 7), (4, 9, 7), (4, 1, 1))),
        Sample({}, ((10,), (10,), (10,))),
        Sample({}, ((3, 8), (3, 8), (3, 8))),
        Sample({}, ((2, 3, 4, 5), (2, 3, 4, 5), (2, 3, 4, 5))),
        Sample({}, ((4, 9, 7), (4, 9, 7)), fails="takes three values, but gets 2"),
        *REFUSED[1:2],
        Sample({}, ((4, 9), (4, 9), (4, 8)), fails="branch sizes differ in length: 9 and 8"),
    ),
    reference="numpy.where, torch.where, ONNX's Where",
)

RECORDS = (
    GREATER,
    GREATER_EQUAL,
    LESS,
    LESS_EQUAL,
    EQUAL,
    LOGICAL_AND,
    LOGICAL_OR,
    LOGICAL_XOR,
    LOGICAL_NOT,
    WHERE,
)
