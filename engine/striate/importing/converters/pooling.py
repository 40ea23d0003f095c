"""Pooling: the maximum, average or p-norm of a sliding window, and of a whole image."""

from __future__ import annotations

from collections.abc import Callable

from onnx import TensorProto

from striate.importing.call import Call
from striate.importing.converters.windows import image, window, window_padding
from striate.importing.findings import UnsupportedError
from striate.importing.network import Value

_SMALL = frozenset({TensorProto.INT8, TensorProto.UINT8})


def _maxpool(call: Call) -> Value:
    value = image(call)
    if value.kind not in _SMALL:  # whose entries float32 holds exactly
        call.demand_float(value)
    kernel, stride, dilation = window(call, len(value.sizes) - 1)
    return call.layer(
        "maxpool",
        value,
        kernel=tuple(kernel),
        stride=tuple(stride),
        pad=window_padding(call, value, kernel, stride, dilation),
        dilation=tuple(dilation),
        ceil=bool(call.node.attribute("ceil_mode", 0)),
    )


def _avgpool(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    kernel, stride, dilation = window(call, len(value.sizes) - 1)
    if set(dilation) != {1}:
        raise UnsupportedError("its window has dilations, which the average has not in the language")
    pad = window_padding(call, value, kernel, stride, dilation)
    return call.layer(
        "avgpool",
        value,
        kernel=tuple(kernel),
        stride=tuple(stride),
        pad=pad,
        ceil=bool(call.node.attribute("ceil_mode", 0)),
        count_include_pad=bool(call.node.attribute("count_include_pad", 0)) and pad != 0 and _is_padded(pad),
    )


def _lppool(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    kernel, stride, dilation = window(call, len(value.sizes) - 1)
    if set(dilation) != {1}:
        raise UnsupportedError("its window has dilations, which the norm has not in the language")
    return call.layer(
        "lppool",
        value,
        kernel=tuple(kernel),
        stride=tuple(stride),
        p=float(call.node.attribute("p", 2)),
        pad=window_padding(call, value, kernel, stride, dilation),
        ceil=bool(call.node.attribute("ceil_mode", 0)),
    )


def _global_lppool(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    return call.layer("global_lppool", value, p=float(call.node.attribute("p", 2)))


def _is_padded(pad: object) -> bool:
    return not isinstance(pad, tuple) or any(pad)


def _whole(name: str) -> Callable[[Call], Value]:
    def rule(call: Call) -> Value:
        value = image(call)
        call.demand_float(value)
        return call.layer(name, value)

    return rule


CONVERTERS = {
    "MaxPool": _maxpool,
    "AveragePool": _avgpool,
    "GlobalAveragePool": _whole("global_avgpool"),
    "GlobalLpPool": _global_lppool,
    "GlobalMaxPool": _whole("global_maxpool"),
    "LpPool": _lppool,
}
