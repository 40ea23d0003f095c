"""What an export does before and behind the network: read from section or options, written, and verified as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from striate.analysis.ends import Ends, EndsReader, Wanted
from striate.host.records import HeadRecord
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto

    from striate.graph import Graph
    from striate.model import Model
    from striate.onnx.contract import ExportContract
    from striate.onnx.verify import Verification
    from striate.precisions import Source
    from striate.runtime.checkpoint import CheckpointInfo

    Arrays = Mapping[str, np.ndarray[Any, np.dtype[np.float32]]]
    Outputs = Callable[[Mapping[str, np.ndarray[Any, Any]]], Mapping[str, np.ndarray[Any, Any]]]

_ROOM = 3.0
"""How many times as far from torch as the network alone the answers may be, where that is more than the tolerance."""


def wanted_by(contract: ExportContract) -> Wanted:
    """Return what an export section wants."""
    return Wanted(contract.preprocess, contract.camera, contract.postprocess, contract.top)


def read_ends(model: Model, wanted: Wanted, info: CheckpointInfo | None) -> Ends | None:
    """Return what the file does before and behind the network, None where nothing is wanted.

    Args:
        model: the model.
        wanted: what is wanted.
        info: the description of the checkpoint, whose pixel contract counts more than the file's.

    Raises:
        DiagnosticError: E0640 to E0642, the network does not say what is needed, or does not go with it.
    """
    if not wanted.anything:
        return None
    graph, lookup = model.graph, model.catalogue.lookup
    first = graph.inputs[0].value.name
    heads = {task.name: model.catalogue.identified(HeadRecord, task.name) for task in graph.tasks}
    makers = {value.name: node for node in graph.nodes for value in node.outputs}
    shares = frozenset(
        name
        for name, value in graph.outputs.items()
        if value in makers and lookup(makers[value].op).role == "probabilities"
    )
    return EndsReader(
        graph,
        wanted,
        {first: info.contract} if info and info.contract else {},
        {name: record.task for name, record in heads.items() if record is not None},
        shares,
    ).read()


def check_verifiable(precision: str, ends: Ends | None, *, functions: bool) -> None:
    """Refuse what ONNX Runtime could not run on a CPU, and so not verify.

    Raises:
        DiagnosticError: E0644, something is put around a network that computes in bfloat16.
    """
    if precision == "bfloat16" and (ends is not None or functions):
        what = "preprocessing and postprocessing" if ends is not None else "blocks as functions"
        raise DiagnosticError(
            Diagnostic(
                "E0644",
                f"{what} cannot be verified in a file that computes in bfloat16",
                notes=("ONNX Runtime computes in bfloat16 on GPUs only",),
                help="export in float32, float16 or int8, or leave them out",
            )
        )


def finished(document: ModelProto, graph: Graph, ends: Ends | None, *, functions: bool) -> ModelProto | None:
    """Return a document with blocks as functions and with its ends, None where neither is wanted.

    Raises:
        DiagnosticError: E0602, a filter needs a later operator set; E0645, functions need a later one.
    """
    from striate.onnx.functions import with_functions

    made = with_functions(document, graph) if functions else document
    if ends is not None:
        return _with_described_ends(made, ends)
    return made if functions else None


def _with_described_ends(document: ModelProto, ends: Ends) -> ModelProto:
    """Return a document with its ends written, and with metadata that speak of them."""
    from striate.onnx.ends import with_ends

    made = with_ends(document, ends)
    entries = stated({item.key: item.value for item in made.metadata_props}, ends)
    del made.metadata_props[:]
    for key, text in entries.items():
        made.metadata_props.add(key=key, value=text)
    return made


def torch_outputs(model: Model, arrays: Arrays) -> Outputs:
    """Return the network in torch, from inputs to outputs by name."""
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.reference import ArrayReference

    return ArrayReference(load_arrays(Program(model.graph, model.catalogue.lookup), arrays)).outputs


def session_outputs(content: bytes | str) -> Outputs:
    """Return a file of the network alone in ONNX Runtime: what the whole is compared with where numbers are narrow.

    It has been compared with torch before, by what its numbers allow and on inputs that they can hold.
    """
    from striate.onnx.runtime import OnnxSession

    return OnnxSession(content).run


def verify_whole(
    source: Source, content: bytes | str, ends: Ends, network: Outputs, tolerance: float, alone: Verification
) -> Verification:
    """Compare a file with all that was put around the network with the same done in torch.

    Args:
        source: what the network was written from.
        content: the file.
        ends: what is done before and behind the network.
        network: the network alone.
        tolerance: how far answers may be.
        alone: how the network alone compared; answers may be a few times as far, where its numbers are narrow.

    Raises:
        DiagnosticError: E0643, it computes something else.
    """
    from striate.lower.torch.ends import BakedReference
    from striate.onnx.runtime import OnnxSession
    from striate.onnx.trials import trials_for
    from striate.onnx.verify_ends import camera_trials, verify_ends

    trials = list(camera_trials(trials_for(source.graph, source.model.domain), ends))
    session, bound = OnnxSession(content), max(tolerance, _ROOM * alone.difference.relative)
    return verify_ends(session.run, session.name, ends, BakedReference(network, ends), trials, bound)


def stated(entries: Mapping[str, str], ends: Ends) -> dict[str, str]:
    """Return what a file with ends says of itself, given what the file of the network alone would."""
    made = dict(entries)
    inputs = json.loads(entries.get("striate.inputs", "{}"))
    inputs |= {item.name: item.described() for item in ends.pixels}
    outputs = {name: item.described() for item in ends.answers for name in item.names}
    for key, value in (("striate.inputs", inputs), ("striate.outputs", outputs)):
        if value:
            made[key] = json.dumps(value, sort_keys=True)
    return made
