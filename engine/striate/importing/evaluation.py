"""Constants that ONNX's own reference evaluator works out: the operators that `folding.py` has no rule for.

Only operators that give no more entries than they get are handed to it, so that a file of some bytes cannot ask for
gigabytes; and none that draws random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from onnx import NodeProto

from striate.importing.findings import UnsupportedError
from striate.importing.folding import MOST_ENTRIES, is_open

Array = np.ndarray[Any, np.dtype[Any]]

REDUCING = frozenset(
    {
        "ArgMax",
        "ArgMin",
        "ReduceL1",
        "ReduceL2",
        "ReduceLogSum",
        "ReduceLogSumExp",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceSum",
        "ReduceSumSquare",
    }
)
KEEPING = frozenset(
    {
        "Acos",
        "Asin",
        "Atan",
        "Clip",
        "Cosh",
        "CumSum",
        "Elu",
        "Erf",
        "Flatten",
        "GatherElements",
        "HardSigmoid",
        "HardSwish",
        "LayerNormalization",
        "LeakyRelu",
        "LogSoftmax",
        "LpNormalization",
        "PRelu",
        "Relu",
        "Round",
        "ScatterElements",
        "ScatterND",
        "Selu",
        "Sigmoid",
        "Sign",
        "Sinh",
        "Softmax",
        "Softplus",
        "Softsign",
        "Sum",
        "Tan",
        "Tanh",
        "ThresholdedRelu",
        "Trilu",
        "Xor",
    }
)
"""Operators whose outputs are of the sizes of their inputs, the axes of 1 repeated."""

PRODUCTS = frozenset({"Gemm", "MatMul"})
"""Operators whose output is bounded by what two of its inputs have beside the axis that they are multiplied along."""


def evaluated(proto: NodeProto, known: Sequence[Array | None], opset: int) -> list[Array] | None:
    """Return what a node makes of constants; None where its operator is not among those that are worked out so.

    Args:
        proto: the node.
        known: its inputs; None for one that is left out.
        opset: the operator set of the file.

    Raises:
        UnsupportedError: it depends on an open size, gives too many numbers, or cannot be worked out.
    """
    if proto.domain not in ("", "ai.onnx") or proto.op_type not in REDUCING | KEEPING | PRODUCTS:
        return None
    arrays = [array for array in known if array is not None]
    if any(map(is_open, arrays)):
        raise UnsupportedError("it depends on the size of the input in a way that is not followed")
    if _most_entries(proto.op_type, arrays) > MOST_ENTRIES:
        raise UnsupportedError(f"a constant of more than {MOST_ENTRIES:,} numbers")
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415  # slow to import, and few files need it

    fed = {name: array for name, array in zip(proto.input, known, strict=False) if name and array is not None}
    try:
        with np.errstate(all="ignore"):
            made = ReferenceEvaluator(proto, opsets={"": opset}).run(None, fed)
    except Exception as error:  # whatever the evaluator says of a stranger's node
        raise UnsupportedError(f"its constants do not fit together ({type(error).__name__})") from None
    return [np.asarray(each) for each in made]


def _most_entries(operator: str, arrays: Sequence[Array]) -> int:
    if operator in PRODUCTS:
        return prod(max(1, array.size // max(1, min(array.shape, default=1))) for array in arrays[:2])
    if operator in KEEPING and len(arrays) > 1:
        try:
            return prod(np.broadcast_shapes(*(array.shape for array in arrays)))
        except ValueError:  # axes and places beside values: no repetition
            return max(array.size for array in arrays)
    return max((array.size for array in arrays), default=0)
