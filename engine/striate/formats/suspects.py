"""Which layers a format cannot hold: each kind of layer is written alone, at the sizes that it has in the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from striate.dims import Constraint, Dim, evaluate, format_dim, solve, symbol, symbols_of
from striate.formats.comparison import Failure, compare_file, first_line
from striate.formats.subject import Converted, RefusedError, Subject
from striate.graph import Graph, Input, Node, TensorType, Value
from striate.lower.torch import Program, load_arrays
from striate.lower.torch.reference import ArrayReference
from striate.onnx.trials import Trial
from striate.ops.problems import Check, LayerError

Convert = Callable[[Subject, Mapping[str, str]], Converted]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A layer that a format cannot hold on its own either, and what the tool says of it."""

    node: Node
    problem: str


def suspects(convert: Convert, subject: Subject, tolerance: float) -> Iterator[Suspect]:
    """Yield the layers that cannot be written alone or compute something else then; layers that are alike only once."""
    seen: set[tuple[object, ...]] = set()
    for node in subject.graph.nodes:
        types = tuple(subject.graph.types[name] for name in node.inputs)
        kind = (node.op, repr(sorted(node.attributes.items())), types)
        if kind in seen:
            continue
        seen.add(kind)
        problem = _problem(convert, _alone(subject, node), tolerance)
        if problem is not None:
            yield Suspect(node, problem)


def _problem(convert: Convert, subject: Subject, tolerance: float) -> str | None:
    try:
        converted = convert(subject, {})
    except RefusedError as error:
        return first_line(error)
    program = load_arrays(Program(subject.graph, subject.lookup), subject.arrays)
    found = compare_file(converted, subject.graph, ArrayReference(program), subject.trials, tolerance)
    return f"{found.trial}: {found.problem}" if isinstance(found, Failure) else None


def _alone(subject: Subject, node: Node) -> Subject:
    """Return a network of one layer, tried at the sizes that its inputs have when the whole network is tried."""
    names = _symbols(subject, node)
    inputs = tuple(
        Input(Value(f"in{index}", _renamed(subject.graph.types[name], names)), {}, node.origin)
        for index, name in enumerate(dict.fromkeys(node.inputs))
    )
    places = {name: f"in{index}" for index, name in enumerate(dict.fromkeys(node.inputs))}
    graph = Graph(
        node.name,
        inputs,
        (replace(node, inputs=tuple(places[name] for name in node.inputs)),),
        {f"out{index}": value.name for index, value in enumerate(node.outputs)},
        {name: subject.graph.weights[name] for name in node.weights.values()},
    )
    domain = solve(_demands(graph, subject), dict.fromkeys(map(format_dim, names.values())))
    trials = [_trial(subject, graph, trial, names) for trial in subject.trials]
    return replace(subject, graph=graph, domain=domain, trials=trials)


def _demands(graph: Graph, subject: Subject) -> list[Constraint]:
    """Return what the layer demands of the sizes of its inputs."""
    check = Check()
    (node,) = graph.nodes
    with suppress(LayerError):  # an attribute that speaks of the network's own symbols: then it demands nothing here
        subject.lookup(node.op).shape(node.attributes, tuple(graph.types[name] for name in node.inputs), check)
    own = {name for item in graph.inputs for extent in item.value.type.shape for name in symbols_of(extent)}
    return [constraint for constraint in check.open if constraint.symbols() <= own]


def _symbols(subject: Subject, node: Node) -> dict[Dim, Dim]:
    """Return a symbol of its own for every open extent of a layer's inputs; extents that are always equal share one."""
    sizes = [_sizes(subject, trial) for trial in subject.trials]
    found: dict[tuple[int, ...], Dim] = {}
    names: dict[Dim, Dim] = {}
    for value in node.inputs:
        for extent in subject.graph.types[value].shape:
            if not isinstance(extent, int):
                taken = tuple(evaluate(extent, each) for each in sizes)
                names[extent] = found.setdefault(taken, symbol(f"S{len(found)}"))
    return names


def _renamed(kind: TensorType, names: Mapping[Dim, Dim]) -> TensorType:
    return TensorType(tuple(extent if isinstance(extent, int) else names[extent] for extent in kind.shape))


def _sizes(subject: Subject, trial: Trial) -> dict[str, int]:
    """Return the sizes of the network's symbols in a trial."""
    sizes: dict[str, int] = {}
    for item in subject.graph.inputs:
        named = zip(item.value.type.shape, trial.inputs[item.value.name].shape[1:], strict=True)
        sizes |= {format_dim(extent): size for extent, size in named if not isinstance(extent, int)}
    return sizes


def _trial(subject: Subject, graph: Graph, trial: Trial, names: Mapping[Dim, Dim]) -> Trial:
    """Return a trial of one layer with the batch and the sizes of a trial of the network."""
    sizes, batch = _sizes(subject, trial), len(next(iter(trial.inputs.values())))
    own = {format_dim(made): evaluate(extent, sizes) for extent, made in names.items()}
    generator = np.random.default_rng(0)
    inputs = {
        item.value.name: generator.standard_normal(
            (batch, *(evaluate(extent, own) for extent in item.value.type.shape)), dtype="float32"
        )
        for item in graph.inputs
    }
    written = ", ".join(f"{format_dim(extent)} = {evaluate(extent, sizes)}" for extent in names)
    return Trial(f"batch {batch} with {written}" if written else f"batch {batch}", inputs)
