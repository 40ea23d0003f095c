"""`striate import`: a file of another format as a `.cnn` file and its weights; written if all of it can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.graph import Graph, fingerprint
from striate.host.catalogue import HostCatalogue
from striate.importer_plugins import read_file
from striate.model import Model
from striate.ops.initializers import start_values
from striate.version import __version__
from striate.writing import written

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto
    from torch import nn

    from striate.importing.agreement import Agreement
    from striate.importing.kinds import Facts, Reading

    Arrays = Mapping[str, np.ndarray[Any, np.dtype[Any]]]

__all__ = ["ImportReport", "Imported", "import_file", "import_model", "import_onnx", "import_torch", "write_import"]


@dataclass(frozen=True)
class Imported:
    """A network that was read from a file of another format.

    Attributes:
        model: the network, elaborated from the text.
        text: the `.cnn` file.
        weights: arrays by name: for every weight, or for none where the file holds none.
        inputs: the names of the inputs in the file, by their names in the network.
        outputs: the same for the outputs.
        reading: what is known of the file.
        images: the number of images that the file fixes for its batch axis, None where that is open.
    """

    model: Model
    text: str
    weights: Arrays
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    reading: Facts
    images: int | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import wrote: the two files, and how the network compares with the file it is from.

    `weights` is None where the file holds none; `agreement` where it was not wanted, or nothing runs such files.
    """

    imported: Imported
    text: Path
    weights: Path | None
    agreement: Agreement | None


def import_file(path: str | Path, *, importer: str | None = None, **options: Any) -> Imported:
    """Read a file of another format as a network of the language; its ending says which (`striate.importing.kinds`).

    Args:
        path: the file.
        importer: a plugin's importer by name; without one, plugins are asked for endings that striate does not know.
        options: what its reader is told, as the table of kinds lists them.

    Raises:
        DiagnosticError: it cannot be read, contradicts itself, or holds what the language has no layer for, which is
            listed whole; E0646, an option says nothing about such a file; E0720 to E0724, a plugin's importer failed.
    """
    from striate.importing.kinds import kind_of
    from striate.importing.plugin_reading import importer_for

    file, catalogue = Path(path), HostCatalogue()
    found = importer_for(file, importer, catalogue)
    if found is not None:
        read = read_file(found, file, options, catalogue)
        inputs = {item.value.name: item.value.name for item in read.model.graph.inputs}
        outputs = {name: name for name in read.model.graph.outputs}
        return Imported(read.model, read.text, read.weights, inputs, outputs, read.facts)
    return _imported(kind_of(file).read(file, catalogue.lookup, options), catalogue)


def import_onnx(path: str | Path) -> Imported:
    """Read an ONNX file as a network of the language, whatever its ending.

    Raises:
        DiagnosticError: E0610 to E0613, it cannot be read, contradicts itself, or holds what the language has no layer
            for; then every such node is listed.
    """
    from striate.importing.kinds import ONNX

    catalogue = HostCatalogue()
    return _imported(ONNX.read(Path(path), catalogue.lookup, {}), catalogue)


def import_model(model: ModelProto, file: Path, *, batched: bool = True) -> Imported:
    """Read an ONNX model that is in memory already.

    Args:
        model: the model.
        file: the file it is from: data outside of it is looked for in its folder, and the network may be called so.
        batched: whether the first axis of every tensor is the batch. Without, tensors are taken as those of one image.

    Raises:
        DiagnosticError: like `import_onnx`.
    """
    from striate.importing.onnx_file import reading_of

    catalogue = HostCatalogue()
    return _imported(reading_of(model, file, catalogue.lookup, batched=batched), catalogue)


