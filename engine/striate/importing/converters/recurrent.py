"""Recurrent layers over sequences: LSTM and GRU from a state of zeros.

ONNX has the steps first and the batch second, the language the steps of each image with their features last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from striate.importing.call import Call
from striate.importing.converters.shaping import reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.network import Array, Network, Stored, Value
from striate.ops.arguments import Choice

_GATES = {"lstm": (0, 2, 3, 1), "gru": (1, 0, 2)}
"""Where the gates of the language, which has torch's order, are among ONNX's: i o f c, and z r h."""

_USUAL = {"lstm": ["sigmoid", "tanh", "tanh"], "gru": ["sigmoid", "tanh"]}


def _recurrent(name: str) -> Callable[[Call], list[Value]]:
    def rule(call: Call) -> list[Value]:
        value = call.value()
        call.demand_float(value)
        steps_first = not call.node.attribute("layout", 0)
        if not call.batched or len(value.sizes) != 2 or value.batch != int(steps_first):
            raise UnsupportedError("the batch is not the axis of its input that it takes for the batch")
        _demand_plain(call, name)
        way = call.node.attribute("direction", "forward")
        weights, hidden = _weights(call, name)
        both = way == "bidirectional"
        given = call.layer("flip", value, axis=Choice("channels")) if way == "reverse" else value
        bias = any(role.startswith("bias") for role in weights)
        made = call.layer(name, given, weights, hidden=hidden, bidirectional=both, bias=bias, axis=Choice("last"))
        last = _last(call, made, hidden, both=both)
        if way == "reverse":
            made = call.layer("flip", made, axis=Choice("channels"))
        states = reshaped(call, made, [made.sizes[0], 1 + both, hidden])
        return [call.placing(states, 2 if steps_first else 0), call.placing(last, 1 if steps_first else 0)]

    return rule


def _last(call: Call, made: Value, hidden: int, *, both: bool) -> Value:
    """Return the state that each direction ends with."""
    state = call.layer("slice", made, axis=Choice("channels"), start=-1)
    if both:
        state = call.layer("slice", state, axis=Choice("last"), stop=hidden)
        first = call.layer("slice", made, axis=Choice("channels"), stop=1)
        back = call.layer("slice", first, axis=Choice("last"), start=hidden)
        state = call.layer("concat", [state, back], axis=Choice("channels"))
    return state


def _demand_plain(call: Call, name: str) -> None:
    """Refuse what the layer of the language has not: other functions, clipped cells, lengths, a state to begin with."""
    node, count = call.node, 1 + (call.node.attribute("direction", "forward") == "bidirectional")
    functions = node.attribute("activations")
    if functions is not None and [str(each).lower() for each in functions] != _USUAL[name] * count:
        raise UnsupportedError(f"its functions are {', '.join(map(str, functions))[:60]}")
    if node.attribute("clip") is not None or node.attribute("input_forget", 0):
        raise UnsupportedError("it bounds its cells, or couples its gates")
    if name == "gru" and not node.attribute("linear_before_reset", 0):
        raise UnsupportedError("its reset gate comes before the product, not behind it")
    node.attribute("hidden_size")  # the weights say as much
    if node.has_input(4):
        raise UnsupportedError("its sequences have lengths of their own")
    for place in (5, 6):
        item = call.given[place] if place < len(call.given) else None
        zero = _is_zero(call.network, item.number) if isinstance(item, Value) else item is None or not item.array.any()
        if not zero:
            raise UnsupportedError("it begins with another state than zeros")
    if node.has_input(7) and call.weight(7).array.any():
        raise UnsupportedError("its gates look into the cell")


def _is_zero(network: Network, number: int) -> bool:
    """Whether a value is made of stored zeros alone."""
    layer = network.maker_of(number)
    if layer is None:
        return False
    if layer.record.name == "parameter":
        return not layer.weights["weight"].array.any()
    return layer.record.name in ("slice", "select", "reshape", "split", "broadcast") and all(
        _is_zero(network, each) for each in layer.inputs[:1]
    )


def _weights(call: Call, name: str) -> tuple[dict[str, Stored], int]:
    """Return the weights of each direction with their gates in the order of the language, and the size of the state."""
    given, own = call.weight(1), call.weight(2)
    gates = _GATES[name]
    hidden = own.array.shape[-1]
    if given.array.ndim != 3 or own.array.shape[1:] != (len(gates) * hidden, hidden):
        raise UnsupportedError("its weights do not have the sizes of its gates")
    made: dict[str, Stored] = {}
    bias = call.weight(3) if call.stored(3) is not None else None
    if bias is not None and bias.array.shape != (len(given.array), 2 * len(gates) * hidden):
        raise UnsupportedError("its biases do not have the sizes of its gates")
    for direction, ending in zip(range(len(given.array)), ("l0", "l0_reverse"), strict=False):
        made[f"weight_ih_{ending}"] = Stored(given.names, _in_order(given.array[direction], gates, hidden))
        made[f"weight_hh_{ending}"] = Stored(own.names, _in_order(own.array[direction], gates, hidden))
        if bias is not None:
            halves = np.split(bias.array[direction], 2)
            for kind, half in zip(("ih", "hh"), halves, strict=True):
                made[f"bias_{kind}_{ending}"] = Stored(bias.names, _in_order(half, gates, hidden))
    return made, hidden


def _in_order(array: Array, gates: Sequence[int], hidden: int) -> Array:
    blocks = array.reshape(len(gates), hidden, *array.shape[1:])
    return np.ascontiguousarray(blocks[list(gates)].reshape(array.shape))


CONVERTERS = {"LSTM": _recurrent("lstm"), "GRU": _recurrent("gru")}
