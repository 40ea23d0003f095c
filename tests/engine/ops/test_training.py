"""Layers in training: as in evaluation unless they say otherwise, with gradients; nothing but statistics is kept."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from striate.ops import OpRecord, Sample
from tests.engine.ops.configurations import ACCEPTED, Layer, infer, sample_id

RANDOM = frozenset(
    {
        *("rrelu", "dropconnect", "lstm", "gru", "attention", "gumbel_softmax", "gumbel_sigmoid"),
        *("stochastic_pool", "fractional_maxpool"),
    }
)
"""Layers that draw numbers in training although evaluation computes something too."""


def statistics(layer: Layer) -> list[str]:
    specs = layer.record.weights(layer.attributes, layer.inputs)
    return [spec.role for spec in specs if not spec.trainable]


def is_steady(layer: Layer) -> bool:
    """Whether training computes what evaluation does."""
    return not statistics(layer) and layer.record.inference == "computed" and layer.record.name not in RANDOM


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_training_differs_only_where_a_layer_says_so(record: OpRecord, sample: Sample):
    layer = infer(record, sample.arguments, sample.inputs)
    values, weights = layer.tensors(sample.inputs, 3), layer.weights()
    evaluated = layer.run(values, weights)
    trained = layer.run(values, weights, training=True)
    assert trained.shape == evaluated.shape
    assert torch.isfinite(trained).all()
    if is_steady(layer):
        torch.testing.assert_close(trained, evaluated)


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_numbers_are_drawn_from_the_generator_of_torch(record: OpRecord, sample: Sample):
    """So that a seeded run can be repeated; evaluation draws none at all."""
    layer = infer(record, sample.arguments, sample.inputs)
    values, weights = layer.tensors(sample.inputs, 3), layer.weights()
    results, states = [], []
    for _ in range(2):
        torch.manual_seed(5)
        results.append(layer.run(values, {role: item.clone() for role, item in weights.items()}, training=True))
        states.append(torch.get_rng_state())
    assert torch.equal(*results)
    assert torch.equal(*states)
    before = torch.get_rng_state()
    layer.run(values, weights)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_gradients_in_training_are_those_of_the_values(record: OpRecord, sample: Sample):
    layer = infer(record, sample.arguments, sample.inputs)
    if is_steady(layer) or layer.attributes.get("hard") or layer.attributes.get("weight") == "spectral":
        return  # the same as in evaluation, where gradients are tested; or those of other values on purpose
    kept = {role: item.clone() for role, item in layer.weights(dtype=torch.float64).items()}
    roles = [role for role in kept if role not in statistics(layer)]
    values = layer.tensors(sample.inputs, 3, dtype=torch.float64)

    def compute(*variables: Tensor) -> Tensor:
        torch.manual_seed(0)
        trained = dict(zip(roles, variables[len(values) :], strict=True))
        fresh = {role: item.clone() for role, item in kept.items()}
        return layer.run(variables[: len(values)], {**fresh, **trained}, training=True)

    variables = [item.requires_grad_() for item in (*values, *(kept[role] for role in roles))]
    assert torch.autograd.gradcheck(compute, variables, fast_mode=True)


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_only_statistics_change_and_only_in_training(record: OpRecord, sample: Sample):
    layer = infer(record, sample.arguments, sample.inputs)
    values, weights = layer.tensors(sample.inputs, 3), layer.weights()
    before = {role: item.clone() for role, item in weights.items()}
    layer.run(values, weights)
    assert all(torch.equal(weights[role], before[role]) for role in weights)
    layer.run(values, weights, training=True)
    changed = {role for role in weights if not torch.equal(weights[role], before[role])}
    assert changed == set(statistics(layer))
