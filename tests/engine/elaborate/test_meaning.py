"""What statements mean: flows, branches, loops, choices, shared instances, layers as arguments, open sizes."""

from __future__ import annotations

import pytest

from striate.graph import format_shape


def inputs(graph, name):
    return graph.by_name[name].inputs


def size(graph, name):
    return format_shape(graph.types[name])


def test_lines_go_on_from_the_line_before(flow):
    graph = flow("conv(4, 3)\nrelu; bn\n-> tanh")
    assert [inputs(graph, node.name) for node in graph.nodes] == [("image",), ("conv1",), ("relu1",), ("bn1",)]
    assert graph.outputs == {"y": "tanh1"}


def test_branches_start_from_the_same_value(flow):
    graph = flow("relu as start\nconcat { conv(4, 1); conv(5, 1) -> relu; identity }")
    assert inputs(graph, "concat1") == ("conv1", "relu2", "identity1")
    assert inputs(graph, "conv2") == ("start",) == inputs(graph, "identity1")
    assert size(graph, "concat1") == "12 x 16 x 16"


def test_a_group_is_one_branch_of_several_lines(flow):
    graph = flow("add { { conv(3, 1)\nrelu }; identity }")
    assert inputs(graph, "add1") == ("relu1", "identity1")


def test_a_named_value_is_merged_after_what_flows_in(flow):
    graph = flow("conv(4, 1) as a\nconv(5, 1) as b\nconv(6, 1) -> concat(a, b)")
    assert inputs(graph, "concat1") == ("conv3", "a", "b")


def test_a_line_that_starts_with_a_value_starts_there(flow):
    graph = flow("conv(4, 1) as a\nconv(5, 1)\na -> relu")
    assert inputs(graph, "relu1") == ("a",)


def test_in_is_the_value_that_flows_into_the_call(flow):
    graph = flow("conv(4, 1) -> conv(2 * in.channels, 1) -> conv(in.channels + in.height // 4, 1)")
    assert [graph.types[name].channels for name in ("conv1", "conv2", "conv3")] == [4, 8, 12]


def test_if_reads_shapes_and_passes_on_without_else(flow):
    graph = flow("if in.channels != 4 { conv(4, 1) }\nif in.channels != 4 { conv(9, 1) }")
    assert [node.name for node in graph.nodes] == ["conv1"]


def test_else_if(graph):
    text = """
    model Net(n = 1) {
      input image: 3 x 8 x 8
      if n == 0 { relu } else if n == 1 { tanh } else { sigmoid }
      output y
    }"""
    assert [graph(text, n=str(n)).nodes[0].op for n in range(3)] == ["relu", "tanh", "sigmoid"]


def test_repeat_with_a_variable_counts_from_the_range(flow):
    graph = flow("repeat i in 1..4 { conv(i, 1) }")
    assert [graph.types[f"conv1.{i}"].channels for i in range(3)] == [1, 2, 3]


def test_layers_and_blocks_as_arguments(flow):
    before = """
    block Act(act = relu) { act }
    block Twice(unit, width) { unit(width); unit(width) }
    block Unit(width) { conv(width, 1) }
    """
    graph = flow("Act\nAct(tanh)\nTwice(Unit, 4)\nAct(conv(7, 1))", before=before)
    assert [node.op for node in graph.nodes] == ["relu", "tanh", "conv", "conv", "conv"]
    assert graph.types[graph.outputs["y"]].channels == 7


def test_an_instance_shares_its_weights(graph):
    built = graph("""
    block Tower(width) { conv(width, 3) -> relu }
    model Twins {
      input left: 1 x 8 x 8
      input right: 1 x 8 x 8
      let tower = Tower(4)
      left -> tower as a
      right -> tower as b
      output a, b
    }""")
    assert list(built.weights) == ["tower.conv1.weight", "tower.conv1.bias"]
    assert built.parameters == 40
    assert built.by_name["a.conv1"].weights == built.by_name["b.conv1"].weights
    assert built.outputs == {"a": "a.relu1", "b": "b.relu1"}


def test_instances_made_in_a_loop_are_different_ones(flow):
    graph = flow("repeat i in 0..2 { let c = conv(3, 1)\nc -> c }")
    assert sorted(graph.weights) == ["c.0.bias", "c.0.weight", "c.1.bias", "c.1.weight"]


def test_let_names_a_constant(flow):
    assert flow("let k = 2 + 3\nconv(k, k)").types["conv1"].channels == 5


