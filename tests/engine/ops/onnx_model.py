"""A model of one layer: an `OnnxSink` that gathers nodes and constants, and the model around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from striate.dims import Dim, format_dim
from striate.ops import OnnxCall
from tests.engine.ops.configurations import Layer

IR_VERSIONS = {13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}
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
    outputs = ["out", *(f"out{index}" for index in range(1, len(layer.outputs)))]
    call = OnnxCall("layer", inputs, outputs, dict(layer.attributes), names, layer.inputs, layer.outputs, opset)
    sink = GatheringSink()
    layer.record.onnx(call, sink)
    graph = helper.make_graph(
        sink.nodes,
        "one layer",
        [_value_info(name, kind.shape) for name, kind in zip(inputs, layer.inputs, strict=True)],
        [_value_info(name, kind.shape) for name, kind in zip(outputs, layer.outputs, strict=True)],
        [*sink.constants, *(numpy_helper.from_array(item.numpy(), names[role]) for role, item in weights.items())],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSIONS[opset])


def distinct_models(layer: Layer, first: int = 0) -> Iterator[onnx.ModelProto]:
    """Yield the models of a layer for all operator sets (from `first` on), one of those that consist of the same nodes.

    Two nodes are the same if they are written alike and the operator sets have the operator in the same version.
    """
    weights = layer.weights()
    seen = set()
    for opset in (opset for opset in IR_VERSIONS if opset >= first):
        model = one_layer_model(layer, weights, opset)
        versions = tuple(onnx.defs.get_schema(node.op_type, opset).since_version for node in model.graph.node)
        key = (model.graph.SerializeToString(deterministic=True), versions)
        if key not in seen:
            seen.add(key)
            yield model


def inferred_sizes(model: onnx.ModelProto) -> list[list[int | str]]:
    """Return the output sizes that ONNX works out itself, the declared ones taken away; 0 where it does not know.

    Behind a Resize it makes up a name for the open batch; that it is open is what counts.
    """
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for output in bare.graph.output:
        rank = len(output.type.tensor_type.shape.dim)
        del output.type.tensor_type.shape.dim[:]
        for _ in range(rank):
            output.type.tensor_type.shape.dim.add()
    found = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    sizes = []
    for output in found.graph.output:
        batch, *others = [dim.dim_param or dim.dim_value for dim in output.type.tensor_type.shape.dim]
        sizes.append(["N" if str(batch).startswith("unk__") else batch, *others])
    return sizes


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
        """Return the first output for a batch."""
        return self.results(inputs)[0]

    def results(self, inputs: Sequence[Tensor]) -> list[np.ndarray]:
        """Return all outputs for a batch; an input that nothing reads is not known to the session."""
        known = {item.name for item in self._session.get_inputs()}
        feeds = {f"in{index}": item.numpy() for index, item in enumerate(inputs) if f"in{index}" in known}
        found: list[np.ndarray] = self._session.run(None, feeds)
        return found


def _value_info(name: str, shape: Sequence[Dim]) -> onnx.ValueInfoProto:
    sizes = [size if isinstance(size, int) else format_dim(size) for size in shape]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *sizes])
