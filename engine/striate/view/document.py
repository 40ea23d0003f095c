"""A summary as plain JSON values. Sizes that a file leaves open are texts, every other number is a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from striate.dims import Dim, format_dim
from striate.graph import TensorType
from striate.view.rows import Extent, LayerRow, Totals

if TYPE_CHECKING:
    from striate.dims.domain import Domain


def document(model: str, rows: tuple[LayerRow, ...], totals: Totals, domain: Domain | None) -> dict[str, Any]:
    """Return a summary for `--format json`; its keys are a promise and are only ever added to."""
    return {
        "model": model,
        "parameters": totals.parameters,
        "trainable": totals.trainable,
        "statistics": totals.statistics,
        "macs": _number(totals.macs),
        "memory": _number(totals.memory),
        "weight_memory": totals.weight_memory,
        "receptive_field": _extent(totals.receptive_field),
        "batch": totals.batch,
        "sizes": dict(totals.sizes),
        "symbols": list(totals.symbols),
        "domain": None if domain is None else domain.to_json(),
        "inputs": _sizes(totals.inputs),
        "outputs": _sizes(totals.outputs),
        "layers": [_layer(row) for row in rows],
    }


def _layer(row: LayerRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "op": row.op,
        "inputs": list(row.inputs),
        "output": _shape(row.output),
        "parameters": row.parameters,
        "statistics": row.statistics,
        "macs": _number(row.macs),
        "memory": _number(row.memory),
        "receptive_field": _extent(row.receptive_field),
        "file": row.file,
        "line": row.line,
        "blocks": list(row.blocks),
        "shared": row.shared,
    }


def _number(size: Dim) -> int | str:
    return size if isinstance(size, int) else format_dim(size)


def _shape(kind: TensorType) -> list[int | str]:
    return [_number(extent) for extent in kind.shape]


def _sizes(kinds: Mapping[str, TensorType]) -> dict[str, list[int | str]]:
    return {name: _shape(kind) for name, kind in kinds.items()}


def _extent(extent: Extent) -> list[int] | str:
    return extent if isinstance(extent, str) else list(extent)
