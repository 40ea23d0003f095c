"""A bfloat16 document for a runtime that has no kernels for bfloat16: float32, rounded wherever the document rounds.

Products are added up in float32 and every value is rounded to bfloat16 by a pair of casts, which is what the hardware
that knows bfloat16 does. It is made to verify a file and is never written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from striate.onnx.document import serialize
from striate.onnx.precision.element_types import element_types


def emulated(content: bytes | str) -> bytes | str:
    """Return a file with bfloat16 values as one with the same names in which all of them are float32.

    Args:
        content: the bytes of the file, and the same comes back; or the path of one with a second file, and the path of
            another one beside it comes back.
    """
    if isinstance(content, bytes):
        return serialize(_in_float32(onnx.load_from_string(content)))
    path = Path(content).with_suffix(".float32.onnx")
    onnx.save(_in_float32(onnx.load(content)), path, save_as_external_data=True, location=f"{path.name}.data")
    return str(path)


def _in_float32(document: ModelProto) -> ModelProto:
    types = element_types(document)
    narrow = {name for name, element in types.items() if element == TensorProto.BFLOAT16}
    stored = {item.name for item in document.graph.initializer}
    given = {item.name for item in document.graph.input if item.name in narrow}
    nodes = [each for name in sorted(given) for each in _rounding(name, f"{name}/rounded")]
    for node in document.graph.node:
        nodes += _widened(node, narrow, given)
    del document.graph.node[:]
    document.graph.node.extend(nodes)
    for tensor in document.graph.initializer:
        if tensor.name in narrow & stored:
            _widen(tensor)
    for item in (*document.graph.input, *document.graph.value_info, *document.graph.output):
        _describe_wide(item)
    return document


def _widened(node: NodeProto, narrow: set[str], given: set[str]) -> Iterator[NodeProto]:
    """Yield a node that computes in float32, then what rounds its results."""
    for attribute in node.attribute:
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.BFLOAT16:
            attribute.i = TensorProto.FLOAT
        if attribute.t.data_type == TensorProto.BFLOAT16:
            _widen(attribute.t)
    for position, name in enumerate(node.input):
        if name in given:
            node.input[position] = f"{name}/rounded"
    rounded = [name for name in node.output if name in narrow]
    for position, name in enumerate(node.output):
        if name in narrow:
            node.output[position] = f"{name}/exact"
    yield node
    for name in rounded:
        yield from _rounding(f"{name}/exact", name)


def _rounding(source: str, target: str) -> Iterator[NodeProto]:
    narrow = f"{target}/narrow"
    yield helper.make_node("Cast", [source], [narrow], name=narrow, to=TensorProto.BFLOAT16)
    yield helper.make_node("Cast", [narrow], [target], name=f"{target}/wide", to=TensorProto.FLOAT)


def _widen(tensor: TensorProto) -> None:
    values = numpy_helper.to_array(tensor).astype(np.float32)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def _describe_wide(item: ValueInfoProto) -> None:
    if item.type.tensor_type.elem_type == TensorProto.BFLOAT16:
        item.type.tensor_type.elem_type = TensorProto.FLOAT
