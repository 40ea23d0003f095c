"""What a summary says, as data: one row per layer, and the totals.

How it looks is up to the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from striate.analysis.costs import Lookup, node_costs
from striate.analysis.receptive import Field, receptive_field
from striate.analysis.roofline import LayerBound, Roofline, layer_bound
from striate.analysis.strides import grids_of
from striate.analysis.training import TrainingMemory
from striate.analysis.training_time import TrainingTime
from striate.dims import Dim, evaluate, is_known
from striate.graph import Graph, Node, TensorType
from striate.view.conditions import Conditions
from striate.view.needs import peak_of, training_of

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
        flops: floating-point operations for the batch: two for each multiply-add, and the others.
        moved: bytes that it reads and writes by itself, weights included, for the batch.
        memory: bytes of its outputs for the batch.
        alive: bytes of inputs and values that are alive while it runs; in training everything that is, at the worse
            of its two passes. None where sizes are open.
        kept: bytes that stay from its forward to its backward pass; None in evaluation and where sizes are open.
        receptive_field: height and width of what one output pixel sees of the input, or "all".
        stride: input pixels from one output pixel to the next, per axis; None where there is no one number for it.
        offset: where the centre of what the first output pixel sees lies, in pixels from the centre of the first input
            pixel, per axis; None like `stride`.
        bound: the least time on the device, and what it is due to; None without a device.
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
    flops: Dim
    moved: Dim
    memory: Dim
    alive: int | None
    kept: int | None
    receptive_field: Extent
    stride: tuple[Fraction, ...] | None
    offset: tuple[Fraction, ...] | None
    bound: LayerBound | None
    file: str
    line: int
    blocks: tuple[str, ...]
    shared: bool

    @property
    def intensity(self) -> float | None:
        """Operations per byte moved; None where sizes are open or nothing is moved."""
        if isinstance(self.flops, int) and isinstance(self.moved, int) and self.moved:
            return self.flops / self.moved
        return None


@dataclass(frozen=True, slots=True)
class Totals:
    """What holds for the whole network.

    Attributes:
        layers: number of layers.
        parameters: trainable entries, each shared weight counted once; running statistics are not among them.
        trainable: the part of `parameters` that training changes.
        statistics: running means and variances and whatever else is stored but not trained.
        macs: multiply-adds for the batch.
        flops: floating-point operations for the batch.
        moved: bytes that the layers read and write, one by one, for the batch.
        memory: bytes of all layers' outputs for the batch.
        peak_memory: the most bytes of inputs and values that are alive at once in evaluation, for the batch; None
            where sizes are open.
        peak_layer: the first layer at which `peak_memory` is reached; nothing where it is None.
        weight_memory: bytes of parameters and statistics.
        training: the memory of a step of training; None in evaluation and where sizes are open.
        roofline: bounds of the time on a device; None without one.
        training_time: bounds of the time of a training step on the device; None in evaluation and without a device.
        largest_batch: the most images that fit into the device's memory; None without a device, or where all do that
            were asked for.
        receptive_field: what one entry of the (first) output sees of the input.
        local_field: the last field of an image that is not the whole input, and the layer that has it.
        inputs: the inputs by name.
        outputs: the outputs by name.
        conditions: the sizes that were put in for the symbols, the batch, precision, optimizer and device.
        symbols: the symbols that are still open.
        domain: the sizes that the network takes, as sentences; nothing where none are open.
    """

    layers: int
    parameters: int
    trainable: int
    statistics: int
    macs: Dim
    flops: Dim
    moved: Dim
    memory: Dim
    peak_memory: int | None
    peak_layer: str
    weight_memory: int
    training: TrainingMemory | None
    roofline: Roofline | None
    training_time: TrainingTime | None
    largest_batch: int | None
    receptive_field: Extent
    local_field: tuple[tuple[int, ...], str] | None
    inputs: Mapping[str, TensorType]
    outputs: Mapping[str, TensorType]
    conditions: Conditions
    symbols: tuple[str, ...]
    domain: tuple[str, ...]

    @property
    def batch(self) -> int:
        """The number of images that everything is counted for."""
        return self.conditions.batch

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes that were put in for the symbols."""
        return self.conditions.sizes

    @property
    def needed_memory(self) -> int | None:
        """The most bytes at once with weights: of training where that was asked for; None where sizes are open."""
        if self.training is not None:
            return self.training.peak
        return None if self.peak_memory is None else self.peak_memory + self.weight_memory


