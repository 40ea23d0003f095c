"""`striate import`: an ONNX file as a `.cnn` file and its weights; nothing is written unless all of it can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.graph import Graph, fingerprint, format_graph
from striate.host.catalogue import HostCatalogue
from striate.model import Model, load_source
from striate.version import __version__
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.formatter import format_source
from striate_dsl.source import Source

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto

    from striate.importing.agreement import Agreement
    from striate.importing.naming import Names
    from striate.importing.network import Network

    Arrays = Mapping[str, np.ndarray[Any, np.dtype[Any]]]

__all__ = ["ImportReport", "Imported", "import_model", "import_onnx", "write_import"]


@dataclass(frozen=True)
class Imported:
    """A network that was read from ONNX.

    Attributes:
        model: the network, elaborated from the text.
        text: the `.cnn` file.
        weights: an array for every weight, by name.
        inputs: the names of the inputs in the ONNX file, by their names in the network.
        outputs: the same for the outputs.
        operators: how many nodes of each operator the ONNX file has.
        opset: its operator set.
        producer: the program that it says it is from; empty where it does not say.
        images: the number of images that the file fixes, None where it leaves it open.
    """

    model: Model
    text: str
    weights: Arrays
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    operators: Mapping[str, int]
    opset: int
    producer: str
    images: int | None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import wrote: the two files, and how the network compares with the ONNX file in ONNX Runtime.

    `agreement` is None where that was not wanted.
    """

    imported: Imported
    text: Path
    weights: Path
    agreement: Agreement | None


def import_onnx(path: str | Path) -> Imported:
    """Read an ONNX file as a network of the language.

    Raises:
        DiagnosticError: E0610 to E0613, it cannot be read, contradicts itself, or holds what the language has no layer
            for; then every such node is listed.
    """
    from striate.importing.reading import read_model

    file = Path(path)
    return import_model(read_model(file), file)


def import_model(model: ModelProto, file: Path, *, batched: bool = True) -> Imported:
    """Read a model that is in memory already.

    Args:
        model: the model.
        file: the file it is from: data outside of it is looked for in its folder, and the network may be called so.
        batched: whether the first axis of every tensor is the batch. Without, tensors are taken as those of one image.

    Raises:
        DiagnosticError: like `import_onnx`.
    """
    from striate.importing.conversion import convert
    from striate.importing.functions import written_out
    from striate.importing.naming import model_name, names_of
    from striate.importing.reading import TensorReader, demand_text, opset_of

    catalogue = HostCatalogue()
    demand_text(model)
    whole = written_out(model)
    network = convert(whole, TensorReader(file.parent), catalogue.lookup, batched=batched)
    names = names_of(network)
    name = model_name(whole.graph.name, file.stem)
    text, built, weights = _written(network, names, name, catalogue)
    counts: dict[str, int] = {}
    for node in whole.graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return Imported(
        built,
        text,
        weights,
        {names.inputs[item.value.number]: item.name for item in network.inputs},
        {ours: theirs for ours, (theirs, _) in zip(names.outputs, network.outputs, strict=True)},
        dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        opset_of(whole),
        " ".join(part for part in (whole.producer_name, whole.producer_version) if part)[:80],
        network.images,
    )


def _written(network: Network, names: Names, name: str, catalogue: HostCatalogue) -> tuple[str, Model, Arrays]:
    """Return the text, the network that it elaborates to, and the weights; the plainest text that is right is the last.

    Raises:
        DiagnosticError: E0614, no text is the same network.
    """
    from striate.importing.finished import graph_of
    from striate.importing.text import ModelText, Style

    problem: DiagnosticError | None = None
    for style in (Style(), Style(blocks=False), Style(blocks=False, branches=False), Style(True, False, False)):
        written = ModelText(network, names, name, lambda word: catalogue.known_layer(word) is not None, style)
        text = written.text()
        graph, weights = graph_of(network, names, written.called, name)
        try:
            built = _same(text, graph, catalogue)
        except DiagnosticError as error:
            problem = problem or error
            continue
        return format_source(Source(name, text)).text or text, built, weights
    assert problem is not None, "a style was tried"
    raise problem


def _same(text: str, graph: Graph, catalogue: HostCatalogue) -> Model:
    """Read the text again and compare: a text that is another network is never handed out."""
    try:
        built = load_source(Source(f"{graph.name}.cnn", text), catalogue=catalogue)
    except DiagnosticError as error:
        notes = tuple(f"{item.code}: {item.message}" for item in error.diagnostics)[:3]
        raise DiagnosticError(
            Diagnostic("E0614", f"{graph.name} cannot be written as text", notes=notes, help=_REPORT)
        ) from error
    if fingerprint(built.graph) == fingerprint(graph):
        return built
    lines = zip(format_graph(graph).splitlines(), format_graph(built.graph).splitlines(), strict=False)
    first = next((f"{before} would become {after}" for before, after in lines if before != after), "its end is missing")
    raise DiagnosticError(
        Diagnostic(
            "E0614", f"{graph.name} cannot be written so that it stays the same network", notes=(first,), help=_REPORT
        )
    )


_REPORT = "nothing was written; this is a mistake in striate: report it with the ONNX file, if you can"


def write_import(path: str | Path, target: str | Path, *, verify: bool = True) -> ImportReport:
    """Read an ONNX file and write the network and its weights; with `verify` only if both compute the same.

    Args:
        path: the ONNX file.
        target: the `.cnn` file; the weights go beside it, with the ending `.safetensors`.
        verify: whether ONNX Runtime on the file is compared with torch on the network, with random inputs.

    Raises:
        DiagnosticError: like `import_onnx`; E0607, the network computes something else; E0505, a file cannot be
            written. Nothing is written in any of these cases but the last.
    """
    from striate.runtime.atomic import atomic_write
    from striate.runtime.checkpoint import CheckpointInfo, write_weights
    from striate.runtime.mismatch import computation

    source, text = Path(path), Path(target)
    weights = text.with_suffix(".safetensors")
    imported = import_onnx(source)
    found = _agreement(imported, source) if verify else None
    graph = imported.model.graph
    info = CheckpointInfo(
        graph.name,
        text=imported.text,
        fingerprint=fingerprint(graph),
        computation=computation(graph),
        versions={"striate": __version__},
    )
    write_weights(weights, imported.weights, info)
    atomic_write(text, imported.text)
    return ImportReport(imported, text, weights, found)


def _agreement(imported: Imported, file: Path) -> Agreement:
    from striate.importing.agreement import compared
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.reference import ArrayReference
    from striate.onnx.runtime import load_runtime
    from striate.onnx.trials import BATCHES, trials_for

    load_runtime()
    model = imported.model
    program = load_arrays(Program(model.graph, model.catalogue.lookup), imported.weights)
    batches = BATCHES if imported.images is None else (imported.images,)
    trials = trials_for(model.graph, model.domain, batches=batches)
    return compared(file, ArrayReference(program), trials, imported.inputs, imported.outputs)
