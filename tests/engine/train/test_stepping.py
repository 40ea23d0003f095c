"""One step: several parts, several passes, clipping; and what is averaged, grouped and measured around it."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from safetensors.numpy import load_file
from torch import nn

from striate.lower.torch import Program, initialise
from striate.train.batches import whole_loader
from striate.train.fit import train
from striate.train.rate_test import comes_apart, smoothed, suggested_rate
from striate.train.run_folder import RunFolder
from striate.train.statistics import recompute_statistics
from striate.train.stepping import Clipping, StepGradients, parts_of_step
from striate.train.storage import read_state
from striate.train.subject import assemble
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.train.networks import TINY, load_with_recipe

SMOOTH = TINY.replace(" -> dropout(0.2)", "").replace("-> bn ", "")
"""Without chance and statistics, so that batches can be cut as one likes."""


def subject(text: str = TINY, **settings: str):
    return assemble(*load_with_recipe(text, {key.replace("_", ".", 1): value for key, value in settings.items()}))


def weights(folder, which="last"):
    return load_file(folder / f"{which}.safetensors")


def trained(folder, text=TINY, callbacks=(), **settings):
    """Train for an epoch unless said otherwise, and return the result."""
    return train(subject(text, **{"train_epochs": "1", **settings}), RunFolder(folder), callbacks=tuple(callbacks))


class Watching(Callback):
    """Notes something before every step, when the gradients are there."""

    def __init__(self, note) -> None:
        self.note = note
        self.seen: list = []

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        self.seen.append(self.note(pl_module, optimizer))


# ------------------------------------------------------------------------------------------ gradients of a step


def gradients(given, network, at_once=99, **settings):
    images, targets = given
    return StepGradients(
        network,
        parts_of_step(len(targets), at_once),
        lambda part: (nn.functional.cross_entropy(network(images[part]), targets[part]), None),
        seed=3,
        clipping=Clipping(**settings),
        forward=contextlib.nullcontext,
        backward=lambda loss: loss.backward(),
    )


def batch(count, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(count, 6, generator=chance), torch.randint(0, 3, (count,), generator=chance)


@pytest.mark.parametrize(("count", "sizes"), [(12, [4, 4, 4]), (10, [4, 4, 2]), (9, [4, 5]), (4, [4]), (3, [3])])
def test_a_step_is_cut_into_parts_none_of_a_single_image(count, sizes):
    parts = parts_of_step(count, 4)
    assert [part.stop - part.start for part in parts] == sizes
    assert [number for part in parts for number in range(count)[part]] == list(range(count))


@pytest.mark.parametrize("count", [12, 10, 9])
def test_parts_give_the_gradient_of_the_whole(count):
    torch.manual_seed(0)
    network = nn.Linear(6, 3).double()
    images, targets = batch(count)
    whole = gradients((images.double(), targets), network)
    loss = whole()
    expected = [weight.grad.clone() for weight in network.parameters()]
    parted = gradients((images.double(), targets), network, 4)
    assert float(parted()) == pytest.approx(float(loss), rel=1e-12)
    assert float(parted.loss) == pytest.approx(float(whole.loss), rel=1e-12) == pytest.approx(float(loss) * count)
    for weight, gradient in zip(network.parameters(), expected, strict=True):
        assert torch.allclose(weight.grad, gradient, rtol=1e-12)


def test_every_pass_draws_the_same_numbers_and_only_the_first_moves_statistics():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))
    step = gradients(batch(8), network)
    first = float(step())
    statistics = network[1].running_mean.clone()
    assert not torch.equal(statistics, torch.zeros(8))
    assert float(step()) == first
    assert torch.equal(network[1].running_mean, statistics)
    assert int(network[1].num_batches_tracked) == 1


def test_clipping():
    torch.manual_seed(0)
    network = nn.Linear(6, 3)
    gradients(batch(8), network)()
    plain = torch.cat([weight.grad.flatten() for weight in network.parameters()])
    gradients(batch(8), network, value=0.05)()
    bounded = torch.cat([weight.grad.flatten() for weight in network.parameters()])
    assert torch.equal(bounded, plain.clamp(-0.05, 0.05))
    gradients(batch(8), network, value=0.05, norm=0.01)()
    both = torch.cat([weight.grad.flatten() for weight in network.parameters()])
    assert torch.allclose(both, bounded * (0.01 / bounded.norm()), rtol=1e-3)


def test_norm_clipping_scales_the_whole_gradient():
    weight = nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([3.0, 4.0])
    Clipping(norm=1.0)([weight])
    assert weight.grad.tolist() == pytest.approx([0.6, 0.8], abs=1e-6)


# ------------------------------------------------------------------------------------------ settings of a recipe


@pytest.mark.parametrize("setting", ["clip.value", "clip.norm"])
def test_gradients_are_clipped_in_a_run(tmp_path, setting):
    largest = {
        "clip.value": lambda module: max(float(weight.grad.abs().max()) for weight in module.program.parameters()),
        "clip.norm": lambda module: math.sqrt(
            sum(float(weight.grad.square().sum()) for weight in module.program.parameters())
        ),
    }[setting]
    watching = Watching(lambda module, optimizer: largest(module))
    trained(tmp_path, callbacks=(watching,), **{f"train_{setting.replace('.', '_')}": "1e-3"})
    assert len(watching.seen) == 3
    assert max(watching.seen) == pytest.approx(1e-3, rel=1e-3)


def test_accumulated_batches_are_one_large_batch(tmp_path):
    """Where nothing looks at the other images of a batch, the two are the same but for rounding."""
    settings = {"train_optimizer": "sgd(lr = 0.05, momentum = 0.9)", "train_epochs": "2"}
    watching = Watching(lambda module, optimizer: module.run.batch)
    trained(tmp_path / "large", SMOOTH, train_batch="45", **settings)
    trained(tmp_path / "small", SMOOTH, (watching,), train_batch="15", train_accumulate="3", **settings)
    large, small = weights(tmp_path / "large"), weights(tmp_path / "small")
    assert watching.seen == [0, 1, 0, 1]
    for name, value in large.items():
        np.testing.assert_allclose(small[name], value, rtol=1e-4, atol=1e-6)
    plain = trained(tmp_path / "plain", SMOOTH, train_batch="15", **settings)
    assert plain.run.history[0].train_loss != pytest.approx(0, abs=1e-3)
    assert not np.allclose(weights(tmp_path / "plain")["dense1.weight"], large["dense1.weight"], atol=1e-4)


def test_groups_have_their_own_rates(tmp_path):
    start = initialise(Program((built := subject()).model.graph, built.model.catalogue.lookup), 5).state_dict()
    text = TINY.replace(
        "epochs = 2", 'epochs = 2\n  groups = [group("conv1.*", rate = 0), group("dense1.*", rate = 0.1)]'
    )
    seen = Watching(lambda module, optimizer: [(group["lr"], len(group["params"])) for group in optimizer.param_groups])
    result = trained(tmp_path, text, (seen,), train_optimizer="sgd(lr = 0.01)", train_schedule="constant")
    assert seen.seen[0] == [(0.0, 1), (pytest.approx(0.01), 4), (pytest.approx(0.001), 2)]
    after = weights(tmp_path)
    assert np.array_equal(after["conv1.weight"], start["conv1.weight"].numpy())
    assert not np.array_equal(after["conv2.weight"], start["conv2.weight"].numpy())
    assert result.run.history[0].rate == pytest.approx(0.01)


def test_biases_and_norms_can_be_spared_weight_decay(tmp_path):
    """At a huge decay and almost no gradient, what is not spared goes to 0."""
    built = subject(
        train_optimizer="adamw(lr = 0.05, weight_decay = 15)", train_epochs="1", train_no_decay="biases_and_norms"
    )
    start = {
        name: float(value.norm())
        for name, value in initialise(Program(built.model.graph, built.model.catalogue.lookup), 5).state_dict().items()
    }
    train(built, RunFolder(tmp_path))
    shrunk = {
        name: float(np.linalg.norm(value)) / start[name] for name, value in weights(tmp_path).items() if start[name]
    }
    assert shrunk["bn1.weight"] > 0.8
    assert shrunk["dense1.weight"] < 0.7
    assert shrunk["conv2.weight"] < 0.7


def test_a_group_that_holds_nothing_is_said_before_a_folder_is_made():
    text = TINY.replace("epochs = 2", 'epochs = 2\n  groups = [group("conv1.wieght", rate = 0)]')
    with pytest.raises(DiagnosticError) as caught:
        subject(text)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.message) == ("E0507", "no weight of Net is called conv1.wieght")
    assert finding.help == "did you mean conv1.weight?"
    assert finding.span is not None and finding.span.text == 'group("conv1.wieght", rate = 0)'


# ------------------------------------------------------------------------------------------ wrappers


def test_sam_takes_two_passes_whose_gradients_differ_also_in_lower_precision(tmp_path):
    """Casts of weights that were kept from the first pass would give the second one the same gradients."""
    for precision in ("float32", "bfloat16"):
        seen = Watching(
            lambda module, optimizer: module.program.state_dict(keep_vars=True)["dense1.weight"].grad.clone()
        )
        result = trained(tmp_path / precision, SMOOTH, (seen,), train_wrap="sam(rho = 0.5)", train_precision=precision)
        assert len(seen.seen) == 2 * 3
        for first, second in zip(seen.seen[::2], seen.seen[1::2], strict=True):
            assert float((first - second).norm() / first.norm()) > 0.02
        assert math.isfinite(result.test.loss)


def test_the_loss_of_a_step_with_two_passes_counts_once(tmp_path):
    plain = trained(tmp_path / "plain", train_optimizer="sgd(lr = 0)")
    twice = trained(tmp_path / "twice", train_optimizer="sgd(lr = 0)", train_wrap="sam")
    assert twice.run.history[0].train_loss == plain.run.history[0].train_loss
    assert np.array_equal(
        weights(tmp_path / "plain")["bn1.running_mean"], weights(tmp_path / "twice")["bn1.running_mean"]
    )


def test_lookaheads_slow_weights_are_measured_and_saved(tmp_path):
    trained(tmp_path, train_optimizer="sgd(lr = 0.05)", train_wrap="lookahead(k = 100)")
    built = subject()
    start = initialise(Program(built.model.graph, built.model.catalogue.lookup), 5).state_dict()
    state = read_state(tmp_path / "resume.safetensors")["state_dict"]
    assert np.array_equal(weights(tmp_path)["dense1.weight"], start["dense1.weight"].numpy())
    assert not torch.equal(state["program.dense1.weight"], start["dense1.weight"])


def test_wrappers_stand_around_each_other_from_the_inside_out(tmp_path):
    kinds = Watching(lambda module, optimizer: (type(optimizer).__name__, type(optimizer.base).__name__))
    trained(tmp_path, callbacks=(kinds,), train_wrap="[sam, lookahead(k = 2)]")
    assert set(kinds.seen) == {("Lookahead", "SharpnessAware")}


# ------------------------------------------------------------------------------------------ averages


class Weights(Callback):
    """Notes the weights behind every step."""

    def __init__(self) -> None:
        self.seen: list = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.seen.append({name: value.clone() for name, value in pl_module.program.state_dict().items()})


def test_an_exponential_average_is_measured_and_saved(tmp_path):
    seen = Weights()
    result = trained(tmp_path, callbacks=(seen,), train_average="ema(decay = 0.7)", train_epochs="2")
    expected = seen.seen[0]
    for newer in seen.seen[1:]:
        expected = {name: value.lerp(newer[name], 0.3) for name, value in expected.items()}
    saved = weights(tmp_path)
    for name, value in expected.items():
        np.testing.assert_allclose(saved[name], value.numpy(), rtol=1e-5, atol=1e-7)
    assert not np.allclose(saved["dense1.weight"], seen.seen[-1]["dense1.weight"].numpy())
    state = read_state(tmp_path / "resume.safetensors")
    assert torch.equal(state["state_dict"]["program.dense1.weight"], seen.seen[-1]["dense1.weight"])
    assert state["striate"]["run"]["averaged"] == 6
    assert result.run.best is not None


def test_stochastic_weight_averaging_has_its_statistics_from_the_training_images(tmp_path):
    seen = Weights()
    result = trained(tmp_path, callbacks=(seen,), train_average="swa(start = 0.5)", train_epochs="4")
    ends = [seen.seen[step] for step in (8, 11)]  # three steps per epoch, the last two of four epochs
    saved = weights(tmp_path)
    mean = sum(item["dense1.weight"].numpy() for item in ends) / 2
    np.testing.assert_allclose(saved["dense1.weight"], mean, rtol=1e-5, atol=1e-7)
    built = subject(train_epochs="4")
    program = Program(built.model.graph, built.model.catalogue.lookup)
    program.load_state_dict({name: torch.from_numpy(value) for name, value in saved.items()})
    images = built.pixels(next(iter(whole_loader(built.data.train, 1000)))[0])
    with torch.no_grad():
        before = program.eval().run((images,), keep=True)["conv1"]
    np.testing.assert_allclose(saved["bn1.running_mean"], before.mean((0, 2, 3)).numpy(), rtol=1e-4, atol=1e-6)
    assert [score.epoch for score in result.run.history] == [1, 2, 3, 4]


def test_statistics_are_the_mean_over_all_images_whatever_the_batches():
    built = subject()
    images = built.pixels(next(iter(whole_loader(built.data.train, 1000)))[0])
    found = []
    for sizes in ([90], [45, 45], [40, 40, 10]):
        program = initialise(Program(built.model.graph, built.model.catalogue.lookup), 5)
        recompute_statistics(program, built.model.catalogue.lookup, images.split(sizes))
        found.append({name: value.clone() for name, value in program.named_buffers()})
    for other in found[1:]:
        assert torch.allclose(found[0]["bn1.running_mean"], other["bn1.running_mean"], rtol=1e-4, atol=1e-6)
    reference = nn.BatchNorm2d(4, momentum=None)
    with torch.no_grad():
        whole = initialise(Program(built.model.graph, built.model.catalogue.lookup), 5).eval()
        for part in images.split([45, 45]):
            reference(whole.run((part,), keep=True)["conv1"])
    assert torch.allclose(found[1]["bn1.running_var"], reference.running_var, rtol=1e-5)
    assert torch.allclose(found[1]["bn1.running_mean"], reference.running_mean, rtol=1e-5, atol=1e-7)


def test_before_it_begins_the_weights_themselves_are_measured(tmp_path):
    trained(tmp_path / "with", train_average="swa(start = 0.9)", train_epochs="1")
    seen = Weights()
    trained(tmp_path / "without", callbacks=(seen,), train_epochs="1")
    assert np.allclose(weights(tmp_path / "with")["dense1.weight"], weights(tmp_path / "without")["dense1.weight"])
    late = trained(tmp_path / "late", train_average="swa(start = 0.6)", train_epochs="2", train_schedule="constant")
    plain = trained(tmp_path / "plain", train_epochs="2", train_schedule="constant")
    assert late.run.history[0].metrics == plain.run.history[0].metrics
    assert late.run.history[0].validation_loss == plain.run.history[0].validation_loss


# ------------------------------------------------------------------------------------------ schedules


def test_a_plateau_lowers_the_rate_where_validation_stands_still(tmp_path):
    result = trained(
        tmp_path,
        SMOOTH,
        train_optimizer="sgd(lr = 1e-12)",
        train_schedule="plateau(factor = 0.5, patience = 0, threshold = 0.01)",
        train_epochs="4",
    )
    assert [score.rate for score in result.run.history] == pytest.approx([1e-12, 1e-12, 5e-13, 2.5e-13])


def test_one_cycle_moves_the_momentum_or_says_that_there_is_none(tmp_path):
    seen = Watching(lambda module, optimizer: optimizer.param_groups[0]["momentum"])
    cycle = "one_cycle(momenta = (0.8, 0.9), shape = linear, rise = 0.5)"
    trained(tmp_path / "a", callbacks=(seen,), train_optimizer="momentum(lr = 0.01)", train_schedule=cycle)
    assert seen.seen == pytest.approx([0.9 - 0.1 / 3, 0.8, 0.8 + 0.2 / 3])
    betas = Watching(lambda module, optimizer: optimizer.param_groups[0]["betas"])
    trained(tmp_path / "b", callbacks=(betas,), train_schedule=cycle)
    assert betas.seen[1] == pytest.approx((0.8, 0.999))
    with pytest.raises(DiagnosticError, match="changes the momentum, and the optimizer has none"):
        trained(tmp_path / "c", train_optimizer="adagrad", train_schedule=cycle)


# ------------------------------------------------------------------------------------------ range test


def test_a_range_test_ends_where_the_loss_rises_and_suggests_a_rate(tmp_path):
    result = trained(
        tmp_path,
        SMOOTH,
        train_optimizer="sgd(lr = 1e-4)",
        train_schedule="range_test(times = 1e8)",
        train_epochs="30",
    )
    run = result.run
    assert run.finished and run.came_apart and run.epoch < 30
    rates = [rate for rate, _ in run.rates]
    assert rates == sorted(rates)
    found = suggested_rate(run.rates)
    assert found is not None and 1e-4 < found < rates[-1]
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    assert "suggested rate" in (tmp_path / "report.html").read_text()
    assert all(np.isfinite(value).all() for value in weights(tmp_path).values())


def test_the_suggestion_is_where_the_loss_falls_most_steeply():
    """Over the logarithm of the rate: flat, then falling most at 1e-2, then rising."""
    places = np.linspace(-5, 1, 241)
    losses = 2 - 1.5 / (1 + np.exp(-6 * (places + 2))) + np.where(places > 0, 30 * places**2, 0)
    trace = [(10.0**place, float(loss)) for place, loss in zip(places, losses, strict=True)]
    found = suggested_rate(trace)
    assert found is not None
    assert math.log10(found) == pytest.approx(-2 + 10 * 6 / 240, abs=0.15)  # the mean is about ten steps late
    assert suggested_rate([(10.0**place, 1 + step) for step, place in enumerate(range(-3, 3))]) is None
    assert suggested_rate([(0.1, 1.0), (0.2, 0.5)]) is None


def test_when_a_range_test_is_over():
    calm = [(0.1, 1.0)] * 20
    assert not comes_apart([], 5.0)
    assert not comes_apart(calm, 2.0)
    assert comes_apart(calm, math.nan) and comes_apart(calm, math.inf) and comes_apart(calm, 1000.0)
    assert smoothed([2.0, 2.0, 2.0]) == pytest.approx([2.0, 2.0, 2.0])
