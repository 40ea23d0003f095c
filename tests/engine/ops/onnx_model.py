"""A model of one layer: an `OnnxSink` that gathers nodes and constants, and the model around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from striate.dims import Dim, format_dim
from striate.ops import OnnxCall
from tests.engine.ops.configurations import Layer

IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}
"""The intermediate representation to write for each operator set: the one it was released with."""


class GatheringSink:
    """Keeps what a record's rule writes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []

    def node(self, op_type: str, inputs: Sequence[str], outputs: Sequence[str], /, **attributes: Any) -> None:
        """Keep one node."""
        self.nodes.append(helper.make_node(op_type, list(inputs), list(outputs), **attributes))

    def constant(self, name: str, values: Any, dtype: str) -> str:
        """Keep a constant."""
        assert name not in [item.name for item in self.constants], f"{name} is written twice"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype=dtype), name))
        return name


def one_layer_model(layer: Layer, weights: Mapping[str, Tensor], opset: int) -> onnx.ModelProto:
    """Return a model of one layer with an open batch axis and the sizes of the layer's rule."""
    inputs = [f"in{index}" for index in range(len(layer.inputs))]
    names = {role: f"layer.{role}" for role in weights}
    call = OnnxCall("layer", inputs, ["out"], dict(layer.attributes), names, layer.inputs, layer.outputs, opset)
    sink = GatheringSink()
    layer.record.onnx(call, sink)
    graph = helper.make_graph(
        sink.nodes,
        "one layer",
        [_value_info(name, kind.shape) for name, kind in zip(inputs, layer.inputs, strict=True)],
        [_value_info("out", layer.outputs[0].shape)],
        [*sink.constants, *(numpy_helper.from_array(item.numpy(), names[role]) for role, item in weights.items())],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSIONS[opset])


def inferred_sizes(model: onnx.ModelProto) -> list[int | str]:
    """Return the output size that ONNX works out itself, the declared one taken away; 0 where it does not know."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    rank = len(bare.graph.output[0].type.tensor_type.shape.dim)
    del bare.graph.output[0].type.tensor_type.shape.dim[:]
    for _ in range(rank):
        bare.graph.output[0].type.tensor_type.shape.dim.add()
    found = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    return [dim.dim_param or dim.dim_value for dim in found.graph.output[0].type.tensor_type.shape.dim]


class Session:
    """A model in ONNX Runtime."""

    def __init__(self, model: onnx.ModelProto) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def run(self, inputs: Sequence[Tensor]) -> np.ndarray:
        """Return the output for a batch."""
        feeds = {f"in{index}": item.numpy() for index, item in enumerate(inputs)}
        result: np.ndarray = self._session.run(None, feeds)[0]
        return result


def _value_info(name: str, shape: Sequence[Dim]) -> onnx.ValueInfoProto:
    sizes = [size if isinstance(size, int) else format_dim(size) for size in shape]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *sizes])
