"""Recurrent layers over a sequence: LSTM and GRU, with torch's weights, gate order and formulas."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf, Real
from striate.ops.decomposition import Decomposition
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.sizes import entries, typed
from striate.ops.starting import check_start, start_argument, started_from
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.tokens import AXIS, features_of, to_tokens, tokens_of, with_features
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class _Cell:
    """A recurrent cell: its name, and the order in which ONNX has torch's gates."""

    name: str
    onnx_gates: tuple[int, ...]
    onnx_settings: tuple[tuple[str, int], ...] = ()

    @property
    def gates(self) -> int:
        return len(self.onnx_gates)


_LSTM = _Cell("LSTM", (0, 3, 1, 2))  # torch: input, forget, cell, output; ONNX: input, output, forget, cell
_GRU = _Cell("GRU", (1, 0, 2), (("linear_before_reset", 1),))  # torch: reset, update, new; ONNX: update, reset, hidden


@dataclass(frozen=True, slots=True)
class _Direction:
    """One direction of one layer: the ending of its weights' names, and how many features it reads."""

    ending: str
    given: int

    def roles(self, *, bias: bool) -> list[str]:
        kinds = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if bias else ()))
        return [f"{kind}_{self.ending}" for kind in kinds]


def _stack(attributes: Attributes, inputs: Types) -> Iterator[tuple[_Direction, ...]]:
    """Yield the layers, each with its directions."""
    given = features_of(inputs[0], attributes["axis"])
    for layer in range(attributes["layers"]):
        endings = [f"l{layer}", f"l{layer}_reverse"][: _directions(attributes)]
        yield tuple(_Direction(ending, given) for ending in endings)
        given = _directions(attributes) * attributes["hidden"]


_STARTS = ("state", "cell")


def _states(attributes: Attributes) -> int:
    """Return the number of states: one for each layer and direction."""
    return int(attributes["layers"]) * _directions(attributes)


def _directions(attributes: Attributes) -> int:
    return 2 if attributes["bidirectional"] else 1


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value, axis = inputs[0], attributes["axis"]
    if value.rank != 2:
        raise LayerError(_no_sequence(value, axis))
    features_of(value, axis)
    count, hidden = _states(attributes), attributes["hidden"]
    for name in _STARTS:
        check_start(attributes, inputs, name, (count * hidden,), (count, hidden), check=check)
    made = _directions(attributes) * attributes["hidden"]
    return typed(made) if attributes["output"] == "last" else (with_features(value, axis, made),)


_ADVICE = {
    1: "put this layer before flatten",
    3: "write reshape([auto, width]) before it, so that the pixels of a column are the features of a step",
    4: "write reduce_mean([height, width], keep = false) before it, so that every slice is a step",
}


def _no_sequence(value: TensorType, axis: str) -> Problem:
    wanted, advice = ("C x L", _ADVICE.get(value.rank)) if axis == "channels" else ("L x C", None)
    before = "reshape([auto, width])" if value.rank == 3 and advice else ""
    message = f"needs a sequence {wanted}, but gets {format_shape(value)}"
    return Problem(message, code="E0204", help=advice, before=before)


