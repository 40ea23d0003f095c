"""Training: what it leaves behind, that it is repeatable, and how it ends where something goes wrong."""

from __future__ import annotations

import errno
import math
import os
import signal
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from safetensors.numpy import load_file

from striate.runtime.checkpoint import read_info
from striate.train import fit
from striate.train.fit import train
from striate.train.interruption import TrainingInterruptedError
from striate.train.run_folder import RunFolder
from striate.train.storage import read_state
from striate.train.subject import assemble
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.train.networks import TINY, load_with_recipe

FILES = [
    "best.safetensors",
    "confusion.png",
    "curves.png",
    "last.safetensors",
    "metrics.csv",
    "report.html",
    "resume.safetensors",
]


def subject(text: str = TINY, **settings: str):
    return assemble(*load_with_recipe(text, {key.replace("_", ".", 1): value for key, value in settings.items()}))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def weights(folder, which="last"):
    return load_file(folder / f"{which}.safetensors")


def equal(left, right) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run from the beginning to the end, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return train(subject(), RunFolder(folder)), folder


class Doing(Callback):
    """Does something at a place in the run, counted in training steps over all epochs."""

    def __init__(self, step: int, action) -> None:
        self.step, self.action, self.seen = step, action, 0

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.seen += 1
        if self.seen == self.step:
            self.action()


class DiedError(Exception):
    pass


def die():
    raise DiedError


# ------------------------------------------------------------------------------------------ a whole run


def test_the_files_of_a_run(whole):
    result, folder = whole
    assert names(folder) == FILES
    assert result.run.finished
    assert [score.epoch for score in result.run.history] == [1, 2]
    assert result.test.answers == 20
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "metrics.csv").read_text().splitlines()[0] == (
        "epoch,learning_rate,train_loss,validation_loss,validation_accuracy,seconds"
    )


def test_weights_carry_their_description(whole):
    result, folder = whole
    model, _ = load_with_recipe()
    info = read_info(folder / "best.safetensors")
    assert info is not None
    assert result.run.best is not None
    assert (info.model, info.text, info.arguments) == ("Net", TINY, {"classes": "10"})
    assert (info.input, info.task, info.classes) == ((1, 8, 8), "classification", tuple("0123456789"))
    assert info.epoch == result.run.best.epoch
    assert info.metrics["accuracy"] == result.run.best.metrics["accuracy"]
    assert info.recipe["optimizer"] == "adam(lr = 0.01)"
    assert {"striate", "torch", "lightning"} <= set(info.versions)
    assert set(info.plugins) == {"striate-plugins"}
    assert set(weights(folder)) == set(model.graph.weights)


def test_the_best_epoch_is_the_one_with_the_best_validation(whole):
    run = whole[0].run
    ranked = max(run.history, key=lambda score: (score.metrics["accuracy"], -score.validation_loss))
    assert run.best == ranked


def test_the_loss_falls(whole):
    history = whole[0].run.history
    assert history[-1].train_loss < history[0].train_loss - 0.2


def test_the_same_recipe_gives_the_same_bytes(whole, tmp_path):
    torch.manual_seed(123)  # whatever others have drawn before
    train(subject(), RunFolder(tmp_path), save_interval=0)
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / name).read_bytes() == (whole[1] / name).read_bytes()


def test_another_seed_gives_other_weights(whole, tmp_path):
    train(subject(train_seed="6", train_epochs="1"), RunFolder(tmp_path))
    assert not equal(weights(tmp_path), weights(whole[1]))


