"""What oneDNN computes in the same call as a convolution, and how torch's operators are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from striate.graph import Node


@dataclass(frozen=True, slots=True)
class Unary:
    """A function of one entry as oneDNN knows it: its name, its numbers, and which of several ways it is computed."""

    name: str
    numbers: tuple[float, ...] = ()
    way: str | None = None


NOTHING = Unary("none")

_Rule = Callable[[Mapping[str, Any]], Unary | None]


def _leaky(attributes: Mapping[str, Any]) -> Unary:
    return Unary("leaky_relu", (float(attributes["slope"]),))


def _clipped(attributes: Mapping[str, Any]) -> Unary:
    return Unary("hardtanh", (float(attributes["low"]), float(attributes["high"])))


def _gelu(attributes: Mapping[str, Any]) -> Unary:
    return Unary("gelu", way="none" if attributes["form"] == "exact" else "tanh")


def _hardsigmoid(attributes: Mapping[str, Any]) -> Unary | None:
    return Unary("hardsigmoid") if attributes["form"] == "torch" else None


def _swish(attributes: Mapping[str, Any]) -> Unary | None:
    return Unary("swish") if attributes["beta"] == 1 else None


_UNARY: Mapping[str, _Rule] = MappingProxyType(
    {
        "relu": lambda attributes: Unary("relu"),
        "relu6": lambda attributes: Unary("hardtanh", (0.0, 6.0)),
        "leaky_relu": _leaky,
        "clip": _clipped,
        "sigmoid": lambda attributes: Unary("sigmoid"),
        "tanh": lambda attributes: Unary("tanh"),
        "silu": lambda attributes: Unary("swish"),
        "swish": _swish,
        "gelu": _gelu,
        "hardswish": lambda attributes: Unary("hardswish"),
        "hardsigmoid": _hardsigmoid,
    }
)


KNOWN = tuple(_UNARY)
"""The layers that oneDNN may have a function for."""


def unary_of(node: Node) -> Unary | None:
    """Return a layer as oneDNN's function of one entry, None where it has none."""
    rule = _UNARY.get(node.op)
    return None if rule is None or node.weights or len(node.inputs) != 1 else rule(node.attributes)


@dataclass(frozen=True, slots=True)
class Attached:
    """What is computed in the call of a product.

    Attributes:
        added: the value that is added to the product, if one is.
        unary: the function that is applied last.
        nodes: how many layers behind the product that is.
    """

    added: str | None = None
    unary: Unary = NOTHING
    nodes: int = 0


def attached(product: Node, behind: Sequence[Node], *, sums: bool = True) -> Attached:
    """Return how much of what follows a product in its group oneDNN computes with it: a sum, a function, or both.

    Args:
        product: the product.
        behind: the layers after it in its group.
        sums: whether a sum with another value can be computed.
    """
    value, added, taken = product.outputs[0].name, None, 0
    if sums and behind and behind[0].op == "add" and len(behind[0].inputs) == 2 and behind[0].inputs.count(value) == 1:
        added = next(name for name in behind[0].inputs if name != value)
        value, taken = behind[0].outputs[0].name, 1
    if len(behind) > taken and behind[taken].inputs == (value,):
        unary = unary_of(behind[taken])
        # With a sum only the rectifier is computed in the same call; other functions go over memory once more.
        if unary is not None and (added is None or unary.name == "relu"):
            return Attached(added, unary, taken + 1)
    return Attached(added, NOTHING, taken)
