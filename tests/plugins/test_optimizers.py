"""Every optimizer against numbers worked out by hand or by numpy from its paper, and against torch's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from striate.host.catalogue import HostCatalogue
from striate.host.plugins import Plugins
from striate.plugin import OptimizerRecord
from striate_plugins.optimizers import OPTIMIZERS

CATALOGUE = HostCatalogue(plugins=Plugins())


def make(name, parameters, **written):
    record = CATALOGUE.find(OptimizerRecord, name)
    assert record is not None
    settled = {
        item.name: item.kind.convert(written.pop(item.name) if item.required else written.pop(item.name, item.default))
        for item in record.arguments
    }
    assert not written
    return record.factory(parameters, **settled)


def parabola(name, steps=3, start=1.0, **written):
    """Return the weights behind each step on f = w^2, in float64."""
    weight = torch.nn.Parameter(torch.tensor([start], dtype=torch.float64))
    optimizer = make(name, [weight], **written)
    seen = []
    for _ in range(steps):
        optimizer.zero_grad()
        weight.square().sum().backward()
        optimizer.step()
        seen.append(float(weight.detach()))
    return seen


def steps_of(optimizer, weights, gradients):
    """Step with given gradients, one list of arrays per step; return the weights behind the last step."""
    for arrays in gradients:
        for weight, array in zip(weights, arrays, strict=True):
            weight.grad = torch.tensor(array, dtype=weight.dtype)
        optimizer.step()
    return [weight.detach().numpy().copy() for weight in weights]


# ------------------------------------------------------------------------------------------ traces on a parabola


@pytest.mark.parametrize(
    ("name", "written", "trace"),
    [
        ("sgd", {"lr": 0.1}, [0.8, 0.64, 0.512]),
        ("sgd", {"lr": 0.1, "weight_decay": 0.01}, [0.799, 0.638401, 0.510082399]),
        ("sgd", {"lr": 0.1, "momentum": 0.9}, [0.8, 0.46, 0.062]),
        ("momentum", {"lr": 0.1}, [0.8, 0.46, 0.062]),
        ("momentum", {"lr": 0.1, "velocity": "steps"}, [0.8, 0.46, 0.062]),
        ("sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, [0.62, 0.2224, -0.108352]),
        ("nag", {"lr": 0.1}, [0.62, 0.2224, -0.108352]),
        ("nag", {"lr": 0.1, "velocity": "steps"}, [0.62, 0.2224, -0.108352]),
        ("adagrad", {"lr": 0.1, "eps": 1e-8}, [0.900000000500, 0.833103527566, 0.780456182219]),
        ("rmsprop", {"lr": 0.01}, [0.968377223898, 0.945788025488, 0.927053098722]),
        ("adadelta", {"rho": 0.9}, [0.996837726293, 0.993598174078, 0.990309045658]),
        ("adam", {"lr": 0.1}, [0.900000000500, 0.800412228692, 0.701586272946]),
        ("adam", {"lr": 0.1, "weight_decay": 0.01}, [0.900000000498, 0.800412228687, 0.701586272938]),
        ("adamw", {"lr": 0.1}, [0.899000000500, 0.798519027169, 0.698911183158]),
        (
            "adam",
            {"lr": 0.1, "weight_decay": 0.01, "decay": "decoupled"},
            [0.899000000500, 0.798519027169, 0.698911183158],
        ),
        ("nadam", {"lr": 0.1, "form": "simplified"}, [0.810000000950, 0.674129964694, 0.556829144283]),
        ("nadam", {"lr": 0.1, "form": "constant"}, [0.852631579684, 0.741697159909, 0.640611281247]),
        ("nadam", {"lr": 0.1}, [0.894354821395, 0.819973069140, 0.752729265142]),
    ],
)
def test_three_steps_on_a_parabola(name, written, trace):
    assert parabola(name, **written) == pytest.approx(trace, abs=5e-12)


def test_the_three_forms_of_nadam_are_three():
    traces = [parabola("nadam", lr=0.1, form=form) for form in ("scheduled", "constant", "simplified")]
    assert len({round(trace[0], 6) for trace in traces}) == 3


def test_adam_without_its_corrections_is_another_thing():
    """One text leaves the corrections out: its first step, lr * 0.1 * g / sqrt(0.001 * g^2), is 3.16 times as long."""
    gradient, rate = 0.5, 0.001
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    (after,) = steps_of(make("adam", [weight], lr=rate), [weight], [[[gradient]]])
    uncorrected = rate * 0.1 * gradient / math.sqrt(0.001 * gradient**2)
    assert -after[0] == pytest.approx(0.001, rel=1e-6)
    assert uncorrected == pytest.approx(0.0031623, rel=1e-4)


def test_adams_gradient_is_taken_before_the_step():
    """One text takes it at the weights that it is about to compute; on a parabola that would be an implicit step."""
    assert parabola("adam", lr=0.1)[1] == pytest.approx(0.800412228692, abs=1e-12)
    assert parabola("adam", steps=1, lr=0.1, start=0.9000000005)[0] != pytest.approx(0.800412228692, abs=1e-4)


@pytest.mark.parametrize(
    ("velocity", "places"),
    [("steps", [-0.1, -0.29, -0.471, -0.6439]), ("gradients", [-0.1, -0.29, -0.3171, -0.35149])],
)
def test_the_two_conventions_of_momentum_differ_when_the_rate_changes(velocity, places):
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = make("momentum", [weight], lr=0.1, velocity=velocity)
    seen = []
    for rate in (0.1, 0.1, 0.01, 0.01):
        optimizer.param_groups[0]["lr"] = rate
        (after,) = steps_of(optimizer, [weight], [[[1.0]]])
        seen.append(after[0])
    assert seen == pytest.approx(places, abs=1e-12)


@pytest.mark.parametrize("gradient", [3.0, -0.02])
def test_first_steps(gradient):
    """Adam and AdaGrad step by the rate, RMSprop by 1/sqrt(0.1) of it, Nadam in its simplified form by 1.9 of it."""
    sign, size = math.copysign(1, gradient), abs(gradient)
    for name, written, step in [
        ("adam", {"lr": 0.01}, 0.01),
        ("adagrad", {"lr": 0.01}, 0.01),
        ("rmsprop", {"lr": 0.01}, 0.01 / math.sqrt(0.1)),
        ("nadam", {"lr": 0.01, "form": "simplified"}, 0.019),
        ("adadelta", {"rho": 0.9}, math.sqrt(1e-6) / math.sqrt(0.1 * size**2 + 1e-6) * size),
        ("lion", {"lr": 0.01}, 0.01),
    ]:
        weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
        (after,) = steps_of(make(name, [weight], **written), [weight], [[[gradient]]])
        assert -after[0] * sign == pytest.approx(step, rel=1e-5), name


# ------------------------------------------------------------------------------------------ from the papers, in numpy

CHANCE = np.random.default_rng(7)
STARTS = (CHANCE.normal(size=(4, 3, 2, 2)), CHANCE.normal(size=5), CHANCE.normal(size=(6, 4)))
GRADIENTS = [[CHANCE.normal(size=start.shape) * 0.3 for start in STARTS] for _ in range(5)]


def ours(name, **written):
    weights = [torch.nn.Parameter(torch.tensor(start)) for start in STARTS]
    return steps_of(make(name, weights, **written), weights, GRADIENTS)


def by_hand(rule):
    """Run a rule `rule(weight, gradient, state, step)` that returns the new weight, over the same gradients."""
    weights, states = [start.copy() for start in STARTS], [{} for _ in STARTS]
    for step, gradients in enumerate(GRADIENTS, start=1):
        weights = [
            rule(weight, gradient, state, step)
            for weight, gradient, state in zip(weights, gradients, states, strict=True)
        ]
    return weights


def same(left, right, tolerance=1e-12):
    return all(np.allclose(one, other, rtol=tolerance, atol=tolerance) for one, other in zip(left, right, strict=True))


def lion(weight, gradient, state, step):
    mean = state.setdefault("m", np.zeros_like(weight))
    direction = np.sign(0.9 * mean + 0.1 * gradient)
    state["m"] = 0.99 * mean + 0.01 * gradient
    return weight - 0.02 * (direction + 0.1 * weight)


def amsgrad(weight, gradient, state, step):
    gradient = gradient + 0.1 * weight
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    v = state["v"] = 0.99 * state.get("v", 0) + 0.01 * gradient**2
    w = state["w"] = np.maximum(state.get("w", 0), v)
    return weight - 0.05 * (m / (1 - 0.9**step)) / (np.sqrt(w / (1 - 0.99**step)) + 1e-8)


def adamax(weight, gradient, state, step):
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    u = state["u"] = np.maximum(0.999 * state.get("u", 0), np.abs(gradient) + 1e-8)
    return weight - 0.05 / (1 - 0.9**step) * m / u


def lars(weight, gradient, state, step):
    if weight.ndim > 1:
        norm = np.linalg.norm(weight)
        local = 0.01 * norm / (np.linalg.norm(gradient) + 0.05 * norm)
        change = 0.5 * local * (gradient + 0.05 * weight)
    else:
        change = 0.5 * gradient
    state["v"] = 0.9 * state.get("v", 0) + change
    return weight - state["v"]


def lamb(weight, gradient, state, step):
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    change = (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-6)
    if weight.ndim > 1:
        change = change + 0.01 * weight
        change = change * min(np.linalg.norm(weight), 3.0) / np.linalg.norm(change)
    return weight - 0.05 * change


def decoupled_momentum(weight, gradient, state, step):
    state["v"] = 0.9 * state.get("v", 0) + gradient
    return weight - 0.1 * 0.02 * weight - 0.1 * state["v"]


def decoupled_rmsprop(weight, gradient, state, step):
    state["e"] = 0.9 * state.get("e", 0) + 0.1 * gradient**2
    return weight - 0.01 * 0.02 * weight - 0.01 * gradient / (np.sqrt(state["e"]) + 1e-8)


def constant_nadam(weight, gradient, state, step):
    weight = weight * (1 - 0.05 * 0.1)
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    ahead = 0.9 * m / (1 - 0.9 ** (step + 1)) + 0.1 * gradient / (1 - 0.9**step)
    return weight - 0.05 * ahead / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)


def stepping_nesterov(weight, gradient, state, step):
    gradient = gradient + 0.02 * weight
    state["v"] = 0.8 * state.get("v", 0) + 0.1 * gradient
    return weight - (0.8 * state["v"] + 0.1 * gradient)


@pytest.mark.parametrize(
    ("rule", "name", "written"),
    [
        (lion, "lion", {"lr": 0.02, "weight_decay": 0.1}),
        (amsgrad, "amsgrad", {"lr": 0.05, "beta2": 0.99, "weight_decay": 0.1}),
        (adamax, "adamax", {"lr": 0.05}),
        (lars, "lars", {"lr": 0.5, "weight_decay": 0.05, "trust": 0.01}),
        (lamb, "lamb", {"lr": 0.05, "bound": 3.0}),
        (decoupled_momentum, "momentum", {"lr": 0.1, "weight_decay": 0.02, "decay": "decoupled"}),
        (decoupled_rmsprop, "rmsprop", {"lr": 0.01, "weight_decay": 0.02, "decay": "decoupled"}),
        (constant_nadam, "nadam", {"lr": 0.05, "form": "constant", "weight_decay": 0.1, "decay": "decoupled"}),
        (
            stepping_nesterov,
            "sgd",
            {"lr": 0.1, "momentum": 0.8, "nesterov": True, "velocity": "steps", "weight_decay": 0.02},
        ),
    ],
)
def test_five_steps_by_the_paper(rule, name, written):
    assert same(ours(name, **written), by_hand(rule))


@pytest.mark.parametrize("name", ["lars", "lamb"])
def test_vectors_may_be_scaled_too_and_a_weight_of_zeros_moves(name):
    plain, scaled = ours(name, lr=0.1), ours(name, lr=0.1, vectors="scaled")
    assert np.array_equal(plain[0], scaled[0])
    assert not np.allclose(plain[1], scaled[1])
    weight = torch.nn.Parameter(torch.zeros(2, 2, dtype=torch.float64))
    (after,) = steps_of(make(name, [weight], lr=0.1), [weight], [[np.ones((2, 2))]])
    assert np.all(after < 0)


# ------------------------------------------------------------------------------------------ torch's own


@pytest.mark.parametrize(
    ("name", "written", "kind", "settings"),
    [
        ("sgd", {"lr": 0.1}, torch.optim.SGD, {"lr": 0.1, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}),
        ("sgd", {"lr": 0.1, "nesterov": True}, torch.optim.SGD, {"nesterov": False}),
        ("momentum", {"lr": 0.1}, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": False}),
        ("nag", {"lr": 0.1}, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        ("adagrad", {"start": 0.1}, torch.optim.Adagrad, {"lr": 0.01, "eps": 1e-10, "initial_accumulator_value": 0.1}),
        ("rmsprop", {"centred": True}, torch.optim.RMSprop, {"alpha": 0.9, "eps": 1e-8, "centered": True}),
        ("adadelta", {}, torch.optim.Adadelta, {"lr": 1.0, "rho": 0.95, "eps": 1e-6}),
        ("adam", {}, torch.optim.Adam, {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}),
        ("adam", {"beta1": 0.5}, torch.optim.Adam, {"betas": (0.5, 0.999), "amsgrad": False}),
        ("adamw", {}, torch.optim.AdamW, {"lr": 0.001, "weight_decay": 0.01}),
        ("amsgrad", {}, torch.optim.Adam, {"amsgrad": True, "decoupled_weight_decay": False}),
        ("adamax", {}, torch.optim.Adamax, {"lr": 0.002}),
        ("nadam", {}, torch.optim.NAdam, {"lr": 0.002, "momentum_decay": 0.004, "decoupled_weight_decay": False}),
        ("radam", {"decay": "decoupled"}, torch.optim.RAdam, {"lr": 0.001, "decoupled_weight_decay": True}),
        ("adafactor", {}, torch.optim.Adafactor, {"lr": 0.01, "eps": (None, 0.001), "beta2_decay": -0.8}),
    ],
)
def test_what_torch_has_is_torchs(name, written, kind, settings):
    optimizer = make(name, [torch.nn.Parameter(torch.ones(2))], **written)
    assert type(optimizer) is kind
    assert {key: optimizer.param_groups[0][key] for key in settings} == settings


def test_muon_is_torchs_for_kernels_as_matrices_and_adamw_for_the_rest():
    weights = [torch.nn.Parameter(torch.tensor(start, dtype=torch.float32)) for start in STARTS]
    weights[0] = torch.nn.Parameter(weights[0].detach().contiguous(memory_format=torch.channels_last))
    found = steps_of(make("muon", weights, weight_decay=0.1), weights, GRADIENTS)
    matrices = [torch.nn.Parameter(torch.tensor(STARTS[place], dtype=torch.float32).flatten(1)) for place in (0, 2)]
    vector = torch.nn.Parameter(torch.tensor(STARTS[1], dtype=torch.float32))
    muon = torch.optim.Muon(matrices, lr=0.02, momentum=0.95, weight_decay=0.1)
    adamw = torch.optim.AdamW([vector], lr=3e-4, betas=(0.9, 0.95), eps=1e-10, weight_decay=0.1)
    flat = [[step[0].reshape(4, -1), step[2]] for step in GRADIENTS]
    first, last = steps_of(muon, matrices, flat)
    (middle,) = steps_of(adamw, [vector], [[step[1]] for step in GRADIENTS])
    assert same(found, [first.reshape(STARTS[0].shape), middle, last], 1e-6)


def test_muons_step_is_nearly_orthogonal():
    """The singular values of torch's iteration lie around 1, between about 0.7 and 1.2; the directions are exact."""
    chance = np.random.default_rng(3)
    gradient = chance.normal(size=(6, 10))
    weight = torch.nn.Parameter(torch.zeros(6, 10))
    (after,) = steps_of(make("muon", [weight], lr=1.0), [weight], [[gradient]])
    left, _, right = np.linalg.svd(gradient, full_matrices=False)
    assert np.all(np.abs(np.linalg.svd(after)[1] - 0.95) < 0.3)
    cosine = -np.sum(after * (left @ right)) / (np.linalg.norm(after) * np.sqrt(6))
    assert cosine > 0.97


