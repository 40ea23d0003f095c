"""Names with dots, given by `as` and `let`: paths of layers and weights written out."""

from __future__ import annotations

import pytest

from striate.checking import check_source
from striate.graph import fingerprint
from striate_dsl.formatter import format_source
from striate_dsl.source import Source

BLOCKS = "block Unit(out) { repeat 2 { conv(out, 3, pad = 1) } ; relu as last }\n"


def test_a_layer_with_a_path_is_the_layer_of_a_block(flow):
    inside = flow("Unit(4)\nUnit(4)", before=BLOCKS)
    written = flow("""
        conv(4, 3, pad = 1) as unit1.conv1.0 -> conv(4, 3, pad = 1) as unit1.conv1.1
        relu as unit1.last
        conv(4, 3, pad = 1) as unit2.conv1.0 -> conv(4, 3, pad = 1) as unit2.conv1.1
        relu as unit2 . last
    """)
    assert fingerprint(written) == fingerprint(inside)


def test_weights_of_an_instance_are_shared_under_its_path(flow):
    graph = flow("let tower.0.conv1 = conv(3, 1)\ntower.0.conv1 as a.conv1 -> tower.0.conv1(bias = true) as b.conv1")
    assert [node.name for node in graph.nodes] == ["a.conv1", "b.conv1"]
    assert list(graph.weights) == ["tower.0.conv1.weight", "tower.0.conv1.bias"]


@pytest.mark.parametrize("path", ["stem.conv1", "stem.0.conv1", "stem.1.0", "head.for", "input.0"])
def test_a_path_is_a_value_wherever_a_name_is(flow, path):
    graph = flow(f"""
        conv(4, 3, pad = 1) as {path}
        relu -> add({path}) -> conv({path}.channels, 1)
        {path} -> tanh -> add {{ {path}; identity }}
        output {path} as early
    """)
    last = graph.by_name["conv2"]
    assert last.attributes["channels"] == 4
    assert graph.outputs["early"] == path
    assert graph.by_name["add1"].inputs == ("relu1", path)
    assert graph.by_name["add2"].inputs == (path, "identity1")


def test_output_by_another_name_needs_a_named_value(build):
    built = build("model Net {\n  input image: 3 x 8 x 8\n  relu\n  output y as z\n}\n")
    assert [(item.code, item.span.text) for item in built.diagnostics] == [("E0302", "y")]


def test_a_head_takes_a_name(graph):
    text = "model Net {\n input image: 3 x 8 x 8\n head segmentation(classes = 2) as mask\n output mask as second\n}"
    built = graph(text)
    assert [node.name for node in built.nodes] == ["mask.conv1"]
    assert built.outputs == {"logits": "mask.conv1", "second": "mask.conv1"}


@pytest.mark.parametrize(
    ("line", "code", "place"),
    [
        ("relu as skip -> relu as skip.channels", "E0331", "skip.channels"),
        ("relu as skip.rank -> relu as skip", "E0331", "skip"),
        ("relu as a.0.b -> relu as a.0.b.width", "E0331", "a.0.b.width"),
        ("relu as a.0.b -> relu as a.0.b", "E0303", "a.0.b"),
        ("relu -> add(a.0.b)", "E0302", "a.0.b"),
        ("relu -> add(stem.conv2)", "E0302", "stem.conv2"),
        ("relu -> conv(a.0.b.channels, 1)", "E0302", "a.0.b"),
        ("a.0.b -> relu as a.0.b", "E0308", "a.0.b"),
        ("relu -> add(a.b)\nrelu as a.b", "E0308", "a.b"),
        ("let conv1 = conv(3, 1)\nconv1 as a -> conv(3, 1)", "E0303", "conv"),
        ("conv(3, 1) as t.conv1 -> conv(3, 1)\nlet u.conv1 = conv(3, 1)\nu.conv1\nUnit(3) as u", "E0303", "conv"),
    ],
)
def test_what_a_dotted_name_cannot_be(build, line, code, place):
    before = "block Unit(out) { conv(out, 1) }\n"
    built = build(f"{before}model Net {{\n  input image: 3 x 8 x 8\n  {line}\n  output y\n}}\n")
    assert [(item.code, item.span.text) for item in built.diagnostics] == [(code, place)]


@pytest.mark.parametrize("line", ["block a.0 { relu }", "model M(a.0 = 3) { relu }", "use zoo.resnet as a.0"])
def test_definitions_have_plain_names(line):
    findings = check_source(Source("net.cnn", line)).diagnostics
    assert findings[0].code.startswith("E01")


def test_the_canonical_form_keeps_paths():
    text = (
        "model Net {\n  input image: 3 x 8 x 8\n  let a.0.b=conv(4,1)\n  a.0.b (bias = false)as  c.1-> add (c.1)\n}\n"
    )
    formatted = format_source(Source("net.cnn", text)).text
    assert "  let a.0.b = conv(4, 1)\n  a.0.b(bias = false) as c.1 -> add(c.1)\n" in formatted


def test_names_that_are_for_the_weights_need_no_use():
    text = "model Net {{\n  input image: 3 x 8 x 8\n  conv(4, 1) as {} -> relu\n  output y\n}}\n"
    warned = {
        name: [item.code for item in check_source(Source("net.cnn", text.format(name))).diagnostics]
        for name in ("stem.conv1", "stage1.0.x", "conv4", "conv4_", "early")
    }
    assert warned == {
        "stem.conv1": [],
        "stage1.0.x": [],
        "conv4": [],
        "conv4_": [],
        "early": ["W0109"],
    }


def test_a_path_that_is_used_is_used():
    text = "model Net {\n  input image: 3 x 8 x 8\n  let t.0 = conv(4, 1)\n  let u = 3\n  t.0\n  output y\n}\n"
    assert [item.span.text for item in check_source(Source("net.cnn", text)).diagnostics] == ["u"]