def test_torchs_own_settings_are_as_before(tmp_path):
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    train(subject(train_epochs="1"), RunFolder(tmp_path))
    assert torch.equal(torch.rand(1), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_nothing_is_printed_or_warned_and_no_other_folder_made(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(subject(train_epochs="1"), RunFolder(tmp_path / "run"))
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert names(tmp_path) == ["run"]


# ------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize("setting", [{"train_precision": "bfloat16"}, {"train_clip.norm": "0.01"}])
def test_settings_that_change_the_arithmetic(whole, tmp_path, setting):
    changed = {key.replace(".", "_"): value for key, value in setting.items()}
    result = train(subject(train_epochs="1", **changed), RunFolder(tmp_path))
    assert math.isfinite(result.test.loss)
    assert result.run.history[0].train_loss != whole[0].run.history[0].train_loss
    assert all(array.dtype == np.float32 for array in weights(tmp_path).values())


def test_patience_stops_a_run_that_does_not_get_better(tmp_path):
    built = subject(train_epochs="9", train_patience="2", **{"train_optimizer": "sgd(lr = 0)"})
    result = train(built, RunFolder(tmp_path))
    # Batch norm's statistics move even at a rate of 0, so the scores need not stay the same, but nothing is learned.
    assert result.run.finished
    assert result.run.epoch == result.run.best.epoch + 2 < 9
    again = train(built, RunFolder(tmp_path), resume=True)
    assert again.run.epoch == result.run.epoch


def test_without_metrics_the_loss_decides(tmp_path):
    result = train(subject(train_metrics="[]"), RunFolder(tmp_path))
    assert result.run.best == min(result.run.history, key=lambda score: score.validation_loss)
    assert "validation_loss,seconds" in (tmp_path / "metrics.csv").read_text()


def test_what_layers_add_to_the_loss_is_trained_but_not_scored(tmp_path):
    """A strong pull towards a rate of 1/2, which the recipe's loss knows nothing of."""
    rates = {}
    for entropy in ("0", "1"):
        text = TINY.replace("dropout(0.2)", f"concrete_dropout(0.2, entropy = {entropy})")
        result = train(subject(text), RunFolder(tmp_path / entropy))
        rates[entropy] = 1 / (1 + math.exp(-float(weights(tmp_path / entropy)["concrete_dropout1.logit"][0])))
        assert 0 < result.run.history[0].train_loss < 5
    assert rates["1"] > rates["0"] + 0.005


def test_the_schedule_is_followed_step_by_step(tmp_path):
    rates = []

    class Watching(Callback):
        def on_before_optimizer_step(self, trainer, pl_module, optimizer):
            rates.append(optimizer.param_groups[0]["lr"])

    built = subject(train_optimizer="sgd(lr = 1e-3)", train_batch="48")
    train(built, RunFolder(tmp_path), callbacks=(Watching(),))
    assert len(built.data.train) == 90  # two batches per epoch
    warm, cool = [0.25, 0.75], [0.5 * (1 + math.cos(math.pi * t)) for t in (0.25, 0.75)]
    assert rates == pytest.approx([1e-3 * factor for factor in (*warm, *cool)])


def test_a_variant_with_open_sizes_and_colours(tmp_path):
    text = TINY.replace("1 x 8 x 8", "3 x H x W where H % 3 == 0 and W % 3 == 0")
    text = text.replace("-> flatten", "-> global_avgpool -> flatten")
    with pytest.raises(DiagnosticError) as caught:
        subject(text)
    assert caught.value.diagnostics[0].help == "write input image: 1 x 33 x 33, or data = digits(channels = 3)"
    built = subject(text, train_data="digits(limit = 60, channels = 3)", train_size="9", train_epochs="1")
    assert built.size == (3, 9, 9)
    train(built, RunFolder(tmp_path))
    info = read_info(tmp_path / "last.safetensors")
    assert info is not None
    assert info.input == (3, 9, 9)


# ------------------------------------------------------------------------------------------ model and data


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("dense(classes)", "dense(classes) -> identity as a\n a -> dense(3)\n output b", "has 2 outputs (b, logits)"),
        ("flatten -> dropout(0.2) -> dense(classes)", "conv(10, 1)", "but output logits of Net is 10 x 4 x 4"),
        (
            "-> flatten -> dropout(0.2) -> dense(classes)\n  output logits",
            "\n  head segmentation(classes = classes)",
            "is for classification, but Net ends in a segmentation head",
        ),
        ("classes = 10", "classes = 12", "digits has 10 classes, but output logits of Net has 12 scores"),
        ("1 x 8 x 8", "2 x 8 x 8", "the images of digits have 1 channel, Net takes 2"),
        ("[accuracy]", "[accuracy(top = 11)]", "accuracy cannot be worked out: top = 11"),
        (
            "cross_entropy",
            "cross_entropy(class_weights = [1])",
            "cross_entropy cannot be worked out: class_weights has 1",
        ),
    ],
)
def test_what_does_not_fit_is_said_before_a_folder_is_made(tmp_path, old, new, words):
    folder = tmp_path / "run"
    text = TINY.replace(old, new)
    with pytest.raises(DiagnosticError) as caught:
        train(subject(text), RunFolder(folder))
    (finding,) = caught.value.diagnostics
    assert (finding.code, words in finding.message) == ("E0507", True), finding.message
    assert not folder.exists()


def test_a_task_that_nobody_provides():
    model, recipe = load_with_recipe()
    record = replace(recipe.data.record, task="telepathy")
    with pytest.raises(DiagnosticError, match="no installed plugin provides the task telepathy"):
        assemble(model, replace(recipe, data=replace(recipe.data, record=record)))


