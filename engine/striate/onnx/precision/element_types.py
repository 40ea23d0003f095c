"""Which of a document's values are float32: the values between the nodes of a layer have no type in the file."""

from __future__ import annotations

import onnx
from onnx import GraphProto, ModelProto, TensorProto, helper


def element_types(document: ModelProto) -> dict[str, int]:
    """Return the element type of every value, input and initialiser by name.

    The types are worked out on a skeleton in which initialisers are inputs, so that no weight is copied.

    Raises:
        ValueError: ONNX's inference does not know the type of a node's output.
    """
    skeleton = ModelProto()
    skeleton.ir_version = document.ir_version
    skeleton.opset_import.extend(document.opset_import)
    skeleton.functions.extend(document.functions)
    graph = document.graph
    skeleton.graph.name = graph.name
    skeleton.graph.node.extend(graph.node)
    skeleton.graph.input.extend(graph.input)
    skeleton.graph.output.extend(graph.output)
    for tensor in graph.initializer:
        skeleton.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    inferred = onnx.shape_inference.infer_shapes(skeleton, data_prop=False).graph
    found = {item.name: item.type.tensor_type.elem_type for item in _described(inferred)}
    missing = [name for node in graph.node for name in node.output if name and not found.get(name)]
    if missing:
        raise ValueError(f"ONNX's inference knows no type of {', '.join(missing)}")
    return found


def is_float(types: dict[str, int], name: str) -> bool:
    """Whether a value is float32; an input that is left out is not."""
    return bool(name) and types[name] == TensorProto.FLOAT


def _described(graph: GraphProto) -> list[onnx.ValueInfoProto]:
    return [*graph.input, *graph.value_info, *graph.output]
