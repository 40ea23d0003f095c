"""ONNX files as networks of the language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from onnx import ModelProto

from striate.importing.carried import classes_of, contract_of, entries_of, restored
from striate.importing.conversion import convert
from striate.importing.functions import written_out
from striate.importing.kinds import Lookup, Reading
from striate.importing.naming import model_name
from striate.importing.network import Network
from striate.importing.reading import TensorReader, demand_text, opset_of, read_model
from striate.onnx.runtime import OnnxSession
from striate.runtime.provenance import read_provenance


def read(path: Path, lookup: Lookup) -> Reading:
    """Read a file.

    Raises:
        DiagnosticError: E0610 to E0613, it cannot be read, contradicts itself, or holds what the language has no layer
            for; then every such node is listed.
    """
    return reading_of(read_model(path), path, lookup)


def reading_of(model: ModelProto, path: Path, lookup: Lookup, *, batched: bool = True) -> Reading:
    """Read a model that is in memory already.

    Args:
        model: the model.
        path: the file it is from: data outside of it is looked for in its folder, and the network may be called so.
        lookup: from a layer's name to its record.
        batched: whether the first axis of every tensor is the batch. Without, tensors are taken as those of one image.

    Raises:
        DiagnosticError: like `read`.
    """
    demand_text(model)
    opset = opset_of(model)
    entries = entries_of(model)
    whole = written_out(model)
    found = restored(whole, entries, TensorReader(path.parent), lookup) if batched else None
    network = found.network if found else convert(whole, TensorReader(path.parent), lookup, batched=batched)
    if not found:
        _state_contracts(network, entries)
    producer = " ".join(part for part in (whole.producer_name, whole.producer_version) if part)[:80]
    counts = Counter(node.op_type for node in whole.graph.node)
    return Reading(
        network,
        found.graph.name if found else model_name(whole.graph.name, path.stem),
        f"opset {opset}" + (f", written by {producer}" if producer else ""),
        dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        {"opset": opset, "producer": producer, "restored": found is not None},
        partial(OnnxSession, str(path)),
        found,
        _OTHER_TEXT if entries.get("text") and not found else "",
        contract_of(entries, network.inputs[0].name, network.inputs[0].value.sizes),
        classes_of(entries),
        plugins=read_provenance(entries.get("plugins", "")),
    )


def _state_contracts(network: Network, entries: Mapping[str, str]) -> None:
    for item in network.inputs:
        item.contract = contract_of(entries, item.name, item.value.sizes)


_OTHER_TEXT = "read from its nodes: the text that it carries is not of these"
