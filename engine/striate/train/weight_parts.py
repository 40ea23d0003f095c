"""The weights that a recipe's initialisers and regularisers are for, and what is wrong where they mean none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.elaborate.faults import suggestion
from striate.graph import Graph
from striate.host.catalogue import HostCatalogue
from striate.host.weight_choice import WEIGHTS, chosen_weights, idle_choice
from striate.ops.arguments import format_value
from striate.train.parts import Part
from striate.train.recipe import Recipe, read_recipe
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.syntax import File, Section

_SHOWN = 8


def weights_of(part: Part[Any], graph: Graph) -> tuple[str, ...]:
    """Return the names of the weights that a part is for."""
    return chosen_weights(graph.weights, part.arguments[WEIGHTS.name])


def check_weights(recipe: Recipe, graph: Graph) -> None:
    """Demand that every initialiser and regulariser of a recipe means weights that the network has.

    Raises:
        DiagnosticError: E0403, one or several mean none.
    """
    if findings := _idle_parts(recipe, graph):
        raise DiagnosticError(*findings)


def idle_parts(file: File, section: Section, graphs: Sequence[Graph], catalogue: HostCatalogue) -> list[Diagnostic]:
    """Return E0403 for the parts of a recipe that mean no weight of any network that it is for.

    A recipe with other mistakes has none of these: they are told when it can be read.
    """
    try:
        recipe = read_recipe(file, section, section.name.text if section.name else "", catalogue)
    except DiagnosticError:
        return []
    told = [_idle_parts(recipe, graph) for graph in graphs]
    everywhere = set.intersection(*({item.span for item in found} for found in told)) if told else set()
    return [item for item in told[0] if item.span in everywhere] if told else []


def _idle_parts(recipe: Recipe, graph: Graph) -> list[Diagnostic]:
    found = []
    parts: tuple[Part[Any], ...] = (*recipe.init, *recipe.regularize)
    for part in parts:
        idle = idle_choice(graph.weights, part.arguments[WEIGHTS.name])
        if idle is not None:
            found.append(_idle(part, format_value(idle), graph))
    return found


def _idle(part: Part[Any], written: str, graph: Graph) -> Diagnostic:
    names = [name for name, weight in graph.weights.items() if weight.trainable]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return Diagnostic(
        "E0403",
        f"{part.record.name}: no trained weight of {graph.name} is meant by weights = {written}",
        part.span,
        notes=(f"its weights: {shown}" if names else f"{graph.name} has none",),
        help=suggestion(written.strip('"'), names) or 'names may have * for any characters, as in "stage1.*"',
    )
