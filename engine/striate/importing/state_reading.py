"""The numbers of the tensors that were found, in the form that the network wants them."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.graph import Graph
from striate.importing.state_matching import FOUND, Match, Row
from striate.ops.initializers import start_values
from striate.runtime.stored_tensor import StateFile
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]


def arrays_of(state: StateFile, graph: Graph, match: Match, seed: int) -> tuple[Arrays, tuple[str, ...]]:
    """Return all weights of a network as float32 by name, and the names of those that start from the seed.

    Raises:
        DiagnosticError: E0668, numbers that are not finite.
    """
    rows = {row.weight: row for row in match.rows if row.weight is not None}
    arrays: Arrays = {}
    started = []
    for name, weight in graph.weights.items():
        row = rows[name]
        if row.status in FOUND:
            arrays[name] = _numbers(state, match, row)
        else:
            arrays[name] = start_values(weight, seed)
            started.append(name)
    return arrays, tuple(started)


def _numbers(state: StateFile, match: Match, row: Row) -> np.ndarray[Any, np.dtype[Any]]:
    key = f"{match.prefix}{row.key}"
    stored = state.tensors[key]
    array = stored.read()
    if not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise DiagnosticError(
            Diagnostic(
                "E0668",
                f"{key} in {state.path} holds {bad:,} numbers that are not finite, of {array.size:,}",
                notes=("infinities and not-a-numbers spread to every output", f"it is stored as {stored.kind}"),
                help="take weights from before training came apart",
            )
        )
    if row.axes is not None:
        array = array.transpose(row.axes)
    assert row.shape is not None, "a weight has a size"
    return np.ascontiguousarray(array.reshape(row.shape))
