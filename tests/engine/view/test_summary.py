"""The summary as data: rows, totals, JSON, sizes that are put in, batches."""

from __future__ import annotations

import json

import pytest

from striate.view import Summary
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.view.networks import HARD, hard_summary, model_of, summary_of, zoo_model

PROMISED = {"model", "parameters", "trainable", "macs", "layers"}
PROMISED_OF_A_LAYER = {"name", "op", "output", "parameters", "macs", "receptive_field", "line"}


@pytest.mark.parametrize("kind", HARD)
def test_json_keeps_its_promise(kind: str):
    summary = hard_summary(kind)
    document = json.loads(json.dumps(summary.to_json()))
    assert document.keys() >= PROMISED
    assert document["parameters"] == document["trainable"] == sum(layer["parameters"] for layer in document["layers"])
    assert len(document["layers"]) == summary.totals.layers == len(summary.rows)
    for layer in document["layers"]:
        assert layer.keys() >= PROMISED_OF_A_LAYER
        assert isinstance(layer["line"], int)
        assert layer["line"] >= 1
        assert isinstance(layer["macs"], int if not document["symbols"] else int | str)
        assert layer["receptive_field"] == "all" or [type(side) for side in layer["receptive_field"]] == [int, int]
        assert all(isinstance(extent, int | str) for extent in layer["output"])


def test_json_of_a_small_network_in_full():
    model = model_of("model Tiny {\n  input image: 1 x 6 x 6\n  conv(2, 3) -> relu\n  output out\n}")
    document = summary_of(model).to_json()
    assert document["layers"] == [
        {
            "name": "conv1",
            "op": "conv",
            "inputs": ["image"],
            "output": [2, 4, 4],
            "parameters": 20,
            "statistics": 0,
            "macs": 288,
            "flops": 2 * 288 + 32,  # and a bias for each of the 32 outputs
            "moved": 4 * (36 + 20 + 32),
            "intensity": 608 / 352,
            "memory": 128,
            "alive": 4 * (36 + 32),
            "kept": None,
            "stride": [1.0, 1.0],
            "offset": [1.0, 1.0],
            "least_ms": None,
            "bound": None,
            "receptive_field": [3, 3],
            "file": "net.cnn",
            "line": 3,
            "blocks": [],
            "shared": False,
        },
        {
            "name": "relu1",
            "op": "relu",
            "inputs": ["conv1"],
            "output": [2, 4, 4],
            "parameters": 0,
            "statistics": 0,
            "macs": 0,
            "flops": 32,
            "moved": 4 * (32 + 32),
            "intensity": 32 / 256,
            "memory": 128,
            "alive": 4 * (36 + 32 + 32),
            "kept": None,
            "stride": [1.0, 1.0],
            "offset": [1.0, 1.0],
            "least_ms": None,
            "bound": None,
            "receptive_field": [3, 3],
            "file": "net.cnn",
            "line": 3,
            "blocks": [],
            "shared": False,
        },
    ]
    assert {key: document[key] for key in document if key != "layers"} == {
        "model": "Tiny",
        "parameters": 20,
        "trainable": 20,
        "statistics": 0,
        "macs": 288,
        "flops": 640,
        "moved": 608,
        "memory": 256,
        "peak_memory": 400,  # 36 entries of the input, 32 before relu and 32 behind it, four bytes each
        "peak_layer": "relu1",
        "weight_memory": 80,
        "receptive_field": [3, 3],
        "batch": 1,
        "precision": "fp32",
        "training": None,
        "device": None,
        "sizes": {},
        "symbols": [],
        "domain": {
            "symbols": {},
            "joint": [],
            "exact": True,
            "unsatisfiable": None,
            "smallest": {},
            "sentences": [],
        },
        "inputs": {"image": [1, 6, 6]},
        "outputs": {"out": [2, 4, 4]},
    }


def test_a_shared_tower_counts_once():
    summary = hard_summary("siamese")
    assert summary.totals.parameters == 183_296
    first, second = ([row for row in summary.rows if row.name.startswith(f"{name}.")] for name in "ab")
    assert sum(row.parameters for row in first) == 183_296
    assert sum(row.parameters for row in second) == 0
    assert [row.op for row in second if row.shared] == ["conv", "conv", "dense"]
    assert not any(row.shared for row in first)
    assert [row.macs for row in first] == [row.macs for row in second]


