"""`striate attribute` as it is typed: the picture, what is printed, and which class and layer are taken."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from striate.model import load_source
from striate.ops.initializers import start_values
from striate.runtime.checkpoint import CheckpointInfo, write_weights
from striate_dsl.source import Source

NET = """model Net(classes = 3) {
  input image: 1 x H x W
  conv(4, 3, pad = 1) as first -> relu -> conv(6, 3) as second -> relu -> global_avgpool -> flatten -> dense(classes)
  output logits
}
"""
CLASSES = ("cat", "dog", "cow")


@pytest.fixture
def attribute(run, tmp_path):
    """Run `striate attribute net.cnn image.png --weights … ` with further arguments."""
    (tmp_path / "net.cnn").write_text(NET)
    graph = load_source(Source("net.cnn", NET)).graph
    arrays = {name: start_values(weight, 0) for name, weight in graph.weights.items()}
    info = CheckpointInfo("Net", text=NET, task="classification", classes=CLASSES, input=(1, 12, 9))
    write_weights(tmp_path / "w.safetensors", arrays, info)
    pixels = (np.random.default_rng(0).random((24, 18)) * 255).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "image.png")
    return lambda *arguments: run("attribute", "net.cnn", "image.png", "--weights", "w.safetensors", *arguments)


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def test_it_says_what_it_explains_and_where_the_picture_is(attribute, tmp_path):
    done = attribute("--method", "grad_cam")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(("image.png: cat, score ", "image.png: dog, score ", "image.png: cow, score "))
    assert done.out.endswith("what speaks for it, by grad_cam, is in image.grad_cam.png\n")
    assert size_of(tmp_path / "image.grad_cam.png") == (9 * 29, 12 * 29)


def test_the_document_names_class_layer_and_the_strongest_pixel(attribute, tmp_path):
    done = attribute("--class", "dog", "--layer", "first", "--method", "grad_cam", "--format", "json", "-o", "o.png")
    found = json.loads(done.out)
    assert {key: found[key] for key in ("class", "layer", "method", "plugin", "picture", "size")} == {
        "class": "dog",
        "layer": "first",
        "method": "grad_cam",
        "plugin": "striate-plugins",
        "picture": "o.png",
        "size": [12, 9],
    }
    assert 0 <= found["strongest"]["row"] < 12
    assert 0 <= found["strongest"]["column"] < 9


def test_a_class_goes_by_its_number_too_and_the_likeliest_is_the_default(attribute):
    scores = {}
    for name in CLASSES:
        scores[name] = json.loads(attribute("--class", name, "--format", "json").out)["score"]
    by_number = json.loads(attribute("--class", "1", "--format", "json").out)
    assert (by_number["class"], by_number["score"]) == ("dog", scores["dog"])
    default = json.loads(attribute("--format", "json").out)
    assert default["class"] == max(scores, key=scores.__getitem__)
    assert default["layer"] == "relu2"


def test_a_picture_that_is_there_stays_if_the_next_one_fails(attribute, tmp_path):
    assert attribute("-o", "seen.png").code == 0
    before = (tmp_path / "seen.png").read_bytes()
    assert attribute("-o", "seen.png", "--layer", "third").code == 1
    assert (tmp_path / "seen.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.png", "net.cnn", "seen.png", "w.safetensors"]


def test_a_folder_that_is_not_there_is_told_before_the_work(attribute):
    done = attribute("-o", "nowhere/seen.png")
    assert done.code == 1
    assert "error[E0505]" in done.err
