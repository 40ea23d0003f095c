"""What a summary says, as data: one row per layer, and the totals.

How it looks is up to the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from striate.analysis.costs import BYTES_PER_ELEMENT, NodeCost, node_costs
from striate.analysis.liveness import InferenceMemory, inference_memory
from striate.analysis.receptive import receptive_field
from striate.dims import Dim, evaluate, is_known
from striate.graph import Graph, Node, TensorType
from striate.ops.record import OpRecord

if TYPE_CHECKING:
    from striate.dims.domain import Domain

Lookup = Callable[[str], OpRecord | None]
Extent = tuple[int, ...] | Literal["all"]
Sized = Callable[[Dim], Dim]


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer.

    Attributes:
        name: its path, e.g. `stage1.0.conv2`.
        op: the layer as written in the language, e.g. `conv`.
        detail: kernel and stride where the layer has them, e.g. `3x3/2`.
        inputs: the values that flow in, by name.
        output: the size of its (first) output, batch axis left out.
        parameters: trainable entries; 0 where all its weights were counted at an earlier layer.
        statistics: entries that are stored but not trained.
        macs: multiply-adds for the batch.
        memory: bytes of its outputs in float32 for the batch.
        receptive_field: height and width of what one output pixel sees of the input, or "all".
        file: the text it comes from.
        line: the line in that text.
        blocks: names of the blocks it is in, outermost first.
        shared: True where it uses weights that an earlier layer has already used.
    """

    name: str
    op: str
    detail: str
    inputs: tuple[str, ...]
    output: TensorType
    parameters: int
    statistics: int
    macs: Dim
    memory: Dim
    receptive_field: Extent
    file: str
    line: int
    blocks: tuple[str, ...]
    shared: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """What holds for the whole network.

    Attributes:
        layers: number of layers.
        parameters: trainable entries, each shared weight counted once; running statistics are not among them.
        trainable: the part of `parameters` that training changes.
        statistics: running means and variances and whatever else is stored but not trained.
        macs: multiply-adds for the batch.
        memory: bytes of all layers' outputs in float32 for the batch.
        peak_memory: the most bytes of inputs and values that are alive at once in evaluation, in float32 for the
            batch; None where sizes are open.
        peak_layer: the first layer at which `peak_memory` is reached; nothing where it is None.
        weight_memory: bytes of parameters and statistics in float32.
        receptive_field: what one entry of the (first) output sees of the input.
        local_field: the last field of an image that is not the whole input, and the layer that has it.
        inputs: the inputs by name.
        outputs: the outputs by name.
        batch: number of images that `macs` and `memory` are for.
        sizes: the sizes that were put in for the symbols.
        symbols: the symbols that are still open.
        domain: the sizes that the network takes, as sentences; nothing where none are open.
    """

    layers: int
    parameters: int
    trainable: int
    statistics: int
    macs: Dim
    memory: Dim
    peak_memory: int | None
    peak_layer: str
    weight_memory: int
    receptive_field: Extent
    local_field: tuple[tuple[int, ...], str] | None
    inputs: Mapping[str, TensorType]
    outputs: Mapping[str, TensorType]
    batch: int
    sizes: Mapping[str, int]
    symbols: tuple[str, ...]
    domain: tuple[str, ...]


def layer_rows(graph: Graph, lookup: Lookup, sizes: Mapping[str, int], batch: int) -> tuple[LayerRow, ...]:
    """Return one row per layer in execution order; `sizes` are put in for the symbols of the graph.

    Raises:
        UnknownLayerError: nobody provides one of the layers.
    """
    costs = node_costs(graph, lookup)
    fields = receptive_field(graph, lookup)
    sized = _sizer(sizes)
    seen: set[str] = set()
    rows = []
    for node in graph.nodes:
        weights = set(node.weights.values())
        shared = bool(weights) and weights <= seen
        seen |= weights
        rows.append(_row(node, costs[node.name], fields.of(node.outputs[0].name), sized, batch, shared))
    return tuple(rows)


