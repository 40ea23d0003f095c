"""Functions of one entry: activations, formulas, and what passes values on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import TensorProto

from striate.importing.call import Call, as_number
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value
from striate.importing.reading import FLOATS, kind_name
from striate.ops.arguments import Choice

Rule = Callable[[Call], Value]


def _plain(name: str, /, **attributes: tuple[str, float]) -> Rule:
    """Return a rule for a layer of one input; keywords say which attribute of ONNX an argument is, and its default."""

    def rule(call: Call) -> Value:
        value = call.value()
        call.demand_float(value)
        arguments: dict[str, Any] = {
            argument: float(call.node.attribute(written, default))
            for argument, (written, default) in attributes.items()
        }
        return call.layer(name, value, **arguments)

    return rule


def _clip(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    if call.node.opset < 11:
        low, high = call.node.attribute("min"), call.node.attribute("max")
    else:
        low, high = call.number(1), call.number(2)
    if low is not None and low <= -_LARGEST:
        low = None
    if high is not None and high >= _LARGEST:
        high = None
    if low is None and high is None:
        return value
    if low == 0 and high is None:
        return call.layer("relu", value)
    if (low, high) == (0, 6):
        return call.layer("relu6", value)
    if low is not None and high is not None and low > high:
        value = call.layer("clip", value, low=low, high=_LARGEST)  # ONNX: everything becomes the upper bound
        low = None
    return call.layer("clip", value, low=-_LARGEST if low is None else low, high=_LARGEST if high is None else high)


_LARGEST = float(np.finfo(np.float32).max)


def _swiglu(call: Call) -> Value:
    """Return a gate's swish times a value of the same size."""
    call.demand_float()
    gate, value = call.value(0), call.value(1)
    alpha = float(call.node.attribute("alpha", 1.0))
    bent = call.layer("silu", gate) if alpha == 1 else call.layer("swish", gate, beta=alpha)
    return call.layer("mul", [bent, value])


def _prelu(call: Call) -> Value:
    value, slopes = call.value(), call.weight(1)
    call.demand_float(value)
    array = slopes.array
    if array.size == 1:
        return call.layer("leaky_relu", value, slope=as_number(array))
    channels, rank = value.sizes[0], call.rank(value)
    full = (1,) * (rank - array.ndim) + array.shape
    per_channel = full == (1, channels, *[1] * (rank - 2)) or (call.node.opset < 7 and array.shape == (channels,))
    if call.batched and per_channel:
        return call.layer("prelu", value, {"weight": Stored(slopes.names, array.reshape(-1))})
    if call.batched and full[0] != 1:
        raise UnsupportedError("its slopes differ between the images of a batch")
    below = call.layer("relu", call.layer("neg", value))
    slope = call.parameter(Stored(slopes.names, array.reshape(full[call.lead :])))
    return call.layer("sub", [call.layer("relu", value), call.layer("mul", [below, slope])])


