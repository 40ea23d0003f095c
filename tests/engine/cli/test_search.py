"""`striate search` as it is typed: real runs on scikit-learn's digits, a stop in the middle, what is left behind."""

from __future__ import annotations

import csv
import json
import re

import pytest

from striate.train.module import TrainingModule
from tests.engine.cli.test_training_commands import interrupt_at

NET = """# A small net
model Net(width = 4) {
  input image: 1 x 8 x 8
  conv(width, 3) -> relu -> flatten -> dense(10)
  output logits
}
train Net {
  data = digits(limit = 200); loss = cross_entropy; optimizer = sgd(lr = 0.05); epochs = 2; metrics = [accuracy]
}
search Net {
  train.optimizer.lr = log(1e-3, 1e-1)   # from slow to fast
  train.batch        = [16, 32]
  model.width        = int(2, 8, step = 2)
}
"""


@pytest.fixture
def net(tmp_path):
    (tmp_path / "net.cnn").write_text(NET)
    return "net.cnn"


def table(folder):
    with (folder / "trials.csv").open() as stream:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(stream)]


def test_four_trials(run, net, tmp_path):
    done = run("search", net, "--trials", 4, "--seed", 1)
    assert done.code == 0
    folder = tmp_path / "runs/Net/search"
    rows = table(folder)
    assert [row["trial"] for row in rows] == ["1", "2", "3", "4"]
    assert all(1e-3 <= float(row["train.optimizer.lr"]) <= 1e-1 and row["train.batch"] in ("16", "32") for row in rows)
    best = max(rows, key=lambda row: (float(row["validation_accuracy"]), -float(row["validation_loss"])))
    first, *others = done.out.splitlines()
    assert re.match(rf"best  trial {best['trial']} +accuracy \d+\.\d %", first)
    assert [line.split()[0] for line in others] == ["trial"] * 3 + ["profile", "weights", "table"]
    assert (folder / f"trials/000{best['trial']}/best.safetensors").exists()
    assert len(done.err.splitlines()) == 4
    profile = (folder / "best.cnn").read_text()
    assert profile.startswith("# A small net\n")
    assert f"train.optimizer.lr = {best['train.optimizer.lr']}" in profile
    assert run("check", folder / "best.cnn", "--strict", "--profile", "best").code == 0


def test_the_best_profile_trains_to_the_same_weights(run, net, tmp_path):
    run("search", net, "--trials", 2, "--out", "s")
    number = re.search(r"best  trial (\d)", run("search", net, "--trials", 2, "--out", "s", "--resume").out)[1]
    assert run("train", "s/best.cnn", "--profile", "best", "--out", "again").code == 0
    searched = (tmp_path / f"s/trials/000{number}/metrics.csv").read_text()
    trained = (tmp_path / "again/metrics.csv").read_text()
    without_seconds = [re.sub(r",[^,]*$", "", text, flags=re.MULTILINE) for text in (searched, trained)]
    assert without_seconds[0] == without_seconds[1]


def test_a_stopped_search_goes_on_to_the_same_end(run, net, tmp_path, monkeypatch):
    assert run("search", net, "--trials", 3, "--out", "whole").code == 0
    interrupt_at(monkeypatch, 25)
    stopped = run("search", net, "--trials", 3, "--out", "b")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert stopped.code == 130
    assert stopped.err.splitlines()[-1] == "Go on with: striate search net.cnn --trials 3 --out b --resume"
    assert len(table(tmp_path / "b")) < 3
    assert not (tmp_path / "b/best.cnn").exists()
    done = run("search", net, "--trials", 3, "--out", "b", "--resume")
    assert done.code == 0
    assert table(tmp_path / "b") == table(tmp_path / "whole")
    assert (tmp_path / "b/best.cnn").read_text() == (tmp_path / "whole/best.cnn").read_text()


def test_a_search_can_be_made_longer(run, net, tmp_path):
    run("search", net, "--trials", 1, "--out", "a")
    more = run("search", net, "--trials", 3, "--out", "a", "--resume")
    assert "1 of 3 trials have ended before" in more.err
    run("search", net, "--trials", 3, "--out", "b")
    assert table(tmp_path / "a") == table(tmp_path / "b")


def test_a_small_space_is_tried_whole(run, net, tmp_path):
    text = re.sub(r"(?m)^  train.optimizer.lr.*\n", "", NET)
    (tmp_path / net).write_text(text.replace("int(2, 8, step = 2)", "int(2, 8, step = 6)"))
    assert run("search", net, "--set", "train.epochs=1", "--out", "a").code == 0
    rows = table(tmp_path / "a")
    assert len({(row["train.batch"], row["model.width"]) for row in rows}) == len(rows) == 4
    assert "train.epochs = 1" in (tmp_path / "a/best.cnn").read_text()


