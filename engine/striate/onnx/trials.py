"""The inputs on which an exported file is compared with torch: random, seeded, at several batch and image sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from striate.dims import evaluate
from striate.dims.domain import Domain
from striate.graph import Graph
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, np.dtype[np.float32]]

BATCHES = (1, 3)
"""The usual batch size, and one that shows whether the batch axis really is open."""

MOST_TRIES = 256
"""Sizes that are tried out to find a second legal one."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One input to compare on: its batch and image size in words, and an array by input name."""

    words: str
    inputs: Mapping[str, Array]


def trials_for(graph: Graph, domain: Domain, seed: int = 0, batches: Sequence[int] = BATCHES) -> list[Trial]:
    """Return batch 1 and 3 (or others), each at the smallest legal size and, where sizes are open, at one more.

    Raises:
        DiagnosticError: no legal size could be found.
    """
    generator = np.random.default_rng(seed)
    return [_trial(graph, batch, sizes, generator) for sizes in legal_sizes(domain, graph.name) for batch in batches]


def legal_sizes(domain: Domain, model: str) -> list[dict[str, int]]:
    """Return the smallest legal sizes, and the next with one symbol larger (or all, where one alone cannot be).

    Raises:
        DiagnosticError: none could be found.
    """
    smallest = domain.smallest()
    if smallest is None:
        raise DiagnosticError(
            Diagnostic(
                "E0609",
                f"no input size could be found on which to verify {model}",
                notes=tuple(domain.sentences()),
                help="fix the sizes in the input line, or write the file unverified with --no-verify",
            )
        )
    for changed in (*((name,) for name in domain.symbols), domain.symbols):
        larger = _larger(domain, smallest, changed)
        if larger is not None:
            return [smallest, larger]
    return [smallest]


def _larger(domain: Domain, smallest: Mapping[str, int], changed: Sequence[str]) -> dict[str, int] | None:
    above = ((size for size in domain[name] if size > smallest[name]) for name in changed)
    for sizes in islice(zip(*above, strict=False), MOST_TRIES):
        candidate = {**smallest, **dict(zip(changed, sizes, strict=True))}
        if domain.contains(candidate):
            return candidate
    return None


def _trial(graph: Graph, batch: int, sizes: Mapping[str, int], generator: np.random.Generator) -> Trial:
    inputs = {}
    for item in graph.inputs:
        shape = (batch, *(evaluate(extent, sizes) for extent in item.value.type.shape))
        inputs[item.value.name] = generator.standard_normal(shape, dtype="float32")
    written = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    return Trial(f"batch {batch} with {written}" if written else f"batch {batch}", inputs)
