"""The ONNX side of a record as its rule sees it: what is to be written, and the sink to write to.

The sink is implemented by `striate.onnx`; records stay free of onnx itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from striate.graph import TensorType


@dataclass(frozen=True, slots=True)
class OnnxCall:
    """One node of the graph to be written: value names in and out, attributes, initialiser names by role, sizes."""

    name: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, Any]
    weights: Mapping[str, str]
    input_types: Sequence[TensorType]
    output_types: Sequence[TensorType]
    opset: int


class OnnxSink(Protocol):
    """Where a record's ONNX rule writes its nodes."""

    def node(self, op_type: str, inputs: Sequence[str], outputs: Sequence[str], /, **attributes: Any) -> None:
        """Write one ONNX node; intermediate values are named by the caller, e.g. `f"{call.name}/norm"`."""

    def constant(self, name: str, values: Any, dtype: str) -> str:
        """Write a constant tensor (`dtype` is a numpy name such as "int64") and return the name to refer to it."""
