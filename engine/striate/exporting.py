"""Exporting a model: take its weights, write the ONNX model, verify it against torch, and only then put it in place."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.ops.initializers import start_values
from striate.passes import DropInferenceNoops, RemoveDeadNodes, reparameterise, run_passes
from striate.version import __version__
from striate_dsl.diagnostics import DiagnosticError

if TYPE_CHECKING:
    import numpy as np

    from striate.graph import Graph
    from striate.model import Model
    from striate.onnx.contract import ExportContract
    from striate.onnx.verify import Verification
    from striate.runtime.checkpoint import CheckpointInfo

    Arrays = Mapping[str, np.ndarray[Any, np.dtype[np.float32]]]


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
    """

    path: Path
    opset: int
    ir_version: int
    size: int
    weights: str
    verification: Verification | None
    folded: str | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """The arrays to be written, where they are from in words, and the checkpoint's description where it has one."""

    arrays: Arrays
    words: str
    info: CheckpointInfo | None = None


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
        fold: fold batch norms and parallel branches into convolutions (`striate.passes.reparameterise`).

    Raises:
        DiagnosticError: the export section or the checkpoint has mistakes, the network cannot be written in this
            operator set or as one file, ONNX's checker refuses it, the verification fails, or the file cannot be
            written. The path is as it was before.
    """
    from striate.onnx.contract import read_contract
    from striate.onnx.opsets import IR_VERSIONS, check_opset
    from striate.onnx.runtime import load_runtime
    from striate.runtime.atomic import atomic_write

    target = Path(path)
    check_target(target)
    if verify:
        load_runtime()  # say that it is missing before minutes of work
    asked = read_contract(model.file, model.name, contract)
    version = asked.opset if opset is None else check_opset(opset)
    values = take_weights(model, weights, seed)
    graph, _ = run_passes(model.graph, [DropInferenceNoops(model.catalogue.lookup), RemoveDeadNodes()])
    folded = reparameterise(graph, values.arrays) if fold else None
    if folded is None:
        content = _content(model, graph, values, version, verify, asked.tensor_cores)
    else:
        written = replace(values, arrays=folded.arrays, words=f"{values.words}; {folded.words}")
        content = _content(model, folded.graph, written, version, verify, asked.tensor_cores)
    verification = _verify(model, graph, content, values.arrays, asked) if verify else None
    atomic_write(target, content)
    told = folded.words if folded else None
    return ExportReport(target, version, IR_VERSIONS[version], len(content), values.words, verification, told)


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


def _content(model: Model, graph: Graph, weights: Weights, opset: int, verify: bool, tensor_cores: str | None) -> bytes:
    from striate.onnx.colophon import describe
    from striate.onnx.document import build_document, check_content, serialize

    info = weights.info
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
    )
    content = serialize(build_document(graph, model.catalogue.lookup, weights.arrays, opset, colophon))
    check_content(content)
    return content


def _verify(model: Model, graph: Graph, content: bytes, arrays: Arrays, contract: ExportContract) -> Verification:
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.reference import ArrayReference
    from striate.onnx.trials import trials_for
    from striate.onnx.verify import verify_content

    reference = ArrayReference(load_arrays(Program(model.graph, model.catalogue.lookup), arrays))
    trials = trials_for(graph, model.domain)
    return verify_content(content, graph, reference, trials, contract.tolerance)
