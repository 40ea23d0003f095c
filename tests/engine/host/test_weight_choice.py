"""Which weights a recipe's initialisers and regularisers are for."""

from __future__ import annotations

import pytest

from striate.host.weight_choice import WEIGHTS, chosen_weights, idle_choice
from striate.host.weight_info import weight_infos
from striate.model import load_source
from striate.ops.arguments import ArgumentError, Choice
from striate_dsl.source import Source

NET = """
model Net(classes = 10) {
  input image: 4 x 8 x 8
  conv(8, 3, pad = 1, init = zeros) -> bn -> prelu -> layernorm as normed
  conv(8, 3, pad = 1, groups = 2, weight = spectral)
  deconv(6, 2, stride = 2) as up
  flatten -> dense(classes)
  output logits
}
"""
GRAPH = load_source(Source("net.cnn", NET), "Net").graph


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (Choice("kernels"), {"conv1.weight", "conv2.weight", "up.weight", "dense1.weight"}),
        (Choice("biases"), {"conv1.bias", "bn1.bias", "normed.bias", "conv2.bias", "up.bias", "dense1.bias"}),
        ("conv*.weight", {"conv1.weight", "conv2.weight"}),
        ("*.b?as", {"conv1.bias", "bn1.bias", "normed.bias", "conv2.bias", "up.bias", "dense1.bias"}),
        (["up.*", Choice("kernels")], {"conv1.weight", "conv2.weight", "up.weight", "up.bias", "dense1.weight"}),
        ("Conv*", set()),
        ("bn1.running_mean", set()),
    ],
)
def test_choices(choice, names):
    assert set(chosen_weights(GRAPH.weights, choice)) == names


def test_all_are_those_that_are_trained():
    chosen = chosen_weights(GRAPH.weights, Choice("all"))
    assert chosen == tuple(name for name, weight in GRAPH.weights.items() if weight.trainable)
    assert "bn1.running_mean" not in chosen and "prelu1.weight" in chosen


def test_an_entry_that_means_nothing_is_named():
    assert idle_choice(GRAPH.weights, ["conv*", "cnv*"]) == "cnv*"
    assert idle_choice(GRAPH.weights, Choice("biases")) is None


@pytest.mark.parametrize("value", [Choice("kernel"), 3, "", [], ["a", 3], None, True])
def test_what_is_no_choice(value):
    with pytest.raises(ArgumentError, match=r"kernels, biases, all, a pattern"):
        WEIGHTS.kind.convert(value)


def test_what_is_told_of_a_weight():
    infos = weight_infos(GRAPH)
    assert set(infos) == set(GRAPH.weights)
    up, grouped, dense = infos["up.weight"], infos["conv2.weight"], infos["dense1.weight"]
    assert (up.shape, up.output_axis, up.groups, up.layer) == ((8, 6, 2, 2), 1, 1, "deconv")
    assert (grouped.shape, grouped.output_axis, grouped.groups) == ((8, 4, 3, 3), 0, 2)
    assert (grouped.fan_in, grouped.fan_out) == (36, 36)
    assert (dense.fan_in, dense.fan_out) == (6 * 16 * 16, 10)
    assert infos["bn1.weight"].fan_in == 8
