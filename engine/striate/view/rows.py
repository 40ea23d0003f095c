"""What a summary says, as data: one row per layer, and the totals.

How it looks is up to the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from striate.analysis.costs import BYTES_PER_ELEMENT, NodeCost, node_costs
from striate.analysis.receptive import receptive_field
from striate.dims import Dim, evaluate, is_known
from striate.graph import Graph, Node, TensorType
from striate.ops.record import OpRecord

if TYPE_CHECKING:
    from striate.dims.domain import Domain

Lookup = Callable[[str], OpRecord | None]
Extent = tuple[int, int] | Literal["all"]
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
    weight_memory: int
    receptive_field: Extent
    local_field: tuple[tuple[int, int], str] | None
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
    graph: Graph, rows: tuple[LayerRow, ...], domain: Domain | None, sizes: Mapping[str, int], batch: int
) -> Totals:
    """Return the totals of the rows of a graph."""
    sized = _sizer(sizes)
    parameters = sum(row.parameters for row in rows)
    statistics = sum(row.statistics for row in rows)
    fields = {
        value.name: row.receptive_field for node, row in zip(graph.nodes, rows, strict=True) for value in node.outputs
    }
    is_open = domain is not None and bool(domain.symbols) and not sizes
    return Totals(
        layers=len(rows),
        parameters=parameters,
        trainable=parameters,
        statistics=statistics,
        macs=added(row.macs for row in rows),
        memory=added(row.memory for row in rows),
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
        detail=_detail(node.attributes),
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


def _detail(attributes: Mapping[str, Any]) -> str:
    """Return kernel and stride as tables in papers have them (`3x3/2`), then dilation and groups unless they are 1."""
    kernel: Any = attributes.get("kernel")
    stride: Any = attributes.get("stride")
    dilation: Any = attributes.get("dilation")
    if not _is_pair(kernel):
        return ""
    text = f"{kernel[0]}x{kernel[1]}"
    if _is_pair(stride) and stride != (1, 1):
        text += f"/{_pair(stride)}"
    if _is_pair(dilation) and dilation != (1, 1):
        text += f" dilation {_pair(dilation)}"
    if attributes.get("groups", 1) != 1:
        text += f" groups {attributes['groups']}"
    return text


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _pair(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"


def _last_local(rows: tuple[LayerRow, ...]) -> tuple[tuple[int, int], str] | None:
    for row in reversed(rows):
        if row.output.rank == 3 and not isinstance(row.receptive_field, str):
            return row.receptive_field, row.name
    return None