def test_muon_can_leave_dense_layers_to_adamw():
    weights = [torch.nn.Parameter(torch.tensor(start, dtype=torch.float32)) for start in STARTS]
    groups = make("muon", weights, dense="adamw").param_groups
    assert [[tuple(weight.shape) for weight in group["params"]] for group in groups] == [[(4, 3, 2, 2)], [(5,), (6, 4)]]


@pytest.mark.parametrize(("name", "decay"), [("sgd", "coupled"), ("sgd", "decoupled"), ("adamax", "decoupled")])
def test_what_hooks_a_step_is_called_once(name, decay):
    """Also where torch has wrapped the step of the class that ours is made of, by being used itself."""
    for _ in range(2):
        weight, calls = torch.nn.Parameter(torch.ones(2, 2)), []
        optimizer = make(name, [weight], lr=0.1, decay=decay)
        optimizer.register_step_post_hook(lambda *_, calls=calls: calls.append(1))
        steps_of(optimizer, [weight], [[np.ones((2, 2))]] * 3)
        assert len(calls) == 3
        make(name, [weight], lr=0.1)


# ------------------------------------------------------------------------------------------ states and groups


@pytest.mark.parametrize("record", OPTIMIZERS, ids=lambda record: record.name)
def test_a_state_that_is_taken_up_goes_on_to_the_same_bits(record):
    """Two steps, the state handed over, two more: like four steps at once. The state is plain data and tensors."""
    required = {item.name: 0.05 for item in record.arguments if item.required}
    whole = [torch.nn.Parameter(torch.tensor(start, dtype=torch.float32)) for start in STARTS]
    steps_of(make(record.name, whole, **required), whole, GRADIENTS[:4])
    parted = [torch.nn.Parameter(torch.tensor(start, dtype=torch.float32)) for start in STARTS]
    first = make(record.name, parted, **required)
    steps_of(first, parted, GRADIENTS[:2])
    state = first.state_dict()
    second = make(record.name, parted, **required)
    second.load_state_dict(state)
    steps_of(second, parted, GRADIENTS[2:4])
    assert all(torch.equal(one, other) for one, other in zip(whole, parted, strict=True))