def _is_nan(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    return call.layer("logical_not", call.layer("equal", [value, value]), kind=TensorProto.BOOL)


def _is_infinite(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    above, below = (bool(call.node.attribute(f"detect_{side}", 1)) for side in ("positive", "negative"))
    if not above and not below:
        raise UnsupportedError("it asks for no infinity at all")
    size = call.layer("abs", value) if above and below else value if above else call.layer("neg", value)
    limit = np.full((1,) * len(value.sizes), _LARGEST, np.float32)
    bound = call.parameter(Stored((f"{call.node.outputs[0]}/bound",), limit))
    return call.layer("greater", [size, bound], kind=TensorProto.BOOL)


def _gelu(call: Call) -> Value:
    value, form = call.value(), call.node.attribute("approximate", "none")
    call.demand_float(value)
    if form not in ("none", "tanh"):
        raise UnsupportedError(f"its approximation is {form[:20]}")
    return call.layer("gelu", value, form=Choice("exact" if form == "none" else "tanh"))


def _hard_sigmoid(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    alpha, beta = call.node.attribute("alpha", 0.2), call.node.attribute("beta", 0.5)
    if beta == 0.5 and abs(alpha - 1 / 6) < 1e-7:
        return call.layer("hardsigmoid", value)
    straight = call.layer("linear", value, scale=alpha, shift=beta)
    return call.layer("clip", straight, low=0.0, high=1.0)


def power(call: Call) -> Value:
    """Return a value to the power of one stored number."""
    value, exponent = call.value(), call.number(1)
    call.demand_float(value)
    if exponent == 1:
        return value
    name = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}.get(exponent or 0.0)
    return call.layer("power", value, exponent=exponent) if name is None else call.layer(name, value)


def _not(call: Call) -> Value:
    value = call.value()
    return call.layer("logical_not", value, kind=TensorProto.BOOL)


def _shrink(call: Call) -> Value:
    """Return what is beyond a bound on either side, moved towards 0: x - bias above lambd, x + bias below -lambd."""
    value, bound = call.value(), call.node.attribute("lambd", 0.5)
    bias = call.node.attribute("bias", 0.0)
    call.demand_float(value)
    size, sign = call.layer("abs", value), call.layer("sign", value)
    kept = call.layer("threshold", size, at=bound)
    if bias == 0:
        return call.layer("mul", [kept, sign])
    beyond = call.layer("logical_not", call.layer("logical_not", kept))
    moved = call.layer("sub", [kept, call.layer("scale", beyond, factor=bias)])
    return call.layer("mul", [moved, sign])


def _pass(call: Call) -> Value:
    return call.value()


def _dropout(call: Call) -> Value | list[Value]:
    value = call.value()
    training, ratio = call.stored(2), call.number(1, 0.5)
    if training is not None and training.array.any() and ratio != 0:
        raise UnsupportedError("it is in training mode: it leaves out entries at random")
    if not any(call.node.outputs[1:]):
        return value
    return [value, call.layer("linear", value, scale=0.0, shift=1.0, kind=TensorProto.BOOL)]  # nothing is left out


_WHOLE = frozenset({TensorProto.INT32, TensorProto.INT64})


def _cast(call: Call) -> Value:
    value, wanted = call.value(), call.node.attribute("to", TensorProto.FLOAT)
    if value.kind == wanted or wanted in FLOATS:
        return Value(value.number, value.sizes, wanted, value.flat)
    if wanted in _WHOLE and value.kind not in FLOATS:
        return Value(value.number, value.sizes, wanted, value.flat)
    if wanted == TensorProto.BOOL:  # whatever is not 0
        return call.layer("logical_not", call.layer("logical_not", value), kind=wanted)
    if wanted in _WHOLE:  # what lies behind the point is cut off
        whole = call.layer("floor", call.layer("abs", value))
        return call.layer("mul", [call.layer("sign", value), whole], kind=wanted)
    raise UnsupportedError(f"it makes {kind_name(wanted)} of {kind_name(value.kind)}, and the network has float32 only")


_NAMED_ALIKE = (
    *("Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh"),
    *("Erf", "Ceil", "Floor", "Round", "Sign"),
)

_LAYERS: Mapping[str, tuple[str, Mapping[str, tuple[str, float]]]] = {
    "Relu": ("relu", {}),
    "LeakyRelu": ("leaky_relu", {"slope": ("alpha", 0.01)}),
    "Elu": ("elu", {"alpha": ("alpha", 1.0)}),
    "Celu": ("celu", {"alpha": ("alpha", 1.0)}),
    "Mish": ("mish", {}),
    "Tanh": ("tanh", {}),
    "Sigmoid": ("sigmoid", {}),
    "HardSwish": ("hardswish", {}),
    "Softsign": ("softsign", {}),
    "Softplus": ("softplus", {}),
    "Swish": ("swish", {"beta": ("alpha", 1.0)}),
    "Exp": ("exp", {}),
    "Log": ("log", {}),
    "Sqrt": ("sqrt", {}),
    "Abs": ("abs", {}),
    "Neg": ("neg", {}),
    "Reciprocal": ("reciprocal", {}),
    **{name: (name.lower(), {}) for name in _NAMED_ALIKE},
}


def _selu(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    alpha, gamma = call.node.attribute("alpha", _ALPHA), call.node.attribute("gamma", _GAMMA)
    if abs(alpha - _ALPHA) < 1e-6 and abs(gamma - _GAMMA) < 1e-6:
        return call.layer("selu", value)
    return call.layer("scale", call.layer("elu", value, alpha=alpha), factor=gamma)


_ALPHA, _GAMMA = 1.6732632, 1.0507010
"""What ONNX has by default, as float32 prints them."""


def _threshold(call: Call) -> Value:
    value = call.value()
    call.demand_float(value)
    return call.layer("threshold", value, at=call.node.attribute("alpha", 1.0))


CONVERTERS: dict[str, Callable[[Call], Any]] = {
    **{name: _plain(layer, **dict(attributes)) for name, (layer, attributes) in _LAYERS.items()},
    "Selu": _selu,
    "ThresholdedRelu": _threshold,
    "Clip": _clip,
    "PRelu": _prelu,
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "SwiGLU": _swiglu,
    "Not": _not,
    "IsNaN": _is_nan,
    "IsInf": _is_infinite,
    "Shrink": _shrink,
    "Identity": _pass,
    "Dropout": _dropout,
    "Cast": _cast,
}
