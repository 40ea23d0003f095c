"""`train`, `eval` and `predict` of networks that name no class: vectors by which images are compared, and copies."""

from __future__ import annotations

import json

import pytest

from tests.engine.train.test_losses_in_recipes import COPY, text_for

TEXTS = {
    "vectors": text_for("arcface(scale = 8)", "directions"),
    "copies": COPY.replace("LOSS", "mse").replace("END", ""),
}


@pytest.fixture(params=TEXTS)
def trained(request, run, tmp_path):
    """What kind of network was trained, and what the command said."""
    (tmp_path / "net.cnn").write_text(TEXTS[request.param], encoding="utf-8")
    done = run("train", "net.cnn", "--out", "run", "--device", "cpu")
    assert done.code == 0, done.err
    return request.param, done.out


def test_commands_say_what_there_is_to_say(trained, run):
    kind, told = trained
    weights = ("net.cnn", "--weights", "run/best.safetensors", "--device", "cpu")
    measured = run("eval", *weights).out
    document = json.loads(run("eval", *weights, "--format", "json").out)
    answers = json.loads(run("predict", *weights, "--split", "test", "--limit", "2", "--format", "json").out)
    (answer, _) = answers["predictions"]
    if kind == "vectors":
        assert "accuracy" in told
        assert "loss not known: arcface(scale = 8.0) has weights of its own" in measured
        assert document["loss"] is None
        assert len(answer["embedding"]) == 6
    else:
        assert "loss        0." in told
        assert "accuracy" not in told
        assert measured.startswith("Net on the test split of digits(limit = 100): loss 0.")
        assert document["accuracy"] is None
        assert answer["size"] == [1, 8, 8]
