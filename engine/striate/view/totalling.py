"""What holds for a whole network, worked out from the rows of its layers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from striate.analysis.costs import Lookup, elements
from striate.analysis.devices import Device
from striate.analysis.precision import FP32
from striate.analysis.roofline import Roofline
from striate.analysis.training_time import training_time
from striate.graph import Graph
from striate.view.conditions import Conditions
from striate.view.needs import peak_of, training_of
from striate.view.rows import LayerRow, Totals, added, resized, sizer

if TYPE_CHECKING:
    from striate.dims.domain import Domain


def totals_of(
    graph: Graph, lookup: Lookup, rows: tuple[LayerRow, ...], domain: Domain | None, given: Conditions
) -> Totals:
    """Return the totals of the rows of a graph.

    Raises:
        UnknownLayerError: nobody provides one of the layers.
    """
    sized = sizer(given.sizes)
    parameters = sum(row.parameters for row in rows)
    statistics = sum(row.statistics for row in rows)
    fields = {
        value.name: row.receptive_field for node, row in zip(graph.nodes, rows, strict=True) for value in node.outputs
    }
    is_open = domain is not None and bool(domain.symbols) and not given.sizes
    peak = peak_of(graph, lookup, given)
    stored = FP32 if given.optimizer is not None else given.precision
    totals = Totals(
        layers=len(rows),
        parameters=parameters,
        trainable=parameters,
        statistics=statistics,
        macs=added(row.macs for row in rows),
        flops=added(row.flops for row in rows),
        moved=added(row.moved for row in rows),
        memory=added(row.memory for row in rows),
        peak_memory=peak.peak if peak else None,
        peak_layer=peak.peak_layer if peak else "",
        weight_memory=(parameters + statistics) * stored.bytes,
        training=training_of(graph, lookup, given),
        roofline=None,
        training_time=None,
        largest_batch=None,
        receptive_field=fields.get(next(iter(graph.outputs.values()), ""), (1, 1)),
        local_field=_last_local(rows),
        inputs={item.value.name: resized(item.value.type, sized) for item in graph.inputs},
        outputs={name: resized(graph.types[value], sized) for name, value in graph.outputs.items()},
        conditions=given,
        symbols=domain.symbols if domain is not None and is_open else (),
        domain=tuple(domain.sentences()) if domain is not None and is_open else (),
    )
    if given.device is None or totals.needed_memory is None:
        return totals
    bounds = _roofline(rows, totals, given.device)
    step = None
    if given.optimizer is not None:
        step = training_time(graph, lookup, bounds, given.optimizer, batch=given.batch, sizes=given.sizes)
    largest = _largest_batch(graph, lookup, totals, given.device)
    return replace(totals, roofline=bounds, training_time=step, largest_batch=largest)


def _roofline(rows: tuple[LayerRow, ...], totals: Totals, device: Device) -> Roofline:
    given = totals.conditions
    passing = added(elements(kind) for kind in (*totals.inputs.values(), *totals.outputs.values())) * given.batch
    layers = {row.name: row.bound for row in rows if row.bound is not None}
    operations, unavoidable = totals.flops, (passing + totals.parameters + totals.statistics) * given.precision.bytes
    assert isinstance(operations, int), "memory is known, so sizes are"
    assert isinstance(unavoidable, int), "memory is known, so sizes are"
    return Roofline(device, given.precision, layers, operations, unavoidable)


def _largest_batch(graph: Graph, lookup: Lookup, totals: Totals, device: Device) -> int | None:
    """Return the most images that fit into a device's memory, fewer than were asked for; None where all of them do."""

    def fits(batch: int) -> bool:
        given = replace(totals.conditions, batch=batch)
        training = training_of(graph, lookup, given)
        if training is not None:
            return training.peak <= device.memory
        peak = peak_of(graph, lookup, given)
        return peak is not None and peak.peak + totals.weight_memory <= device.memory

    if totals.needed_memory is None or totals.needed_memory <= device.memory:
        return None
    fitting, too_many = 0, totals.batch
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        fitting, too_many = (middle, too_many) if fits(middle) else (fitting, middle)
    return fitting


def _last_local(rows: tuple[LayerRow, ...]) -> tuple[tuple[int, ...], str] | None:
    for row in reversed(rows):
        if row.output.rank > 1 and not isinstance(row.receptive_field, str):
            return row.receptive_field, row.name
    return None
