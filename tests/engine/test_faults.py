"""Twelve faulty networks that every checker should catch, their variants, and look-alikes that are fine."""

from __future__ import annotations

import pytest

from striate.checking import check_source
from striate.fixing import fix_source
from striate_dsl.source import Source

SEQUENCE = """model S {
  input image: 3 x 32 x 32
  conv(16, 3, pad = 1) as conv1 -> relu -> maxpool(2)
  conv(32, 3, pad = 1) as conv2 -> relu -> maxpool(2)
  flatten -> dense(10)
  output logits
}
"""
BRANCH = """model B {
  input image: 3 x 32 x 32
  conv(16, 3, pad = 1) as skip
  conv(16, 3, pad = 1) as body
  add(skip) -> flatten -> dense(10)
  output logits
}
"""
CONV2 = "conv(32, 3, pad = 1) as conv2"

# id, text, old, new, then what is found: code, line, pointed text, words
FAULTS = [
    ("F01 unknown layer", SEQUENCE, CONV2, "covn(32, 3, pad = 1)", "E0301", 4, "covn", "did you mean conv?"),
    ("F02 kernel > input", SEQUENCE, "  flatten", "  conv(32, 11)\n  flatten", "E0202", 5, "11", "height 8"),
    (
        "F03 residual add",
        BRANCH,
        "conv(16, 3, pad = 1) as body",
        "conv(32, 3, pad = 1) as body",
        "E0203",
        5,
        "skip",
        "32 and 16",
    ),
    ("F05 groups", SEQUENCE, CONV2, "conv(32, 3, pad = 1, groups = 3)", "E0205", 4, "3", "16 input channels"),
    ("F05v groups", SEQUENCE, CONV2, "conv(33, 3, pad = 1, groups = 3)", "E0205", 4, "3", "16 input channels"),
    ("F06 bracket", SEQUENCE, CONV2, "conv(32, 3, pad = 1", "E0106", 4, "(", "never closed"),
    ("F07 negative stride", SEQUENCE, CONV2, "conv(32, 3, pad = 1, stride = -1)", "E0211", 4, "-1", "at least 1"),
    ("F08 undefined", BRANCH, "add(skip)", "add(skp)", "E0302", 5, "skp", "did you mean skip?"),
    ("F09 duplicate", BRANCH, "as body", "as skip", "E0303", 4, "skip", "already a name"),
    (
        "F10 cycle",
        BRANCH,
        "conv(16, 3, pad = 1) as skip",
        "later -> relu as skip\n  relu as later",
        "E0308",
        3,
        "later",
        "no cycles",
    ),
    (
        "F11 concat",
        BRANCH,
        "conv(16, 3, pad = 1) as body\n  add(skip)",
        "image -> conv(16, 3, stride = 2, pad = 1)\n  concat(skip)",
        "E0203",
        5,
        "skip",
        "16 and 32",
    ),
    ("F12 dense on 4-D", SEQUENCE, "flatten -> dense(10)", "dense(10)", "E0204", 5, "dense", "flatten gives 2048"),
    ("F01v parameter", SEQUENCE, CONV2, "conv(32, 3, paddng = 1)", "E0208", 4, "paddng", "did you mean pad?"),
]


@pytest.mark.parametrize(
    ("name", "text", "old", "new", "code", "line", "pointed", "words"), FAULTS, ids=lambda v: str(v)[:22]
)
def test_a_fault_is_found_alone_at_its_place_with_its_numbers(name, text, old, new, code, line, pointed, words):
    assert old in text
    checked = check_source(Source("net.cnn", text.replace(old, new)))
    assert [item.code for item in checked.diagnostics if item.severity == "error"] == [code], checked.diagnostics
    (found,) = (item for item in checked.diagnostics if item.severity == "error")
    assert (found.span.line, found.span.text) == (line, pointed)
    assert words in " ".join([found.message, found.help or "", *found.notes])
    assert not checked.domains


REPAIRED = {"F01", "F02", "F05", "F06", "F08", "F12", "F01v"}


@pytest.mark.parametrize(
    ("name", "text", "old", "new"), [case[:4] for case in FAULTS if case[0].split()[0] in REPAIRED]
)
def test_the_proposed_repair_makes_it_check(name, text, old, new):
    repaired = fix_source(Source("net.cnn", text.replace(old, new)), unsafe=True).after
    assert not check_source(Source("net.cnn", repaired.text)).failed, repaired.text


def test_a_wrong_number_of_inputs_cannot_be_written():
    """F04: a dense layer's inputs are worked out, so there is nothing to get wrong; it has one size only."""
    checked = check_source(Source("net.cnn", SEQUENCE.replace("dense(10)", "dense(1024, 10)")))
    assert [item.code for item in checked.diagnostics] == ["E0211"]


def test_three_faults_in_one_run():
    text = BRANCH.replace("conv(16, 3, pad = 1) as skip", "covn(16, 3, pad = 1) as skip")
    text = text.replace("conv(16, 3, pad = 1) as body", "conv(16, 3, pad = 1, stride = -1) as body").replace(
        "(skip)", "(skp)"
    )
    assert [item.code for item in check_source(Source("net.cnn", text)).diagnostics] == ["E0301", "E0211", "E0302"]


def test_two_faults_in_separate_branches_and_nothing_that_follows():
    text = """model M {
      input image: 16 x 32 x 32
      image -> conv(4, 3, stride = -1) -> relu -> flatten -> dense(3) as one
      image -> dense(1024) -> relu as two
      output one, two
    }"""
    assert [item.code for item in check_source(Source("net.cnn", text)).diagnostics] == ["E0211", "E0204"]


@pytest.mark.parametrize(
    ("size", "layers", "result"),
    [
        ("16 x 8 x 8", "conv(4, 8)", (4, 1, 1)),
        ("16 x 8 x 8", "conv(16, 3, pad = 1, groups = 16)", (16, 8, 8)),
        ("16 x 8 x 8", "concat { identity; conv(8, 1) }", (24, 8, 8)),
        ("16 x 1 x 1", "conv(4, 3, pad = 1)", (4, 1, 1)),
        ("16 x 8 x 8", "conv(4, 3, stride = 2)", (4, 3, 3)),
    ],
)
def test_look_alikes_are_fine(graph, size, layers, result):
    built = graph(f"model C {{\ninput image: {size}\n{layers}\noutput y\n}}")
    assert built.types[built.outputs["y"]].shape == result


@pytest.mark.parametrize("text", [SEQUENCE, BRANCH])
def test_the_base_networks_are_fine(text):
    assert not check_source(Source("net.cnn", text)).failed
