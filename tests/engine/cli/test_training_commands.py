"""`train`, `eval` and `predict` as they are typed: what they print, how they end, what they leave behind."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from striate.cli import group
from striate.cli.boundary import run_guarded
from striate.train.module import TrainingModule
from tests.engine.train.networks import TINY

BEST = "runs/Net/default/best.safetensors"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a file and a run of it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "net.cnn").write_text(TINY)
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert run_guarded(group, ["train", "net.cnn"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def net(tmp_path):
    (tmp_path / "net.cnn").write_text(TINY)
    return "net.cnn"


@pytest.fixture
def weights(trained):
    return trained / BEST


def interrupt_at(monkeypatch, step: int, times: int = 1):
    """Send Ctrl-C at a training step."""
    original, seen = TrainingModule.training_step, [0]

    def interrupted(self, batch, batch_idx):
        seen[0] += 1
        for _ in range(times if seen[0] == step else 0):
            signal.raise_signal(signal.SIGINT)
        return original(self, batch, batch_idx)

    monkeypatch.setattr(TrainingModule, "training_step", interrupted)


# ------------------------------------------------------------------------------------------ train


def test_training(run, net, tmp_path):
    done = run("train", net)
    assert done.code == 0
    assert re.fullmatch(
        r"accuracy    \d+\.\d\d % on the test split \(\d+ of 20 wrong\), weights of epoch [12]\n"
        r"checkpoint  runs/Net/default/best\.safetensors\n"
        r"report      runs/Net/default/report\.html\n",
        done.out,
    )
    assert [line[:9] for line in done.err.splitlines()] == ["epoch 1/2", "epoch 2/2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.cnn", "runs"]


def test_the_name_of_a_recipe_is_the_folder(run, tmp_path):
    (tmp_path / "net.cnn").write_text(TINY.replace("train Net {", "train Net as quick {"))
    assert run("train", "net.cnn", "--set", "train.epochs=1", "--recipe", "quick").code == 0
    assert (tmp_path / "runs/Net/quick/best.safetensors").exists()


def test_a_run_is_not_overwritten_unasked(run, net):
    assert run("train", net, "--set", "train.epochs=1", "--out", "a").code == 0
    again = run("train", net, "--set", "train.epochs=1", "--out", "a")
    assert again.code == 1
    assert "error[E0506]: a already holds a run" in again.err
    assert run("train", net, "--set", "train.epochs=1", "--out", "a", "--overwrite").code == 0


def test_ctrl_c_saves_and_says_how_to_go_on(run, net, trained, tmp_path, monkeypatch):
    interrupt_at(monkeypatch, 2)
    options = ["--set", "train.optimizer.lr=0.01", "--out", "my runs/a"]
    stopped = run("train", net, *options)
    assert stopped.code == 130
    assert stopped.out == ""
    assert stopped.err.splitlines()[-2:] == [
        "stopped after 0 of 2 epochs; everything is saved.",
        "Go on with: striate train net.cnn --out 'my runs/a' --set train.optimizer.lr=0.01 --resume",
    ]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert run("train", net, *options, "--resume").code == 0
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / "my runs/a" / name).read_bytes() == (trained / "runs/Net/default" / name).read_bytes()


def test_a_second_ctrl_c_ends_at_once(run, net, tmp_path, monkeypatch):
    interrupt_at(monkeypatch, 2, times=2)
    stopped = run("train", net)
    assert stopped.code == 130
    assert "go on from the last saved state with: striate train net.cnn --resume" in stopped.err
    assert (tmp_path / "runs/Net/default/resume.safetensors").exists()


def test_a_full_disk(run, net, tmp_path, monkeypatch):
    sync, calls = os.fsync, [0]

    def filling(handle):
        calls[0] += 1
        if calls[0] > 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr("striate.runtime.atomic.os.fsync", filling)
    done = run("train", net)
    assert done.code == 1
    assert "there is no space left on the disk" in done.err
    assert "The run can go on from its last saved state: striate train net.cnn --resume" in done.err
    monkeypatch.setattr("striate.runtime.atomic.os.fsync", sync)
    assert run("train", net, "--resume").code == 0


def test_no_permission(run, net, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("striate.runtime.atomic.Path.mkdir", refuse)  # root, who runs this in CI, may write anywhere
    done = run("train", net, "--out", "locked")
    assert done.code == 1
    assert "there is no permission to write there" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none.cnn"], 1, "none.cnn"),
        (["."], 1, "folder"),
        (["net.cnn", "--set", "train.epcohs=3"], 1, "did you mean epochs?"),
        (["net.cnn", "--set", "epochs=3"], 1, "--set train.epochs=3"),
        (["net.cnn", "--set", "train.epochs"], 2, "KEY=VALUE"),
        (["net.cnn", "--set", "classes=12"], 1, "set it: --set classes=10"),
        (["net.cnn", "--model", "Other"], 1, "Other"),
        (["net.cnn", "--recipe", "long"], 1, "Net has no recipe long"),
        (["net.cnn", "--resume", "--overwrite"], 2, "give one of them"),
        (["net.cnn", "--unknown"], 2, "--unknown"),
        (["net.cnn", "--out", "net.cnn/run"], 1, "a part of the path is a file, not a folder"),
    ],
)
def test_wrong_arguments_of_train(run, net, tmp_path, arguments, code, words):
    done = run("train", *arguments)
    assert (done.code, words in done.err) == (code, True), done.err
    assert not (tmp_path / "runs").exists()


def test_an_empty_file_and_a_binary_one(run, tmp_path):
    for content in (b"", b"\x00\xff\xfe"):
        (tmp_path / "net.cnn").write_bytes(content)
        assert run("train", "net.cnn").code == 1


def test_several_models_with_one_recipe(run, tmp_path):
    (tmp_path / "net.cnn").write_text(TINY + "model Other = Net()\n")
    assert run("train", "net.cnn", "--set", "train.epochs=1").code == 0
    assert run("train", "net.cnn", "--set", "train.epochs=1", "--model", "Other").code == 0
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"Net", "Other"}


def test_without_a_recipe(run, tmp_path):
    (tmp_path / "net.cnn").write_text(TINY[: TINY.index("train Net")])
    done = run("train", "net.cnn")
    assert done.code == 1
    assert "error[E0406]: Net has no recipe" in done.err
    assert "--> net.cnn:1:7" in done.err


# ------------------------------------------------------------------------------------------ eval


def test_measuring(run, net, weights, trained):
    done = run("eval", net, "--weights", weights)
    assert (done.code, done.err) == (0, "")
    head, _, classes, *rows = done.out.splitlines()
    assert re.fullmatch(
        r"Net on the test split of digits\(limit = 120\): \d+\.\d\d % right \(\d+ of 20 wrong\), loss \d\.\d{4}", head
    )
    assert classes.split() == ["class", "precision", "recall", "F1", "examples"]
    assert [line.split()[0] for line in rows[:10]] == list("0123456789")
    assert "confusion matrix: rows are true classes, columns are answers" in rows
    shown = re.search(r"(\d+\.\d\d) %", (trained / "runs/Net/default/report.html").read_text())
    assert shown is not None
    assert f"{shown[1]} % right" in head


def test_measuring_for_programs(run, net, weights):
    done = run("eval", net, "--weights", weights, "--format", "json", "--split", "train")
    assert done.code == 0
    found = json.loads(done.out)
    assert (found["model"], found["split"], found["answers"]) == ("Net", "train", 90)
    assert found["accuracy"] == pytest.approx(found["metrics"]["accuracy"])
    matrix = np.array(found["confusion"])
    assert matrix.shape == (10, 10)
    assert matrix.trace() / matrix.sum() == pytest.approx(found["accuracy"])
    assert [item["name"] for item in found["classes"]] == list("0123456789")
    assert sum(item["examples"] for item in found["classes"]) == 90


def test_measuring_further_metrics(run, net, weights):
    done = run("eval", net, "--weights", weights, "--set", "train.metrics=[accuracy(top = 3)]")
    assert re.search(r"^accuracy\(top = 3\): \d+\.\d %$", done.out, re.MULTILINE)


def test_settings_that_do_not_matter_are_refused(run, net, weights):
    done = run("eval", net, "--weights", weights, "--set", "train.epochs=3")
    assert done.code == 2
    assert "train.epochs makes no difference to eval; of the recipe it uses data, loss, metrics" in done.err
    assert run("eval", net, "--weights", weights, "--set", "train.epcohs=3").code == 1


def test_settings_that_matter_are_used(run, net, weights):
    smoothed = ["--set", "train.loss.label_smoothing=0.5", "--set", "train.data.limit=60", "--format", "json"]
    found = json.loads(run("eval", net, "--weights", weights, *smoothed).out)
    plain = json.loads(run("eval", net, "--weights", weights, *smoothed[2:]).out)
    assert found["answers"] == plain["answers"] == 10
    assert found["loss"] > plain["loss"]


def test_many_classes_show_their_mix_ups():
    from striate.cli.evaluate import _confusion
    from striate.train.scoring import Scores

    matrix = np.eye(30, dtype=int) * 9
    matrix[3, 7] = 4
    lines = _confusion(Scores(1.0, {}, matrix, tuple(f"c{number}" for number in range(30))))
    assert lines[1:] == ["c3 taken for c7: 4"]


def wrong_architecture(path):
    save_file({"conv1.weight": np.zeros((4, 1, 5, 5), "float32")}, path)


def truncated(path):
    wrong_architecture(path)
    path.write_bytes(path.read_bytes()[:-40])


def text_file(path):
    path.write_text("no weights")


@pytest.mark.parametrize("command", ["eval", "predict"])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            wrong_architecture,
            "different: conv1.weight is 4 x 1 x 5 x 5 in the checkpoint, 4 x 1 x 3 x 3 in the network",
        ),
        (truncated, "error[E0503]"),
        (text_file, "is a text file, not a striate checkpoint"),
        (lambda path: None, "there is no checkpoint"),
        (lambda path: path.mkdir(), "is a folder, not a checkpoint"),
    ],
)
def test_wrong_checkpoints(run, net, tmp_path, command, make, words):
    make(tmp_path / "w.safetensors")
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    done = run(command, net, *(["a.png"] if command == "predict" else []), "--weights", "w.safetensors")
    assert (done.code, words in done.err) == (1, True), done.err
    assert done.out == ""


def test_the_state_is_no_checkpoint(run, net, weights):
    done = run("eval", net, "--weights", weights.with_name("resume.safetensors"))
    assert done.code == 1
    assert "is the state of a training run, not a set of weights" in done.err


def test_a_checkpoint_of_a_changed_network(run, weights, tmp_path):
    (tmp_path / "net.cnn").write_text(TINY.replace("bn -> relu", "bn -> tanh"))
    done = run("eval", "net.cnn", "--weights", weights)
    assert done.code == 1
    assert "fit by name and size, but the network computes something else now" in done.err


@pytest.mark.parametrize("command", ["eval", "predict"])
def test_weights_must_be_named(run, net, command):
    done = run(command, net)
    assert done.code == 2
    assert "--weights" in done.err


def test_the_weights_say_which_model_is_meant(run, weights, tmp_path):
    (tmp_path / "net.cnn").write_text(TINY + "model Other(classes = 3) { input x: 1 x 8 x 8\n relu\n output y }\n")
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    assert run("eval", "net.cnn", "--weights", weights).code == 0
    assert run("predict", "net.cnn", "a.png", "--weights", weights).code == 0


# ------------------------------------------------------------------------------------------ predict


@pytest.fixture
def images(tmp_path):
    """One picture in grey, colours and 16 bits, in several sizes and formats."""
    from sklearn.datasets import load_digits

    digit = (load_digits().images[0] / 16 * 255).astype("uint8")
    large = Image.fromarray(digit).resize((64, 64), Image.Resampling.NEAREST)
    large.save(tmp_path / "a.png")
    large.convert("RGB").save(tmp_path / "b.jpg", quality=98)
    Image.fromarray(np.asarray(large).astype("uint16") * 257).save(tmp_path / "c.png")
    return ["a.png", "b.jpg", "c.png"]


def test_predicting_files(run, net, weights, images):
    done = run("predict", net, *images, "--weights", weights)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split(":")[0] for line in lines] == images
    assert all(re.fullmatch(r"\S+: \d \(\d+\.\d %\)", line) for line in lines)


def test_predicting_for_programs(run, net, weights, images):
    done = run("predict", net, *images, "--weights", weights, "--format", "json")
    found = json.loads(done.out)["predictions"]
    assert [item["image"] for item in found] == images
    for item in found:
        assert item["probability"] == max(item["probabilities"].values())
        assert sum(item["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    # The same picture, whatever file it is in.
    assert found[0]["probability"] == pytest.approx(found[2]["probability"], abs=1e-4)
    assert found[0]["probability"] == pytest.approx(found[1]["probability"], abs=0.05)


def test_predicting_agrees_with_measuring(run, net, weights):
    found = json.loads(run("predict", net, "--split", "test", "--weights", weights, "--format", "json").out)
    measured = json.loads(run("eval", net, "--weights", weights, "--format", "json").out)
    right = [item["class"] == item["truth"] for item in found["predictions"]]
    assert (len(right), np.mean(right)) == (20, pytest.approx(measured["accuracy"]))


def test_images_of_the_data(run, net, weights):
    done = run("predict", net, "--split", "validation", "--limit", "4", "--weights", weights)
    lines = done.out.splitlines()
    assert len(lines) == 4
    assert all(re.fullmatch(r"validation \d: \d \(\d+\.\d %\)(, wrong: it is \d)?", line) for line in lines)


def test_images_that_cannot_be_read_do_not_stop_the_others(run, net, weights, images, tmp_path):
    (tmp_path / "bad.png").write_text("no image")
    done = run("predict", net, "bad.png", images[0], "none.png", "--weights", weights)
    assert done.code == 1
    assert [line.split(":")[0] for line in done.out.splitlines()] == [images[0]]
    assert "bad.png is not an image that can be read" in done.err
    assert "there is no image none.png" in done.err


def test_a_segmentation_network(run, tmp_path):
    body = "conv(4, 3, pad = half)\n head segmentation(classes = 2)"
    (tmp_path / "seg.cnn").write_text(f"model Seg {{ input image: 3 x H x W {{ range = 0..255 }}\n {body} }}\n")
    import striate
    from striate.runtime.checkpoint import write_weights
    from striate.runtime.checkpoint_info import CheckpointInfo

    model = striate.load(tmp_path / "seg.cnn")
    arrays = {name: value.numpy() for name, value in model.to_torch(seed=1).state_dict().items()}
    write_weights(tmp_path / "w.safetensors", arrays, CheckpointInfo("Seg", classes=("sky", "ground")))
    Image.new("RGB", (40, 20), (10, 200, 30)).save(tmp_path / "a.png")
    done = run("predict", "seg.cnn", "a.png", "--weights", "w.safetensors", "--format", "json")
    (answer,) = json.loads(done.out)["predictions"]
    assert answer["class"] in ("sky", "ground")
    assert sum(answer["shares"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "pass image files, or --split"),
        (["a.png", "--split", "test"], "pass image files, or --split"),
        (["a.png", "--limit", "3"], "--limit goes with --split"),
        (["a.png", "--recipe", "x"], "--recipe goes with --split"),
        (["--split", "test", "--limit", "0"], "--limit"),
        (["a.png", "--set", "train.epochs=3"], "train.epochs makes no difference to predict"),
        (["a.png", "--set", "train.data.limit=60"], "uses nothing, unless --split is given"),
        (["--split", "test", "--set", "train.optimizer.lr=3"], "it uses data, size"),
    ],
)
def test_wrong_arguments_of_predict(run, net, arguments, words):
    done = run("predict", net, *arguments, "--weights", "w.safetensors")
    assert (done.code, words in done.err) == (2, True), done.err


def test_a_network_that_takes_no_picture(run, tmp_path, weights):
    (tmp_path / "two.cnn").write_text("model Net { input a: 2 x 8 x 8\n conv(3, 3)\n output y }\n")
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    done = run("predict", "two.cnn", "a.png", "--weights", weights)
    assert done.code == 1
    assert "takes 2 channels" in done.err
