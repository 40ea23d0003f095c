"""Functions of single entries as expressions of Triton, on float32 numbers.

Only `tl.exp`, `tl.log`, `tl.sqrt`, `tl.math` functions and arithmetic are used: Triton's own library of functions that
are written in Triton cannot be called where kernels run in its interpreter next to compiled ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from striate.graph import Node

Rule = Callable[[Mapping[str, Any], str], str]
"""From a layer's attributes and the name of a tile to the expression of the layer's values."""

_TANH = "(1.0 - 2.0 / (tl.exp(2.0 * {0}) + 1.0))"
_SIGMOID = "(1.0 / (1.0 + tl.exp(-{0})))"
_SOFTPLUS = "(tl.maximum({0}, 0.0) + tl.log(1.0 + tl.exp(-tl.abs({0}))))"


def _number(value: Any) -> str:
    return repr(float(value))


def _fixed(template: str) -> Rule:
    return lambda attributes, tile: template.format(tile)


def _leaky_relu(attributes: Mapping[str, Any], tile: str) -> str:
    return f"tl.where({tile} > 0.0, {tile}, {tile} * {_number(attributes['slope'])})"


def _elu(attributes: Mapping[str, Any], tile: str) -> str:
    return f"tl.where({tile} > 0.0, {tile}, {_number(attributes['alpha'])} * (tl.exp({tile}) - 1.0))"


def _clip(attributes: Mapping[str, Any], tile: str) -> str:
    return f"tl.minimum(tl.maximum({tile}, {_number(attributes['low'])}), {_number(attributes['high'])})"


def _swish(attributes: Mapping[str, Any], tile: str) -> str:
    return f"({tile} / (1.0 + tl.exp(-{_number(attributes['beta'])} * {tile})))"


def _gelu(attributes: Mapping[str, Any], tile: str) -> str:
    if attributes["form"] == "tanh":
        inner = f"(0.7978845608028654 * ({tile} + 0.044715 * {tile} * {tile} * {tile}))"
        return f"(0.5 * {tile} * (1.0 + {_TANH.format(inner)}))"
    return f"(0.5 * {tile} * (1.0 + tl.math.erf({tile} * 0.7071067811865476)))"


def _linear(attributes: Mapping[str, Any], tile: str) -> str:
    return f"({_number(attributes['scale'])} * {tile} + {_number(attributes['shift'])})"


def _threshold(attributes: Mapping[str, Any], tile: str) -> str:
    return f"tl.where({tile} > {_number(attributes['at'])}, {tile}, {_number(attributes['below'])})"


def _softplus(attributes: Mapping[str, Any], tile: str) -> str:
    beta = _number(attributes["beta"])
    bent = f"({_SOFTPLUS.format(f'({beta} * {tile})')} / {beta})"
    return f"tl.where({beta} * {tile} > {_number(attributes['threshold'])}, {tile}, {bent})"


def _hardsigmoid(attributes: Mapping[str, Any], tile: str) -> str:
    slope = 1 / 6 if attributes["form"] == "torch" else 0.2
    return f"tl.minimum(tl.maximum({slope!r} * {tile} + 0.5, 0.0), 1.0)"


_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "relu": _fixed("tl.maximum({0}, 0.0)"),
        "relu6": _fixed("tl.minimum(tl.maximum({0}, 0.0), 6.0)"),
        "leaky_relu": _leaky_relu,
        "elu": _elu,
        "clip": _clip,
        "sigmoid": _fixed(_SIGMOID),
        "tanh": _fixed(_TANH),
        "silu": _fixed("({0} * " + _SIGMOID + ")"),
        "swish": _swish,
        "gelu": _gelu,
        "mish": _fixed("({0} * " + _TANH.format(_SOFTPLUS) + ")"),
        "softplus": _softplus,
        "threshold": _threshold,
        "linear": _linear,
        "softsign": _fixed("({0} / (1.0 + tl.abs({0})))"),
        "hardswish": _fixed("({0} * tl.minimum(tl.maximum({0} + 3.0, 0.0), 6.0) * 0.16666666666666666)"),
        "hardsigmoid": _hardsigmoid,
        "exp": _fixed("tl.exp({0})"),
        "abs": _fixed("tl.abs({0})"),
        "neg": _fixed("(-{0})"),
        "square": _fixed("({0} * {0})"),
        "sqrt": _fixed("tl.sqrt({0})"),
    }
)

KNOWN = tuple(_RULES)
"""The functions of one entry that have an expression."""

_MERGES: Mapping[str, str] = MappingProxyType(
    {
        "add": "({0} + {1})",
        "sub": "({0} - {1})",
        "mul": "({0} * {1})",
        "div": "({0} / {1})",
        "maximum": "tl.maximum({0}, {1})",
        "minimum": "tl.minimum({0}, {1})",
    }
)


def has_expression(node: Node) -> bool:
    """Whether a layer is a function of single entries that kernels can compute."""
    return node.op in ("bn", "prelu") or (node.op in _RULES and not node.weights) or node.op in _MERGES


def unary(node: Node, tile: str) -> str:
    """Return the expression of a layer of one value.

    Raises:
        KeyError: there is none; see `has_expression`.
    """
    return _RULES[node.op](node.attributes, tile)


def merged(node: Node, tiles: tuple[str, ...]) -> str:
    """Return the expression of a layer of several values, from the first to the last."""
    result = tiles[0]
    for tile in tiles[1:]:
        result = _MERGES[node.op].format(result, tile)
    return result
