"""Mistakes in a file: what is said, where it points, and that one mistake is one finding."""

from __future__ import annotations

import pytest

from striate.elaborate.loops import Loops

# body of a model on a 3 x 16 x 16 image, code, text it points at, part of the message or help
CASES = [
    ("covn(4, 3)", "E0301", "covn", "there is no layer, block or value covn"),
    ("covn(4, 3)", "E0301", "covn", "did you mean conv?"),
    ("conv(4, 3, paddng = 1)", "E0208", "paddng", "conv has no argument paddng"),
    ("conv(4, 3, paddng = 1)", "E0208", "paddng", "did you mean pad?"),
    ("conv(4)", "E0210", "conv", "conv needs kernel"),
    ("conv(4, 3, 1, 1, 1, 1, true, he_normal, zeros, plain, 9)", "E0209", "9", "one too many"),
    ("conv(4, 3, kernel = 3)", "E0209", "kernel", "kernel is given twice"),
    ("conv(4, kernel = 3, 2)", "E0209", "2", "come before"),
    ("conv(4, 3, stride = -1)", "E0211", "-1", "a whole number of at least 1"),
    ("conv(4, 3, stride = 0)", "E0211", "0", "not 0"),
    ("conv(4, 3, bias = 1)", "E0211", "1", "true or false"),
    ("conv(4.5, 3)", "E0211", "4.5", "a whole number"),
    ("conv(4, 3, pad = sane)", "E0211", "sane", "valid, same, half"),
    ("conv(4, 30)", "E0202", "30", "larger than the height 16"),
    ("conv(4, 3, groups = 2)", "E0205", "2", "3 input channels cannot be split into 2 groups"),
    ("conv(4, 3) -> dense(10)", None, "dense", "flatten"),
    ("add(skp)", "E0302", "skp", "there is no skp here"),
    ("conv(3, 1) as skip\nadd(skp)", "E0302", "skp", "did you mean skip?"),
    ("conv(4, 1) as a\nconv(4, 1) as a", "E0303", "a", "already a name"),
    ("add(later)\nconv(3, 1) as later", "E0308", "later", "before it is made"),
    ("later -> relu\nconv(3, 1) as later", "E0308", "later", "no cycles"),
    ("conv(4, 1) -> add(image)", "E0203", "image", "channels"),
    ("concat { conv(4, 1); conv(4, 3) }", "E0203", "conv(4, 3)", "height"),
    ("image -> relu as r\nr -> image", "E0306", "image", "is a value of the network"),
    ("relu { tanh }", "E0307", "{ tanh }", "takes no body"),
    ("repeat 1.5 { relu }", "E0318", "1.5", "whole number"),
    ("repeat -1 { relu }", "E0318", "-1", "not -1"),
    ("for (a, b) in [(1, 2), (3, 4, 5)] { relu }", "E0318", "[(1, 2), (3, 4, 5)]", "entry 1"),
    ("for a in 3 { relu }", "E0318", "3", "a list or a range"),
    ("if in.channels { relu }", "E0312", "in.channels", "true or false"),
    ("conv(in.depth, 1)", "E0315", "depth", "has no depth"),
    ("conv([1, 2][5], 1)", "E0316", "5", "the list has 2"),
    ("conv(1 / 0, 1)", "E0312", "0", "divide by 0"),
    ("conv(widht + 1, 1)", "E0302", "widht", "there is no widht"),
    ("conv(9999999999 * 9999999999, 1)", "E0313", "9999999999 * 9999999999", "too large"),
    ('assert in.channels == 4, "got {c}"\nlet c = 1', "E0302", '"got {c}"', "there is no c"),
    ("conv(floor(1e300), 1)", "E0313", "floor(1e300)", "too large"),
    ("assert in.channels == 4", "E0321", "in.channels == 4", "not fulfilled"),
    ('conv(4, 3)\nassert params < 100, "too big: {params}"', "E0321", "params < 100", "too big: 112"),
    ("input other: 3 x 0 x 3", "E0325", "0", "at least 1"),
    ("input other: 3 x h x 3", "E0325", "h", "capital"),
    ("input other: 3 x 4 x 4 { colour = rgb }", "E0402", "colour", "did you mean color?"),
    ("input other: 3 x 4 x 4 { mean = [1, 2] }", "E0403", "[1, 2]", "one per channel (3)"),
    ("input other: 3 x 4 x 4 { std = 0 }", "E0403", "0", "positive"),
    ("input other: 3 x 4 x 4 { color = rgb; color = bgr }", "E0401", "color", "set twice"),
    ("Net", "E0306", "Net", "is a model"),
    ("head nothing(1)", "E0301", "nothing", "no task head"),
]


