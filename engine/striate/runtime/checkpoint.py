"""Checkpoints: the weights of a network in a safetensors file, with a description of where they come from.

The description is JSON in the file's header. Reading never runs code from the file, and needs no torch; weights are
only handed out when all of them fit the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from striate.graph import Graph
from striate.runtime.atomic import atomic_write
from striate.runtime.checkpoint_info import CheckpointInfo
from striate.runtime.file_kinds import foreign_kind
from striate.runtime.mismatch import architecture_mismatch, computation, computation_mismatch
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["STATE", "WEIGHTS", "CheckpointInfo", "read_header", "read_info", "read_weights", "write_weights"]

WEIGHTS = "striate.weights"
STATE = "striate.state"
"""The key in the header, one per kind of file: weights to be used, and the state of a training run to be resumed.

There is never more than one key: the library writes several in a random order, and equal weights make equal files.
"""

_READABLE = {"F64", "F32", "F16"}


def write_weights(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]], info: CheckpointInfo) -> None:
    """Write weights and their description, atomically.

    Raises:
        DiagnosticError: E0505, the file cannot be written; the one before is intact.
    """
    atomic_write(path, save(dict(arrays), {WEIGHTS: info.to_json()}))


def read_info(path: Path) -> CheckpointInfo | None:
    """Return a checkpoint's description, or None where it has none (weights written by another program).

    Raises:
        DiagnosticError: E0501 to E0503, the file cannot be read, is something else, or is damaged.
    """
    header = read_header(path)
    if STATE in header:
        raise DiagnosticError(_is_state(path))
    if WEIGHTS not in header:
        return None
    try:
        return CheckpointInfo.from_json(header[WEIGHTS])
    except (ValueError, TypeError):
        raise DiagnosticError(_damaged(path, "its description cannot be read")) from None


def read_weights(path: Path, graph: Graph) -> dict[str, np.ndarray[Any, Any]]:
    """Return all weights of a graph from a checkpoint, as float32 by name.

    Raises:
        DiagnosticError: E0501 to E0503 as `read_info`; E0504, they belong to another architecture. Nothing is
            returned then, not even the weights that would fit.
    """
    info = read_info(path)
    with _opened(path) as stored:
        names = list(stored.keys())
        shapes = {name: tuple(stored.get_slice(name).get_shape()) for name in names}
        found = architecture_mismatch(path, graph, shapes, info.arguments if info else {})
        if found is None and info is not None and info.computation:
            found = computation_mismatch(path, info.computation, computation(graph))
        if found is not None:
            raise DiagnosticError(found)
        kinds = {name: stored.get_slice(name).get_dtype() for name in names}
        if unreadable := sorted(set(kinds.values()) - _READABLE):
            raise DiagnosticError(_wrong_numbers(path, unreadable))
        return {name: stored.get_tensor(name).astype("float32") for name in graph.weights}


def read_header(path: Path) -> dict[str, str]:
    """Return the texts in a safetensors file's header by key; raises like `read_info`."""
    with _opened(path) as stored:
        return dict(stored.metadata() or {})


def _opened(path: Path) -> Any:
    """Open a safetensors file after making sure that it is one and can be read."""
    try:
        with path.open("rb") as stream:
            start = stream.read(64)
    except OSError as error:
        raise DiagnosticError(_unreadable(path, error)) from None
    kind = foreign_kind(start, path.suffix)
    if kind is not None:
        raise DiagnosticError(_other_file(path, kind))
    try:
        return safe_open(path, framework="numpy")
    except SafetensorError as error:
        raise DiagnosticError(_damaged(path, str(error))) from None


def _unreadable(path: Path, error: OSError) -> Diagnostic:
    if isinstance(error, FileNotFoundError):
        return Diagnostic(
            "E0501", f"there is no checkpoint {path}", help="train the network first: striate train writes checkpoints"
        )
    if isinstance(error, IsADirectoryError):
        inside = sorted(item.name for item in path.glob("*.safetensors"))
        return Diagnostic(
            "E0501",
            f"{path} is a folder, not a checkpoint",
            notes=(f"checkpoints in it: {', '.join(inside)}",) if inside else (),
            help=f"name a file, e.g. {path / 'best.safetensors'}",
        )
    return Diagnostic("E0501", f"cannot read {path}: {(error.strerror or str(error)).lower()}")


def _other_file(path: Path, kind: str) -> Diagnostic:
    return Diagnostic(
        "E0502",
        f"{path} is {kind}, not a striate checkpoint",
        notes=("checkpoints are safetensors files: numbers only, so that opening a stranger's file runs no code",),
        help="weights of the same names can be converted with safetensors.torch.save_file(state_dict, path)"
        if "pickle" in kind or "torch" in kind
        else "pass the best.safetensors or last.safetensors that striate train wrote",
    )


def _damaged(path: Path, reason: str) -> Diagnostic:
    return Diagnostic(
        "E0503",
        f"{path} is damaged or not complete",
        notes=(f"the reader says: {reason}", f"its size is {path.stat().st_size:,} bytes"),
        help="copy or download it again, or train again",
    )


def _is_state(path: Path) -> Diagnostic:
    return Diagnostic(
        "E0502",
        f"{path} is the state of a training run, not a set of weights",
        help=f"the weights are beside it: {path.with_name('best.safetensors')} or {path.with_name('last.safetensors')}",
    )


def _wrong_numbers(path: Path, kinds: list[str]) -> Diagnostic:
    return Diagnostic(
        "E0502",
        f"{path} holds weights of the type {', '.join(kinds)}",
        help="convert them to float32 first; float16 and float64 can be read as well",
    )
