"""Texts with several mistakes: all independent ones are found in one run, and none that only follows from another."""

from __future__ import annotations

import pytest

from striate_dsl.limits import FINDINGS
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.dsl.trees import complaints


def found(text: str) -> list[tuple[int, str]]:
    return [(item.span.line if item.span else 0, item.code) for item in complaints(text)]


def test_three_unrelated_mistakes():
    text = """model S {
  input image: 3 x 32 x 32
  conv(16, 3, pad = 1 -> relu
  conv(16 3) -> bn
  add { identity; conv(8) as }
  output y
}
"""
    assert found(text) == [(3, "E0106"), (4, "E0108"), (5, "E0112")]


def test_mistakes_in_several_definitions():
    text = """block A(a b) { c }
model B { conv(3)) }
model C { conv((4) }
train B { lr: 0.1
  epochs 3
  batch = }
foo
"""
    assert found(text) == [
        (1, "E0108"),
        (2, "E0106"),
        (3, "E0106"),
        (4, "E0109"),
        (5, "E0109"),
        (6, "E0114"),
        (7, "E0113"),
    ]


def test_mistakes_in_a_head_and_in_its_body():
    text = "block A[3] {\n  a b\n  repeat in 3 {\n    c d\n  }\n}\nmodel {\n  -> e\n}\n"
    assert found(text) == [(1, "E0101"), (2, "E0108"), (3, "E0101"), (4, "E0108"), (7, "E0112"), (8, "E0111")]


def test_two_mistakes_in_one_statement():
    assert found("model M { conv(8 8, pad: 3) -> -> bn }") == [(1, "E0108"), (1, "E0109"), (1, "E0111")]


@pytest.mark.parametrize(
    "statement",
    [
        "conv(3, ?) b c d",
        "conv 3, 4) b",
        "a = conv(3) b",
        "let a = b c d e",
        "import torch as t",
        "input image 3 x 4 x 5, 6 x 7",
        "for i, j, k in l m { }",
        "conv(3 4 -> relu) -> -> b",
        "a $ b $ c",
        "if a = b = c { d }",
        "repeat 3 times { a }",
        "add { b } -> => c",
    ],
)
def test_one_mistake_is_one_finding(statement):
    assert len(found(f"model M {{\n  {statement}\n  output a\n}}")) <= 2
    assert {line for line, _ in found(f"model M {{\n  {statement}\n  output a\n}}")} == {2}


def test_the_statement_behind_a_mistake_is_read():
    text = "model M {\n  a -> 3\n  let b =\n  c as\n  output d\n}\ntrain M { a }\n"
    assert found(text) == [(2, "E0111"), (3, "E0114"), (4, "E0112"), (7, "E0114")]


def test_what_follows_from_a_sign_of_another_language_is_not_reported():
    assert found("model M {\n  add {\n    a(b: 3)\n  } -> => c\n}") == [(3, "E0109"), (4, "E0115")]


def test_findings_end_at_a_limit():
    assert len(complaints("model M {\n" + "  a b\n" * 1000 + "}")) == FINDINGS.default


def test_partial_tree_keeps_what_is_sound():
    text = "block A { a }\nblock B { a b }\nmodel C { c }\nfoo\nmodel D { d }\n"
    partial = parse(Source("test.cnn", text)).partial
    assert [node.name.text for node in partial.definitions] == ["A", "C", "D"]


def test_one_finding_for_brackets_that_end_at_one_place():
    (item,) = complaints("model M { f(g(h(3 -> a }")
    assert [label.span.text for label in item.labels] == ["(", "("]
    assert [edit.replacement for edit in item.fixes[0].edits] == [")))"]


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("model A {\n  repeat 3 {\n    a\n  output b\n}\n", (2, 12)),
        ("model A {\n  repeat 3 {\n    a\n  }\n  output b\n", (1, 9)),
        ("model A {\n  if a { b\n  c\n}\n", (2, 8)),
        ("model A {\n  add {\n    a\n    b {\n      c\n  }\n}\n", (4, 7)),
        ("block A {\n  a\n\nmodel B {\n  b\n}\n", (1, 9)),
    ],
)
def test_indentation_tells_which_brace_is_open(text, opening):
    (item,) = complaints(text)
    assert (item.span.line, item.span.column) == opening
