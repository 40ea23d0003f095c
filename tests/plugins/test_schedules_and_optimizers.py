"""Schedules as curves, optimizers as torch's own."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.host.catalogue import HostCatalogue
from striate.plugin import OptimizerRecord
from striate_plugins.schedules.curves import constant, cosine, step

EPOCHS = st.integers(1, 300)


@pytest.mark.parametrize(
    ("curve", "points"),
    [
        (constant(10), {0: 1, 5: 1, 10: 1}),
        (constant(10, warmup=2), {0: 0, 1: 0.5, 2: 1, 10: 1}),
        (cosine(10), {0: 1, 2.5: 0.853553, 5: 0.5, 10: 0}),
        (cosine(11, warmup=1), {0: 0, 0.5: 0.5, 1: 1, 6: 0.5, 11: 0}),
        (cosine(10, floor=0.1), {0: 1, 5: 0.55, 10: 0.1}),
        (cosine(1, warmup=3), {0: 0, 0.5: 1 / 6, 1: 1 / 3}),
        (step(90, every=30), {0: 1, 29.9: 1, 30: 0.1, 60: 0.01, 89: 0.01}),
        (step(90, every=30, factor=0.5, warmup=5), {0: 0, 2.5: 0.5, 5: 1, 30: 0.5}),
    ],
)
def test_curves(curve, points):
    assert {epoch: curve(epoch) for epoch in points} == pytest.approx(points, abs=1e-6)


@given(EPOCHS, st.floats(0, 5), st.floats(0, 1), st.floats(0, 1))
def test_cosine_stays_between_its_floor_and_one_and_falls(epochs, warmup, floor, share):
    curve = cosine(epochs, warmup, floor)
    place = warmup + share * max(epochs - warmup, 0)
    assert floor - 1e-9 <= curve(place) <= 1
    assert curve(place) >= curve(min(place + 0.1, max(epochs, place))) - 1e-9
    if warmup > 0:
        assert 0 <= curve(share * warmup * 0.999) <= 1


@pytest.mark.parametrize(
    ("name", "written", "kind", "settings"),
    [
        ("sgd", {"lr": 0.1}, torch.optim.SGD, {"lr": 0.1, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}),
        ("adam", {}, torch.optim.Adam, {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}),
        ("adam", {"beta1": 0.5}, torch.optim.Adam, {"betas": (0.5, 0.999)}),
        ("adamw", {}, torch.optim.AdamW, {"lr": 0.001, "weight_decay": 0.01}),
    ],
)
def test_optimizers_are_torchs(name, written, kind, settings):
    record = HostCatalogue().find(OptimizerRecord, name)
    assert record is not None
    arguments = {
        argument.name: argument.kind.convert(written.get(argument.name, argument.default))
        for argument in record.arguments
    }
    optimizer = record.factory([torch.nn.Parameter(torch.ones(2))], **arguments)
    assert type(optimizer) is kind
    group = optimizer.param_groups[0]
    assert {key: group[key] for key in settings} == settings