# ------------------------------------------------------------------------------------------ folders


def test_a_folder_with_a_run_is_not_overwritten_unasked(whole):
    before = {path.name: path.read_bytes() for path in whole[1].iterdir()}
    with pytest.raises(DiagnosticError, match="already holds a run") as caught:
        train(subject(), RunFolder(whole[1]))
    help_text = caught.value.diagnostics[0].help or ""
    assert all(option in help_text for option in ("--resume", "--overwrite", "--out"))
    assert {path.name: path.read_bytes() for path in whole[1].iterdir()} == before


def test_overwriting_leaves_other_files_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    train(subject(train_epochs="1"), RunFolder(tmp_path))
    train(subject(train_epochs="1", train_seed="6"), RunFolder(tmp_path), overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    info = read_info(tmp_path / "best.safetensors")
    assert info is not None
    assert info.recipe["seed"] == "6"


def test_weights_without_a_state_are_not_thrown_away(tmp_path):
    (tmp_path / "best.safetensors").write_text("precious")
    with pytest.raises(DiagnosticError, match="holds a run without its state") as caught:
        train(subject(), RunFolder(tmp_path), resume=True)
    assert "--resume" not in (caught.value.diagnostics[0].help or "")
    assert (tmp_path / "best.safetensors").read_text() == "precious"


def test_resuming_where_there_is_nothing_begins(tmp_path):
    result = train(subject(train_epochs="1"), RunFolder(tmp_path / "new"), resume=True)
    assert result.run.epoch == 1


# ------------------------------------------------------------------------------------------ resuming


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_a_run_that_died_goes_on_to_the_same_weights(whole, tmp_path, step):
    with pytest.raises(DiedError):
        train(subject(), RunFolder(tmp_path), callbacks=(Doing(step, die),), save_interval=0)
    assert names(tmp_path)[-1] == "resume.safetensors"
    train(subject(), RunFolder(tmp_path), resume=True)
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / name).read_bytes() == (whole[1] / name).read_bytes()


def test_the_state_alone_is_enough(whole, tmp_path):
    with pytest.raises(DiedError):
        train(subject(), RunFolder(tmp_path), callbacks=(Doing(5, die),), save_interval=0)
    for name in ("best.safetensors", "last.safetensors", "metrics.csv"):
        (tmp_path / name).unlink()
    train(subject(), RunFolder(tmp_path), resume=True)
    assert names(tmp_path) == FILES
    assert (tmp_path / "best.safetensors").read_bytes() == (whole[1] / "best.safetensors").read_bytes()


def test_the_state_is_saved_in_the_middle_of_an_epoch_only_when_it_is_time(tmp_path):
    for interval, batch in ((0.0, 1), (1e9, 0)):
        folder = tmp_path / str(batch)
        with pytest.raises(DiedError):
            train(subject(), RunFolder(folder), callbacks=(Doing(2, die),), save_interval=interval)
        run = read_state(folder / "resume.safetensors")["striate"]["run"]
        assert (run["epoch"], run["batch"]) == (0, batch)


def test_a_finished_run_is_only_reported_again(whole, tmp_path):
    said = []
    train(subject(), RunFolder(tmp_path))
    (tmp_path / "report.html").unlink()
    result = train(subject(), RunFolder(tmp_path), resume=True, tell=said.append)
    assert (tmp_path / "report.html").exists()
    assert said == ["the run is finished already: only its report is made anew"]
    assert result.test.loss == whole[0].test.loss


@pytest.mark.parametrize(
    ("text", "settings", "note"),
    [
        (TINY, {"train_epochs": "3"}, "epochs was 2, is 3"),
        (TINY, {"train_patience": "3"}, "patience was not set, is 3"),
        (TINY, {"train_optimizer.lr": "0.1"}, "optimizer was adam(lr = 0.01), is adam(lr = 0.1)"),
        (TINY.replace("relu", "tanh"), {}, "the network Net is another one than when the run began"),
    ],
)
def test_a_changed_recipe_or_network_does_not_go_on(tmp_path, text, settings, note):
    with pytest.raises(DiedError):
        train(subject(), RunFolder(tmp_path), callbacks=(Doing(2, die),))
    state = (tmp_path / "resume.safetensors").read_bytes()
    with pytest.raises(DiagnosticError) as caught:
        train(subject(text, **settings), RunFolder(tmp_path), resume=True)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.notes) == ("E0510", (note,))
    assert (tmp_path / "resume.safetensors").read_bytes() == state


