"""Which ONNX operators a layer becomes, recorded from its own rule without importing onnx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from striate.ops.record import OpRecord
from striate.ops.targets import OnnxCall
from striate.reference.sample_runs import SampleRun

OPSET = 17
"""The operator set that is asked for: the default of exports."""


@dataclass(slots=True)
class OperatorSink:
    """An `OnnxSink` that keeps nothing but the names of the operators."""

    operators: list[str] = field(default_factory=list)

    def node(self, op_type: str, inputs: Sequence[str], outputs: Sequence[str], /, **attributes: Any) -> None:
        """Keep the operator's name; see `OnnxSink`."""
        self.operators.append(op_type)

    def constant(self, name: str, values: Any, dtype: str) -> str:
        """Return the name; see `OnnxSink`."""
        return name


def onnx_operators(record: OpRecord, run: SampleRun) -> tuple[str, ...]:
    """Return the operators that a sample is written as, in their order, each once."""
    sink = OperatorSink()
    call = OnnxCall(
        name="layer",
        inputs=[f"in{index}" for index in range(len(run.inputs))],
        outputs=[f"out{index}" for index in range(len(run.outputs))],
        attributes=run.attributes,
        weights={weight.role: f"layer.{weight.role}" for weight in run.weights},
        input_types=run.inputs,
        output_types=run.outputs,
        opset=OPSET,
    )
    record.onnx(call, sink)
    return tuple(dict.fromkeys(sink.operators))
