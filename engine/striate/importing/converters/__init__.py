"""What each operator of ONNX becomes: one table, filled by one module per family."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from striate.importing.call import Call
from striate.importing.converters import (
    borders,
    entrywise,
    grids,
    indexing,
    merging,
    normalising,
    picking,
    pooling,
    products,
    recurrent,
    reducing,
    regions,
    resizing,
    shaping,
    summing,
    windows,
)
from striate.importing.network import PLANES, Value

Converter = Callable[[Call], Value | list[Value]]
"""Adds the layers of a node and returns what it makes; raises `UnsupportedError` where the language has no layer."""

FAMILIES = (
    windows,
    pooling,
    normalising,
    products,
    summing,
    entrywise,
    merging,
    shaping,
    picking,
    indexing,
    borders,
    resizing,
    grids,
    reducing,
    regions,
    recurrent,
)

CONVERTERS: Mapping[str, Converter] = {name: rule for family in FAMILIES for name, rule in family.CONVERTERS.items()}
"""The converters by operator."""

ANYWHERE = frozenset(
    {
        *("Add", "Sub", "Mul", "Div", "Pow", "Sum", "Where", "Concat", "MatMul", "Gemm", "Cast", "Identity", "Dropout"),
        *(
            "Relu",
            "LeakyRelu",
            "Sigmoid",
            "Tanh",
            "Erf",
            "Gelu",
            "Sqrt",
            "Clip",
            "Exp",
            "Log",
            "Neg",
            "Abs",
            "Reciprocal",
        ),
        *("HardSwish", "HardSigmoid", "Softplus", "Elu", "Selu", "Softmax", "LogSoftmax", "LayerNormalization"),
        *("Slice", "Split", "Gather", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "LSTM", "GRU"),
        *("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare"),
    }
)
"""Operators whose converters know that the batch may be another axis than the first, or one with another axis."""

FORMS: Mapping[str, frozenset[str]] = {"MaxUnpool": frozenset({PLANES})}
"""The forms of values, other than ONNX's own, that the converter of an operator knows of."""
