"""Tensors of a file that `torch.save` wrote, read with `weights_only=True` and never in another way."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from striate.runtime.state_problems import damaged, needs_code, other_kind
from striate.runtime.stored_tensor import StateFile, StoredTensor
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")
_DEPTH = 12
_ENTRIES = 200_000
"""Entries of all dictionaries together, and how deep they may be nested: a pickle can hold one object many times."""

_FLOATS = {"float64", "float32", "float16", "bfloat16"}


def read_torch(path: Path) -> StateFile:
    """Read a file of `torch.save`: the tensors of all its dictionaries, without running anything of it.

    Raises:
        DiagnosticError: E0661, it is damaged or something else; E0662, it names code that it needs.
    """
    zipped = zipfile.is_zipfile(path)
    if zipped:
        _demand_plain_archive(path)
    content = _load(path, zipped=zipped)
    if not isinstance(content, Mapping):
        raise DiagnosticError(other_kind(path, f"a file of torch.save with one {type(content).__name__} in it"))
    tensors: dict[str, StoredTensor] = {}
    others: Counter[str] = Counter()
    _flatten(path, content, tensors, others)
    return StateFile(path, "a file of torch.save", tensors, (path,), dict(others))


def _load(path: Path, *, zipped: bool) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a newer pickle: what the reader does not know of it, it refuses
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except MemoryError:
        raise DiagnosticError(damaged(path, "it claims more numbers than there is memory for")) from None
    except Exception as error:  # a broken or hostile pickle can make the reader raise anything
        raise DiagnosticError(_refused(path, str(error))) from None


def _refused(path: Path, said: str) -> Diagnostic:
    """Return why torch's restricted reader gave up: over code that the file names, or over what is broken in it."""
    named = _GLOBAL.search(said)
    if named is not None:
        return needs_code(path, f"it holds an object that only {named[1]} can make")
    reason = said.partition("WeightsUnpickler error:")[2] or said
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return damaged(path, f"the reader says: {lines[0][:200]}" if lines else "it ends too early")


def _demand_plain_archive(path: Path) -> None:
    """Raise unless an archive is one of `torch.save`: never compressed, with a pickle, and without a program."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DiagnosticError(damaged(path, f"the archive cannot be read: {error}")) from None
    names = [entry.filename for entry in entries]
    if any("/code/" in f"/{name}" for name in names):
        raise DiagnosticError(needs_code(path, "it is a TorchScript program: code together with weights"))
    if any(name.endswith(".npy") for name in names):
        raise DiagnosticError(other_kind(path, "an archive of numpy arrays"))
    if not any(name.rpartition("/")[2] == "data.pkl" for name in names):
        raise DiagnosticError(other_kind(path, "a zip archive that torch.save did not write"))
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise DiagnosticError(damaged(path, "parts of it are compressed, which torch.save never does"))


def _flatten(path: Path, content: Mapping[Any, Any], tensors: dict[str, StoredTensor], others: Counter[str]) -> None:
    """Collect the tensors of nested dictionaries under their joined names, in the order of the file."""
    waiting: list[tuple[str, Any, int]] = [("", content, 0)]
    seen = 0
    while waiting:
        name, item, depth = waiting.pop()
        seen += 1
        if seen > _ENTRIES or depth > _DEPTH:
            raise DiagnosticError(damaged(path, "its dictionaries are nested without end"))
        if isinstance(item, Mapping):
            prefix = f"{name}." if name else ""
            inner = [(f"{prefix}{key}", value, depth + 1) for key, value in item.items() if isinstance(key, (str, int))]
            waiting.extend(reversed(inner))
        elif isinstance(item, torch.Tensor):
            tensors[name] = _stored(item)
        else:
            others[name.partition(".")[0]] += 1


def _stored(tensor: Tensor) -> StoredTensor:
    kind = str(tensor.dtype).removeprefix("torch.")
    return StoredTensor(tuple(tensor.shape), partial(_numbers, tensor), kind, _refusal(tensor, kind))


def _refusal(tensor: Tensor, kind: str) -> str | None:
    """Say why a tensor cannot be weights; it is not asked for its numbers then."""
    if tensor.layout != torch.strided:
        return "it is sparse"
    if tensor.is_quantized:
        return f"it is quantised ({kind})"
    if tensor.device.type != "cpu":
        return f"it is on the device {tensor.device.type}, which has no numbers"
    if kind not in _FLOATS:
        return f"its numbers are of the type {kind}"
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        return "it claims more numbers than the file holds"
    return None


def _numbers(tensor: Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    array: np.ndarray[Any, np.dtype[Any]] = tensor.detach().to(torch.float32).contiguous().numpy()
    return array.copy()
