"""The inputs on which an exported file is compared with torch: random, seeded, at several batch and image sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import dropwhile, islice
from operator import gt
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


ORDINARY = 33
"""Open sizes are verified from here on: larger than the kernels in use, odd, and quick."""

STEP = 24
"""How much larger the size of each further open axis is at least."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One input to compare on: its batch and image size in words, and an array by input name."""

    words: str
    inputs: Mapping[str, Array]


def trials_for(graph: Graph, domain: Domain, seed: int = 0, batches: Sequence[int] = BATCHES) -> list[Trial]:
    """Return batch 1 and 3 (or others), each at the smallest legal size and, where sizes are open, at larger ones.

    Raises:
        DiagnosticError: no legal size could be found.
    """
    generator = np.random.default_rng(seed)
    return [_trial(graph, batch, sizes, generator) for sizes in legal_sizes(domain, graph.name) for batch in batches]


def legal_sizes(domain: Domain, model: str) -> list[dict[str, int]]:
    """Return the smallest legal sizes, and sizes of an ordinary image, so that every open axis has two.

    The smallest size alone would hide much: on one pixel all of a kernel but its middle meets padding. The others
    differ from each other, so that no axis passes for another one. Where sizes are tied to each other and no such
    sizes are found, they grow together, or one at a time.

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
    names = domain.symbols
    if not names:
        return [smallest]
    times = -(-ORDINARY // min(smallest.values()))
    unlike = range(ORDINARY, ORDINARY + STEP * len(names), STEP)
    for floors in (unlike, [times * smallest[name] for name in names], [0] * len(names)):
        larger = _larger(domain, smallest, names, floors)
        if larger is not None:
            return [smallest, larger]
    alone = (_larger(domain, smallest, (name,), (ORDINARY,)) for name in names)
    return [smallest, *(sizes for sizes in alone if sizes is not None)]


def _larger(
    domain: Domain, smallest: Mapping[str, int], changed: Sequence[str], floors: Sequence[int]
) -> dict[str, int] | None:
    """Return legal sizes in which the changed ones are larger than the smallest and not below their floors."""
    least = {name: max(smallest[name] + 1, floor) for name, floor in zip(changed, floors, strict=True)}
    above = [dropwhile(partial(gt, bound), domain[name]) for name, bound in least.items()]
    for sizes in islice(zip(*above, strict=False), MOST_TRIES):
        candidate = {**smallest, **dict(zip(changed, sizes, strict=True))}
        if domain.contains(candidate):
            return candidate
    return None


def further_trial(graph: Graph, domain: Domain, before: Sequence[Mapping[str, int]], seed: int = 1) -> Trial | None:
    """Return a trial at the legal sizes right above others: what is odd there is even here, where both are legal.

    A file that was recorded on an example may hold a padding that fits odd sizes only.

    Args:
        graph: the network.
        domain: the legal sizes.
        before: the sizes of other trials, the last of which is the one to be exceeded.
        seed: of the random numbers.
    """
    last = before[-1]
    sizes = _larger(domain, last, domain.symbols, [last[name] + 1 for name in domain.symbols])
    return _trial(graph, BATCHES[-1], sizes, np.random.default_rng(seed)) if domain.symbols and sizes else None


def _trial(graph: Graph, batch: int, sizes: Mapping[str, int], generator: np.random.Generator) -> Trial:
    inputs = {}
    for item in graph.inputs:
        shape = (batch, *(evaluate(extent, sizes) for extent in item.value.type.shape))
        inputs[item.value.name] = generator.standard_normal(shape, dtype="float32")
    written = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    return Trial(f"batch {batch} with {written}" if written else f"batch {batch}", inputs)
