"""Dropout whose rate is trained along with the weights, by way of a soft mask that has a gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from striate.graph import Initializer
from striate.ops.arguments import Argument, Choice, OneOf, Real
from striate.ops.entrywise import EVERY_RANK, onnx_operator, unchanged
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, PenaltyCall, Sample, TorchCall, Types, WeightSpec
from striate.ops.sizes import entries, known_channels
from striate.ops.work import Kept, Work, no_operations

if TYPE_CHECKING:
    from torch import Tensor


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    known_channels(inputs)
    return unchanged(attributes, inputs, check)


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    rate = attributes["rate"]
    return (WeightSpec("logit", (1,), Initializer("constant", {"value": math.log(rate / (1 - rate))})),)


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    chances = entries(inputs[0]) if attributes["drops"] == "entries" else inputs[0].channels
    return Kept((0,), numbers=entries(inputs[0]) + chances * 2)


def _torch(call: TorchCall) -> Tensor:
    value, logit = call.inputs[0], call.weights["logit"]
    if not call.training:
        return value
    shape = value.shape if call.attributes["drops"] == "entries" else (*value.shape[:2], *[1] * (value.dim() - 2))
    # Kept away from 0 and 1, where the logarithms have no value.
    chance = call.torch.rand(shape, dtype=value.dtype, device=value.device).clamp(1e-7, 1 - 1e-7)
    dropped = ((logit + chance.logit()) / call.attributes["temperature"]).sigmoid()
    result: Tensor = value * (1 - dropped) / (1 - logit.sigmoid())
    return result


def _penalty(call: PenaltyCall) -> Tensor:
    logit = call.weights["logit"]
    log_sigmoid = call.torch.nn.functional.logsigmoid
    negative_entropy = logit.sigmoid() * log_sigmoid(logit) + (-logit).sigmoid() * log_sigmoid(-logit)
    result: Tensor = call.attributes["entropy"] * known_channels(call.inputs) * negative_entropy.sum()
    return result


CONCRETE_DROPOUT = OpRecord(
    name="concrete_dropout",
    work=Work(no_operations, _keeps),
    summary="Dropout with a trained rate p, a weight (its logit): in training out = in * (1 - z) / (1 - p) with z = "
    "sigmoid((logit(p) + logit(u)) / temperature) and u uniform at random; evaluation passes values through.",
    inference="same",
    role="regularisation",
    arguments=(
        Argument("rate", Real(0.001, 0.999), "The rate before training.", 0.1),
        Argument("temperature", Real(0.001), "How soft the mask is; below 0.1 it is nearly 0 or 1.", 0.1),
        Argument("drops", OneOf(("entries", "channels")), "What is left out.", Choice("entries")),
        Argument(
            "entropy",
            Real(0),
            "What training adds to the loss: entropy * channels * (p log p + (1 - p) log(1 - p)), least at p = 1/2, "
            "without which the rate goes to 0 (2 / (precision * examples) in the paper). Its other term is the weight "
            "decay of the layer behind.",
            1e-5,
        ),
    ),
    shape=_shape,
    weights=_weights,
    torch=_torch,
    onnx=onnx_operator("Identity"),
    penalty=_penalty,
    samples=(
        *(Sample({}, (shape,)) for shape in EVERY_RANK),
        Sample({"rate": 0.4, "temperature": 0.5, "entropy": 0.01}, ((4, 5, 3),)),
        Sample({"drops": "channels"}, ((4, 5, 3),)),
        Sample({"rate": 0}, ((10,),), fails="rate must be a number from 0.001 to 0.999"),
        Sample({"temperature": 0}, ((10,),), fails="temperature must be a number of at least 0.001"),
    ),
    reference="Gal, Hron and Kendall, Concrete dropout, 2017, section 3",
)

RECORDS = (CONCRETE_DROPOUT,)