def test_a_comment_does_not_matter_to_a_resumed_run(whole, tmp_path):
    with pytest.raises(DiedError):
        train(subject(), RunFolder(tmp_path), callbacks=(Doing(4, die),))
    train(subject("# a remark\n" + TINY), RunFolder(tmp_path), resume=True)
    assert equal(weights(tmp_path), weights(whole[1]))


@pytest.mark.parametrize("content", [b"", b"\x80\x05K\x01.", b"model Net { }"])
def test_a_state_that_is_none(tmp_path, content):
    (tmp_path / "resume.safetensors").write_bytes(content)
    with pytest.raises(DiagnosticError) as caught:
        train(subject(), RunFolder(tmp_path), resume=True)
    assert caught.value.diagnostics[0].code in ("E0502", "E0503")
    assert (tmp_path / "resume.safetensors").read_bytes() == content


def test_a_state_of_something_else(tmp_path):
    from striate.train.storage import StateFile

    StateFile().save_checkpoint({"epoch": 3}, tmp_path / "resume.safetensors")
    with pytest.raises(DiagnosticError, match="not a state that this version of striate can go on from"):
        train(subject(), RunFolder(tmp_path), resume=True)


# ------------------------------------------------------------------------------------------ stopping


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [2, 3, 6])  # within an epoch, its last step, the very last step
def test_a_signal_saves_and_stops(whole, tmp_path, stop, step):
    said = []
    before = signal.getsignal(stop)
    with pytest.raises(TrainingInterruptedError) as caught:
        train(
            subject(),
            RunFolder(tmp_path),
            callbacks=(Doing(step, lambda: signal.raise_signal(stop)),),
            tell=said.append,
        )
    assert caught.value.exit_code == 128 + stop
    assert caught.value.epoch == {2: 0, 3: 1, 6: 2}[step]
    assert said == ["stopping after this step; once more to stop at once"]
    assert signal.getsignal(stop) == before
    run = read_state(tmp_path / "resume.safetensors")["striate"]["run"]
    assert (run["epoch"], run["batch"]) == {2: (0, 2), 3: (1, 0), 6: (2, 0)}[step]
    train(subject(), RunFolder(tmp_path), resume=True)
    assert equal(weights(tmp_path), weights(whole[1]))


def test_a_second_signal_stops_at_once(tmp_path):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(subject(), RunFolder(tmp_path), callbacks=(Doing(2, twice),))
    assert names(tmp_path) == ["resume.safetensors"]
    assert signal.getsignal(signal.SIGINT) == before


def test_a_full_disk_stops_and_keeps_what_is_there(tmp_path, monkeypatch):
    sync, kept = os.fsync, {}

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fill():
        kept.update({path.name: path.read_bytes() for path in tmp_path.iterdir()})
        monkeypatch.setattr("striate.runtime.atomic.os.fsync", full)

    with pytest.raises(DiagnosticError, match="no space left on the disk") as caught:
        train(subject(), RunFolder(tmp_path), callbacks=(Doing(5, fill),))
    monkeypatch.setattr("striate.runtime.atomic.os.fsync", sync)
    assert "is as it was before" in caught.value.diagnostics[0].notes[0]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
    assert {"best.safetensors", "resume.safetensors"} <= kept.keys()
    assert train(subject(), RunFolder(tmp_path), resume=True).run.finished


def test_a_loss_that_is_not_finite_is_said(tmp_path):
    with pytest.raises(DiagnosticError, match="training came apart: the loss in epoch 1 is") as caught:
        train(subject(train_optimizer="sgd(lr = 1e30)"), RunFolder(tmp_path))
    finding = caught.value.diagnostics[0]
    assert (finding.code, finding.span.text) == ("E0511", "sgd(lr = 1e30)")
    assert names(tmp_path) == ["resume.safetensors"]


def test_operations_that_are_not_deterministic_become_a_note(tmp_path, monkeypatch):
    original = fit.evaluate

    def warning(*arguments, **named):
        warnings.warn(
            "upsample_bilinear2d_backward_out_cuda does not have a deterministic implementation, but you set",
            UserWarning,
            stacklevel=1,
        )
        return original(*arguments, **named)

    monkeypatch.setattr(fit, "evaluate", warning)
    result = train(subject(train_epochs="1"), RunFolder(tmp_path))
    assert result.notes == (
        "not deterministic on this device, so that the last digits of a run may differ: "
        "upsample_bilinear2d_backward_out_cuda",
    )