def test_a_trial_that_comes_apart_is_no_end(run, net, tmp_path):
    (tmp_path / net).write_text(NET.replace("log(1e-3, 1e-1)", "[1e38, 0.05]").replace("int(2, 8, step = 2)", "[4]"))
    done = run("search", net, "--set", "train.epochs=1", "--trials", 4, "--out", "a")
    assert done.code == 0
    assert "failed: training came apart" in done.err
    failed = [row for row in table(tmp_path / "a") if row["failure"]]
    assert {row["train.optimizer.lr"] for row in failed} == {"1e38"}
    assert "train.optimizer.lr = 0.05" in (tmp_path / "a/best.cnn").read_text()


def test_a_search_in_which_all_fail(run, net, tmp_path):
    (tmp_path / net).write_text(NET.replace("log(1e-3, 1e-1)", "[1e38]"))
    done = run("search", net, "--trials", 2, "--out", "a")
    assert done.code == 1
    assert "error[E0415]: none of the 2 trials came to an end" in done.err


def test_points_are_checked_before_anything_runs(run, net, tmp_path):
    (tmp_path / net).write_text(NET.replace("int(2, 8, step = 2)", "[4, 8, -8]"))
    done = run("search", net)
    assert done.code == 1
    assert "error[E0412]: with model.width = -8: conv: channels must be" in done.err
    assert not (tmp_path / "runs").exists()


def test_a_folder_with_a_search(run, net, tmp_path):
    options = ["search", net, "--trials", 1, "--set", "train.epochs=1", "--out", "a"]
    assert run(*options).code == 0
    assert "error[E0414]: a already holds a search" in run(*options).err
    other = run(*options, "--resume", "--seed", 3)
    assert "error[E0414]: a holds another search" in other.err
    assert "seed: then 0, now 3" in other.err
    assert run(*options, "--overwrite", "--seed", 3).code == 0
    assert json.loads((tmp_path / "a/search.json").read_text())["purpose"]["seed"] == 3
    (tmp_path / "a/search.json").write_text("{")
    assert "is no record of a search" in run(*options, "--resume").err
    assert run(*options, "--resume", "--overwrite").code == 2


def test_profiles_and_settings_hold_for_all_points(run, tmp_path):
    text = NET + "profile quick { train.epochs = 1; train.optimizer.momentum = 0.5; model.width = 6 }\n"
    text = text.replace("  model.width        = int(2, 8, step = 2)\n", "")
    (tmp_path / "net.cnn").write_text(text)
    assert (
        run("search", "net.cnn", "--profile", "quick", "--set", "train.seed=7", "--trials", 1, "--out", "a").code == 0
    )
    profile = (tmp_path / "a/best.cnn").read_text().partition("profile best")[2]
    for line in ("train.epochs = 1", "train.optimizer.momentum = 0.5", "model.width = 6", "train.seed = 7"):
        assert line in profile


def test_used_files_are_found_from_the_folder_of_the_search(run, net, tmp_path):
    (tmp_path / "striate.toml").write_text("")
    (tmp_path / "act.cnn").write_text("block Act { relu }\n")
    (tmp_path / net).write_text('use "act.cnn"\n' + NET.replace("-> relu", "-> Act"))
    assert run("search", net, "--trials", 1, "--set", "train.epochs=1", "--out", "deep/er").code == 0
    assert 'use "../../act.cnn"' in (tmp_path / "deep/er/best.cnn").read_text()
    assert run("check", "deep/er/best.cnn").code == 0


def test_a_taken_name_of_a_profile(run, net, tmp_path):
    (tmp_path / net).write_text(NET + "profile best { train.epochs = 1 }\n")
    done = run("search", net, "--trials", 1, "--profile", "best", "--out", "a")
    assert "--profile best2" in done.out
    assert run("check", "a/best.cnn", "--profile", "best2").code == 0


def test_a_killed_process_loses_no_finished_trial(run, net, tmp_path, monkeypatch):
    """A kill between two trials, and one in the middle of a run's first epoch."""
    original, seen = TrainingModule.training_step, [0]

    class KilledError(BaseException):
        pass

    def killed(self, batch, batch_idx):
        seen[0] += 1
        if seen[0] == 25:
            raise KilledError
        return original(self, batch, batch_idx)

    monkeypatch.setattr(TrainingModule, "training_step", killed)
    with pytest.raises(KilledError):
        run("search", net, "--trials", 3, "--out", "a")
    monkeypatch.setattr(TrainingModule, "training_step", original)
    ended = len(table(tmp_path / "a"))
    assert ended < 3
    assert run("search", net, "--trials", 3, "--out", "a", "--resume").code == 0
    run("search", net, "--trials", 3, "--out", "b")
    assert table(tmp_path / "a") == table(tmp_path / "b")
