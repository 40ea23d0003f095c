"""ONNX nodes written like a formula: values in between are named after their layer and numbered by themselves.

For layers that have no ONNX operator of their own, or none in the operator set that is to be written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from striate.graph import TensorType
from striate.ops.targets import OnnxCall, OnnxSink


class Decomposition:
    """The nodes of one layer.

    Called with an operator and its inputs, it writes a node and returns the name of its value, `layer/sub`, or
    `layer/sub2` for the second one of that kind. The last node is written by `result`.
    """

    def __init__(self, call: OnnxCall, sink: OnnxSink) -> None:
        self._call, self._sink = call, sink
        self._counts: Counter[str] = Counter()
        self._constants: dict[tuple[str, str], str] = {}

    def __call__(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Write a node of one output."""
        return self.parts(op_type, 1, *inputs, **attributes)[0]

    def parts(self, op_type: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """Write a node of several outputs and return their names."""
        outputs = [self._name(op_type.lower()) for _ in range(count)]
        self._sink.node(op_type, inputs, outputs, **attributes)
        return outputs

    def result(self, op_type: str, *inputs: str, **attributes: Any) -> None:
        """Write the node that makes the layer's value."""
        self._sink.node(op_type, inputs, self._call.outputs, **attributes)

    def number(self, value: float) -> str:
        """Write a number of the type of the values, once however often it is asked for."""
        return self._constant(float(value), "float32")

    def filled(self, value: float, count: int) -> str:
        """Write a vector of one number."""
        return self._constant([float(value)] * count, "float32")

    def numbers(self, values: Sequence[float]) -> str:
        """Write a list of numbers of the type of the values."""
        return self._constant([float(value) for value in values], "float32")

    def whole(self, value: int) -> str:
        """Write a whole number that is no list."""
        return self._constant(int(value), "int64")

    def sizes(self, values: Sequence[int]) -> str:
        """Write a list of whole numbers: axes, sizes, places."""
        return self._constant([int(value) for value in values], "int64")

    def sizes_of(self, wanted: TensorType, like: str) -> str:
        """Write the sizes of a type for a reshape back to it; `like` is a value that has them.

        The first entry, 0, keeps the batch; one open size is left to the runtime, several are asked of `like`.
        """
        known = [size if isinstance(size, int) else -1 for size in wanted.shape]
        return self.sizes([0, *known]) if known.count(-1) < 2 else self("Shape", like)

    def size_of(self, value: str, position: int) -> str:
        """Write the size of a value along a position, as a list of one number known when the model runs."""
        return self("Gather", self("Shape", value), self.sizes([position]), axis=0)

    def space_of(self, value: str, rank: int) -> str:
        """Write the sizes of a value beside batch and channels, as a list known when the model runs."""
        return self("Gather", self("Shape", value), self.sizes(range(2, rank + 1)), axis=0)

    def reduced(self, op_type: str, value: str, axes: Sequence[int], *, keep: bool = True) -> str:
        """Write a reduction (`ReduceMean`, …) along axes; `keep` leaves them there with size 1."""
        inputs, given = self._reduction(op_type, axes)
        return self(op_type, value, *inputs, **given, keepdims=int(keep))

    def reduced_result(self, op_type: str, value: str, axes: Sequence[int], *, keep: bool = True) -> None:
        """Write a reduction that makes the layer's value."""
        inputs, given = self._reduction(op_type, axes)
        self.result(op_type, value, *inputs, **given, keepdims=int(keep))

    def _reduction(self, op_type: str, axes: Sequence[int]) -> tuple[list[str], dict[str, Any]]:
        """Return the axes as inputs or as attributes: they became an input, of sums earlier than of the others."""
        if self._call.opset < 18 and op_type != "ReduceSum":
            return [], {"axes": list(axes)}
        return [self.sizes(axes)], {}

    def _name(self, word: str) -> str:
        self._counts[word] += 1
        return f"{self._call.name}/{word}{self._counts[word] if self._counts[word] > 1 else ''}"

    def _constant(self, values: float | list[float] | list[int], dtype: str) -> str:
        key = (repr(values), dtype)
        if key not in self._constants:
            word = "number" if dtype == "float32" else "sizes"
            self._constants[key] = self._sink.constant(self._name(word), values, dtype)
        return self._constants[key]
