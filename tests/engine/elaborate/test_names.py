"""Paths of nodes and weights: stable, readable, a function of the text around them."""

from __future__ import annotations

import pytest

from striate.elaborate.sites import base_name
from striate_dsl.source import Source, Span
from striate_dsl.syntax import Name


def names(graph):
    return [node.name for node in graph.nodes]


def test_calls_are_numbered_per_kind(flow):
    assert names(flow("conv(4, 3) -> bn -> relu\nconv(8, 3) -> relu")) == ["conv1", "bn1", "relu1", "conv2", "relu2"]


def test_as_names_the_node_and_its_weights(flow):
    graph = flow("conv(4, 3) as stem -> relu\nconv(4, 3)")
    assert names(graph) == ["stem", "relu1", "conv2"]
    assert list(graph.weights) == ["stem.weight", "stem.bias", "conv2.weight", "conv2.bias"]


def test_adding_as_renames_nothing_else(flow):
    plain, named = flow("conv(4, 3)\nconv(4, 3)\nconv(4, 3)"), flow("conv(4, 3)\nconv(4, 3) as mid\nconv(4, 3)")
    assert [name for name in names(plain) if name != "conv2"] == [name for name in names(named) if name != "mid"]


BLOCKS = """
block Double(out) { repeat 2 { conv(out, 3, pad = 1) -> relu } }
block Stage(out) { Double(out); conv(out, 1) }
"""


def test_block_instances_and_rounds_are_parts_of_the_path(flow):
    graph = flow("Stage(4)\nStage(4) as last", before=BLOCKS)
    assert names(graph) == [
        "stage1.double1.conv1.0",
        "stage1.double1.relu1.0",
        "stage1.double1.conv1.1",
        "stage1.double1.relu1.1",
        "stage1.conv1",
        "last.double1.conv1.0",
        "last.double1.relu1.0",
        "last.double1.conv1.1",
        "last.double1.relu1.1",
        "last.conv1",
    ]


@pytest.mark.parametrize("inserted", ["relu", "conv(3, 1)", "repeat 2 { conv(3, 1) }", "add { identity; conv(3, 1) }"])
def test_inserting_a_line_renames_no_block(flow, inserted):
    before = flow("Stage(4)\nStage(8)", before=BLOCKS)
    after = flow(f"{inserted}\nStage(4)\nStage(8)", before=BLOCKS)
    of_stages = [name for name in before.weights if name.startswith("stage")]
    assert of_stages == [name for name in after.weights if name.startswith("stage")]


def test_more_rounds_rename_nothing(flow):
    def block(rounds):
        return f"repeat {rounds} {{ Double(4) }}\nDouble(4)\nconv(2, 1)"

    few, many = flow(block(2), before=BLOCKS), flow(block(3), before=BLOCKS)
    assert set(few.weights) < set(many.weights)


def test_a_choice_not_taken_keeps_its_numbers(graph):
    text = """
    model Net(wide = false) {
      input image: 3 x 8 x 8
      if wide { conv(4, 1) } else { conv(5, 1); relu }
      conv(2, 1)
      output y
    }"""
    narrow, wide = graph(text), graph(text, wide="true")
    assert names(narrow) == ["conv2", "relu1", "conv3"]
    assert names(wide) == ["conv1", "conv3"]


def test_branches_of_a_merge_belong_to_the_body_around_it(flow):
    graph = flow("add { conv(4, 1) -> relu; conv(4, 1) } -> relu")
    assert names(graph) == ["conv1", "relu1", "conv2", "add1", "relu2"]


def test_a_name_that_ends_in_a_digit_is_told_apart_from_its_number(flow):
    assert names(flow("relu6 -> relu6")) == ["relu6_1", "relu6_2"]


def test_an_alias_equal_to_an_automatic_name_does_not_clash(flow):
    assert names(flow("conv(4, 1) as conv2\nconv(4, 1)")) == ["conv2", "conv2_"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Stage", "stage"),
        ("ConvBN", "conv_bn"),
        ("DenseLayer", "dense_layer"),
        ("InvertedResidual", "inverted_residual"),
        ("ConvBN6", "conv_bn6"),
        ("maxpool", "maxpool"),
        ("SEBlock", "se_block"),
    ],
)
def test_base_names_are_lower_case_words(written, name):
    assert base_name(Name(Span(Source("", written), 0, len(written)), written), {}) == name


def test_iterations_of_nested_loops_and_of_for(flow):
    graph = flow("for (w, n) in [(4, 1), (5, 2)] { repeat n { conv(w, 1) } }")
    assert names(graph) == ["conv1.0.0", "conv1.1.0", "conv1.1.1"]
    assert [graph.weights[f"{name}.weight"].shape[0] for name in names(graph)] == [4, 5, 5]