def import_torch(module: nn.Module, example: Any, *, name: str | None = None, verify: bool = True) -> Imported:
    """Read a module of torch as a network of the language, by way of `torch.export`.

    The module is read in evaluation. Layers and weights are called after its parts (`layer1.0.conv1.weight`), modules
    of several layers become blocks, and rates of dropout modules are kept.

    Args:
        module: the module.
        example: the sizes of its input without the batch, capital letters for those to be left open, as in
            `(3, "H", "W")`, or a list of such for several inputs; or a tensor with the batch in front, or several,
            whose sizes are then all fixed.
        name: the name of the model, if not the module's class.
        verify: whether the module is compared with the network, at two batch sizes and two sizes of open axes.

    Raises:
        DiagnosticError: E0647, `torch.export` cannot follow the module; E0612, with everything that the language has
            no layer for, and the parts of the module it is in; E0607, the network computes something else.
    """
    from striate.importing.aten.torch_module import reading_of

    catalogue = HostCatalogue()
    found = _imported(reading_of(module, example, catalogue.lookup, name), catalogue)
    if verify:
        _agreement(found)
    return found


def _imported(reading: Reading, catalogue: HostCatalogue) -> Imported:
    from striate.importing.naming import names_of

    if reading.plugins:
        from striate.runtime.provenance import unlike

        told = unlike(reading.plugins, catalogue, "the file and its weights", network_only=True)
        notes = (f"{item.message}; {item.help}" for item in told)
        reading = replace(reading, notes=(*reading.notes, *notes))
    network, found = reading.network, reading.restored
    names = found.names if found else names_of(network)
    text, built, weights = (
        written(network, names, reading.model, catalogue, found.graph, found.text, found.sections)
        if found
        else written(network, names, reading.model, catalogue)
    )
    return Imported(
        built,
        text,
        found.weights if found else _completed(built.graph, weights),
        {names.inputs[item.value.number]: item.name for item in network.inputs},
        {name: name for name in found.graph.outputs}
        if found
        else {ours: theirs for ours, (theirs, _) in zip(names.outputs, network.outputs, strict=True)},
        reading,
        network.images,
    )


def _completed(graph: Graph, weights: Arrays) -> Arrays:
    """Return the weights of a file that holds some of them only, the others as they start in training."""
    if not weights:
        return weights
    return {name: weights[name] if name in weights else start_values(graph.weights[name], 0) for name in graph.weights}


def write_import(path: str | Path, target: str | Path, *, verify: bool = True, **options: Any) -> ImportReport:
    """Read a file of another format and write the network and its weights; with `verify` only if both agree.

    Args:
        path: the file.
        target: the `.cnn` file; the weights, if there are any, go beside it, with the ending `.safetensors`.
        verify: whether the file in a runtime of its own is compared with the network in torch, on random inputs.
        options: the importer, and what a reader is told, like `import_file`.

    Raises:
        DiagnosticError: like `import_file`; E0607, the network computes something else; E0505, a file cannot be
            written. Nothing is written in any of these cases but the last.
    """
    from striate.runtime.atomic import atomic_write
    from striate.runtime.checkpoint import CheckpointInfo, write_weights
    from striate.runtime.mismatch import computation
    from striate.runtime.provenance import provenance

    text = Path(target)
    imported = import_file(path, **options)
    found = _agreement(imported) if verify else None
    graph, reading = imported.model.graph, imported.reading
    weights = text.with_suffix(".safetensors") if imported.weights or not graph.weights else None
    if weights is not None:
        info = CheckpointInfo(
            graph.name,
            text=imported.text,
            fingerprint=fingerprint(graph),
            computation=computation(graph),
            contract=reading.contract or graph.inputs[0].contract,
            classes=reading.classes,
            versions={"striate": __version__},
            plugins=provenance(imported.model.file, graph.name, graph, imported.model.catalogue),
        )
        write_weights(weights, imported.weights, info)
    atomic_write(text, imported.text)
    return ImportReport(imported, text, weights, found)


def _agreement(imported: Imported) -> Agreement | None:
    from striate.importing.agreement import compared
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.reference import ArrayReference
    from striate.onnx.trials import BATCHES, trials_for

    if imported.reading.original is None:
        return None
    original = imported.reading.original()
    model, images = imported.model, imported.images
    program = load_arrays(Program(model.graph, model.catalogue.lookup), imported.weights)
    batches = BATCHES if images is None else (images,)
    trials = trials_for(model.graph, model.domain, batches=batches)
    return compared(original, ArrayReference(program), trials, imported.inputs, imported.outputs)
