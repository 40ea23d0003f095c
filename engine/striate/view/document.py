"""A summary as plain JSON values. Sizes that a file leaves open are texts, every other number is a number."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from striate.analysis.training_time import TrainingTime
from striate.graph import TensorType
from striate.view.rows import Extent, LayerRow, Totals
from striate.view.wording import Wording

if TYPE_CHECKING:
    from striate.dims.domain import Domain


def document(model: str, rows: tuple[LayerRow, ...], totals: Totals, domain: Domain | None) -> dict[str, Any]:
    """Return a summary for `--format json`; its keys are a promise and are only ever added to."""
    wording = Wording.of(domain)
    return {
        "model": model,
        "parameters": totals.parameters,
        "trainable": totals.trainable,
        "statistics": totals.statistics,
        "macs": wording.plain(totals.macs),
        "flops": wording.plain(totals.flops),
        "moved": wording.plain(totals.moved),
        "memory": wording.plain(totals.memory),
        "peak_memory": totals.peak_memory,
        "peak_layer": totals.peak_layer or None,
        "weight_memory": totals.weight_memory,
        "receptive_field": _extent(totals.receptive_field),
        "batch": totals.batch,
        "precision": totals.conditions.precision.name,
        "training": _training(totals),
        "device": _device(totals),
        "sizes": dict(totals.sizes),
        "symbols": list(totals.symbols),
        "domain": None if domain is None else domain.to_json(),
        "inputs": _sizes(totals.inputs, wording),
        "outputs": _sizes(totals.outputs, wording),
        "layers": [_layer(row, wording) for row in rows],
    }


def _layer(row: LayerRow, wording: Wording) -> dict[str, Any]:
    return {
        "name": row.name,
        "op": row.op,
        "inputs": list(row.inputs),
        "output": _shape(row.output, wording),
        "parameters": row.parameters,
        "statistics": row.statistics,
        "macs": wording.plain(row.macs),
        "flops": wording.plain(row.flops),
        "moved": wording.plain(row.moved),
        "intensity": row.intensity,
        "memory": wording.plain(row.memory),
        "alive": row.alive,
        "kept": row.kept,
        "stride": _places(row.stride),
        "offset": _places(row.offset),
        "least_ms": None if row.bound is None else row.bound.seconds * 1e3,
        "bound": None if row.bound is None else row.bound.limit,
        "receptive_field": _extent(row.receptive_field),
        "file": row.file,
        "line": row.line,
        "blocks": list(row.blocks),
        "shared": row.shared,
    }


def _shape(kind: TensorType, wording: Wording) -> list[int | str]:
    return [wording.plain(extent) for extent in kind.shape]


def _sizes(kinds: Mapping[str, TensorType], wording: Wording) -> dict[str, list[int | str]]:
    return {name: _shape(kind, wording) for name, kind in kinds.items()}


def _extent(extent: Extent) -> list[int] | str:
    return extent if isinstance(extent, str) else list(extent)


def _places(places: tuple[Fraction, ...] | None) -> list[float] | None:
    return None if places is None else [float(place) for place in places]


def _training(totals: Totals) -> dict[str, Any] | None:
    found, optimizer = totals.training, totals.conditions.optimizer
    if found is None or optimizer is None:
        return None
    phase, layer = found.peak_at
    return {
        "optimizer": optimizer.name,
        "peak": found.peak,
        "peak_phase": phase,
        "peak_layer": layer or None,
        "weights": found.weights,
        "gradients": found.gradients,
        "state": found.state,
        "kept": sum(found.kept.values()),
    }


def _device(totals: Totals) -> dict[str, Any] | None:
    found = totals.roofline
    if found is None:
        return None
    return {
        "name": found.device.name,
        "title": found.device.title,
        "source": found.device.source,
        "memory": found.device.memory,
        "needed_memory": totals.needed_memory,
        "fits": totals.largest_batch is None,
        "largest_batch": totals.largest_batch,
        "ridge": found.ridge,
        "least_ms": found.seconds * 1e3,
        "least_ms_fused": found.fused * 1e3,
        **_step(totals.training_time),
    }


def _step(found: TrainingTime | None) -> dict[str, float]:
    """Return the bounds of a training step, where one is asked for."""
    if found is None:
        return {}
    return {
        "least_ms_backward": sum(bound.seconds for bound in found.backward.values()) * 1e3,
        "least_ms_update": found.update * 1e3,
        "least_ms_step": found.seconds * 1e3,
        "least_ms_step_fused": found.fused * 1e3,
    }