@pytest.mark.parametrize(("body", "code", "pointed", "words"), CASES)
def test_a_mistake_is_named_at_its_place(build, body, code, pointed, words):
    built = build(f"model Net {{\ninput image: 3 x 16 x 16\n{body}\noutput y\n}}")
    assert built.graph is None
    assert len(built.diagnostics) == 1, [item.message for item in built.diagnostics]
    found = built.diagnostics[0]
    assert code is None or found.code == code
    assert found.span.text == pointed
    assert words in " ".join([found.message, found.help or "", *found.notes])


def test_independent_mistakes_come_in_one_run_and_none_follows_from_another(build):
    built = build("""
    model Net {
      input image: 3 x 32 x 32
      covn(16, 3, pad = 1) as skip -> relu -> maxpool(2)
      conv(32, 3, stride = -1) -> bn -> conv(in.channels, 3)
      add(skp)
      flatten -> dense(10)
      output y
    }""")
    assert [(item.code, item.span.text) for item in built.diagnostics] == [
        ("E0301", "covn"),
        ("E0211", "-1"),
        ("E0302", "skp"),
    ]


def test_two_outputs_with_a_fault_each(build):
    built = build("""
    model Net {
      input image: 16 x 32 x 32
      image -> conv(4, 3, stride = -1) as one
      image -> conv(4, 99) as two
      output one, two
    }""")
    assert [item.code for item in built.diagnostics] == ["E0211", "E0202"]


def test_a_mistake_in_a_block_is_told_once_with_the_way_to_it(build):
    built = build("""
    block Down(k) { conv(8, k) }
    model Net {
      input image: 3 x 8 x 8
      repeat 3 { Down(11) }
      output y
    }""")
    (found,) = built.diagnostics
    assert found.span.text == "k"
    assert found.notes[-1] == "in block Down, used at net.cnn:5:14"


