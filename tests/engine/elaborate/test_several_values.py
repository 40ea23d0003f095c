"""Layers that give several values, and layers that take a named value as an argument."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from striate.graph import Graph, Input, Node, Origin, TensorType, Value, format_shape
from striate.lower.torch import Program, initialise
from striate.ops import Check
from striate.ops.record import OpRecord
from striate_dsl.source import Source, Span


def sizes(graph, name):
    return [format_shape(value.type) for value in graph.by_name[name].outputs]


class TestNames:
    def test_every_value_has_a_name_and_the_first_flows_on(self, flow):
        graph = flow("conv(6, 1)\nsplit([1, 2, 3]) as (a, b, c) -> relu\nb -> tanh\nc -> sigmoid")
        assert graph.by_name["relu1"].inputs == ("a",)
        assert graph.by_name["tanh1"].inputs == ("a:1",)
        assert graph.by_name["sigmoid1"].inputs == ("a:2",)
        assert sizes(graph, "a") == ["1 x 16 x 16", "2 x 16 x 16", "3 x 16 x 16"]

    def test_one_name_stands_for_the_first(self, flow):
        graph = flow("conv(6, 1) -> split(2) as left\nrelu -> add(left)")
        assert graph.by_name["add1"].inputs == ("relu1", "left")

    def test_without_a_name_the_layer_is_numbered(self, flow):
        graph = flow("conv(8, 1) -> split(2) -> split(2)")
        assert [node.name for node in graph.nodes] == ["conv1", "split1", "split2"]
        assert graph.outputs == {"y": "split2"}

    def test_a_block_and_a_group_give_what_their_last_step_gives(self, flow):
        before = "block Halves(axis) { relu -> chunk(2, axis = height) }"
        graph = flow("Halves(1) as (top, bottom)\n{ bottom -> split([1, 2]) } as (c, d)\nd -> tanh", before=before)
        assert graph.by_name["tanh1"].inputs == ("split1:1",)
        assert graph.by_name["split1"].inputs == ("top.chunk1:1",)

    def test_in_a_loop_every_round_has_values_of_its_own(self, flow):
        graph = flow("conv(8, 1)\nrepeat 2 {\nsplit(2) as (a, b)\nb -> concat(a)\n}")
        assert graph.by_name["concat1.1"].inputs == ("a.1:1", "a.1")

    def test_names_are_taken_by_no_numbered_layer(self, flow):
        graph = flow("conv(4, 1) -> split(2) as (relu1, conv2)\nconv2 -> relu -> conv(1, 1)")
        assert [node.name for node in graph.nodes][-2:] == ["relu1_", "conv2_"]

    def test_any_of_them_can_be_an_output(self, graph):
        made = graph(
            "model Two {\ninput image: 3 x 8 x H\nchunk(2, axis = height) as (top, bottom)\noutput bottom, top\n}"
        )
        assert made.outputs == {"bottom": "top:1", "top": "top"}


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("relu as (a, b)", "E0215", "1 value and 2 names"),
        ("conv(4, 1) -> split(4) as (a, b, c)", "E0215", "4 values and 3 names"),
        ("conv(4, 1) -> split(2) as (a, b, c)", "E0215", "2 values and 3 names"),
        ("conv(4, 1) -> split(2) as (a, a)", "E0303", "a is already a name here"),
        ("relu as a\nconv(4, 1) -> split(2) as (b, a)", "E0303", "a is already a name here"),
        ("b -> relu\nconv(4, 1) -> split(2) as (a, b)", "E0308", "b is used before it is made"),
        ("conv(4, 1) -> crop(like = skp)", "E0302", "there is no skp here"),
        ("conv(4, 1) -> crop(like = 3)", "E0306", "like takes a named value, not"),
        ("conv(4, 1) -> grid_sample", "E0210", "grid_sample needs grid"),
    ],
)
def test_mistakes(build, body, code, words):
    built = build(f"model Net {{\ninput image: 3 x 16 x 16\n{body}\noutput y\n}}")
    (found,) = built.diagnostics
    assert found.code == code
    assert words in found.message


def test_after_a_mistake_the_names_are_unknown_and_silent(build):
    body = "conv(5, 1) -> split(2) as (a, b)\na -> conv(3, 3)\nb -> dense(4)"
    built = build(f"model Net {{\ninput image: 3 x 16 x 16\n{body}\noutput y\n}}")
    assert [item.code for item in built.diagnostics] == ["E0216"]


@pytest.mark.parametrize(("names", "fixed"), [("(a, b)", "(a, b, _2)"), ("(a, b, c, d)", "(a, b, c)")])
def test_the_repair_makes_the_file_check(build, names, fixed):
    text = "model Net {{\ninput image: 6 x 8 x 8\nsplit(3) as {}\nb -> add(a)\noutput y\n}}"
    (found,) = build(text.format(names)).diagnostics
    (fix,) = found.fixes
    assert fix.edits[0].replacement == fixed
    assert build(text.format(fixed)).graph is not None


class TestNamesAsArguments:
    def test_a_value_is_an_input_behind_what_flows_in(self, flow):
        graph = flow("conv(4, 3) as low\nimage -> crop(like = low)")
        assert graph.by_name["crop1"].inputs == ("image", "low")
        assert graph.by_name["crop1"].attributes["like"] == 1

    def test_it_may_be_the_value_that_flows_in_and_none_is_none(self, flow):
        graph = flow("resize(like = in) -> crop(size = 8, like = none)")
        assert graph.by_name["resize1"].inputs == ("image", "image")
        assert graph.by_name["crop1"].inputs == ("resize1",)

    def test_a_parameter_hands_it_into_a_block(self, flow):
        graph = flow("relu as skip\nUp(skip)", before="block Up(skip) { maxpool(2) -> resize(like = skip) }")
        assert graph.by_name["up1.resize1"].inputs == ("up1.maxpool1", "skip")

    def test_a_name_that_an_argument_offers_means_itself(self, flow):
        before = "block Turned(width = 7, height = 7) { flip(axis = width) -> flip(axis = [height, width]) }"
        graph = flow("Turned -> upsample(2, mode = linear)", before=before)
        assert graph.by_name["turned1.flip1"].attributes["axis"] == ("width",)
        assert graph.by_name["turned1.flip2"].attributes["axis"] == ("height", "width")
        assert graph.by_name["upsample1"].attributes["mode"] == "linear"

    def test_two_axes_with_the_same_number_behind_their_names(self, flow):
        before = "block Turned(width = 7, height = 7) { flip(axis = width) -> flip(axis = height) }"
        graph = flow("Turned", before=before)
        assert [node.attributes["axis"] for node in graph.nodes] == [("width",), ("height",)]

    def test_reshape_takes_sizes_that_are_open(self, build):
        text = "model Net {\ninput image: 8 x H x W\nreshape([2, 4, in.height * in.width]) -> "
        built = build(text + "reshape([in.channels, auto]) -> reshape([8, length])\noutput y\n}")
        (found,) = built.diagnostics
        assert found.message == "reshape: 2 x 4*H*W cannot become 8 x length"
        built = build(text + "reshape([in.channels * in.height, auto])\noutput y\n}")
        assert built.graph is not None
        assert built.graph.nodes[0].attributes["sizes"] == (2, 4, "auto")
        assert format_shape(built.graph.nodes[1].outputs[0].type) == "8 x H*W"


class ShuffleUnit(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, value):
        straight, worked = value.chunk(2, dim=1)
        worked = self.conv2(functional.relu(self.conv1(worked)))
        joined = torch.cat((worked, straight), 1)
        return joined.reshape(-1, 2, 4, *joined.shape[2:]).transpose(1, 2).reshape(joined.shape)


SHUFFLE = """
model Shuffle {
  input image: 8 x H x W
  split(2) as (straight, worked)
  worked -> conv(4, 1) -> relu -> conv(4, 3, pad = 1)
  concat(straight) -> channel_shuffle(2)
  output y
}"""


def test_values_and_gradients_equal_a_hand_written_module(graph, catalogue):
    ours = initialise(Program(graph(SHUFFLE), catalogue.lookup), seed=3).double()
    theirs = ShuffleUnit().double()
    theirs.load_state_dict(ours.state_dict())
    first = torch.randn(2, 8, 6, 5, dtype=torch.float64, requires_grad=True)
    second = first.detach().clone().requires_grad_()
    ours(first).square().sum().backward()
    theirs(second).square().sum().backward()
    torch.testing.assert_close(ours(first), theirs(second))
    torch.testing.assert_close(first.grad, second.grad)


def test_values_that_nobody_uses_are_let_go(graph, catalogue):
    made = graph("model N {\ninput image: 8 x 4 x 4\nsplit(4) as (a, _b, c, _d)\na -> add(c)\noutput y\n}")
    program = initialise(Program(made, catalogue.lookup), seed=0)
    assert set(program.run((torch.zeros(1, 8, 4, 4),))) == {"add1"}
    kept = program.run((torch.zeros(1, 8, 4, 4),), keep=True)
    assert set(kept) == {"image", "a", "a:1", "a:2", "a:3", "add1"}


def test_a_record_of_a_plugin_may_return_several():
    """The record alone decides: nothing in the program knows a layer by name."""

    def shape(attributes, inputs, check: Check):
        return (inputs[0], TensorType((1, *inputs[0].shape[1:])))

    record = OpRecord(
        name="with_mean",
        summary="The value, and the mean of its channels.",
        shape=shape,
        torch=lambda call: (call.inputs[0], call.inputs[0].mean(1, keepdim=True)),
        onnx=lambda call, sink: None,
    )
    image = TensorType((3, 4, 4))
    origin = Origin(Span(Source("n.cnn", ""), 0, 0))
    outputs = tuple(Value(name, kind) for name, kind in zip(("v", "v:1"), shape({}, (image,), Check()), strict=True))
    node = Node("v", "with_mean", ("image",), {}, {}, outputs, origin)
    made = Graph("N", (Input(Value("image", image), {}, origin),), (node,), {"value": "v", "mean": "v:1"}, {})
    value = torch.randn(2, 3, 4, 4)
    result = Program(made, lambda name: record)(value)
    torch.testing.assert_close(result["mean"], value.mean(1, keepdim=True))
    torch.testing.assert_close(result["value"], value)


def test_the_branch_of_a_shuffle_unit_as_printed(graph):
    """A text prints the branch alone, without the shortcut of the paper's unit; its sizes and weights are right."""
    made = graph("""
    model Branch {
      input image: 32 x 224 x 224
      conv(64, 1, groups = 4, bias = false) -> bn -> relu -> channel_shuffle(4)
      conv(64, 3, pad = 1, groups = 64, bias = false) -> bn
      conv(64, 1, groups = 4, bias = false) -> bn
      output y
    }""")
    assert format_shape(made.types[made.outputs["y"]]) == "64 x 224 x 224"
    assert made.parameters == 512 + 128 + 576 + 128 + 1024 + 128
