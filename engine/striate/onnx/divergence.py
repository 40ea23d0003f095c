"""Finds the layer at which an ONNX model and torch part ways.

All values in between become outputs and are compared in the order of the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper

from striate.graph import Graph, Node
from striate.onnx.comparison import Difference, compare, is_finite
from striate.onnx.document import serialize
from striate.onnx.names import value_names
from striate.onnx.runtime import OnnxSession
from striate.onnx.trials import Trial
from striate_dsl.diagnostics import Diagnostic

Array = np.ndarray[Any, np.dtype[np.float32]]

ROUNDING = 1e-7
"""Relative difference that is no difference: the last bit of a float32."""


def other_values(
    content: bytes | str,
    graph: Graph,
    expected: Mapping[str, Array],
    trial: Trial,
    output: str,
    difference: Difference,
    tolerance: float,
    rounding: float = ROUNDING,
) -> Diagnostic:
    """Return the finding that an output differs, with the first layer that does.

    Args:
        content: the bytes of the file that gives other values, or its path.
        graph: the network that was written.
        expected: every value of the network by name, as torch computes it.
        trial: the input at hand.
        output: the output that differs.
        difference: by how much.
        tolerance: by how much it may, relatively.
        rounding: the relative difference that is none.
    """
    place = f"output {output}, {trial.words}: differs by up to {difference}; allowed is a relative {tolerance:.1e}"
    differences = _layer_differences(content, graph, expected, trial)
    index = _first_suspect(graph, differences, tolerance, rounding)
    if index is None:
        return _no_layer(place, differences)
    layer, apart = graph.nodes[index], differences[index]
    before = max((each.relative for each in differences[:index]), default=0.0)
    return Diagnostic(
        "E0607",
        f"ONNX Runtime computes something else than torch, from layer {layer.name} ({layer.op}) on",
        layer.origin.span,
        notes=(
            place,
            f"the value of {layer.name} differs by up to {apart}",
            f"everything before it agrees within a relative {before:.1e}",
            *_blocks(layer),
        ),
        help="no file was written. If it differs by little, the network's export section may allow more, e.g. "
        f"tolerance = {10 * tolerance:.0e}; otherwise report it to whoever provides the layer {layer.op}",
    )


def not_finite(graph: Graph, values: Mapping[str, Array], trial: Trial) -> Diagnostic:
    """Return the finding that torch itself gives infinite values or none, with the first layer that does."""
    guilty = next(node for node in graph.nodes if not all(is_finite(values[output.name]) for output in node.outputs))
    weights = (f"its weights: {', '.join(guilty.weights.values())}",) if guilty.weights else ()
    return Diagnostic(
        "E0608",
        f"the network cannot be verified: layer {guilty.name} ({guilty.op}) gives values that are not finite",
        guilty.origin.span,
        notes=(f"{trial.words}, in torch", *weights, *_blocks(guilty)),
        help="no file was written. Look for such numbers in the weights: a training that went wrong leaves them",
    )


def _layer_differences(
    content: bytes | str, graph: Graph, expected: Mapping[str, Array], trial: Trial
) -> list[Difference]:
    """Return how far every layer's value is from torch's (of several the furthest), in the order of the network."""
    names = value_names(graph).written
    actual = _session_of_all(content, list(names.values())).run(trial.inputs)
    return [
        reduce(Difference.or_larger, [compare(expected[each.name], actual[names[each.name]]) for each in node.outputs])
        for node in graph.nodes
    ]


def _first_suspect(graph: Graph, differences: Sequence[Difference], tolerance: float, rounding: float) -> int | None:
    """Return the number of the layer to blame, or None where all agree.

    Up to the first layer beyond the tolerance, it is the one that makes the difference of its inputs grow most: a small
    fault may need some layers to become a large one.
    """
    beyond = next((index for index, each in enumerate(differences) if not each.relative <= tolerance), None)
    if beyond is None:
        return None
    pairs = zip(graph.nodes, differences, strict=True)
    apart = {output.name: each.relative for node, each in pairs for output in node.outputs}
    growth = [
        apart[node.outputs[0].name] / max([rounding, *(apart.get(value, 0.0) for value in node.inputs)])
        for node in graph.nodes[: beyond + 1]
    ]
    return growth.index(max(growth))


def _no_layer(place: str, differences: Sequence[Difference]) -> Diagnostic:
    agreed = max((each.relative for each in differences), default=0.0)
    return Diagnostic(
        "E0607",
        "ONNX Runtime computes something else than torch, but no single layer does",
        notes=(place, f"with all values kept, all layers agree within a relative {agreed:.1e}"),
        help="no file was written. ONNX Runtime joins layers to be faster, and that went wrong: try another version",
    )


def _session_of_all(content: bytes | str, names: list[str]) -> OnnxSession:
    """Return a session with all values as outputs; of a file with a second one, as a third one beside both."""
    if isinstance(content, bytes):
        return OnnxSession(serialize(_with_all_outputs(onnx.load_from_string(content), names)))
    path = Path(content)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".part") as beside:
        beside.write(serialize(_with_all_outputs(onnx.load(content, load_external_data=False), names)))
        beside.flush()
        return OnnxSession(beside.name)


def _with_all_outputs(opened: ModelProto, names: list[str]) -> ModelProto:
    known = {item.name for item in (*opened.graph.input, *opened.graph.output)}
    types = {item.name: item.type.tensor_type.elem_type for item in opened.graph.value_info}
    for name in names:
        if name not in known:
            kind = types.get(name, TensorProto.FLOAT)
            opened.graph.output.append(helper.make_tensor_value_info(name, kind, None))
    return opened


def _blocks(layer: Node) -> tuple[str, ...]:
    return tuple(f"in block {frame.block}, used at {frame.span!r}" for frame in reversed(layer.origin.trail))
