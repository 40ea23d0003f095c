"""Weights that are trained otherwise than the rest: groups of a recipe, and which weights belong to which. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from striate.graph import Graph
from striate.host.records import Factory
from striate.ops.arguments import Argument, ArgumentError, Optional, Real, format_value, quote_value
from striate.ops.record import OpRecord
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.names import nearest
from striate_dsl.source import Span

NO_DECAY = "biases_and_norms"
"""The value of `no_decay` that keeps weight decay to the kernels."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text in which `*` stands for any characters, as in `"stage1.*"`."""

    def describe(self) -> str:
        """Return the legal values in words."""
        return 'a text for names of weights, with * for any characters, as in "stage1.*"'

    def convert(self, value: Any) -> str:
        """Return the text."""
        if not isinstance(value, str) or not value:
            raise ArgumentError(f"must be {self.describe()}, not {quote_value(value)}")
        return value


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """What `group(…)` in a recipe takes; it is read like what plugins provide."""

    name: str = "group"
    factory: Factory = field(default_factory=lambda: Factory("striate.train.groups:WeightGroup"))
    arguments: tuple[Argument, ...] = (
        Argument("weights", Pattern(), "Names of weights, with * for any characters."),
        Argument("rate", Real(0), "By which the learning rate is multiplied; 0 leaves the weights as they are.", 1.0),
        Argument("weight_decay", Optional(Real(0)), "Instead of the optimizer's; none keeps that.", None),
    )


GROUP = GroupRecord()


@dataclass(frozen=True, slots=True)
class _Groups:
    """A list of groups."""

    def describe(self) -> str:
        return f"a list of group({', '.join(argument.signature for argument in GROUP.arguments)})"

    def convert(self, value: Any) -> Any:
        return value  # the recipe reads them one by one, each with its place


GROUPS = Argument("groups", _Groups(), "Weights trained otherwise than the rest; the first that fits counts.", ())
"""The setting of a recipe."""


@dataclass(frozen=True, slots=True)
class WeightGroup:
    """A line of a recipe's `groups`.

    Attributes:
        weights: the names of weights that it is for, with `*` for any characters.
        rate: the factor of their learning rate.
        weight_decay: theirs, or None for the optimizer's.
        span: where the recipe has it.
    """

    weights: str
    rate: float
    weight_decay: float | None
    span: Span

    def __str__(self) -> str:
        shown = [format_value(self.weights)]
        shown += [f"rate = {format_value(self.rate)}"] if self.rate != 1 else []
        shown += [] if self.weight_decay is None else [f"weight_decay = {format_value(self.weight_decay)}"]
        return f"group({', '.join(shown)})"

    def holds(self, name: str) -> bool:
        """Whether a weight is of the group."""
        return fnmatchcase(name, self.weights)


@dataclass(frozen=True, slots=True)
class Treatment:
    """How some weights are trained: factor of their rate, weight decay (None for the optimizer's), and their names."""

    rate: float
    weight_decay: float | None
    names: tuple[str, ...]


def treatments(
    graph: Graph, lookup: Callable[[str], OpRecord], groups: Iterable[WeightGroup], no_decay: str | None
) -> tuple[Treatment, ...]:
    """Return the trainable weights of a network by how they are trained, all of them once, in the network's order.

    Args:
        graph: the network.
        lookup: from a layer's name to its record.
        groups: the recipe's groups; a weight belongs to the first one that holds it.
        no_decay: `biases_and_norms` if weight decay is for kernels only.
    """
    spared = _spared(graph, lookup) if no_decay == NO_DECAY else frozenset()
    found: dict[tuple[float, float | None], list[str]] = {}
    groups = tuple(groups)
    for weight in graph.weights.values():
        if not weight.trainable:
            continue
        group = next((item for item in groups if item.holds(weight.name)), None)
        decay = group.weight_decay if group else None
        if decay is None and weight.name in spared:
            decay = 0.0
        found.setdefault((group.rate if group else 1.0, decay), []).append(weight.name)
    return tuple(Treatment(rate, decay, tuple(names)) for (rate, decay), names in found.items())


def _spared(graph: Graph, lookup: Callable[[str], OpRecord]) -> frozenset[str]:
    """Return the names of biases, of the weights of norms, and of all others with a single axis."""
    of_norms = {
        name for node in graph.nodes if lookup(node.op).role == "normalisation" for name in node.weights.values()
    }
    biases = {name for node in graph.nodes for role, name in node.weights.items() if role == "bias"}
    vectors = {weight.name for weight in graph.weights.values() if len(weight.shape) < 2}
    return frozenset(of_norms | biases | vectors)


def check_groups(graph: Graph, groups: Iterable[WeightGroup]) -> list[Diagnostic]:
    """Return a finding per group that holds no trainable weight of a network."""
    names = [weight.name for weight in graph.weights.values() if weight.trainable]
    findings = []
    for group in groups:
        if any(group.holds(name) for name in names):
            continue
        near = nearest(group.weights, names)
        findings.append(
            Diagnostic(
                "E0507",
                f"no weight of {graph.name} is called {group.weights}",
                group.span,
                notes=(f"its weights: {', '.join(names[:6])}{', …' if len(names) > 6 else ''}",) if names else (),
                help=f"did you mean {near}?"
                if near
                else f"striate summary shows them; {names[0]} is one"
                if names
                else None,
            )
        )
    return findings
