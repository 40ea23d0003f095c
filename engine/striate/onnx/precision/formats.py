"""The numbers that an ONNX file may hold and compute with, and how near to torch a file in them has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from striate.onnx.opsets import DEFAULT_OPSET
from striate.ops.arguments import ArgumentError, Choice, quote_value


@dataclass(frozen=True, slots=True)
class ExportPrecision:
    """The numbers of a file.

    Attributes:
        name: as users write it, which is also numpy's name.
        element: ONNX's number for the type (`TensorProto.DataType`).
        tolerance: how far ONNX Runtime may be from torch, as a share of an output's largest entry, unless the export
            section says otherwise. For the narrow formats some twenty times the unit roundoff (2^-11 and 2^-8), as
            the errors of about a hundred layers come to where they are independent (they grow with the square root).
            Of int8, the rounding of half a step to either side may move a value by a step, and those behind it.
        opset: the operator set that is written unless one is asked for: convolutions know bfloat16 since 22.
        largest: the largest finite number.
        smallest: the smallest number with all its digits (the smallest normal one).
        rounding: the largest relative error of rounding to it.
    """

    name: str
    element: int
    tolerance: float
    opset: int
    largest: float
    smallest: float
    rounding: float

    @property
    def is_narrow(self) -> bool:
        """Whether weights and values are floating-point numbers of two bytes."""
        return self.name in ("float16", "bfloat16")


PRECISIONS: Mapping[str, ExportPrecision] = MappingProxyType(
    {
        each.name: each
        for each in (
            ExportPrecision("float32", 1, 1e-4, DEFAULT_OPSET, (2 - 2**-23) * 2.0**127, 2.0**-126, 2.0**-24),
            ExportPrecision("float16", 10, 1e-2, DEFAULT_OPSET, 65504.0, 2.0**-14, 2.0**-11),
            ExportPrecision("bfloat16", 16, 8e-2, 22, (2 - 2**-7) * 2.0**127, 2.0**-126, 2.0**-8),
            ExportPrecision("int8", 3, 0.1, DEFAULT_OPSET, 127.0, 1.0, 2.0**-8),
        )
    }
)
"""What an export can be written in, by name."""

FLOAT32 = PRECISIONS["float32"]


@dataclass(frozen=True, slots=True)
class Names:
    """A list of names: `[conv1, stage1.unit, "stage1.0.conv1"]`, or one of them; `of` says what has the names."""

    of: str = "layers, those like 'a.0' in quotes"

    def describe(self) -> str:
        return f"a list of names of {self.of}"

    def convert(self, value: Any) -> tuple[str, ...]:
        items = list(value) if isinstance(value, (list, tuple)) else [value]
        names = [item.name if isinstance(item, Choice) else item for item in items]
        if not all(isinstance(name, str) and name for name in names):
            raise ArgumentError(f"must be {self.describe()}, not {quote_value(value)}")
        return tuple(names)
