"""Exporting a model: take its weights, write the ONNX model, verify it against torch, and only then put it in place."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.analysis.ends import NO_ENDS, Ends, Wanted
from striate.elaborate.linked import renamed_in
from striate.expanding import expand_model
from striate.exporting_ends import (
    check_verifiable,
    finished,
    read_ends,
    session_outputs,
    torch_outputs,
    verify_whole,
    wanted_by,
)
from striate.graph import fingerprint
from striate.ops.initializers import start_values
from striate.passes import DropInferenceNoops, RemoveDeadNodes, reparameterise, run_passes
from striate.passes.network import Network
from striate.precisions import AS_WRITTEN, Lowered, Numbers, Source, lower_precision
from striate.rewriting import Passes, choose_passes
from striate.version import __version__
from striate_dsl.diagnostics import DiagnosticError

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto

    from striate.graph import Graph
    from striate.model import Model
    from striate.model_files import Staged
    from striate.onnx.contract import ExportContract
    from striate.onnx.verify import Verification
    from striate.quantization import LoweredInt8
    from striate.runtime.checkpoint import CheckpointInfo
    from striate.runtime.provenance import Provenance

    Arrays = Mapping[str, np.ndarray[Any, np.dtype[np.float32]]]

FLOAT_TOLERANCE = 1e-4
"""How far a pass may move outputs in float32, as a share of an output's largest entry."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        path: the file.
        opset: its operator set.
        ir_version: its file format.
        size: bytes.
        weights: where the weights are from, in words.
        verification: how it compared with torch; None where that was not wanted.
        folded: what was folded into convolutions, in words; None where that was not wanted.
        precision: the numbers of weights and computation.
        remarks: what else there is to say about the file, one sentence each.
        data: the second file with the weights, if there is one.
        ends: what the file does before and behind the network; None where that was not wanted.
        passes: which passes of plugins have rewritten the network, in words; empty where none has.
    """

    path: Path
    opset: int
    ir_version: int
    size: int
    weights: str
    verification: Verification | None
    folded: str | None = None
    precision: str = "float32"
    remarks: tuple[str, ...] = ()
    data: Path | None = None
    ends: Ends | None = None
    passes: str = ""


@dataclass(frozen=True, slots=True)
class Weights:
    """The arrays to be written, where they are from in words, the checkpoint's description where it has one.

    `plugins` are those that the network, its weights and what is done with them used.
    """

    arrays: Arrays
    words: str
    info: CheckpointInfo | None = None
    plugins: Provenance = field(default_factory=dict)


def export_model(
    model: Model,
    path: str | Path,
    *,
    weights: str | Path | None = None,
    seed: int = 0,
    opset: int | None = None,
    contract: str | None = None,
    verify: bool = True,
    fold: bool = False,
    numbers: Numbers = AS_WRITTEN,
    external_data: bool | None = None,
    wanted: Wanted | None = None,
    functions: bool = False,
    passes: Sequence[str] | None = None,
) -> ExportReport:
    """Write a model as an ONNX file, atomically; with `verify` only if ONNX Runtime computes the same as torch.

    Args:
        model: the model.
        path: the file; one that exists is replaced.
        weights: a checkpoint; without one the weights are initialised.
        seed: what initialised weights are a function of, beside their names.
        opset: the operator set; without one that of the file's export section, or 17.
        contract: which export section, where the file gives them names of their own.
        verify: compare with torch first, which needs ONNX Runtime. A file written without says so.
        fold: fold batch norms and parallel branches into convolutions; always done for other numbers than float32.
        numbers: what the file computes in, where it is not as the export section says.
        external_data: put the weights into a second file; None where they do not fit into one of 2 GiB.
        wanted: what the file shall do before and behind the network, where it is not what the export section says.
        functions: write each block as a function of the file, and its instances as calls.
        passes: passes of plugins that the network goes through first, where they are not those of the export section.

    Raises:
        DiagnosticError: export section, checkpoint or a pass has mistakes, the network cannot be written like that,
            the verification fails, or the file cannot be written; what was at the path is there still.
    """
    from striate.onnx.contract import read_contract
    from striate.onnx.opsets import IR_VERSIONS, check_opset
    from striate.onnx.runtime import load_runtime

    check_target(target := Path(path))
    if verify:
        load_runtime()  # say that it is missing before minutes of work
    asked = numbers.settle(read_contract(model.file, model.name, contract, precision=numbers.precision))
    version = asked.opset if opset is None else check_opset(opset)
    values = take_weights(model, weights, seed)
    ends = read_ends(model, (wanted or Wanted()).over(wanted_by(asked)), values.info)
    check_verifiable(asked.precision, ends, functions=functions)
    chosen = passes_of(model, passes, asked, verify=verify)
    source, told = _prepared(model, values.arrays, chosen, fold=fold or asked.precision != "float32")
    text = _text(model) if asked.text and not (told or ends or chosen.words) else ""  # else the nodes compute more
    described = _described(model, values, chosen, told)
    document = _document(source, described, version, verify, asked.tensor_cores, text)
    wishes = (asked, ends, functions, verify, external_data)
    lowered = lower_precision(document, source, asked, numbers.calibration)
    made, verification, further = _placed(target, document, source, lowered, values.arrays, *wishes)
    remarks = (*told_of_plugins(model, values.info), *(lowered.remarks if lowered else ()), *further)
    report = ExportReport(target, version, IR_VERSIONS[version], made.size, values.words, verification, told)
    return replace(report, precision=asked.precision, remarks=remarks, data=made.data, ends=ends, passes=chosen.words)


def passes_of(model: Model, names: Sequence[str] | None, asked: ExportContract, *, verify: bool = True) -> Passes:
    """Return the passes of plugins that an export runs: those named, or else those of its section.

    Raises:
        DiagnosticError: E0722, nobody provides one; E0702, several do.
    """
    renamed = renamed_in(model.file)
    wanted = [renamed.get(name, name) for name in (asked.passes if names is None else names)]
    return choose_passes(wanted, model.catalogue, FLOAT_TOLERANCE if verify else None)


def rewritten(model: Model, arrays: Arrays, passes: Passes, *, fold: bool) -> tuple[Graph, Network, str | None]:
    """Return a model's graph for evaluation, the network that is written, and what was folded in words.

    Raises:
        DiagnosticError: E0720, E0721 or E0723, a plugin's pass failed.
    """
    lookup = model.catalogue.lookup
    graph, _ = run_passes(model.graph, [DropInferenceNoops(lookup), RemoveDeadNodes()])
    network = passes.before_folding(Network(graph, lookup, arrays, model.domain))
    folded = reparameterise(network.graph, network.arrays) if fold else None
    if folded is not None:
        network = replace(network, graph=folded.graph, arrays=folded.arrays)
    return graph, passes.after_folding(network), folded.words if folded else None


def _prepared(model: Model, arrays: Arrays, passes: Passes, *, fold: bool) -> tuple[Source, str | None]:
    """Return what is to be written, without layers that do nothing in evaluation, and what was folded, in words."""
    graph, network, told = rewritten(model, arrays, passes, fold=fold)
    return Source(model, graph, network.graph, network.arrays), told


def _placed(
    target: Path,
    document: ModelProto,
    source: Source,
    lowered: Lowered | LoweredInt8 | None,
    arrays: Arrays,
    asked: ExportContract,
    ends: Ends | None,
    functions: bool,
    verify: bool,
    external_data: bool | None,
) -> tuple[Staged, Verification | None, tuple[str, ...]]:
    """Verify the network alone, then with what is done before and behind it, and put the last of them in place.

    Returns what is in place, how it compared, and what else there is to say in sentences.
    """
    from striate.model_files import staged  # noqa: PLC0415 - imports what writes to the disk
    from striate.onnx.filling import StoredWeights

    numbers = lowered.weights if lowered else StoredWeights(source.arrays)
    whole = finished(document, source.written, ends, functions=functions)
    with staged(target, document, numbers, external_data) as made:
        found, further = _verify(source, lowered, made.content, arrays, asked) if verify else (None, ())
        if whole is None:
            made.place()
            return made, found, further
        with staged(target, whole, numbers, external_data) as all_of_it:
            if found is not None:
                network = session_outputs(made.content) if lowered else torch_outputs(source.model, arrays)
                whole_as_well = verify_whole(
                    source, all_of_it.content, ends or NO_ENDS, network, asked.tolerance, found
                )
                found = found if lowered else whole_as_well  # compared with torch, and not with a file
            all_of_it.place()
            return all_of_it, found, further


def check_target(path: Path) -> None:
    """Refuse early what could not be written after minutes of verification.

    Raises:
        DiagnosticError: E0505, the path is a folder, or there is no folder for it.
    """
    from striate.runtime.atomic import write_problem

    if path.is_dir():
        raise DiagnosticError(write_problem(path, IsADirectoryError(errno.EISDIR, "it is a folder")))
    if not path.parent.is_dir():
        raise DiagnosticError(write_problem(path, FileNotFoundError(errno.ENOENT, "no such folder")))


def take_weights(model: Model, checkpoint: str | Path | None, seed: int) -> Weights:
    """Return the weights of a checkpoint, or without one those that a seed gives.

    Raises:
        DiagnosticError: the checkpoint cannot be read, or belongs to another architecture.
    """
    if checkpoint is None:
        arrays = {name: start_values(weight, seed) for name, weight in model.graph.weights.items()}
        return Weights(arrays, f"weights initialised from seed {seed}, not trained")
    from striate.runtime.checkpoint import read_info, read_weights

    path = Path(checkpoint)
    return Weights(read_weights(path, model.graph), f"weights from {path.name}", read_info(path))


def _text(model: Model) -> str:
    """Return the model as a text of its own, with its export contract; empty where there is no such text."""
    try:
        expansion = expand_model(model, ("export",))
    except DiagnosticError:  # values that the language cannot write; the nodes say all that is computed
        return ""
    known = replace(model.graph, name=expansion.model)
    return expansion.text if fingerprint(expansion.graph) == fingerprint(known) else ""


def _described(model: Model, weights: Weights, passes: Passes, folded: str | None) -> Weights:
    """Return the weights with what a file says of them: what has been done to them, and by which plugins."""
    words = "; ".join(filter(None, (weights.words, passes.words, folded)))
    return replace(weights, words=words, plugins=plugins_of(model, weights.info, passes))


def _document(
    source: Source, weights: Weights, opset: int, verify: bool, tensor_cores: str | None, text: str
) -> ModelProto:
    from striate.onnx.colophon import describe
    from striate.onnx.document import build_document

    model, info = source.model, weights.info
    first = model.graph.inputs[0].value.name
    colophon = describe(
        model.graph,
        __version__,
        model.domain.sentences(),
        weights.words,
        "in ONNX Runtime against torch" if verify else "not verified",
        class_names=info.classes if info else None,
        pixels={first: info.contract} if info and info.contract else None,
        tensor_cores=tensor_cores,
        text=text,
        plugins=weights.plugins,
    )
    return build_document(source.written, model.catalogue.lookup, source.arrays, opset, colophon, filled=False)


def plugins_of(model: Model, info: CheckpointInfo | None, passes: Passes) -> Provenance:
    """Return the plugins that a network and its export use here, and those that its weights were trained with."""
    from striate.runtime.provenance import provenance

    rewriting = [item.owner for item in passes.chosen]
    here = provenance(model.file, model.name, model.graph, model.catalogue, network=rewriting)
    return {**(info.plugins if info else {}), **here}


def told_of_plugins(model: Model, info: CheckpointInfo | None) -> tuple[str, ...]:
    """Return a sentence per plugin that the weights were made with and that is not here in that version."""
    if info is None or not info.plugins:
        return ()
    from striate.runtime.provenance import unlike

    found = unlike(info.plugins, model.catalogue, "the weights", network_only=True)
    return tuple(f"warning[{item.code}]: {item.message}; {item.help}" for item in found)


def _verify(
    source: Source,
    lowered: Lowered | LoweredInt8 | None,
    content: bytes | str,
    arrays: Arrays,
    contract: ExportContract,
) -> tuple[Verification, tuple[str, ...]]:
    """Compare the file with the network as it was trained; returns that, and what else there is to say."""
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.reference import ArrayReference
    from striate.onnx.trials import trials_for
    from striate.onnx.verify import verify_content

    model = source.model
    reference = ArrayReference(load_arrays(Program(model.graph, model.catalogue.lookup), arrays))
    trials = trials_for(source.graph, model.domain)
    if lowered is not None:
        return lowered.verify(content, reference, trials)
    return verify_content(content, source.graph, reference, trials, contract.tolerance), ()
