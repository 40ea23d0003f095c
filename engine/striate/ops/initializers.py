"""How weights start: one rule per name, a function of the shape, the fans and a random generator.

The generator of a weight is seeded by the run's seed and the weight's name, so a weight starts the same whatever else
is in the network, and the same in torch and ONNX. numpy is passed in, so naming a rule does not import it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from striate.graph import Weight

    Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    Rule = Callable[[tuple[int, ...], Mapping[str, float], np.random.Generator], Array]


def _normal(variance: Callable[[Mapping[str, float]], float]) -> Rule:
    def rule(shape: tuple[int, ...], fans: Mapping[str, float], generator: np.random.Generator) -> Array:
        return _spread(shape, {"deviation": math.sqrt(variance(fans))}, generator)

    return rule


def _uniform(variance: Callable[[Mapping[str, float]], float]) -> Rule:
    def rule(shape: tuple[int, ...], fans: Mapping[str, float], generator: np.random.Generator) -> Array:
        # A uniform distribution on [-b, b] has variance b * b / 3.
        return _bounded(shape, {"bound": math.sqrt(3 * variance(fans))}, generator)

    return rule


def _constant(value: float) -> Rule:
    def rule(shape: tuple[int, ...], fans: Mapping[str, float], generator: np.random.Generator) -> Array:
        import numpy as np

        return np.full(shape, value, dtype="float32")

    return rule


def _setting(shape: tuple[int, ...], settings: Mapping[str, float], generator: np.random.Generator) -> Array:
    return _constant(settings["value"])(shape, settings, generator)


def _bounded(shape: tuple[int, ...], settings: Mapping[str, float], generator: np.random.Generator) -> Array:
    values = generator.random(shape, dtype="float32")
    values *= 2 * settings["bound"]
    values -= settings["bound"]
    return values


def _spread(shape: tuple[int, ...], settings: Mapping[str, float], generator: np.random.Generator) -> Array:
    values = generator.standard_normal(shape, dtype="float32")
    values *= settings["deviation"]
    return values


def _he(fans: Mapping[str, float]) -> float:
    return 2 / fans["fan_in"]


def _lecun(fans: Mapping[str, float]) -> float:
    return 1 / fans["fan_in"]


def _xavier(fans: Mapping[str, float]) -> float:
    return 2 / (fans["fan_in"] + fans["fan_out"])


INITIALIZERS: Mapping[str, Rule] = {
    "he_normal": _normal(_he),  # He et al., 2015: variance 2 / fan_in keeps the scale through ReLU
    "he_uniform": _uniform(_he),
    "xavier_normal": _normal(_xavier),  # Glorot and Bengio, 2010: variance 2 / (fan_in + fan_out)
    "xavier_uniform": _uniform(_xavier),
    "lecun_normal": _normal(_lecun),  # LeCun et al., 1998: variance 1 / fan_in, for tanh
    "lecun_uniform": _uniform(_lecun),
    "zeros": _constant(0.0),
    "ones": _constant(1.0),
}

_RULES: Mapping[str, Rule] = {**INITIALIZERS, "constant": _setting, "uniform": _bounded, "normal": _spread}
"""With those that have numbers of their own, which are a layer's to choose (PReLU's slope, the bounds of an LSTM's
weights) and no argument's: a number, evenly between -bound and bound, normal with a standard deviation."""


def start_values(weight: Weight, seed: int) -> Array:
    """Return the start of a weight as float32, a function of its name, shape, rule and the seed alone."""
    rule = _RULES[weight.initializer.name]
    return rule(weight.shape, weight.initializer.settings, weight_generator(weight.name, seed))


def weight_generator(name: str, seed: int) -> np.random.Generator:
    """Return the random numbers of a weight, which depend on its name and the seed alone."""
    import hashlib  # noqa: PLC0415  # as numpy: only needed where weights are made

    import numpy as np

    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
