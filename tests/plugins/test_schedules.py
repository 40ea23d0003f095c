"""Schedules as curves, against numbers, formulas and torch's own."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from striate.host.catalogue import HostCatalogue
from striate.plugin import ArgumentError, EpochOutcome, ScheduleRecord
from striate_plugins.schedules import SCHEDULES
from striate_plugins.schedules.curves import (
    constant,
    cosine,
    exponential,
    multi_step,
    one_cycle,
    polynomial,
    range_test,
    step,
    warm_restarts,
)
from striate_plugins.schedules.plateau import plateau

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


def scaled(curve, rate, places):
    return [rate * curve(place) for place in places]


@pytest.mark.parametrize(
    ("curve", "rates"),
    [
        (step(100, every=30), {0: 0.1, 29: 0.1, 30: 0.01, 59: 0.01, 60: 0.001, 90: 1e-4}),
        (exponential(60), {1: 0.095, 10: 0.0598736939, 50: 0.0076944975}),
        (exponential(60, smooth=True), {0.5: 0.1 * 0.95**0.5, 10: 0.0598736939}),
        (exponential(60), {0.5: 0.1, 9.99: 0.1 * 0.95**9}),
        (cosine(100), {25: 0.0853553391, 50: 0.05, 75: 0.0146446609, 100: 0}),
        (
            warm_restarts(70, first=10, times=2),
            {0: 0.1, 5: 0.05, 9: 0.0024471742, 10: 0.1, 20: 0.05, 29: 0.0006155830, 30: 0.1},
        ),
        (constant(10, warmup=5), {1: 0.02, 2: 0.04, 3: 0.06, 4: 0.08, 5: 0.1}),
        (multi_step(100, [30, 80.5]), {29: 0.1, 30: 0.01, 80: 0.01, 80.5: 0.001}),
        (polynomial(100, power=2), {0: 0.1, 50: 0.025, 100: 0}),
        (polynomial(110, power=1, floor=0.1, warmup=10), {5: 0.05, 10: 0.1, 60: 0.055, 110: 0.01}),
        (range_test(10, times=1e4), {0: 0.1, 5: 10, 10: 1000}),
        (range_test(10, times=101, shape="linear"), {0: 0.1, 5: 5.1, 10: 10.1}),
    ],
)
def test_rates_from_a_rate_of_a_tenth(curve, rates):
    assert scaled(curve, 0.1, rates) == pytest.approx(list(rates.values()), abs=1e-10)


def test_cosine_cycles_count_from_the_last_restart():
    """One text puts the length of the whole run for that of the cycle: no cycle then ever ends."""
    curve = warm_restarts(40, first=10, floor=0.01)
    places = [10 * share for share in (0, 0.25, 0.5, 0.75)]
    expected = [0.1, 0.08550179, 0.0505, 0.01549821]
    for cycle in range(4):
        assert scaled(curve, 0.1, [10 * cycle + place for place in places]) == pytest.approx(expected, abs=1e-8)
    single = [0.001 + 0.099 / 2 * (1 + math.cos(math.pi * place / 40)) for place in places]
    assert single[1:] != pytest.approx(expected[1:], abs=0.01)


def test_step_decay_multiplies_the_rate_of_the_start_not_the_present_one():
    """One text multiplies the present rate every epoch, so that it has all but gone after twenty."""
    curve = step(30, every=10)
    assert scaled(curve, 0.1, (9, 10, 19, 20, 29)) == pytest.approx([0.1, 0.01, 0.01, 0.001, 0.001])
    compounded = 0.1
    for epoch in range(20):
        compounded *= 0.1 ** (epoch // 10)
    assert compounded == pytest.approx(1e-11)


def torchs(make, epochs, rate=1.0):
    """Return the rates of torch's schedule at the whole epochs."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate, momentum=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there were no steps of the optimizer
        schedule = make(optimizer)
        seen = []
        for _ in range(epochs):
            seen.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]))
            schedule.step()
    return seen