def _weights(cell: _Cell, attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    hidden, rows = attributes["hidden"], cell.gates * attributes["hidden"]
    start = Initializer("uniform", {"bound": 1 / math.sqrt(hidden)})
    specs = []
    for layer in _stack(attributes, inputs):
        for direction in layer:
            shapes = ((rows, direction.given), (rows, hidden), (rows,), (rows,))
            roles = direction.roles(bias=attributes["bias"])
            specs += [WeightSpec(role, shape, start) for role, shape in zip(roles, shapes, strict=False)]
    return tuple(specs)


def _macs(cell: _Cell, attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    hidden: int = attributes["hidden"]
    each = sum(
        cell.gates * hidden * (direction.given + hidden) for layer in _stack(attributes, inputs) for direction in layer
    )
    return tokens_of(inputs[0], attributes["axis"]) * each


def _operations(cell: _Cell, attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # For each number of the state and step. LSTM: three sigmoids (4), two tanh, four products and sums, four sums of
    # the two products. GRU: two sigmoids, a tanh, the reset, four products and sums, three sums of the two products.
    each = 22 if cell is _LSTM else 17
    biases = 2 * cell.gates if attributes["bias"] else 0
    directions = sum(len(layer) for layer in _stack(attributes, inputs))
    return tokens_of(inputs[0], attributes["axis"]) * (int(attributes["hidden"]) * (each + biases) * directions)


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """For every step, layer and direction the gates, the states and what is in between; the inputs of the layers.

    What a library keeps in a form of its own is not in it: oneDNN's LSTM has 14 kB for each direction and layer.
    """
    hidden, numbers = int(attributes["hidden"]), 0
    for place, layer in enumerate(_stack(attributes, inputs)):
        numbers += len(layer) * 7 * hidden + layer[0].given * (1 if place else len(layer))
        numbers += len(layer) * hidden if place and attributes["dropout"] else 0
    return Kept(numbers=tokens_of(inputs[0], attributes["axis"]) * numbers)


def _scratch(cell: _Cell, attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # The steps in order, one layer's states, and the gates of a step (LSTM) or of all steps.
    steps, made = tokens_of(inputs[0], attributes["axis"]), _directions(attributes) * int(attributes["hidden"])
    gates = made * 5 if cell is _LSTM else steps * (made * cell.gates)
    return entries(inputs[0]) + steps * made + gates


def _torch(cell: _Cell, call: TorchCall) -> Tensor:
    attributes, torch = call.attributes, call.torch
    steps = to_tokens(call.inputs[0], attributes["axis"])
    layers, directions = attributes["layers"], _directions(attributes)
    start, cells = (_torch_start(call, name) for name in _STARTS)
    # Whether torch trains: cuDNN has gradients only then. What is dropped between layers is for `rate` to say.
    rate = attributes["dropout"] if call.training and layers > 1 else 0.0
    options = (layers, rate, torch.is_grad_enabled(), attributes["bidirectional"], True)
    weights = list(call.weights.values())
    if cell is _LSTM:
        result, last, _ = torch.lstm(steps, (start, cells), weights, attributes["bias"], *options)
    else:
        result, last = torch.gru(steps, start, weights, attributes["bias"], *options)
    found: Tensor
    if attributes["output"] == "last":
        found = last[-directions:].transpose(0, 1).flatten(1)
    else:
        found = result.transpose(1, 2) if attributes["axis"] == "channels" else result
    return found


def _torch_start(call: TorchCall, name: str) -> Tensor:
    """Return what a state starts from, `layers * directions x N x H`: a value, or zeros."""
    value, place = call.inputs[0], started_from(call.attributes, name)
    count, hidden = _states(call.attributes), call.attributes["hidden"]
    if place is None:
        return value.new_zeros(count, value.shape[0], hidden)
    start: Tensor = call.inputs[place].reshape(-1, count, hidden).transpose(0, 1).contiguous()
    return start


def _onnx(cell: _Cell, call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    made, outputs = _directions(attributes) * attributes["hidden"], ["", ""]
    steps = write("Transpose", call.inputs[0], perm=[2, 0, 1] if attributes["axis"] == "channels" else [1, 0, 2])
    starts = _onnx_starts(write, call)
    for number, layer in enumerate(_stack(attributes, tuple(call.input_types))):
        if number:  # L x directions x N x H of the layer before
            steps = write("Reshape", write("Transpose", outputs[0], perm=[0, 2, 1, 3]), write.sizes([0, 0, made]))
        outputs = write.parts(
            cell.name,
            2,
            steps,
            *_onnx_weights(write, cell, call, layer),
            *(starts[number] if starts else ()),
            hidden_size=attributes["hidden"],
            direction="bidirectional" if attributes["bidirectional"] else "forward",
            **dict(cell.onnx_settings),
        )
    if attributes["output"] == "last":
        write.result("Reshape", write("Transpose", outputs[1], perm=[1, 0, 2]), write.sizes([0, made]))
    elif attributes["axis"] == "channels":
        length = call.output_types[0].shape[1]
        sizes = write.sizes([0, made, length if isinstance(length, int) else -1])
        write.result("Reshape", write("Transpose", outputs[0], perm=[2, 1, 3, 0]), sizes)
    else:
        write.result("Reshape", write("Transpose", outputs[0], perm=[2, 0, 1, 3]), write.sizes([0, 0, made]))


def _onnx_starts(write: Decomposition, call: OnnxCall) -> list[list[str]]:
    """Write what each layer starts from, `directions x N x H`, after the inputs of ONNX that come before it."""
    attributes, directions = call.attributes, _directions(call.attributes)
    places = [started_from(attributes, name) for name in _STARTS]
    if places == [None, None]:
        return []
    before = [""] if attributes["bias"] else ["", ""]  # no lengths of sequences; without biases neither those
    layers: list[list[str]] = [list(before) for _ in range(attributes["layers"])]
    for place in places:
        if place is None:
            pieces = [""] * attributes["layers"]
        else:
            sizes = write.sizes([0, _states(attributes), attributes["hidden"]])
            whole = write("Transpose", write("Reshape", call.inputs[place], sizes), perm=[1, 0, 2])
            pieces = [
                write("Slice", whole, *(write.sizes([at * directions]) for at in (layer, layer + 1)), write.sizes([0]))
                for layer in range(attributes["layers"])
            ]
        for layer, piece in zip(layers, pieces, strict=True):
            layer.append(piece)
    # A GRU has no cell, and ONNX counts what is left out at the end.
    return [layer[:-1] if layer[-1] == "" else layer for layer in layers]


def _onnx_weights(write: Decomposition, cell: _Cell, call: OnnxCall, layer: Sequence[_Direction]) -> list[str]:
    """Write a layer's weights as ONNX has them: directions stacked, gates in its order, both biases in one."""
    hidden, bias = call.attributes["hidden"], call.attributes["bias"]
    kinds: list[list[str]] = [[], [], []]
    for direction in layer:
        names = [call.weights[role] for role in direction.roles(bias=bias)]
        widths = (direction.given, hidden)
        for place, width in enumerate(widths):
            kinds[place].append(_reordered(write, cell, names[place], hidden, width))
        if bias:
            pair = [_reordered(write, cell, name, hidden, 1) for name in names[2:]]
            flat = write("Reshape", write("Concat", *pair, axis=1), write.sizes([1, 2 * cell.gates * hidden]))
            kinds[2].append(flat)
    return [write("Concat", *parts, axis=0) if len(parts) > 1 else parts[0] for parts in kinds if parts]


def _reordered(write: Decomposition, cell: _Cell, weight: str, hidden: int, width: int) -> str:
    """Write a weight `gates * hidden x width` with its gates in ONNX's order, as `1 x gates * hidden x width`."""
    gates = write("Reshape", weight, write.sizes([cell.gates, hidden, width]))
    moved = write("Gather", gates, write.sizes(cell.onnx_gates), axis=0)
    return write("Reshape", moved, write.sizes([1, cell.gates * hidden, width]))


_ARGUMENTS = (
    Argument("hidden", Integer(), "Size of the state, and number of features that each direction gives."),
    Argument("layers", Integer(), "Layers on top of each other, each over what the one before gives.", 1),
    Argument("bidirectional", Flag(), "Whether a second direction goes from the end to the beginning.", False),
    Argument(
        "output",
        OneOf(("sequence", "last")),
        "The state at every step, or a flat value: the state after the last step, that of the second direction being "
        "the one after the first position.",
        Choice("sequence"),
    ),
    Argument("bias", Flag(), "Whether there are biases, two for each gate as in torch.", True),
    Argument(
        "dropout",
        Real(0, 1, open_maximum=True),
        "Probability that an entry between two layers is left out in training.",
        0,
    ),
    AXIS,
)


_SAMPLES = (
    Sample({"hidden": 3}, ((4, 7),)),
    Sample({"hidden": 5, "output": "last"}, ((4, 7),)),
    Sample({"hidden": 3, "bidirectional": True, "layers": 2}, ((4, 6),)),
    Sample({"hidden": 3, "bidirectional": True, "output": "last", "bias": False}, ((4, 6),)),
    Sample({"hidden": 3, "layers": 3, "dropout": 0.4, "axis": "last"}, ((7, 4),)),
    Sample({"hidden": 2, "bidirectional": True, "axis": "last"}, ((5, 4),)),
    Sample({"hidden": 3, "bidirectional": True, "output": "last", "state": 1}, ((4, 5), (2, 3))),
    Sample({"hidden": 3, "state": 1}, ((4, 7), (3, 2, 1)), fails="starts from a state of 3 or 1 x 3"),
    Sample({"hidden": 3}, ((10,),), fails="needs a sequence C x L, but gets 10"),
    Sample({"hidden": 3}, ((8, 4, 9),), fails="needs a sequence C x L, but gets 8 x 4 x 9"),
    Sample({"hidden": 3, "axis": "last"}, ((2, 8, 4, 9),), fails="needs a sequence L x C, but gets 2 x 8 x 4 x 9"),
    Sample({"hidden": 0}, ((4, 7),), fails="hidden must be a whole number of at least 1"),
    Sample({"hidden": 3, "output": "first"}, ((4, 7),), fails="output must be one of sequence, last"),
)


_STATE = start_argument("state", "the state of every layer and direction (flat, or layers * directions x hidden)")
_OWN: Mapping[_Cell, tuple[tuple[Argument, ...], tuple[Sample, ...]]] = {
    _LSTM: (
        (_STATE, start_argument("cell", "its memory, as large as the state")),
        (
            Sample({"hidden": 3, "state": 1, "cell": 2}, ((4, 7), (3,), (3,))),
            Sample({"hidden": 2, "layers": 2, "bidirectional": True, "cell": 1}, ((4, 6), (4, 2))),
            Sample({"hidden": 3, "cell": 1}, ((4, 7), (4,)), fails="starts from a cell of 3 or 1 x 3"),
        ),
    ),
    _GRU: ((_STATE,), (Sample({"hidden": 2, "layers": 2, "state": 1, "bias": False, "axis": "last"}, ((5, 4), (4,))),)),
}
"""What each cell has for itself: arguments, and samples with them."""


def _record(cell: _Cell, summary: str, reference: str) -> OpRecord:
    own, shown = _OWN[cell]
    return OpRecord(
        name=cell.name.lower(),
        work=Work(partial(_operations, cell), _keeps, scratch=partial(_scratch, cell)),
        role="weights",
        summary=summary,
        arguments=(*_ARGUMENTS, *own),
        shape=_shape,
        weights=partial(_weights, cell),
        macs=partial(_macs, cell),
        window=sees_everything,
        torch=partial(_torch, cell),
        onnx=partial(_onnx, cell),
        samples=(*_SAMPLES, *shown),
        reference=reference,
    )


LSTM = _record(
    _LSTM,
    "Long short-term memory over a sequence: i, f, o = sigmoid(W x + U h + b), g = tanh(W x + U h + b), c = f * c + "
    "i * g, h = o * tanh(c), each gate with weights of its own; weights are named, ordered and started as torch's.",
    "Hochreiter and Schmidhuber, Long short-term memory, 1997; with forget gates, Gers, Schmidhuber and Cummins, 2000; "
    "both directions, Schuster and Paliwal, 1997",
)

GRU = _record(
    _GRU,
    "Gated recurrent unit over a sequence: r, z = sigmoid(W x + U h + b), n = tanh(W x + b + r * (U h + b)), "
    "h = (1 - z) * n + z * h, each gate with weights of its own; weights are named, ordered and started as torch's.",
    "Cho et al., Learning phrase representations using RNN encoder-decoder, 2014; the reset gate behind the product as "
    "in cuDNN and torch",
)

RECORDS = (LSTM, GRU)
