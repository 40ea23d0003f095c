"""Whether a network's weights fit into this machine at all, asked before anything is allocated."""

from __future__ import annotations

import os

from striate.graph import Graph
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

BYTES_PER_WEIGHT = 4


def demand_room(graph: Graph) -> None:
    """Check that the weights are smaller than the machine's memory.

    Raises:
        DiagnosticError: E0590, they are not; the layer with the largest weight is named.
    """
    needed = BYTES_PER_WEIGHT * sum(weight.size for weight in graph.weights.values())
    present = physical_memory()
    if present is None or needed < present:
        return
    largest = max(graph.weights.values(), key=lambda weight: weight.size)
    owner = next(node for node in graph.nodes if largest.name in node.weights.values())
    raise DiagnosticError(
        Diagnostic(
            "E0590",
            f"the weights of {graph.name} need {needed / 1e9:,.1f} GB, this machine has {present / 1e9:,.1f} GB",
            owner.origin.span,
            label=f"{largest.name} alone has {largest.size:,} entries",
        )
    )


def physical_memory() -> int | None:
    """Return the bytes of memory of this machine, or None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
