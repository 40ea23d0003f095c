"""Layers that are wrong on purpose, each in one way, with the check that must find it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from striate.plugin import (
    Argument,
    Check,
    Flag,
    Initializer,
    Integer,
    OnnxCall,
    OnnxSink,
    OpRecord,
    TensorType,
    TorchCall,
    WeightSpec,
)
from tests.engine.conformance.sound_layers import (
    CONVOLUTION,
    TRACKED,
    Attributes,
    Types,
    channels,
    demand_image,
    macs,
    onnx_rule,
    shape,
    torch_rule,
    tracked_torch,
    weights,
)

NUMBERS = np.random.default_rng(0)
HIDDEN = torch.nn.Parameter(torch.ones(()))
KEPT: dict[str, Any] = {"peak": 1.0}


# ------------------------------------------------------------------------------------------- sizes


def one_row_more(attributes: Attributes, inputs: Types, check: Check) -> Types:
    (kind,) = shape(attributes, inputs, check)
    count, rows, columns = kind.shape
    return (TensorType((count, rows + (attributes["stride"] > 1), columns)),)


def no_condition(attributes: Attributes, inputs: Types, check: Check) -> Types:
    demand_image(inputs)
    kernel, stride = attributes["kernel"], attributes["stride"]
    rows, columns = ((size - kernel) // stride + 1 for size in inputs[0].shape[1:])
    return (TensorType((channels(inputs), rows, columns)),)


def by_value_error(attributes: Attributes, inputs: Types, check: Check) -> Types:
    demand_image(inputs)
    if any(isinstance(size, int) and size < attributes["kernel"] for size in inputs[0].shape):
        raise ValueError("the kernel is larger than the image")
    return shape(attributes, inputs, check)


def without_a_word(attributes: Attributes, inputs: Types, check: Check) -> Types:
    from striate.plugin import LayerError, Problem

    if inputs[0].rank != 3:
        raise LayerError(Problem(" "))
    return shape(attributes, inputs, check)


def closed_sizes(attributes: Attributes, inputs: Types, check: Check) -> Types:
    if all(isinstance(size, int) for size in inputs[0].shape):
        return shape(attributes, inputs, check)
    count, rows, columns = inputs[0].shape
    return (TensorType((count, rows, columns)),)


def int_of_a_size(attributes: Attributes, inputs: Types, check: Check) -> Types:
    (kind,) = shape(attributes, inputs, check)
    return (TensorType(tuple(int(size) for size in kind.shape)),)


def other_the_second_time(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    return {**attributes, "scale": attributes["scale"] / 2}


def changing_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    made = shape(attributes, inputs, check)
    attributes["seen"] = True  # type: ignore[index]  # that is the mistake
    return made


# ------------------------------------------------------------------------------------------- weights and costs


def a_channel_more(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    made = weights(attributes, inputs)
    if len(made) < 2:
        return made
    return (made[0], replace(made[1], shape=(made[1].shape[0] + 1,)))


def with_fewer_biases(call: TorchCall) -> Any:
    own = {role: item[: call.inputs[0].shape[1]] for role, item in call.weights.items()}
    return torch_rule(replace(call, weights=own))


def an_idle_weight(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    return (*weights(attributes, inputs), WeightSpec("idle", (channels(inputs),), Initializer("ones")))


def leaving_the_idle_one(call: OnnxCall, sink: OnnxSink) -> None:
    onnx_rule(replace(call, weights={role: name for role, name in call.weights.items() if role != "idle"}), sink)


def an_unknown_start(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    return tuple(replace(spec, initializer=Initializer("as_it_comes")) for spec in weights(attributes, inputs))


def a_hidden_parameter(call: TorchCall) -> Any:
    return torch_rule(call) * HIDDEN


def no_macs(attributes: Attributes, inputs: Types, outputs: Types) -> int:
    return 0


def macs_of_all_channels(attributes: Attributes, inputs: Types, outputs: Types) -> Any:
    return macs(attributes, inputs, outputs) * channels(inputs) * 3


def a_statistic_of_its_own(call: TorchCall) -> Any:
    if call.training:
        KEPT["peak"] = 0.9 * KEPT["peak"] + 0.1 * call.inputs[0].detach().abs().amax()
    return tracked_torch(call) * KEPT["peak"]


# ------------------------------------------------------------------------------------------- values


def detached(role: str) -> Callable[[TorchCall], Any]:
    def rule(call: TorchCall) -> Any:
        return torch_rule(
            replace(
                call, weights={name: item.detach() if name == role else item for name, item in call.weights.items()}
            )
        )

    return rule


def detached_input(call: TorchCall) -> Any:
    return torch_rule(replace(call, inputs=[call.inputs[0].detach()]))


class Halved(torch.autograd.Function):
    """Passes on what it is given, and half of the gradient."""

    @staticmethod
    def forward(context: Any, value: torch.Tensor) -> torch.Tensor:
        return value.clone()

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> Any:
        return gradients[0] / 2


def half_the_gradient(call: TorchCall) -> Any:
    return Halved.apply(torch_rule(call))


def narrow(call: TorchCall) -> Any:
    return torch_rule(
        replace(
            call,
            inputs=[call.inputs[0].float()],
            weights={role: item.float() for role, item in call.weights.items()},
        )
    )


def dropping_in_evaluation(call: TorchCall) -> Any:
    return call.torch.nn.functional.dropout(torch_rule(call), 0.3, training=True)


def drawing_elsewhere(call: TorchCall) -> Any:
    return torch_rule(call) * (1 + float(NUMBERS.random()))


def drawing_in_training_elsewhere(call: TorchCall) -> Any:
    return torch_rule(call) * (1 + float(NUMBERS.random()) if call.training else 1)


def drawing_for_nothing(call: TorchCall) -> Any:
    return torch_rule(call) + 0 * call.torch.rand(())


def in_place(call: TorchCall) -> Any:
    with call.torch.no_grad():
        call.inputs[0].mul_(2)
    return torch_rule(call)


def decaying(call: TorchCall) -> Any:
    if call.training:
        with call.torch.no_grad():
            call.weights["gain"].mul_(0.9)
    return tracked_torch(call)


def infinite(call: TorchCall) -> Any:
    return torch_rule(call) / 0


def root_of_nothing(call: TorchCall) -> Any:
    made = torch_rule(call)
    return made + (made - made.detach()).abs().sqrt()


def centred_over_the_batch(call: TorchCall) -> Any:
    made = torch_rule(call)
    return made - made.mean(0, keepdim=True)


def viewed(call: TorchCall) -> Any:
    value = call.inputs[0]
    flat = value.view(value.shape[0], -1)
    return torch_rule(replace(call, inputs=[flat.view(value.shape)]))


def looking_at_values(call: TorchCall) -> Any:
    made = torch_rule(call)
    return made if float(made.detach().abs().max()) >= 0 else -made


# ------------------------------------------------------------------------------------------- ONNX


def without(argument: str, value: Any) -> Callable[[OnnxCall, OnnxSink], None]:
    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        onnx_rule(replace(call, attributes={**call.attributes, argument: value}), sink)

    return rule


def for_one_image(call: OnnxCall, sink: OnnxSink) -> None:
    onnx_rule(replace(call, outputs=[f"{call.name}/whole"]), sink)
    sizes = [1, *(int(size) for size in call.output_types[0].shape)]  # type: ignore[arg-type]  # sizes are known here
    sink.node("Reshape", [f"{call.name}/whole", sink.constant(f"{call.name}/sizes", sizes, "int64")], call.outputs)


def no_such_operator(call: OnnxCall, sink: OnnxSink) -> None:
    sink.node("EachConv", [call.inputs[0], *call.weights.values()], call.outputs)


# ------------------------------------------------------------------------------------------- words


@dataclass(frozen=True)
class Rude:
    """A kind that does not say in its own words what it does not take."""

    def describe(self) -> str:
        return "a whole number"

    def convert(self, value: Any) -> int:
        return int(value)

    def examples(self) -> list[int]:
        return [1, 2]


def with_argument(record: OpRecord, argument: Argument, place: int = 99) -> OpRecord:
    listed = list(record.arguments)
    listed.insert(place, argument)
    return replace(record, arguments=tuple(listed))


SQUARE = tuple(
    replace(sample, inputs=((2, 5, 5),), parameters=None, macs=None)
    for sample in CONVOLUTION.samples
    if not sample.fails
)
LEGAL = tuple(sample for sample in CONVOLUTION.samples if sample.fails is None)
REFUSED = CONVOLUTION.samples[-1]

WRONG: Mapping[str, tuple[str, OpRecord]] = {
    "a summary without a sentence": ("documentation", replace(CONVOLUTION, summary="conv")),
    "a default that is not legal": (
        "arguments",
        with_argument(CONVOLUTION, Argument("group", Integer(), "A number of groups.", 0)),
    ),
    "a kind that raises what it likes": (
        "arguments",
        with_argument(CONVOLUTION, Argument("group", Rude(), "A number of groups.", 1)),
    ),
    "a required argument at the end": (
        "arguments",
        with_argument(CONVOLUTION, Argument("group", Integer(), "A number of groups.")),
    ),
    "samples that show no refusal": ("samples", replace(CONVOLUTION, samples=LEGAL)),
    "square samples": ("samples", replace(CONVOLUTION, samples=(*SQUARE, REFUSED))),
    "an argument that no sample shows": (
        "samples",
        with_argument(CONVOLUTION, Argument("loud", Flag(), "Nothing at all.", False)),
    ),
    "a sample that miscounts": (
        "samples",
        replace(CONVOLUTION, samples=(replace(LEGAL[0], parameters=19), *CONVOLUTION.samples)),
    ),
    "values settled twice": ("rules", replace(CONVOLUTION, settle=other_the_second_time)),
    "a rule that changes attributes": ("rules", replace(CONVOLUTION, shape=changing_shape)),
    "a shape rule wrong by one": ("shape-rule", replace(CONVOLUTION, shape=one_row_more)),
    "a shape rule without its condition": ("shape-rule", replace(CONVOLUTION, shape=no_condition)),
    "a refusal by ValueError": ("shape-rule", replace(CONVOLUTION, shape=by_value_error)),
    "a refusal without a word": ("shape-rule", replace(CONVOLUTION, shape=without_a_word)),
    "another size where it is open": ("open-sizes", replace(CONVOLUTION, shape=closed_sizes)),
    "a number made of an open size": ("open-sizes", replace(CONVOLUTION, shape=int_of_a_size)),
    "a wrong parameter count": ("parameters", replace(CONVOLUTION, weights=a_channel_more, torch=with_fewer_biases)),
    "a weight that nothing uses": (
        "parameters",
        replace(CONVOLUTION, weights=an_idle_weight, onnx=leaving_the_idle_one),
    ),
    "a start that does not exist": ("parameters", replace(CONVOLUTION, weights=an_unknown_start)),
    "a parameter that is not in the state dict": ("parameters", replace(CONVOLUTION, torch=a_hidden_parameter)),
    "no multiply-adds": ("macs", replace(CONVOLUTION, macs=no_macs)),
    "too many multiply-adds": ("macs", replace(CONVOLUTION, macs=macs_of_all_channels)),
    "a gradient of a weight cut off": ("gradients", replace(CONVOLUTION, torch=detached("weight"))),
    "a gradient of the input cut off": ("gradients", replace(CONVOLUTION, torch=detached_input)),
    "half the gradient": ("gradients", replace(CONVOLUTION, torch=half_the_gradient)),
    "float32 whatever is given": ("gradients", replace(CONVOLUTION, torch=narrow)),
    "dropout in evaluation": ("evaluation", replace(CONVOLUTION, torch=dropping_in_evaluation)),
    "random evaluation by numpy": ("evaluation", replace(CONVOLUTION, torch=drawing_elsewhere)),
    "numbers drawn in evaluation for nothing": ("evaluation", replace(CONVOLUTION, torch=drawing_for_nothing)),
    "an input changed in place": ("evaluation", replace(CONVOLUTION, torch=in_place)),
    "a division by zero": ("evaluation", replace(CONVOLUTION, torch=infinite)),
    "training that no seed repeats": ("training", replace(CONVOLUTION, torch=drawing_in_training_elsewhere)),
    "a weight changed by training": ("training", replace(TRACKED, torch=decaying)),
    "images of a batch that meet": ("batch", replace(CONVOLUTION, torch=centred_over_the_batch)),
    "statistics outside of the weights": ("save-load", replace(TRACKED, torch=a_statistic_of_its_own)),
    "memory that must be contiguous": ("lowering", replace(CONVOLUTION, torch=viewed)),
    "a look at values": ("lowering", replace(CONVOLUTION, torch=looking_at_values)),
    "a stride that ONNX ignores": ("onnx", replace(CONVOLUTION, onnx=without("stride", 1))),
    "a scale that ONNX ignores": ("onnx", replace(CONVOLUTION, onnx=without("scale", 1.0))),
    "ONNX for one image": ("onnx", replace(CONVOLUTION, onnx=for_one_image)),
    "an operator that ONNX does not have": ("onnx", replace(CONVOLUTION, onnx=no_such_operator)),
    "a name that is a word of the language": ("composition", replace(CONVOLUTION, name="repeat")),
    "a gradient that is no number": ("composition", replace(CONVOLUTION, torch=root_of_nothing)),
}
"""What is wrong, in words: the check that must find it, and the layer."""
