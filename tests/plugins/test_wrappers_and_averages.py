"""Lookahead, SAM and the averages of weights, each against its paper in numpy or against torch."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from striate_plugins.averages import AVERAGES
from striate_plugins.averages.shares import ema, swa
from striate_plugins.wrappers import WRAPPERS
from striate_plugins.wrappers.lookahead import Lookahead
from striate_plugins.wrappers.sam import SharpnessAware

START = np.array([1.0, -2.0, 0.5])
CURVATURE = np.array([1.0, 0.3, 4.0])


def gradient(weight):
    return CURVATURE * weight


def bowl(wrap, steps, rate=0.1, momentum=0.0):
    """Return the weights behind every step on f = sum(c * w^2) / 2, and the optimizer."""
    weight = torch.nn.Parameter(torch.tensor(START))
    optimizer = wrap(torch.optim.SGD([weight], lr=rate, momentum=momentum))
    curvature = torch.tensor(CURVATURE)

    def closure():
        optimizer.zero_grad()
        loss = (curvature * weight.square()).sum() / 2
        loss.backward()
        return loss

    seen = []
    for _ in range(steps):
        optimizer.step(closure)
        seen.append(weight.detach().numpy().copy())
    return seen, optimizer, weight


def test_lookahead_by_the_paper():
    fast, slow, expected = START.copy(), START.copy(), []
    for step in range(1, 8):
        fast = fast - 0.1 * gradient(fast)
        if step % 3 == 0:
            slow = slow + 0.4 * (fast - slow)
            fast = slow.copy()
        expected.append(fast)
    found, optimizer, weight = bowl(lambda base: Lookahead(base, 3, 0.4), 7)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    optimizer.eval()
    np.testing.assert_allclose(weight.detach().numpy(), slow, rtol=1e-12)
    optimizer.train()
    np.testing.assert_array_equal(weight.detach().numpy(), found[-1])


def test_lookahead_with_the_whole_way_or_one_step_is_the_optimizer_itself():
    plain = bowl(lambda base: base, 6, momentum=0.9)[0]
    for k in (1, 3):
        found, _, _ = bowl(partial(Lookahead, k=k, alpha=1.0), 6, momentum=0.9)
        np.testing.assert_allclose(found, plain)


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_by_the_paper(adaptive):
    weight, expected = START.copy(), []
    for _ in range(5):
        first = gradient(weight)
        if adaptive:
            change = 0.2 * weight**2 * first / np.linalg.norm(np.abs(weight) * first)
        else:
            change = 0.2 * first / np.linalg.norm(first)
        weight = weight - 0.1 * gradient(weight + change)
        expected.append(weight)
    found, _, _ = bowl(lambda base: SharpnessAware(base, 0.2, adaptive), 5)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_sam_without_a_radius_is_the_optimizer_itself():
    np.testing.assert_array_equal(bowl(lambda base: SharpnessAware(base, 0.0), 4)[0], bowl(lambda base: base, 4)[0])


def test_sam_needs_a_closure():
    weight = torch.nn.Parameter(torch.ones(1))
    with pytest.raises(ValueError, match="needs a closure"):
        SharpnessAware(torch.optim.SGD([weight], lr=0.1)).step()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda base: Lookahead(base, 3),
        SharpnessAware,
        lambda base: Lookahead(SharpnessAware(base), 2),
        lambda base: SharpnessAware(Lookahead(base, 2)),
    ],
)
def test_a_state_that_is_taken_up_goes_on_to_the_same_bits(wrap):
    whole = bowl(wrap, 7, momentum=0.9)[0]
    seen, first, weight = bowl(wrap, 4, momentum=0.9)
    state = first.state_dict()
    second = wrap(torch.optim.SGD([weight], lr=123.0, momentum=0.9))
    second.load_state_dict(state)
    curvature = torch.tensor(CURVATURE)

    def closure():
        second.zero_grad()
        loss = (curvature * weight.square()).sum() / 2
        loss.backward()
        return loss

    for _ in range(3):
        second.step(closure)
        seen.append(weight.detach().numpy().copy())
    np.testing.assert_array_equal(seen, whole)


def test_a_rate_set_outside_is_that_of_the_inner_optimizer_also_after_loading():
    _, optimizer, weight = bowl(lambda base: SharpnessAware(Lookahead(base)), 2)
    for _ in range(2):
        optimizer.param_groups[0]["lr"] = 0.0
        before = weight.detach().clone()
        optimizer.step(lambda: setattr(weight, "grad", torch.ones_like(weight)))
        assert torch.equal(before, weight.detach())
        optimizer.load_state_dict(optimizer.state_dict())


# ------------------------------------------------------------------------------------------ averages


def averaged(share, values, epochs_of=None):
    average, moved = None, 0
    for step, value in enumerate(values, start=1):
        part = share(epochs_of(step) if epochs_of else float(step), moved)
        if part is None:
            continue
        average = value if average is None else average + part * (value - average)
        moved += 1
    return average


def test_swa_of_three_momentum_steps():
    assert averaged(swa(3, start=0.0), [0.8, 0.46, 0.062]) == pytest.approx(0.440666666667, abs=1e-12)


@pytest.mark.parametrize(
    ("epochs", "start", "every", "taken"),
    [(4, 0.75, 1, [4]), (10, 0.75, 1, [8, 9, 10]), (6, 0.5, 2, [4, 6]), (3, 0.0, 1, [1, 2, 3])],
)
def test_swa_takes_the_ends_of_the_last_epochs(epochs, start, every, taken):
    share = swa(epochs, start, every)
    places = [step / 4 for step in range(1, 4 * epochs + 1)]
    assert [place for place in places if share(place, 0) is not None] == taken


def test_ema_is_that_of_torch():
    model, chance = torch.nn.Linear(3, 2).double(), torch.Generator().manual_seed(4)
    expected = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.8))
    share, average = ema(10, 0.8), None
    for step in range(5):
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(torch.randn(weight.shape, generator=chance, dtype=torch.float64))
        expected.update_parameters(model)
        current = [weight.detach().clone() for weight in model.parameters()]
        average = (
            current
            if average is None
            else [one.lerp(other, share(0.0, step)) for one, other in zip(average, current, strict=True)]
        )
    for one, other in zip(average, expected.module.parameters(), strict=True):
        assert torch.allclose(one, other, rtol=1e-14)


def test_the_ramp_keeps_less_at_the_start():
    share = ema(10, 0.999, ramp=True)
    assert [1 - share(0.0, moved) for moved in (0, 9, 89)] == pytest.approx([0.1, 10 / 19, 90 / 99])
    assert 1 - share(0.0, 10**6) == pytest.approx(0.999)


@pytest.mark.parametrize("record", [*WRAPPERS, *AVERAGES], ids=lambda record: record.name)
def test_they_say_what_they_compute_and_where_from(record):
    assert record.formula
    assert record.reference