@pytest.mark.parametrize(
    ("curve", "make"),
    [
        (step(40, every=7, factor=0.3), lambda opt: lr_scheduler.StepLR(opt, 7, 0.3)),
        (multi_step(40, [3, 20, 21], 0.2), lambda opt: lr_scheduler.MultiStepLR(opt, [3, 20, 21], 0.2)),
        (exponential(40, 0.9), lambda opt: lr_scheduler.ExponentialLR(opt, 0.9)),
        (cosine(40, floor=0.05), lambda opt: lr_scheduler.CosineAnnealingLR(opt, 40, 0.05)),
        (polynomial(40, 0.9), lambda opt: lr_scheduler.PolynomialLR(opt, 40, 0.9)),
        (warm_restarts(40, 5, 2, 0.1), lambda opt: lr_scheduler.CosineAnnealingWarmRestarts(opt, 5, 2, 0.1)),
        (warm_restarts(40, 6), lambda opt: lr_scheduler.CosineAnnealingWarmRestarts(opt, 6)),
    ],
)
def test_at_whole_epochs_they_are_torchs(curve, make):
    rates = [rate for rate, _ in torchs(make, 40)]
    assert [curve(epoch) for epoch in range(40)] == pytest.approx(rates, abs=1e-12)


@pytest.mark.parametrize(("shape", "name"), [("cosine", "cos"), ("linear", "linear")])
def test_one_cycle_is_torchs_where_steps_are_many(shape, name):
    total = 4000
    seen = torchs(lambda opt: lr_scheduler.OneCycleLR(opt, 1.0, total, anneal_strategy=name), total)
    curve = one_cycle(10, shape=shape, momenta=(0.85, 0.95))
    for place in range(0, total, 97):
        factor, momentum = curve(10 * place / total)
        assert (factor, momentum) == pytest.approx(seen[place], abs=2e-3)
    assert curve(0) == pytest.approx((0.04, 0.95))
    assert curve(3) == pytest.approx((1.0, 0.85))
    assert curve(10) == pytest.approx((4e-6, 0.95))
    assert one_cycle(10)(3) == pytest.approx(1.0)
    assert [one_cycle(10, rise=share)(10 * share) for share in (0.0, 1.0)] == pytest.approx([1.0, 1.0])


LOSSES = st.lists(st.floats(0.01, 10), max_size=25)


@given(LOSSES, st.integers(0, 3), st.integers(0, 2), st.sampled_from(["rel", "abs"]))
def test_plateau_is_torchs(losses, patience, cooldown, mode):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience, cooldown=cooldown, threshold=0.1, threshold_mode=mode, min_lr=0.1
    )
    curve = plateau(99, 0.5, patience, "loss", 0.1, mode, cooldown, 0.1)
    finished = []
    for epoch, loss in enumerate(losses):
        assert curve(epoch + 0.3, tuple(finished)) == pytest.approx(optimizer.param_groups[0]["lr"])
        schedule.step(loss)
        finished.append(EpochOutcome(loss, 123.0))
    assert curve(99.0, tuple(finished)) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_plateau_can_watch_a_metric_for_which_higher_is_better():
    curve = plateau(99, patience=1, watch="metric", threshold=0.01)
    rising = [EpochOutcome(1.0, -score) for score in (0.0, 0.5, 0.6, 0.7)]
    assert curve(4.5, rising) == 1.0
    stuck = [*rising, EpochOutcome(0.1, -0.705), EpochOutcome(0.01, -0.706)]  # better by less than a hundredth
    assert curve(6.5, stuck) == pytest.approx(0.1)
    assert curve(6.5, [EpochOutcome(outcome.loss, 5.0) for outcome in rising]) == pytest.approx(0.1)


def test_plateau_warms_up():
    assert plateau(9, warmup=2)(0.5, ()) == 0.25


@pytest.mark.parametrize("record", SCHEDULES, ids=lambda record: record.name)
def test_every_schedule_says_what_it_computes_and_where_from(record):
    assert record.formula
    assert record.reference
    assert HostCatalogue().find(ScheduleRecord, record.name) is not None


@pytest.mark.parametrize(
    ("name", "argument", "value", "words"),
    [
        ("multi_step", "at", [3, 3], "growing numbers"),
        ("multi_step", "at", [], "growing numbers"),
        ("multi_step", "at", [0, 3], "growing numbers"),
        ("one_cycle", "momenta", (0.9, 0.8), "a pair (lowest, highest)"),
        ("one_cycle", "momenta", 0.9, "a pair (lowest, highest)"),
        ("plateau", "factor", 1, "below 1"),
    ],
)
def test_values_that_mean_nothing_are_refused(name, argument, value, words):
    (record,) = [item for item in SCHEDULES if item.name == name]
    (kind,) = [item.kind for item in record.arguments if item.name == argument]
    with pytest.raises(ArgumentError) as caught:
        kind.convert(value)
    assert words in str(caught.value)
