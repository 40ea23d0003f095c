"""Weights that other programs wrote: safetensors files, files of `torch.save`, and either of them in shards.

Nothing in a file is run. Files of `torch.save` are pickles; they are read by torch's restricted reader
(`weights_only=True`), which makes tensors and containers and refuses everything else, and such a refusal is final here.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from striate.runtime.file_kinds import foreign_kind
from striate.runtime.safetensors_state import read_safetensors
from striate.runtime.state_problems import damaged, other_kind, shard_problem, unreadable
from striate.runtime.stored_tensor import StateFile, StoredTensor
from striate_dsl.diagnostics import DiagnosticError

__all__ = ["StateFile", "StoredTensor", "read_state"]

_INDEX = ".index.json"
_SHARD = re.compile(r"(.+)-\d{5}-of-(\d{5})(\.\w+)")
_PICKLED = (b"PK\x03\x04", b"\x80")
_LARGEST_INDEX = 64_000_000
"""Bytes of a list of shards; those of the largest networks have a few million."""


def read_state(path: Path) -> StateFile:
    """Read what a file says of its tensors; their numbers are read when they are asked for.

    Args:
        path: a safetensors file, a file of `torch.save`, the list of shards (`….index.json`), one of the shards beside
            such a list, or a folder that holds one list or one file of weights.

    Raises:
        DiagnosticError: E0661, it cannot be read or is something else; E0662, only its own code could read it; E0667, a
            shard is missing or lies elsewhere.
    """
    file = _in_folder(path) if path.is_dir() else path
    shard = _SHARD.fullmatch(file.name)
    if shard is not None and shard[2] != "00001":
        index = file.with_name(f"{shard[1]}{shard[3]}{_INDEX}")
        if not index.is_file():
            raise DiagnosticError(
                shard_problem(file, f"{file} is one of {int(shard[2])} shards", f"{index} is missing")
            )
        file = index
    return replace(_read_shards(file) if file.name.endswith(_INDEX) else _read_file(file), path=path)


def _read_file(path: Path) -> StateFile:
    try:
        with path.open("rb") as stream:
            start = stream.read(64)
    except OSError as error:
        raise DiagnosticError(unreadable(path, error)) from None
    kind = foreign_kind(start, path.suffix)
    if kind is None:
        return read_safetensors(path)
    if start.startswith(_PICKLED):
        from striate.runtime.torch_state import read_torch  # noqa: PLC0415  # torch, for such files only

        return read_torch(path)
    raise DiagnosticError(other_kind(path, kind))


def _in_folder(folder: Path) -> Path:
    """Return the one file of weights in a folder."""
    for ending in (_INDEX, ".safetensors", ".pth", ".pt", ".bin"):
        found = sorted(item for item in folder.iterdir() if item.name.endswith(ending))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(item.name for item in found[:8])
            raise DiagnosticError(other_kind(folder, f"a folder with several files of weights: {names}"))
    raise DiagnosticError(other_kind(folder, "a folder without a file of weights"))


def _read_shards(index: Path) -> StateFile:
    """Read all shards of a list; every one lies beside it."""
    names = _shard_names(index)
    folder = index.parent.resolve()
    tensors: dict[str, StoredTensor] = {}
    parts, form = [], ""
    for name in sorted(set(names.values())):
        shard = (folder / name).resolve()
        if shard.parent != folder:
            raise DiagnosticError(
                shard_problem(index, f"{index} names the shard {name!r}", "that is not in its own folder")
            )
        if not shard.is_file():
            raise DiagnosticError(shard_problem(index, f"the shard {name} is missing", f"{index.name} names it"))
        read = _read_file(shard)
        tensors |= {key: item for key, item in read.tensors.items() if names.get(key, name) == name}
        parts.append(index.with_name(name))
        form = read.form
    if missing := [key for key in names if key not in tensors]:
        raise DiagnosticError(
            shard_problem(index, f"{names[missing[0]]} does not hold {missing[0]}", f"{index.name} says that it does")
        )
    count = "one shard" if len(parts) == 1 else f"{len(parts)} shards"
    return StateFile(index, f"{form}, in {count}", tensors, tuple(parts), {})


def _shard_names(index: Path) -> dict[str, str]:
    """Return the file of every tensor, as a list of shards says it."""
    try:
        if index.stat().st_size > _LARGEST_INDEX:
            raise DiagnosticError(damaged(index, "it is too large for a list of shards"))
        content: Any = json.loads(index.read_text(encoding="utf-8"))
    except OSError as error:
        raise DiagnosticError(unreadable(index, error)) from None
    except (ValueError, RecursionError) as error:
        raise DiagnosticError(damaged(index, f"it is no JSON: {str(error) or 'nested too deeply'}")) from None
    names = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not names or not all(isinstance(item, str) and item for item in names.values()):
        raise DiagnosticError(damaged(index, "it has no table weight_map from tensors to files"))
    return names