def test_open_sizes_are_texts_and_given_sizes_numbers():
    model = zoo_model("unet")
    document = summary_of(model).to_json()
    assert document["symbols"] == ["H", "W"]
    assert document["inputs"] == {"image": [3, "H", "W"]}
    assert document["domain"]["sentences"] == ["H and W: multiples of 16, at least 16"]
    bottom = next(layer for layer in document["layers"] if layer["name"].startswith("double5"))
    assert bottom["output"] == [1024, "H/16", "W/16"]

    given = summary_of(model, sizes={"W": 32, "H": 48}).to_json()
    assert given["symbols"] == []
    assert given["sizes"] == {"H": 48, "W": 32}
    assert given["inputs"] == {"image": [3, 48, 32]}
    assert next(layer for layer in given["layers"] if layer["name"] == bottom["name"])["output"] == [1024, 3, 2]


@pytest.mark.parametrize(
    ("sizes", "message", "hint"),
    [
        ({"H": 100, "W": 64}, "does not take H = 100, W = 64", "H = 96 or 112"),
        ({"H": 8, "W": 40}, "does not take H = 8, W = 40", "H = 16, W = 32 or 48"),
        ({"H": 96}, "W has no size", "H = …, W = …"),
        ({"H": 96, "W": 96, "Z": 1}, "Z is no open size", "H and W"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_the_nearest_that_do(sizes, message: str, hint: str):
    with pytest.raises(DiagnosticError) as caught:
        summary_of(zoo_model("unet"), sizes=sizes)
    (finding,) = caught.value.diagnostics
    assert message in finding.message
    assert finding.help is not None
    assert hint in finding.help


def test_sizes_of_a_network_without_open_ones_are_refused():
    with pytest.raises(DiagnosticError, match="the network's input sizes are fixed in its file"):
        summary_of(zoo_model("lenet5"), sizes={"H": 32})


def test_sizes_tied_to_each_other_name_legal_ones_together():
    model = model_of(
        "model Tied {\n input a: 1 x H x 8\n input b: 1 x W x 4\n a -> maxpool(2) -> add(b)\n output out\n}"
    )
    with pytest.raises(DiagnosticError) as caught:
        summary_of(model, sizes={"H": 10, "W": 9})
    (finding,) = caught.value.diagnostics
    assert finding.help == "the nearest that it takes: H = 18, W = 9 or H = 10, W = 5"
    assert model.domain.contains({"H": 18, "W": 9})
    assert model.domain.contains({"H": 10, "W": 5})


def test_far_from_every_legal_size_the_smallest_are_named():
    model = model_of("model Far {\n input a: 1 x H x W where H == 1000 * W\n relu\n output out\n}")
    with pytest.raises(DiagnosticError) as caught:
        summary_of(model, sizes={"H": 7, "W": 7})
    assert caught.value.diagnostics[0].help == "the smallest that it takes: H = 1000, W = 1"


def test_a_batch_multiplies_what_depends_on_it():
    model = zoo_model("lenet5")
    one, many = summary_of(model).totals, summary_of(model, batch=32).totals
    assert (many.macs, many.memory) == (one.macs * 32, one.memory * 32)
    assert (many.parameters, many.weight_memory) == (one.parameters, one.weight_memory)
    assert summary_of(model, batch=32).to_json()["batch"] == 32
    assert "for a batch of 32" in summary_of(model, batch=32).text(120)


def test_what_a_summary_says_of_itself():
    summary = summary_of(zoo_model("lenet5"))
    assert repr(summary) == "<Summary of LeNet5: 12 layers, 61,706 parameters>"
    assert isinstance(summary.shown(view="flat"), Summary)
    assert "61,706, all trainable" in str(summary)


def test_lines_are_those_of_the_file():
    rows = summary_of(zoo_model("lenet5")).rows
    assert {row.name: row.line for row in rows}["conv2"] == {row.name: row.line for row in rows}["conv1"] + 1
    assert rows[0].file.endswith("lenet5.cnn")
