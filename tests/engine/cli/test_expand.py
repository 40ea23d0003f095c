"""`striate expand`: what it prints, writes and refuses."""

from __future__ import annotations

import json


def test_the_text_is_a_file_that_checks(run, net):
    outcome = run("expand", net)
    assert outcome.code == 0
    assert outcome.out.startswith("# Net of net.cnn, written out by striate expand\n#   classes = 10: default of Net")
    net.write_text(outcome.out)
    assert run("check", "--strict", net).code == 0


def test_it_goes_to_a_file_without_comments(run, net, tmp_path):
    outcome = run("expand", net, "--no-origins", "--set", "classes=3", "-o", "out.cnn")
    assert (outcome.code, outcome.out) == (0, "Net is in out.cnn\n")
    text = (tmp_path / "out.cnn").read_text()
    assert "#" not in text
    assert "  dense(features = 3, bias = true, init = he_normal, weight = plain) as dense1\n" in text


def test_json_has_layers_with_origins_and_the_text(run, net):
    document = json.loads(run("expand", net, "--format", "json").out)
    assert document["model"] == "Net"
    assert document["parameters"] == {"classes": {"value": "10", "origin": "default of Net, net.cnn:1"}}
    assert document["inputs"] == {"image": "3 x 8 x 8"}
    assert document["outputs"] == {"logits": "dense1"}
    assert [layer["name"] for layer in document["layers"]] == [
        "conv1",
        "relu1",
        "global_avgpool1",
        "flatten1",
        "dense1",
    ]
    assert document["layers"][4]["arguments"]["features"] == {"value": "10", "origin": "default of Net, net.cnn:1"}
    assert document["layers"][0]["weights"] == {"weight": "conv1.weight", "bias": "conv1.bias"}
    assert document["text"] == run("expand", net).out


def test_mistakes_are_findings(run, net):
    assert "E0131" in run("expand", "nothing.cnn").err
    assert run("expand", net, "--model", "Nit").code == 1
    assert run("expand", net, "--set", "classes").code == 2
    assert run("expand", net, "-o", "no/such/out.cnn").code == 1
