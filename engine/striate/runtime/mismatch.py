"""Why weights do not belong to a network: by name and size, or because the network computes something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from striate.graph import Graph
from striate_dsl.diagnostics import Diagnostic

Step = Mapping[str, Any]
"""One node as plain data: `name`, `op`, `inputs` and, where it has them, `attributes` as text and `weights` by role."""

_SHOWN = 12
"""Lines of one kind that a message shows before it counts the rest."""


def architecture_mismatch(
    path: Path, graph: Graph, shapes: Mapping[str, tuple[int, ...]], arguments: Mapping[str, str]
) -> Diagnostic | None:
    """Compare the names and sizes in a checkpoint with a graph's weights; None where all of them fit.

    Args:
        path: the checkpoint, for the message.
        graph: the network.
        shapes: the sizes in the checkpoint by name.
        arguments: the model parameters with which the checkpoint was made, where they are known.
    """
    wanted = {name: weight.shape for name, weight in graph.weights.items()}
    missing = [f"missing: {name} ({_size(shape)})" for name, shape in wanted.items() if name not in shapes]
    unexpected = [f"unexpected: {name} ({_size(shape)})" for name, shape in shapes.items() if name not in wanted]
    different = [
        f"different: {name} is {_size(shapes[name])} in the checkpoint, {_size(shape)} in the network"
        for name, shape in wanted.items()
        if name in shapes and shapes[name] != shape
    ]
    if not (missing or unexpected or different):
        return None
    return Diagnostic(
        "E0504",
        f"the weights in {path} belong to another architecture than {graph.name}",
        notes=(*_shortened(different), *_shortened(missing), *_shortened(unexpected), "nothing was loaded"),
        help=(None if missing or unexpected else _other_arguments(graph, arguments))
        or "choose the file and the model that these weights were trained with",
    )


def computation(graph: Graph) -> tuple[Step, ...]:
    """Return what a graph computes, one entry per input, node and output, without sizes of values and its own name.

    Weights mean the same in two graphs with equal entries, whatever the size of their input.
    """
    inputs: list[Step] = [
        {"name": item.value.name, "op": "input", "inputs": [], "attributes": _as_text(item.contract)}
        for item in graph.inputs
    ]
    steps: list[Step] = [
        {
            "name": node.name,
            "op": node.op,
            "inputs": list(node.inputs),
            "attributes": _as_text(node.attributes),
            "weights": dict(node.weights),
        }
        for node in graph.nodes
    ]
    return (
        *inputs,
        *steps,
        *({"name": name, "op": "output", "inputs": [value]} for name, value in graph.outputs.items()),
    )


def computation_mismatch(path: Path, stored: Sequence[Step], wanted: Sequence[Step]) -> Diagnostic | None:
    """Compare what weights were trained to compute with what a network computes; None where it is the same.

    An attribute that only one side has does not count: layers may get further arguments in later versions. An input's
    pixel contract has to be the same in all points.
    """
    before, now = {step["name"]: step for step in stored}, {step["name"]: step for step in wanted}
    changed = [name for name in {**before, **now} if not _same(before.get(name), now.get(name))]
    if not changed:
        return None
    changes = [f"{name}: {_written(before.get(name))} when trained, {_written(now.get(name))} now" for name in changed]
    return Diagnostic(
        "E0504",
        f"the weights in {path} fit by name and size, but the network computes something else now",
        notes=(*_shortened(changes), "nothing was loaded"),
        help="restore the text that the weights were trained with (it is in the checkpoint), or train again",
    )


def _same(before: Step | None, now: Step | None) -> bool:
    if before is None or now is None:
        return False
    if before["op"] == "input":
        return before == now
    first, second = before.get("attributes", {}), now.get("attributes", {})
    if any(first[name] != second[name] for name in first.keys() & second.keys()):
        return False
    return all(before.get(key) == now.get(key) for key in ("op", "inputs", "weights"))


def _as_text(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in attributes.items()}


def _written(step: Step | None) -> str:
    if step is None:
        return "not there"
    arguments = [*step["inputs"], *(f"{name} = {value}" for name, value in step.get("attributes", {}).items())]
    return f"{step['op']}({', '.join(arguments)})"


def _other_arguments(graph: Graph, arguments: Mapping[str, str]) -> str | None:
    now = graph.arguments
    differing = [f"--set {name}={value}" for name, value in arguments.items() if str(now.get(name, value)) != value]
    return f"they were trained with {' '.join(differing)}" if differing else None


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= _SHOWN:
        return lines
    return [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} more like these"]
