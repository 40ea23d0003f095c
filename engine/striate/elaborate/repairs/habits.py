"""What people write who come from elsewhere: PyTorch's order of arguments, and flatten for images of any size."""

from __future__ import annotations

from striate.dims import Dim
from striate.elaborate.network import LayerCall, Network
from striate_dsl.diagnostics import Edit, Fix
from striate_dsl.source import Span
from striate_dsl.syntax import Argument, Call, Expression, Number

_FEW_CHANNELS = 8
"""A second number from here on is rather the channels that come out than a kernel."""

_KERNELS = frozenset({3, 5, 7})


def without_input_channels(layer: LayerCall) -> tuple[Fix, ...]:
    """Return the repair of `conv(16, 32, 3)`, the order of PyTorch: the channels that flow in are not written."""
    return (without_first(layer.call),) if in_order_of_torch(layer.call, layer.record.name, _channels(layer)) else ()


def without_first(call: Call) -> Fix:
    """Return the edit that takes the first argument out of a call of at least two."""
    written = call.arguments or ()
    cut = Span(call.span.source, written[0].span.start, written[1].span.start)
    kept = ", ".join(item.span.text for item in written[1:])
    title = f"{call.callee.span.text}({kept}): the channels that flow in are worked out"
    return Fix(title, (Edit(cut, ""),), "unsafe")


def in_order_of_torch(call: Call, layer: str, channels: Dim | None) -> bool:
    """Whether a convolution is called with the channels that flow in, those that come out, and a small odd kernel.

    Read in the order of this language that is a wide kernel with a stride of 3 or more.
    """
    written = call.arguments or ()
    if layer not in ("conv", "deconv") or call.callee.span.text != layer or len(written) < 3:
        return False
    if any(item.name is not None for item in written[:3]) or any(_key_of(item) == "stride" for item in written):
        return False
    first, second, third = (_number(item.value) for item in written[:3])
    return first == channels and (second or 0) >= _FEW_CHANNELS and third in _KERNELS


def _channels(layer: LayerCall) -> Dim | None:
    kind = layer.incoming[0].value.type if layer.incoming else None
    return None if kind is None else kind.channels


def _number(value: Expression) -> int | None:
    return int(value.value) if isinstance(value, Number) and value.value == int(value.value) else None


def _key_of(argument: Argument) -> str | None:
    return None if argument.name is None else argument.name.text


def pooled_before_flatten(layer: LayerCall, network: Network) -> tuple[Fix, ...]:
    """Return the repair of a dense layer whose inputs depend on the image's size: one number per channel instead."""
    name = layer.incoming[0].value.name
    nodes = network.nodes
    made = next((index for index in reversed(range(len(nodes))) if nodes[index].outputs[0].name == name), None)
    if made is None or nodes[made].op != "flatten":
        return ()
    call, node = network.calls[made], nodes[made]
    pooled = node.inputs[0]
    channels = _made_channels(network, pooled)
    if call.span.source is not layer.call.span.source or node.origin.trail != layer.scope.trail or channels is None:
        return ()
    start = Span(call.span.source, call.span.start, call.span.start)
    title = f"global_avgpool -> flatten, which gives {channels} for every input size"
    return (Fix(title, (Edit(start, "global_avgpool -> "),), "unsafe"),)


def _made_channels(network: Network, name: str) -> int | None:
    kinds = {**network.inputs, **{value.name: value.type for node in network.nodes for value in node.outputs}}
    channels = kinds[name].channels if name in kinds and kinds[name].rank > 1 else None
    return channels if isinstance(channels, int) else None