@pytest.mark.parametrize("record", OPTIMIZERS, ids=lambda record: record.name)
def test_groups_have_their_own_rate_and_decay(record):
    required = {item.name: 0.05 for item in record.arguments if item.required}
    weights = [torch.nn.Parameter(torch.tensor(start, dtype=torch.float32)) for start in STARTS]
    before = [weight.detach().numpy().copy() for weight in weights]
    groups = [{"params": weights[:1], "rate_factor": 0.0}, {"params": weights[1:], "weight_decay": 0.5}]
    optimizer = make(record.name, groups, **required)
    for group in optimizer.param_groups:
        group["lr"] *= group.get("rate_factor", 1.0)
    after = steps_of(optimizer, weights, GRADIENTS)
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])
    plain = [torch.nn.Parameter(torch.tensor(start, dtype=torch.float32)) for start in STARTS]
    assert not np.array_equal(steps_of(make(record.name, plain, **required), plain, GRADIENTS)[2], after[2])


@pytest.mark.parametrize("record", OPTIMIZERS, ids=lambda record: record.name)
def test_a_closure_is_called_and_its_loss_returned(record):
    required = {item.name: 0.05 for item in record.arguments if item.required}
    weight = torch.nn.Parameter(torch.ones(3, 3))
    optimizer = make(record.name, [weight], **required)

    def closure():
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss.detach()

    assert float(optimizer.step(closure)) == 9.0
    assert not torch.equal(weight.detach(), torch.ones(3, 3))


@pytest.mark.parametrize("record", OPTIMIZERS, ids=lambda record: record.name)
def test_every_optimizer_says_what_it_computes_and_where_from(record):
    assert record.formula
    assert record.reference
    if "weight_decay" in {item.name for item in record.arguments}:
        assert "weight_decay" in record.formula or record.name in ("momentum", "nag", "adafactor")
