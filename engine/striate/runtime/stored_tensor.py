"""One tensor of a stranger's file: what it says of itself, and its numbers when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in a file of weights.

    Attributes:
        shape: its size.
        read: gives its numbers as float32, a new array.
        kind: the type of its numbers as torch calls it, e.g. `float16`.
        refusal: why its numbers cannot be weights (whole numbers, a sparse form), None where they can.
    """

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray[Any, np.dtype[Any]]]
    kind: str
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class StateFile:
    """The tensors of a file, by their dotted names in the file's order; names of nested dictionaries are joined.

    Attributes:
        path: the file that was named.
        form: what it is, in words.
        tensors: the tensors by name.
        parts: the files that they were read from, more than one where the weights are in shards.
        others: how many entries are no tensors (numbers, texts), by the first part of their name.
    """

    path: Path
    form: str
    tensors: Mapping[str, StoredTensor]
    parts: tuple[Path, ...]
    others: Mapping[str, int]
