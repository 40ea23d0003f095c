"""Words that `striate export` has for every format: what agreed, and how large a file is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.model import Model
    from striate.onnx.verify import Verification


def agreement(model: Model, verification: Verification) -> str:
    """Return what agreed, in words: values, or classes where the network tells classes apart."""
    graph = model.graph
    if not graph.tasks and "classes" not in graph.arguments:
        return "the same values"
    if not verification.other_classes:
        return "the same classes"
    return f"the same classes (but for {verification.other_classes:,} ties)"


def size_text(size: int) -> str:
    """Return a number of bytes to three digits."""
    for unit, bound in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= bound:
            return f"{size / bound:.3g} {unit}"
    return f"{size} bytes"