def totals_of(
    graph: Graph,
    lookup: Lookup,
    rows: tuple[LayerRow, ...],
    domain: Domain | None,
    sizes: Mapping[str, int],
    batch: int,
) -> Totals:
    """Return the totals of the rows of a graph.

    Raises:
        UnknownLayerError: nobody provides one of the layers.
    """
    sized = _sizer(sizes)
    parameters = sum(row.parameters for row in rows)
    statistics = sum(row.statistics for row in rows)
    fields = {
        value.name: row.receptive_field for node, row in zip(graph.nodes, rows, strict=True) for value in node.outputs
    }
    is_open = domain is not None and bool(domain.symbols) and not sizes
    peak = _peak(graph, lookup, sizes, batch)
    return Totals(
        layers=len(rows),
        parameters=parameters,
        trainable=parameters,
        statistics=statistics,
        macs=added(row.macs for row in rows),
        memory=added(row.memory for row in rows),
        peak_memory=peak.peak if peak else None,
        peak_layer=peak.peak_layer if peak else "",
        weight_memory=(parameters + statistics) * BYTES_PER_ELEMENT,
        receptive_field=fields.get(next(iter(graph.outputs.values()), ""), (1, 1)),
        local_field=_last_local(rows),
        inputs={item.value.name: _resized(item.value.type, sized) for item in graph.inputs},
        outputs={name: _resized(graph.types[value], sized) for name, value in graph.outputs.items()},
        batch=batch,
        sizes=dict(sizes),
        symbols=domain.symbols if domain is not None and is_open else (),
        domain=tuple(domain.sentences()) if domain is not None and is_open else (),
    )


def _peak(graph: Graph, lookup: Lookup, sizes: Mapping[str, int], batch: int) -> InferenceMemory | None:
    is_settled = all(is_known(extent) for kind in graph.types.values() for extent in kind.shape)
    return inference_memory(graph, lookup, sizes=sizes, batch=batch) if sizes or is_settled else None


def added(sizes: Iterable[Dim]) -> Dim:
    """Return the sum of sizes that may be open."""
    total: Dim = 0
    for size in sizes:
        total = total + size
    return total


def _row(node: Node, cost: NodeCost, field: Extent, sized: Sized, batch: int, shared: bool) -> LayerRow:
    return LayerRow(
        name=node.name,
        op=node.op,
        detail=_detail(node),
        inputs=node.inputs,
        output=_resized(node.outputs[0].type, sized),
        parameters=cost.parameters,
        statistics=cost.statistics,
        macs=sized(cost.macs) * batch,
        memory=sized(cost.memory) * batch,
        receptive_field=field,
        file=node.origin.span.file,
        line=node.origin.span.line,
        blocks=tuple(frame.block for frame in node.origin.trail),
        shared=shared,
    )


def _sizer(sizes: Mapping[str, int]) -> Sized:
    """Return the function that puts sizes in; it keeps what it has worked out, for sizes repeat from layer to layer."""
    if not sizes:
        return lambda dim: dim
    known: dict[Dim, int] = {}

    def sized(dim: Dim) -> Dim:
        if isinstance(dim, int):
            return dim
        if dim not in known:
            known[dim] = evaluate(dim, sizes)
        return known[dim]

    return sized


def _resized(kind: TensorType, sized: Sized) -> TensorType:
    if all(is_known(extent) for extent in kind.shape):
        return kind
    return TensorType(tuple(sized(extent) for extent in kind.shape))


def _detail(node: Node) -> str:
    """Return kernel and stride as tables in papers have them (`3x3/2`), then dilation and groups unless they are 1.

    Of a layer of several values, of which the row shows the first, it is their number.
    """
    attributes = node.attributes
    if len(node.outputs) > 1:
        return f"into {len(node.outputs)}"
    kernel: Any = attributes.get("kernel")
    stride: Any = attributes.get("stride")
    dilation: Any = attributes.get("dilation")
    if not _per_axis(kernel):
        return ""
    text = "x".join(map(str, kernel))
    if _per_axis(stride) and set(stride) != {1}:
        text += f"/{_times(stride)}"
    if _per_axis(dilation) and set(dilation) != {1}:
        text += f" dilation {_times(dilation)}"
    if attributes.get("groups", 1) != 1:
        text += f" groups {attributes['groups']}"
    return text


def _per_axis(value: Any) -> bool:
    return isinstance(value, tuple) and 1 <= len(value) <= 3


def _times(numbers: tuple[int, ...]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else "x".join(map(str, numbers))


def _last_local(rows: tuple[LayerRow, ...]) -> tuple[tuple[int, ...], str] | None:
    for row in reversed(rows):
        if row.output.rank > 1 and not isinstance(row.receptive_field, str):
            return row.receptive_field, row.name
    return None