def test_variants_override_parameters_and_users_override_variants(graph):
    text = """
    model Base(width = 4, depth = 1) { input i: 1 x 8 x 8; repeat depth { conv(width, 1) }; output y }
    model Wide = Base(width = 8)
    model Deep = Wide(depth = 3)
    """
    assert graph(text, "Deep").arguments == {"width": 8, "depth": 3}
    assert len(graph(text, "Deep").nodes) == 3
    assert graph(text, "Deep", width="2 * 8").arguments["width"] == 16


def test_defaults_may_use_earlier_parameters(flow):
    graph = flow("B(4)", before="block B(a, b = 2 * a) { conv(b, 1) }")
    assert graph.types["b1.conv1"].channels == 8


def test_open_sizes_stay_symbols_and_give_the_domain(build):
    built = build("""
    model Net {
      input image: 3 x H x W
      maxpool(2) as half -> conv(4, 3) -> deconv(4, 2, stride = 2)
      output y
    }""")
    assert size(built.graph, "deconv1") == "4 x (2*floor(H/2) - 4) x (2*floor(W/2) - 4)"
    assert built.domain.contains({"H": 6, "W": 7})
    assert not built.domain.contains({"H": 5, "W": 7})


def test_where_narrows_the_domain(build):
    text = "model Net {{ input image: 3 x H x W where {} \n relu \n output y }}"
    domain = build(text.format("H % 32 == 0 and W >= 64 and H == W")).domain
    assert domain.contains({"H": 96, "W": 96})
    assert not domain.contains({"H": 32, "W": 32})
    assert not domain.contains({"H": 96, "W": 128})


def test_a_skip_demands_that_halving_and_doubling_meet(build):
    built = build("""
    model Net {
      input image: 3 x H x 16
      conv(4, 1) as skip -> maxpool(2) -> deconv(4, 2, stride = 2) -> concat(skip)
      output y
    }""")
    assert [height for height in range(1, 9) if built.domain.contains({"H": height})] == [2, 4, 6, 8]


def test_contracts_that_hold_say_nothing(build):
    built = build("""
    model Net {
      input image: 3 x 16 x 16
      conv(4, 3) -> maxpool(2)
      assert in.height == 7, "height is {in}"
      conv(2, 3) as y
      assert params <= 200 and macs < 1M and out.channels == 2 and receptive_field == 8
      output y
    }""")
    assert built.graph is not None
    assert built.diagnostics == ()


def test_origin_leads_from_a_node_to_its_line(graph):
    built = graph("""
    block Inner { conv(4, 1) }
    block Outer { relu; Inner }
    model Net { input i: 1 x 4 x 4
      Outer
      output y }""")
    origin = built.by_name["outer1.inner1.conv1"].origin
    assert origin.span.text == "conv(4, 1)"
    assert [(frame.block, frame.span.line) for frame in origin.trail] == [("Outer", 5), ("Inner", 3)]


def test_the_same_text_gives_the_same_graph(flow):
    from striate.graph import fingerprint, format_graph

    body = "concat { conv(4, 1); identity } -> bn -> relu"
    first, second = flow(body), flow("# a comment\n" + body)
    assert format_graph(first) == format_graph(second)
    assert fingerprint(first) == fingerprint(second)
    assert fingerprint(first) != fingerprint(flow(body.replace("4", "5")))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("7 // 2", 3),
        ("7 % 4", 3),
        ("-3 + 5", 2),
        ("1k", 1000),
        ("min(4, 3)", 3),
        ("max([4, 9])", 9),
        ("max(0..1000000000000000) - 999999999999990", 9),
        ("min(3..1000000000000000)", 3),
        ("ceil(7 / 2)", 4),
        ("floor(3.9)", 3),
        ("round(2.6)", 3),
        ("len([1, 2])", 2),
        ("abs(-3)", 3),
        ("floor(abs((log2(256) + 1) / 2))", 4),
        ("log2(8)", 3),
        ("4 if 1 < 2 else 5", 4),
        ("4 if not true or false else 5", 5),
        ("[3, 4, 6][1]", 4),
        ("[3, 4, 6][-1]", 6),
        ("(1, 2)[1]", 2),
        ("3 if in.rank == 3 else 1", 3),
        ("6 / 2", 3),
    ],
)
def test_expressions(flow, expression, value):
    assert flow(f"conv({expression}, 1)").types["conv1"].channels == value
