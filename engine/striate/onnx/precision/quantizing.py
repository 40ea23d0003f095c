"""Turns a document in float32 into one of 8 bits, written with QuantizeLinear and DequantizeLinear (QDQ form).

The computation stays written in float32 between them, which runtimes turn into kernels of their own. Weights are int8,
and values uint8, or int8 where scales are symmetric. Values keep their names, and the outputs of the network all their
digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from striate.onnx.filling import StoredWeights
from striate.onnx.precision.scales import (
    Scale,
    dequantized_weight,
    least_scales,
    quantized_weight,
    weight_scales,
)
from striate.onnx.precision.units import Layout, Unit

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Quantized:
    """What became of a document.

    Attributes:
        weights: the numbers of its weights.
        scales: how each int8 value is to be read, by name.
        rounded: the weights in float32 after rounding, by the name of the node that reads them and their own.
    """

    weights: StoredWeights
    scales: Mapping[str, Scale]
    rounded: Mapping[tuple[str, str], Array]


def quantize(
    document: ModelProto, arrays: Mapping[str, Array], layout: Layout, scales: Mapping[str, Scale]
) -> Quantized:
    """Rewrite a document in place.

    Args:
        document: the document in float32, its weights not filled in.
        arrays: the weights by name.
        layout: what is computed in int8.
        scales: the scale of every value of the layout.
    """
    work = _Quantizing(document, arrays, layout, scales)
    work.rewrite()
    entries = {item.key: item.value for item in document.metadata_props}
    helper.set_model_props(document, {**entries, "striate.precision": "int8"})
    return Quantized(StoredWeights(work.arrays), scales, work.rounded)


class _Quantizing:
    def __init__(
        self, document: ModelProto, arrays: Mapping[str, Array], layout: Layout, scales: Mapping[str, Scale]
    ) -> None:
        self._graph, self._layout, self._scales = document.graph, layout, scales
        self.arrays = dict(arrays)
        self.rounded: dict[tuple[str, str], Array] = {}
        self._original = arrays
        self._units = {unit.node.name: unit for unit in layout.units}
        self._kernels = self._kernel_scales()
        self._written: set[str] = set()

    def rewrite(self) -> None:
        """Rewrite the nodes, then the weights."""
        given = [item.name for item in self._graph.input if item.name in self._scales]
        nodes = [node for name in given for node in self._pair(name)]
        for node in self._graph.node:
            unit = self._units.get(node.name)
            if unit is not None and unit.weights:
                nodes += self._weights(node, unit)
            for place, name in enumerate(node.input):
                if name in self._scales:
                    node.input[place] = f"{name}/dequantized"
            nodes.append(node)
            nodes += [each for name in node.output if name in self._scales for each in self._pair(name)]
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        read = {name for node in nodes for name in node.input}
        kept = [item for item in self._graph.initializer if item.name in read]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)

    def _pair(self, value: str) -> Iterator[NodeProto]:
        """Yield what rounds a value to 8 bits and what reads that."""
        root, scale = self._layout.root(value), self._scales[value]
        constants = (
            self._constant(f"{root}/scale", scale.scale, np.float32),
            self._constant(f"{root}/zero", scale.zero, scale.kind),
        )
        narrow, wide = f"{value}/quantized", f"{value}/dequantized"
        yield helper.make_node("QuantizeLinear", [value, *constants], [narrow], name=narrow)
        yield helper.make_node("DequantizeLinear", [narrow, *constants], [wide], name=wide)

    def _kernel_scales(self) -> dict[str, Array]:
        """Return the scales of every kernel, large enough for the biases of all nodes that read it."""
        least: dict[str, Any] = {}
        axes: dict[str, int | None] = {}
        for unit in self._layout.units:
            if unit.weights:
                kernel, *bias = unit.weights
                if bias:
                    wanted = least_scales(self._original[bias[0]], self._scales[unit.inputs[0]].scale)
                    least[kernel] = np.maximum(least.get(kernel, 0.0), wanted.max() if unit.axis is None else wanted)
                axes[kernel] = unit.axis
        return {name: weight_scales(self._original[name], axes[name], least.get(name, 0.0)) for name in axes}

    def _weights(self, node: NodeProto, unit: Unit) -> Iterator[NodeProto]:
        """Yield what reads the int8 kernel and the int32 bias of a node."""
        kernel, *bias = unit.weights
        scales = self._kernels[kernel]
        stored = f"{kernel}/int8"
        numbers = quantized_weight(self._original[kernel], scales, unit.axis)
        self.rounded[node.name, kernel] = dequantized_weight(numbers, scales, unit.axis)
        node.input[1] = f"{kernel}/dequantized"
        if stored not in self._written:
            yield self._stored(stored, f"{kernel}/dequantized", numbers, scales, f"{kernel}/scale", unit.axis)
        if bias:
            steps = scales * np.float32(self._scales[unit.inputs[0]].scale)
            whole = np.rint(self._original[bias[0]].astype(np.float64) / steps).astype(np.int32)
            self.rounded[node.name, bias[0]] = (whole * steps).astype(np.float32)
            # A bias has the scale of what its node reads: one that several nodes share is stored for each of them.
            own = f"{node.name}/bias" if node.name != bias[0].rpartition(".")[0] else bias[0]
            node.input[2] = f"{own}/dequantized"
            axis = None if unit.axis is None else 0
            yield self._stored(f"{own}/int32", f"{own}/dequantized", whole, steps, f"{own}/scale", axis)

    def _stored(self, name: str, read: str, numbers: Array, scales: Array, scale: str, axis: int | None) -> NodeProto:
        kind = helper.np_dtype_to_tensor_dtype(numbers.dtype)
        self._graph.initializer.add(name=name, data_type=kind, dims=numbers.shape)
        self.arrays[name] = numbers
        self._written.add(name)
        zeros = np.zeros_like(scales, dtype=numbers.dtype)  # may be left out, but ONNX Runtime's QGemm asks for them
        names = [name, self._constant(scale, scales, np.float32), self._constant(f"{name}/zero", zeros, zeros.dtype)]
        node = helper.make_node("DequantizeLinear", names, [read], name=read)
        if axis is not None:
            node.attribute.append(helper.make_attribute("axis", axis))
        return node

    def _constant(self, name: str, value: Any, dtype: Any) -> str:
        if name not in self._written:
            self._written.add(name)
            self._graph.initializer.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name
