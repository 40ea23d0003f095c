"""Darknet's activations as layers of the language, with the constants that Darknet computes with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from striate.importing.building import Builder
from striate.importing.findings import UnsupportedError, shown
from striate.importing.network import Value

_Chain = tuple[tuple[str, Mapping[str, Any]], ...]

LAYERS: Mapping[str, _Chain] = {
    "linear": (),
    "logistic": (("sigmoid", {}),),
    "relu": (("relu", {}),),
    "relu6": (("relu6", {}),),
    "leaky": (("leaky_relu", {"slope": 0.1}),),
    "revleaky": (("leaky_relu", {"slope": 0.1}),),
    "relie": (("leaky_relu", {"slope": 0.01}),),
    "ramp": (("leaky_relu", {"slope": 0.1 / 1.1}), ("scale", {"factor": 1.1})),
    "tanh": (("tanh", {}),),
    "loggy": (("scale", {"factor": 0.5}), ("tanh", {})),
    "hardtan": (("clip", {}),),
    "elu": (("elu", {}),),
    "selu": (("elu", {"alpha": 1.6732}), ("scale", {"factor": 1.0507})),
    "gelu": (("gelu", {"form": "tanh"}),),
    "swish": (("silu", {}),),
    "mish": (("mish", {}),),
}
"""The layers that an activation is, in order; ramp is x where x is above 0, plus a tenth of x everywhere."""

_NEVER = {
    "stair": "it is piecewise constant",
    "plse": "the language has no layer of these pieces",
    "lhtan": "the language has no layer of these pieces",
    "hard_mish": "the language has no layer of these pieces",
    "normalize_channels": "it divides by the sum over the channels plus a constant of Darknet's",
    "normalize_channels_softmax": "its softmax adds a constant of Darknet's to the sum",
    "normalize_channels_softmax_maxval": "its softmax adds a constant of Darknet's to the sum",
}

_CONVOLUTION_ONLY = frozenset({"swish", "mish"})


def activated(build: Builder, value: Value, name: str, *, anywhere: bool = False) -> Value:
    """Return a value behind an activation.

    Args:
        build: adds the layers.
        value: what flows in.
        name: what the cfg calls the activation.
        anywhere: whether it stands where Darknet computes those of convolutions; elsewhere some of them give 0 there.

    Raises:
        UnsupportedError: the activation is not known, or cannot be written as layers.
    """
    if name in _NEVER:
        raise UnsupportedError(f"activation {name}: {_NEVER[name]}")
    if name not in LAYERS:
        raise UnsupportedError(f"activation {shown(name)} is not known (Darknet would take relu)")
    if name in _CONVOLUTION_ONLY and not anywhere:
        raise UnsupportedError(f"Darknet does not compute {name} in such a section")
    for layer, arguments in LAYERS[name]:
        value = build(layer, value, **arguments)
    return value
