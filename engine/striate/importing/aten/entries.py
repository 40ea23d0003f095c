"""ATen's functions of one entry, arithmetic of two values, reductions and shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from striate.importing.aten.walk import Given, Rule, Turned, Walk, flowing, tensor
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value

_LARGEST = float(np.finfo(np.float32).max)


def _same(operator: str, **attributes: Any) -> Rule:
    """Return the rule of a function that ONNX has under this name."""

    def rule(walk: Walk, given: Given) -> Any:
        return walk.onnx(operator, flowing(given), **attributes)

    return rule


def _layer(name: str) -> Rule:
    return lambda walk, given: walk.layer(name, flowing(given))


def _number(given: Given, name: str) -> float:
    value = given[name]
    if isinstance(value, Stored) and value.array.size == 1:
        value = float(value.array.reshape(-1)[0])
    if not isinstance(value, (int, float)):
        raise UnsupportedError(f"its {name} is no number")
    return float(value)


def _leaky(walk: Walk, given: Given) -> Any:
    return walk.onnx("LeakyRelu", tensor(given["self"]), alpha=_number(given, "negative_slope"))


def _elu(walk: Walk, given: Given) -> Any:
    if given["scale"] != 1 or given["input_scale"] != 1:
        raise UnsupportedError("it is scaled")
    return walk.onnx("Elu", tensor(given["self"]), alpha=_number(given, "alpha"))


def _celu(walk: Walk, given: Given) -> Any:
    return walk.onnx("Celu", tensor(given["self"]), alpha=_number(given, "alpha"))


def _gelu(walk: Walk, given: Given) -> Any:
    return walk.onnx("Gelu", tensor(given["self"]), approximate=given["approximate"])


def _softplus(walk: Walk, given: Given) -> Any:
    beta, threshold = _number(given, "beta"), _number(given, "threshold")
    return walk.layer("softplus", tensor(given["self"]), beta=beta, threshold=threshold)


def _clip(low: str, high: str) -> Rule:
    def rule(walk: Walk, given: Given) -> Any:
        bounds = [None if given.get(name) is None else _number(given, name) for name in (low, high)]
        return walk.onnx("Clip", flowing(given), *bounds)

    return rule


def _relu6(walk: Walk, given: Given) -> Any:
    return walk.onnx("Clip", flowing(given), 0.0, 6.0)


def _prelu(walk: Walk, given: Given) -> Any:
    slopes = given["weight"]
    if not isinstance(slopes, Stored):
        raise UnsupportedError("its slopes are computed from the input")
    value = tensor(given["self"])
    axes = [1] * (walk.rank(value) - 2)
    return walk.onnx("PRelu", value, Stored(slopes.names, slopes.array.reshape(-1, *axes)))


def _shrink(walk: Walk, given: Given) -> Any:
    bound = _number(given, "lambd")
    return walk.onnx("Shrink", tensor(given["self"]), lambd=bound, bias=bound)


def _binary(operator: str) -> Rule:
    """Return the rule of an operator between two values, of which torch may multiply the second by a number."""

    def rule(walk: Walk, given: Given) -> Any:
        left, right = given["self"], given["other"]
        if given.get("rounding_mode") is not None:
            raise UnsupportedError("it rounds what it divides")
        if isinstance(left, Turned) or isinstance(right, Turned):
            return _turned_alike(walk, operator, left, right)
        alpha = given.get("alpha", 1)
        if alpha != 1:
            right = walk.onnx("Mul", right, float(alpha)) if isinstance(right, Value) else _times(right, alpha)
        return walk.onnx(operator, *_as_tensors(left, right))

    return rule


def _turned_alike(walk: Walk, operator: str, left: Any, right: Any) -> Turned:
    """Return what an operator makes of two values whose batch is at the same place, or of one and a number."""
    orders = {item.order for item in (left, right) if isinstance(item, Turned)}
    plain = [item for item in (left, right) if not isinstance(item, Turned)]
    if len(orders) > 1 or not all(_is_number(item) for item in plain):
        raise UnsupportedError("the batch is not its first axis")
    inner = [item.value if isinstance(item, Turned) else item for item in (left, right)]
    return Turned(walk.onnx(operator, *_as_tensors(*inner)), orders.pop())


def _is_number(item: Any) -> bool:
    return isinstance(item, (int, float)) or (isinstance(item, Stored) and item.array.size == 1)


def _as_tensors(*items: Any) -> list[Any]:
    """Return numbers as floats: torch computes with them in the type of the tensor."""
    return [float(item) if isinstance(item, (int, float)) and not isinstance(item, bool) else item for item in items]


def _times(item: Any, factor: float) -> Any:
    return Stored(item.names, item.array * np.float32(factor)) if isinstance(item, Stored) else item * factor


def _reversed(walk: Walk, given: Given) -> Any:
    if given.get("alpha", 1) != 1:
        raise UnsupportedError("it is scaled")
    return walk.onnx("Sub", *_as_tensors(given["other"], given["self"]))


def _pow(walk: Walk, given: Given) -> Any:
    exponent = given["exponent"]
    return walk.onnx("Pow", tensor(given["self"]), *_as_tensors(exponent))


def _rsqrt(walk: Walk, given: Given) -> Any:
    return walk.onnx("Reciprocal", walk.onnx("Sqrt", tensor(given["self"])))


def _where(walk: Walk, given: Given) -> Any:
    return walk.onnx("Where", given["condition"], *_as_tensors(given["self"], given["other"]))


def _reduce(operator: str, axes: str = "dim") -> Rule:
    def rule(walk: Walk, given: Given) -> Any:
        value, along = tensor(given["self"]), given.get(axes)
        if along is None or along == []:
            raise UnsupportedError("it goes over the images of the batch")
        along = [along] if isinstance(along, int) else list(along)
        return walk.onnx(operator, value, along, keepdims=int(given.get("keepdim", False)))

    return rule


def _everything(walk: Walk, given: Given) -> Any:
    raise UnsupportedError("it goes over the images of the batch")


def _norm(walk: Walk, given: Given) -> Any:
    operators = {1: "ReduceL1", 2: "ReduceL2"}
    order = _number(given, "ord" if "ord" in given else "p")
    if order not in operators:
        raise UnsupportedError(f"its norm is of order {order:g}")
    return _reduce(operators[int(order)])(walk, given)


def _share(operator: str) -> Rule:
    return lambda walk, given: walk.onnx(operator, tensor(given["self"]), axis=given["dim"])


def _passed_on(walk: Walk, given: Given) -> Any:
    return given["self"] if "self" in given else given["input"]


def _cast(walk: Walk, given: Given) -> Any:
    kind = given.get("dtype")
    if kind is not None and not str(kind).startswith(("torch.float", "torch.bfloat", "torch.half", "torch.double")):
        raise UnsupportedError(f"it makes {str(kind).removeprefix('torch.')} of it")
    return given["self"] if "self" in given else given["input"]


_ONE = {
    "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "hardswish": "HardSwish", "mish": "Mish", "selu": "Selu",
    "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "abs": "Abs", "neg": "Neg", "reciprocal": "Reciprocal", "sin": "Sin",
    "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh",
    "asinh": "Asinh", "acosh": "Acosh", "atanh": "Atanh", "erf": "Erf", "ceil": "Ceil", "floor": "Floor",
    "round": "Round", "sign": "Sign",
}  # fmt: skip

_TWO = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "eq": "Equal", "gt": "Greater", "ge": "GreaterOrEqual",
    "lt": "Less", "le": "LessOrEqual",
}  # fmt: skip

RULES: Mapping[str, Rule] = {
    **{f"{name}.default": _same(operator) for name, operator in _ONE.items()},
    **{f"{name}.{kind}": _binary(operator) for name, operator in _TWO.items() for kind in ("Tensor", "Scalar")},
    "div.Tensor_mode": _binary("Div"),
    "maximum.default": _binary("Max"),
    "minimum.default": _binary("Min"),
    "rsub.Scalar": _reversed,
    "rsub.Tensor": _reversed,
    "silu.default": _layer("silu"),
    "softsign.default": _same("Softsign"),
    "log_sigmoid.default": lambda walk, given: walk.onnx("Log", walk.onnx("Sigmoid", flowing(given))),
    "hardsigmoid.default": _layer("hardsigmoid"),
    "leaky_relu.default": _leaky,
    "elu.default": _elu,
    "celu.default": _celu,
    "gelu.default": _gelu,
    "softplus.default": _softplus,
    "relu6.default": _relu6,
    "hardtanh.default": _clip("min_val", "max_val"),
    "clamp.default": _clip("min", "max"),
    "clamp_min.default": _clip("min", ""),
    "clamp_max.default": _clip("", "max"),
    "prelu.default": _prelu,
    "_prelu_kernel.default": _prelu,
    "softshrink.default": _shrink,
    "pow.Tensor_Scalar": _pow,
    "pow.Tensor_Tensor": _pow,
    "square.default": lambda walk, given: walk.onnx("Pow", flowing(given), 2.0),
    "rsqrt.default": _rsqrt,
    "where.self": _where,
    "mean.dim": _reduce("ReduceMean"),
    "sum.dim_IntList": _reduce("ReduceSum"),
    **{f"{name}.default": _everything for name in ("mean", "sum", "max", "min", "prod")},
    "amax.default": _reduce("ReduceMax"),
    "amin.default": _reduce("ReduceMin"),
    "prod.dim_int": _reduce("ReduceProd"),
    "logsumexp.default": _reduce("ReduceLogSumExp"),
    "linalg_vector_norm.default": _norm,
    "norm.ScalarOpt_dim": _norm,
    "softmax.int": _share("Softmax"),
    "_softmax.default": _share("Softmax"),
    "log_softmax.int": _share("LogSoftmax"),
    "_log_softmax.default": _share("LogSoftmax"),
    **{
        f"{name}.default": _passed_on
        for name in ("clone", "contiguous", "detach", "alias", "lift_fresh_copy", "dropout", "feature_dropout")
    },
    "to.dtype": _cast,
    "_to_copy.default": _cast,
}
