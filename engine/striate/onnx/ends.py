"""Writes the two ends of an exported file around a network: ONNX nodes from 8-bit images, and to answers.

The network itself is not touched. The file's input keeps its name and gets another type; what the network reads in its
place has the name of the input with `/pixels` behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from striate.analysis.ends import Answer, Ends, Pixels
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

SMOOTHING = 18
"""The first operator set whose Resize can smooth what it shrinks."""

CUBIC = -0.5
"""The free number of cubic convolution as Keys (1981) has it, and the imaging library that training resizes with."""


def with_ends(document: ModelProto, ends: Ends) -> ModelProto:
    """Return a document of ours with preprocessing and postprocessing in it; the given one stays as it is.

    Raises:
        DiagnosticError: E0602, the filter of a resize needs a later operator set.
    """
    made = ModelProto()
    made.CopyFrom(document)
    opset = next(item.version for item in made.opset_import if not item.domain)
    before: list[NodeProto] = []
    for pixels in ends.pixels:
        _check_filter(pixels, opset)
        writer = _Writer(f"{pixels.name}/pixels")
        _redirect(made, pixels.name, writer.prefix)
        _write_pixels(writer, pixels, _declare_images(made, pixels))
        before += writer.nodes
        made.graph.initializer.extend(writer.constants)
    network = list(made.graph.node)
    del made.graph.node[:]
    made.graph.node.extend([*before, *network])
    for answer in ends.answers:
        _write_answer(made, answer)
    return made


class _Writer:
    """Nodes and constants with one prefix; the last node makes the value of that name."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def node(self, op_type: str, inputs: Sequence[str], step: str, **attributes: Any) -> str:
        name = f"{self.prefix}/{step}"
        self.nodes.append(helper.make_node(op_type, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, step: str, values: Any, dtype: str) -> str:
        name = f"{self.prefix}/{step}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name


def _write_pixels(writer: _Writer, pixels: Pixels, numbers: int) -> None:
    """Write what makes the network's input, in float32 and rounded at the end to the numbers that the network takes."""
    value = writer.node("Cast", [pixels.name], "float", to=TensorProto.FLOAT)
    value = writer.node("Transpose", [value], "planes", perm=(0, 3, 1, 2))
    if pixels.size is not None:
        value = _resize(writer, value, pixels)
    if pixels.flip:
        turned = writer.constant("order", range(pixels.channels - 1, -1, -1), "int64")
        value = writer.node("Gather", [value, turned], "turned", axis=1)
    scale = writer.constant("scale", np.reshape(pixels.scale, (1, -1, 1, 1)), "float32")
    shift = writer.constant("shift", np.reshape(pixels.shift, (1, -1, 1, 1)), "float32")
    value = writer.node("Add", [writer.node("Mul", [value, scale], "scaled"), shift], "shifted")
    if numbers != TensorProto.FLOAT:
        writer.node("Cast", [value], "rounded", to=numbers)
    writer.nodes[-1].output[0] = writer.nodes[-1].name = writer.prefix


def _resize(writer: _Writer, value: str, pixels: Pixels) -> str:
    """Write the resize: nearest pixels, or a filter that is widened where the image shrinks, as PIL has it."""
    images = writer.node(
        "Gather", [writer.node("Shape", [value], "shape"), writer.constant("two", [0, 1], "int64")], "kept"
    )
    wanted = writer.node("Concat", [images, writer.constant("size", pixels.size, "int64")], "sizes", axis=0)
    smooth = {"antialias": 1, "exclude_outside": 1}  # pixels beyond the border have no weight, nor does their share
    modes: dict[str, dict[str, Any]] = {
        "nearest": {"mode": "nearest", "nearest_mode": "round_prefer_ceil"},
        "bilinear": {"mode": "linear", **smooth},
        "bicubic": {"mode": "cubic", "cubic_coeff_a": CUBIC, **smooth},
    }
    attributes = {"coordinate_transformation_mode": "half_pixel", **modes[pixels.resize or "bilinear"]}
    return writer.node("Resize", [value, "", "", wanted], "resized", **attributes)


def _check_filter(pixels: Pixels, opset: int) -> None:
    if pixels.resize in (None, "nearest") or opset >= SMOOTHING:
        return
    raise DiagnosticError(
        Diagnostic(
            "E0602",
            f"bringing {pixels.name} to its size ({pixels.resize}) needs opset {SMOOTHING}, not {opset}",
            notes=("it is written as ONNX's Resize with antialias, as images are smoothed in training",),
            help=f"use opset {SMOOTHING} or later: --opset {SMOOTHING}, or resize = nearest in the input's body",
        )
    )


def _redirect(document: ModelProto, old: str, new: str) -> None:
    """Let every node that reads a value read another one."""
    for node in document.graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


def _declare_images(document: ModelProto, pixels: Pixels) -> int:
    """Give an input the type of 8-bit images, and what the network reads the type that the input had.

    Returns ONNX's number for the latter.
    """
    entry = next(item for item in document.graph.input if item.name == pixels.name)
    inner = ValueInfoProto()
    inner.CopyFrom(entry)
    inner.name = f"{pixels.name}/pixels"
    document.graph.value_info.append(inner)
    batch, channels, *space = entry.type.tensor_type.shape.dim
    sizes: list[int | str] = [each.dim_param or each.dim_value for each in (batch, *space, channels)]
    if pixels.size is not None:
        sizes[1:3] = f"{pixels.name}_height", f"{pixels.name}_width"
    entry.CopyFrom(helper.make_tensor_value_info(pixels.name, TensorProto.UINT8, sizes))
    return int(inner.type.tensor_type.elem_type)


def _write_answer(document: ModelProto, answer: Answer) -> None:
    network = document.graph
    place = next(index for index, item in enumerate(network.output) if item.name == answer.output)
    scores = network.output[place]
    outputs = list(_declared(scores, answer))
    kept = [item for index, item in enumerate(network.output) if index != place]
    inner = ValueInfoProto()
    inner.CopyFrom(scores)
    network.value_info.append(inner)
    del network.output[:]
    network.output.extend([*kept[:place], *outputs, *kept[place:]])
    value = answer.output
    if answer.kind == "sigmoid":
        network.node.append(helper.make_node("Sigmoid", [value], answer.names, name=answer.names[0]))
    elif answer.kind == "argmax":
        network.node.append(helper.make_node("ArgMax", [value], answer.names, name=answer.names[0], axis=1, keepdims=0))
    else:
        _write_shares(network, answer)


def _write_shares(network: Any, answer: Answer) -> None:
    value = answer.output
    if not answer.is_shares:
        shares = answer.names[0] if answer.kind == "softmax" else f"{value}/shares"
        network.node.append(helper.make_node("Softmax", [value], [shares], name=shares, axis=1))
        value = shares
    if answer.kind == "top":
        count = f"{answer.output}/count"
        network.initializer.append(numpy_helper.from_array(np.array([answer.count], dtype="int64"), count))
        network.node.append(helper.make_node("TopK", [value, count], answer.names, name=answer.names[0], axis=1))


def _declared(scores: ValueInfoProto, answer: Answer) -> Iterator[ValueInfoProto]:
    batch, *rest = [each.dim_param or each.dim_value or None for each in scores.type.tensor_type.shape.dim]
    shapes = {"softmax": [batch, *rest], "sigmoid": [batch, *rest], "argmax": [batch, *rest[1:]]}
    shape = shapes.get(answer.kind, [batch, answer.count])
    for name in answer.names:
        is_index = answer.kind in ("argmax", "top") and name == answer.names[-1]
        yield helper.make_tensor_value_info(
            name, TensorProto.INT64 if is_index else scores.type.tensor_type.elem_type, shape
        )