def layer_rows(graph: Graph, lookup: Lookup, given: Conditions) -> tuple[LayerRow, ...]:
    """Return one row per layer in execution order.

    Raises:
        UnknownLayerError: nobody provides one of the layers.
    """
    return tuple(_Rows(graph, lookup, given).all())


class _Rows:
    """What rows are made of, worked out once for the graph."""

    def __init__(self, graph: Graph, lookup: Lookup, given: Conditions) -> None:
        self._graph, self._given = graph, given
        self._costs = node_costs(graph, lookup)
        fields = receptive_field(graph, lookup)
        self._fields = {node.name: fields.of(node.outputs[0].name) for node in graph.nodes}
        self._grids = {node.name: _first_grid(fields.fields[node.outputs[0].name]) for node in graph.nodes}
        self._training = training_of(graph, lookup, given)
        peak = peak_of(graph, lookup, given) if self._training is None else None
        self._alive: Mapping[str, int] = peak.while_running if peak is not None else self._while_training()
        self._sized = sizer(given.sizes)

    def all(self) -> Iterator[LayerRow]:
        seen: set[str] = set()
        for node in self._graph.nodes:
            weights = set(node.weights.values())
            yield self._row(node, shared=bool(weights) and weights <= seen)
            seen |= weights

    def _while_training(self) -> dict[str, int]:
        found = self._training
        if found is None:
            return {}
        return {name: max(alive, found.backward.get(name, 0)) for name, alive in found.forward.items()}

    def _row(self, node: Node, *, shared: bool) -> LayerRow:
        cost, given, sized = self._costs[node.name], self._given, self._sized
        stride, offset = self._grids[node.name]
        flops, moved = sized(cost.flops) * given.batch, sized(cost.moved(given.batch, given.precision.bytes))
        bound = None
        if given.device is not None and isinstance(flops, int) and isinstance(moved, int):
            bound = layer_bound(given.device, given.precision, flops, moved)
        return LayerRow(
            name=node.name,
            op=node.op,
            detail=_detail(node),
            inputs=node.inputs,
            output=resized(node.outputs[0].type, sized),
            parameters=cost.parameters,
            statistics=cost.statistics,
            macs=sized(cost.macs) * given.batch,
            flops=flops,
            moved=moved,
            memory=sized(cost.output_bytes(given.precision.bytes)) * given.batch,
            alive=self._alive.get(node.name),
            kept=self._training.kept[node.name] if self._training is not None else None,
            receptive_field=self._fields[node.name],
            stride=stride,
            offset=offset,
            bound=bound,
            file=node.origin.span.file,
            line=node.origin.span.line,
            blocks=tuple(frame.block for frame in node.origin.trail),
            shared=shared,
        )


def _first_grid(field: Field | Literal["all"]) -> tuple[tuple[Fraction, ...] | None, tuple[Fraction, ...] | None]:
    """Return strides and offsets along all axes of the first input that is seen; None where one of them has several."""
    if isinstance(field, str):
        return None, None
    grids = next(iter(grids_of(field).values()))
    known = [grid for grid in grids if grid is not None]
    if len(known) < len(grids):
        return None, None
    return tuple(grid.jump for grid in known), tuple(grid.start for grid in known)


def added(sizes: Iterable[Dim]) -> Dim:
    """Return the sum of sizes that may be open."""
    total: Dim = 0
    for size in sizes:
        total = total + size
    return total


def sizer(sizes: Mapping[str, int]) -> Sized:
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


def resized(kind: TensorType, sized: Sized) -> TensorType:
    """Return a type with sizes put in."""
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
