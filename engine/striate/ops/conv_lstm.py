"""The convolutional LSTM: memory for every pixel of a sequence of images, which are the slices of a volume."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from striate.dims import Dim, format_dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Choice, Flag, Integer, OneOf, PerAxis, format_value
from striate.ops.axes import known_sizes
from striate.ops.decomposition import Decomposition
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.shape_arguments import per_axis
from striate.ops.sizes import known_channels, product, typed
from striate.ops.starting import check_start, start_argument, started_from
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_GATES = 4
_PEEPHOLES = 3


def _settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    value = inputs[0]
    if value.rank != 4:
        raise LayerError(
            Problem(
                f"needs images one after the other, C x D x H x W, but gets {format_shape(value)}",
                code="E0204",
                notes=("the slices of a volume are the steps, the first one the earliest",),
                help="put this layer before flatten" if value.rank == 1 else None,
            )
        )
    return {**attributes, "kernel": per_axis(attributes["kernel"], 2, "kernel")}


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    value = inputs[0]
    known_channels(inputs)
    if any(side % 2 == 0 for side in attributes["kernel"]):
        raise LayerError(_even(attributes["kernel"]))
    if attributes["peepholes"]:
        _known(value.shape[2:], value, "has a weight for each pixel, so it needs a fixed height and width")
    _known(value.shape[1:2], value, "needs a fixed number of steps, as ONNX has them written one by one")
    hidden, (steps, height, width) = attributes["hidden"], value.shape[1:]
    for name in ("state", "cell"):
        check_start(attributes, inputs, name, (hidden, height, width), check=check)
    return typed(hidden, height, width) if attributes["output"] == "last" else typed(hidden, steps, height, width)


def _even(kernel: tuple[int, ...]) -> Problem:
    odd = tuple(side + 1 - side % 2 for side in kernel)
    near = format_value(odd[0] if len(set(odd)) == 1 else odd)
    return Problem(
        f"an even kernel ({' x '.join(map(str, kernel))}) would make the state smaller at every step",
        code="E0202",
        argument="kernel",
        help=f"kernel = {near} keeps its size",
        repair=(("kernel", near),),
    )


def _known(sizes: tuple[Dim, ...], value: TensorType, message: str) -> None:
    if all(isinstance(size, int) for size in sizes):
        return
    raise LayerError(
        Problem(
            f"{message}, but gets {' x '.join(map(format_dim, sizes))}",
            code="E0207",
            notes=(f"the value that flows in is {format_shape(value)}",),
            help="fix the size in the input line",
        )
    )


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    hidden, given, kernel = attributes["hidden"], known_channels(inputs), attributes["kernel"]
    # As torch starts a convolution of input and state together, which is what the two are.
    start = Initializer("uniform", {"bound": 1 / math.sqrt((given + hidden) * math.prod(kernel))})
    specs = [
        WeightSpec("weight_ih", (_GATES * hidden, given, *kernel), start),
        WeightSpec("weight_hh", (_GATES * hidden, hidden, *kernel), start),
    ]
    specs += [WeightSpec("gate_bias", (_GATES * hidden,), start)] if attributes["bias"] else []
    if attributes["peepholes"]:
        space = [size for size in inputs[0].shape[2:] if isinstance(size, int)]
        specs.append(WeightSpec("peephole_weight", (_PEEPHOLES * hidden, *space), Initializer("zeros")))
    return tuple(specs)


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    hidden: int = attributes["hidden"]
    steps, *space = inputs[0].shape[1:]
    # Before the first step there is no state that a kernel could go over, unless one is given.
    seen = steps * (known_channels(inputs) + hidden) - (hidden if attributes["state"] is None else 0)
    return product(space) * seen * (_GATES * hidden * math.prod(attributes["kernel"]))


def _state(attributes: Attributes, inputs: Types) -> Dim:
    """Return the entries of a state, which are as many as those of the cell."""
    return product(inputs[0].shape[2:]) * int(attributes["hidden"])


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # For each entry of the state: three sigmoids (4), two tanh, four products and sums; four sums with the state
    # before, but at the first step; three products and sums of the cell; four biases.
    steps = inputs[0].shape[1]
    each = 18 + 6 * int(attributes["peepholes"]) + _GATES * int(attributes["bias"]) + _GATES
    return _state(attributes, inputs) * (steps * each - (_GATES if attributes["state"] is None else 0))


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """For every step the gates, the cell and its tanh, and the state; before the first one cell for peepholes."""
    started = (started_from(attributes, name) for name in ("state", "cell"))
    numbers = _state(attributes, inputs) * (inputs[0].shape[1] * 7 - 2 + int(attributes["peepholes"]))
    return Kept((0, *(place for place in started if place is not None)), numbers=numbers)


def _torch(call: TorchCall) -> Tensor:
    weights, functional = call.weights, call.torch.nn.functional
    middle = [side // 2 for side in call.attributes["kernel"]]
    bias = weights.get("gate_bias")
    # What the images give to the gates, for all steps at once.
    read = functional.conv3d(call.inputs[0], weights["weight_ih"][:, :, None], bias, padding=[0, *middle])
    peepholes = weights["peephole_weight"].chunk(_PEEPHOLES) if call.attributes["peepholes"] else None
    states: list[Tensor] = []
    place, cells = (started_from(call.attributes, name) for name in ("state", "cell"))
    before = None if place is None else call.inputs[place]
    cell = read.new_zeros(()) if cells is None else call.inputs[cells]
    for given in read.unbind(2):
        held = states[-1] if states else before
        total = given if held is None else given + functional.conv2d(held, weights["weight_hh"], padding=middle)
        inward, forget, new, out = total.chunk(_GATES, 1)
        if peepholes is not None:
            inward, forget = inward + peepholes[0] * cell, forget + peepholes[1] * cell
        cell = forget.sigmoid() * cell + inward.sigmoid() * new.tanh()
        out = out if peepholes is None else out + peepholes[2] * cell
        states.append(out.sigmoid() * cell.tanh())
    return states[-1] if call.attributes["output"] == "last" else call.torch.stack(states, 2)


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, weights = Decomposition(call, sink), call.weights
    (steps,) = known_sizes(call.input_types[0], (2,))
    middle = [side // 2 for side in call.attributes["kernel"]]
    kernel = write("Unsqueeze", weights["weight_ih"], write.sizes([2]))
    bias = [weights["gate_bias"]] if call.attributes["bias"] else []
    read = write("Conv", call.inputs[0], kernel, *bias, pads=[0, *middle, 0, *middle])
    peepholes = None
    if call.attributes["peepholes"]:
        each = write.sizes([call.attributes["hidden"]] * _PEEPHOLES)
        peepholes = write.parts("Split", _PEEPHOLES, weights["peephole_weight"], each, axis=0)
    parts = write.parts("Split", steps, read, write.sizes([1] * steps), axis=2) if steps > 1 else [read]
    states: list[str] = []
    before, cell = (
        None if place is None else call.inputs[place]
        for place in (started_from(call.attributes, name) for name in ("state", "cell"))
    )
    for part in parts:
        total = write("Squeeze", part, write.sizes([2]))
        held = states[-1] if states else before
        if held is not None:
            total = write("Add", total, write("Conv", held, weights["weight_hh"], pads=[*middle, *middle]))
        state, cell = _onnx_step(write, call, total, cell, peepholes)
        states.append(state)
    if call.attributes["output"] == "last":
        write.result("Identity", states[-1])
    else:
        write.result("Concat", *(write("Unsqueeze", state, write.sizes([2])) for state in states), axis=2)


def _onnx_step(
    write: Decomposition, call: OnnxCall, total: str, cell: str | None, peepholes: list[str] | None
) -> tuple[str, str]:
    """Write one step from the sums of its gates: its state and its cell."""
    hidden = call.attributes["hidden"]
    inward, forget, new, out = write.parts("Split", _GATES, total, write.sizes([hidden] * _GATES), axis=1)
    if peepholes is not None and cell is not None:
        inward = write("Add", inward, write("Mul", peepholes[0], cell))
        forget = write("Add", forget, write("Mul", peepholes[1], cell))
    made = write("Mul", write("Sigmoid", inward), write("Tanh", new))
    if cell is not None:
        made = write("Add", write("Mul", write("Sigmoid", forget), cell), made)
    if peepholes is not None:
        out = write("Add", out, write("Mul", peepholes[2], made))
    return write("Mul", write("Sigmoid", out), write("Tanh", made)), made


CONVLSTM = OpRecord(
    name="convlstm",
    work=Work(_operations, _keeps),
    role="weights",
    summary="LSTM whose products are convolutions, over the slices of a volume as steps: i, f, o = sigmoid(W * x + U * "
    "h + b), g = tanh(W * x + U * h + b), c = f c + i g, h = o tanh(c), with state and cell as large as an image.",
    arguments=(
        Argument("hidden", Integer(), "Channels of the state."),
        Argument("kernel", PerAxis(), "Size of both kernels, height and width, odd; the border is padded with zeros."),
        Argument(
            "output",
            OneOf(("sequence", "last")),
            "The state at every step, or that after the last.",
            Choice("sequence"),
        ),
        Argument("bias", Flag(), "Whether there is a bias for each gate and channel.", True),
        Argument(
            "peepholes",
            Flag(),
            "Whether the gates see the cell too, with a weight for each channel and pixel as in the paper, which needs "
            "fixed sizes.",
            False,
        ),
        start_argument("state", "the state, hidden x H x W,"),
        start_argument("cell", "the memory, as large as the state,"),
    ),
    settle=_settle,
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=sees_everything,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({"hidden": 3, "kernel": 3}, ((2, 4, 5, 3),)),
        Sample({"hidden": 2, "kernel": (1, 3), "output": "last", "bias": False}, ((3, 3, 4, 5),)),
        Sample({"hidden": 2, "kernel": 3, "peepholes": True}, ((2, 3, 4, 3),)),
        Sample({"hidden": 2, "kernel": 1}, ((2, 1, 3, 4),)),
        Sample({"hidden": 2, "kernel": 3, "state": 1, "cell": 2}, ((3, 2, 4, 3), (2, 4, 3), (2, 4, 3))),
        Sample({"hidden": 2, "kernel": 1, "cell": 1, "peepholes": True}, ((2, 3, 3, 4), (2, 3, 4))),
        Sample({"hidden": 2, "kernel": 3, "state": 1}, ((3, 2, 4, 3), (2, 4, 4)), fails="starts from a state of 2 x 4"),
        Sample(
            {"hidden": 3, "kernel": 4}, ((2, 4, 5, 3),), fails="an even kernel (4 x 4) would make the state smaller"
        ),
        Sample({"hidden": 3, "kernel": 3}, ((2, 5, 3),), fails="needs images one after the other, C x D x H x W"),
        Sample({"hidden": 3, "kernel": (3, 3, 3)}, ((2, 4, 5, 3),), fails="kernel has 3 numbers"),
        Sample({"hidden": 0, "kernel": 3}, ((2, 4, 5, 3),), fails="hidden must be a whole number of at least 1"),
    ),
    reference="Shi et al., Convolutional LSTM network, 2015, equation 3",
)

RECORDS = (CONVLSTM,)
