"""How the weights of a run start: by the recipe's initialisers, and where none means them by their layers' own."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.host.records import InitializerRecord
from striate.host.weight_info import WeightInfo, weight_infos
from striate.lower.torch import Program, load_arrays
from striate.ops.initializers import start_values, weight_generator
from striate.train.failures import against_terms, blamed
from striate.train.parts import Part
from striate.train.recipe import Recipe
from striate.train.weight_parts import weights_of

Array = np.ndarray[Any, Any]


def start_weights(program: Program, recipe: Recipe) -> Program:
    """Give every weight its start, a function of the recipe's seed and the weight's name; returns the program.

    Raises:
        DiagnosticError: E0507, an initialiser cannot start a weight that it is for; E0720, E0721, its code is wrong.
    """
    graph = program.graph
    chosen: dict[str, Part[InitializerRecord]] = {}
    for part in recipe.init:
        chosen.update(dict.fromkeys(weights_of(part, graph), part))
    infos = weight_infos(graph) if chosen else {}
    rules = {id(part): _rule(part) for part in chosen.values()}
    return load_arrays(
        program,
        {
            name: _drawn(chosen[name], rules[id(chosen[name])], infos[name], recipe.seed)
            if name in chosen
            else start_values(weight, recipe.seed)
            for name, weight in graph.weights.items()
        },
    )


def _rule(part: Part[InitializerRecord]) -> Any:
    with blamed(part, "begin"):
        return part.make()


def _drawn(part: Part[InitializerRecord], rule: Any, info: WeightInfo, seed: int) -> Array:
    size = " x ".join(map(str, info.shape))
    other = f'say which weights it is for, e.g. {part.record.name}(weights = "{info.name.rpartition(".")[0]}.*")'
    with blamed(part, f"start {info.name} ({size})", other):
        values = np.asarray(rule(info, weight_generator(info.name, seed)))
    if values.shape != info.shape or values.dtype.kind not in "fiu":
        given = f"{' x '.join(map(str, values.shape)) or 'a number'} of type {values.dtype}"
        raise against_terms(part, f"gave {given} for {info.name}, which is {size}")
    if not np.isfinite(values).all():
        raise against_terms(part, f"gave numbers for {info.name} that are not finite")
    return values.astype(np.float32)
