"""What an ONNX file of ours carries beside its nodes: the network's own text, pixel contracts, the names of classes.

All of it is a claim. The text is believed where exporting it gives the nodes of the file again, one by one; a contract
where the input takes it; class names where they are a list of names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, ValueInfoProto

from striate.elaborate import elaborate, model_names
from striate.elaborate.contract import contract_entries
from striate.graph import Graph
from striate.host.catalogue import HostCatalogue
from striate.importing.graphs import network_of
from striate.importing.heads import HeadListener, HeardHead
from striate.importing.naming import Names
from striate.importing.network import Array, Network
from striate.importing.reading import TensorReader
from striate.onnx.colophon import describe
from striate.onnx.document import build_document
from striate.ops.arguments import ArgumentError, Choice
from striate.ops.initializers import start_values
from striate.ops.record import OpRecord
from striate.passes import DropInferenceNoops, RemoveDeadNodes, run_passes
from striate.project.linking import parse_linked
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.limits import FILE_SIZE
from striate_dsl.source import Source
from striate_dsl.syntax import File, Section, Use

_MOST_CLASSES = 100_000


@dataclass(frozen=True, slots=True)
class Restored:
    """A network read from the text that a file carries.

    Attributes:
        network: its layers, with the weights of the file.
        names: their names.
        graph: what a text of the network must elaborate to.
        weights: the array of every weight, by name.
        text: the text that the file carries.
        sections: the export contracts in it.
    """

    network: Network
    names: Names
    graph: Graph
    weights: Mapping[str, Array]
    text: str
    sections: str


def entries_of(model: ModelProto) -> Mapping[str, str]:
    """Return what a file of ours says about itself, by names without `striate.`; of another file, nothing."""
    found = ((item.key, item.value) for item in model.metadata_props if isinstance(item.key, str))
    return {key.removeprefix("striate."): text for key, text in found if key.startswith("striate.") and _is_text(text)}


def _is_text(value: object) -> bool:
    return isinstance(value, str)  # protocol buffers hand out bytes where a file does not hold UTF-8


def restored(
    model: ModelProto, entries: Mapping[str, str], tensors: TensorReader, lookup: Callable[[str], OpRecord]
) -> Restored | None:
    """Return the network whose text a file carries; None where there is none, or its nodes are not those of the file.

    Args:
        model: the model.
        entries: what it says about itself.
        tensors: reads the numbers of its tensors.
        lookup: from a layer's name to its record.

    Raises:
        DiagnosticError: a tensor of the file contradicts itself.
    """
    text = entries.get("text", "")
    found = _elaborated(text)
    if found is None:
        return None
    file, graph, heads = found
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    evaluated, _ = run_passes(graph, [DropInferenceNoops(lookup), RemoveDeadNodes()])
    if any(tuple(stored[name].dims) != weight.shape for name, weight in evaluated.weights.items() if name in stored):
        return None
    if not evaluated.weights.keys() <= stored.keys() or not _makes(evaluated, model, lookup):
        return None
    arrays = {
        name: tensors.array(stored[name]).astype(np.float32)
        if name in evaluated.weights
        else start_values(weight, 0)  # of a layer that no output depends on
        for name, weight in graph.weights.items()
    }
    network, names = network_of(graph, arrays, lookup, heads)
    sections = [item.span.text for item in file.definitions if isinstance(item, Section) and item.kind == "export"]
    return Restored(network, names, graph, arrays, text, "".join(f"\n{section}\n" for section in sections))


def _elaborated(text: str) -> tuple[File, Graph, Sequence[HeardHead]] | None:
    """Return a text that uses no other file, its only model and the heads of that; None where it is not in order."""
    if not text or len(text) > FILE_SIZE.value:
        return None
    catalogue = HostCatalogue()
    parsed = parse_linked(Source("network.cnn", text), catalogue)
    if parsed.file is None or parsed.diagnostics.has_errors:
        return None
    if any(isinstance(item, Use) for item in parsed.file.definitions):
        return None  # a file of a stranger has no business in the folders of whoever reads it
    models = model_names(parsed.file)
    if len(models) != 1:
        return None
    listener = HeadListener()
    built = elaborate(parsed.file, models[0], catalogue, observer=listener)
    return None if built.graph is None or built.domain is None else (parsed.file, built.graph, listener.heads)


def _makes(graph: Graph, model: ModelProto, lookup: Callable[[str], OpRecord]) -> bool:
    """Whether a graph is exported as the nodes, constants, inputs and outputs that a model has; weights aside."""
    opsets = {item.domain or "ai.onnx": item.version for item in model.opset_import}
    if opsets.keys() != {"ai.onnx"}:
        return False
    try:
        made = build_document(
            replace(graph, weights={}), lookup, {}, opsets["ai.onnx"], describe(graph, "", (), "", "")
        )
    except (DiagnosticError, KeyError):  # a layer that this version writes otherwise, or an unknown operator set
        return False
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    return (
        [_plain(node) for node in made.graph.node] == [_plain(node) for node in model.graph.node]
        and [_plain(item) for item in made.graph.input] == [_plain(item) for item in model.graph.input]
        and [_plain(item) for item in made.graph.output] == [_plain(item) for item in model.graph.output]
        and stored.keys() == graph.weights.keys() | {tensor.name for tensor in made.graph.initializer}
        and all(stored[tensor.name] == tensor for tensor in made.graph.initializer)
    )


def _plain(item: NodeProto | ValueInfoProto) -> bytes:
    """Return a part of a file without what is only said about it."""
    plain = type(item)()
    plain.CopyFrom(item)
    plain.ClearField("doc_string")
    plain.ClearField("metadata_props")
    content: bytes = plain.SerializeToString(deterministic=True)
    return content


def contract_of(entries: Mapping[str, str], name: str, sizes: Sequence[Any]) -> dict[str, Any]:
    """Return the pixel contract that a file states for an input, as far as an input of these sizes can have it."""
    stated = _json(entries.get("inputs", ""))
    contract = stated.get(name) if isinstance(stated, dict) else None
    if not isinstance(contract, dict) or not sizes:
        return {}
    made = {}
    for entry in contract_entries(sizes[0]):
        value = contract.get(entry.name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]  # one number for all channels is kept as a list of one
        try:
            if value is not None:
                made[entry.name] = entry.kind.convert(Choice(value) if isinstance(value, str) else value)
        except ArgumentError:
            continue
    return made


def classes_of(entries: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the classes that a file states; none where they are not a list of names."""
    names = _json(entries.get("classes", ""))
    if not isinstance(names, list) or len(names) > _MOST_CLASSES or not all(isinstance(item, str) for item in names):
        return ()
    return tuple(names)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