@pytest.mark.parametrize(
    "line",
    [
        "conv(4, 11)",
        "conv(4, (11, 3))",
        "conv(3, 1, groups = 2)",
        "relu -> dense(10)",
        "covn(4, 3)",
        "conv(4, 3, paddng = 1)",
        "relu as skip -> add(skpi)",
        "B(widht = 3)",
    ],
)
def test_a_proposed_repair_makes_the_file_check(build, line):
    text = f"block B(width) {{ conv(width, 1) }}\nmodel Net {{\ninput image: 3 x 8 x 8\n{line}\noutput y\n}}"
    (found,) = build(text).diagnostics
    (edit,) = found.fixes[0].edits
    repaired = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    assert build(repaired).graph is not None


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("model Net { relu\noutput y }", "E0304", "no value flows into relu"),
        ("model Net { input i: 1 x 4 x 4\nrelu }", "E0305", "has no output"),
        ("model Net { output y }", "E0305", "no value flows in"),
        ("model A = B()\nmodel B = A()", "E0310", "variant of itself"),
        (
            "model A = Bee()\nmodel Be { input i: 1 x 1 x 1\nrelu\noutput y }\nmodel C = A()",
            "E0310",
            "there is no model Bee",
        ),
        ("block B { relu }\nblock B { tanh }\nmodel Net { input i: 1 x 1 x 1\nB\noutput y }", "E0309", "defined twice"),
        ("block B { B }\nmodel Net { input i: 1 x 1 x 1\nB\noutput y }", "E0319", "nested more than 100 deep"),
        (
            "block B { input i: 1 x 1 x 1 }\nmodel Net { input i: 1 x 1 x 1\nB\noutput y }",
            "E0311",
            "belongs in a model",
        ),
        ("block B(a) { conv(a, 1) }\nmodel Net { input i: 1 x 1 x 1\nB\noutput y }", "E0210", "B needs a"),
        (
            "block B(a) { conv(a, 1) }\nmodel Net { input i: 1 x 1 x 1\nB(1, 2)\noutput y }",
            "E0209",
            "takes 1 arguments",
        ),
        (
            "block B(a) { conv(a, 1) }\nmodel Net { input i: 1 x 1 x 1\nB(b = 2)\noutput y }",
            "E0208",
            "has no parameter b",
        ),
        ("model Net(a) { input i: 1 x 1 x 1\nrelu\noutput y }", "E0210", "Net needs a"),
        ("model Net { input i: 1 x 1 x 1\nrepeat 100000000 { }\noutput y }", "E0320", "100,000 steps"),
        (
            "block B(l) { B(l + l) }\nmodel Net { input i: 1 x 1 x 1\nB([1, 2])\noutput y }",
            "E0313",
            "more than 100,000 entries",
        ),
        ("model Net { input i: 1 x H x 1\nif in.height > 3 { relu }\noutput y }", "E0314", "left open"),
        ("model Net { input i: 1 x H x 1\nflatten -> dense(3)\noutput y }", "E0207", "fixed number of channels"),
        (
            "model Net { input i: 1 x H x 9\nconv(1, 4, stride = 2, pad = 1) as a\nimage2 -> relu\noutput y }",
            "E0301",
            "image2",
        ),
        ("model Net { input a: 1 x 4 x 4\ninput b: 1 x 4 x 4\nrelu\noutput y }", "E0304", "start from an input"),
    ],
)
def test_mistakes_of_whole_files(build, text, code, words):
    built = build(text)
    assert built.graph is None
    assert built.diagnostics[0].code == code, built.diagnostics
    assert words in " ".join([built.diagnostics[0].message, built.diagnostics[0].help or ""])


def test_too_many_rounds_are_told_before_they_are_run(build, monkeypatch):
    monkeypatch.setattr(Loops, "_round", lambda *_: pytest.fail("no round may be run"))
    built = build("model Net { input i: 1 x 1 x 1\nrepeat 0..9000000000000000000 { relu }\noutput y }")
    assert [item.code for item in built.diagnostics] == ["E0340"]


def nested(levels, inner="relu"):
    return "add { identity; " * levels + inner + " }" * levels


def test_bodies_nest_as_deep_as_the_grammar_lets_them(build):
    built = build(f"model Net {{\ninput i: 1 x 4 x 4\n{nested(150)}\noutput y\n}}")
    assert built.graph is not None
    assert len(built.graph.nodes) == 301


def test_deep_bodies_in_deep_blocks_are_a_finding_and_no_crash(build):
    blocks = "".join(f"block B{i} {{ {nested(150, f'B{i + 1}')} }}\n" for i in range(60))
    text = f"{blocks}block B60 {{ relu }}\nmodel Net {{\ninput i: 1 x 4 x 4\nB0\noutput y\n}}"
    built = build(text)
    assert built.graph is None
    assert [item.code for item in built.diagnostics] == ["E0319"]


def test_sizes_that_no_input_fulfils_are_an_error_at_the_layer(build):
    built = build("""
    model Net {
      input image: 3 x H x 8 where H <= 6
      conv(4, 3)
      conv(4, 5) as last
      output y
    }""")
    (found,) = built.diagnostics
    assert found.code == "E0202"
    assert found.span.text == "conv(4, 5)"
    assert any("no input size fulfils" in note for note in found.notes)


def test_an_unreadable_override_is_a_finding(build):
    built = build("model Net(a = 1) { input i: 1 x 1 x 1\nrelu\noutput y }", a="((")
    assert built.diagnostics[0].code == "E0322"


def test_an_unknown_override_is_a_finding_with_the_nearest_parameter(build):
    built = build("model Net(classes = 1) { input i: 1 x 1 x 1\nrelu\noutput y }", clases="3")
    assert built.diagnostics[0].code == "E0208"
    assert built.diagnostics[0].help == "did you mean classes?"
