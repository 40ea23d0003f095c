"""Repairs, allowances and layout as edits."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from striate.editor.server.actions import actions, fix_all
from striate.editor.server.layout import formatted, formatted_lines
from striate.fixing import fix_source
from striate_dsl.edits import apply_edits
from striate_dsl.formatter import format_source
from striate_dsl.lexer import tokenize
from striate_dsl.source import Source
from tests.engine.editor.desk import NET, ZOO

BIASED = """\
model A {
  input image: 3 x 32 x 32
  conv(16, 3) -> bn -> relu
  conv(16, 3) -> bn -> relu
  output y
}
"""
"""Two biases before batch norm: W0102 with a safe repair, twice."""


def offered(desk, text: str, words: str):
    document = desk.write(text, settled=True)
    assert document.analysis is not None
    at = text.index(words)
    return actions(document.analysis, at, at + len(words))


def test_a_safe_repair_comes_first_and_an_allowance_behind(desk):
    found = offered(desk, BIASED, "conv(16, 3)")
    assert [(item.title, item.is_safe, item.is_repair) for item in found] == [
        (found[0].title, True, True),
        ("allow W0102 at this line", True, False),
    ]
    assert apply_edits(BIASED, found[0].edits) == BIASED.replace("conv(16, 3)", "conv(16, 3, bias = false)", 1)


def test_a_repair_that_changes_the_network_says_so(desk):
    text = BIASED.replace("conv(16, 3) -> bn", "conv(16, 3, strde = 2) -> bn", 1)
    (found,) = offered(desk, text, "strde")
    assert (found.title, found.is_safe) == ("write stride (unsafe: may change the network)", False)
    assert apply_edits(text, found.edits) == text.replace("strde", "stride")


def test_there_are_no_actions_where_nothing_is_wrong(desk):
    assert offered(desk, BIASED, "output y") == []
    assert offered(desk, NET, "conv(out") == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  conv(16, 3) -> bn -> relu\n", "  conv(16, 3) -> bn -> relu  # allow W0102\n"),
        (
            "  conv(16, 3) -> bn -> relu  # as in the paper\n",
            "  # allow W0102\n  conv(16, 3) -> bn -> relu  # as in the paper\n",
        ),
        ("  conv(16, 3) -> bn -> relu  # allow W0100\n", "  conv(16, 3) -> bn -> relu  # allow W0100, W0102\n"),
    ],
)
def test_an_allowance_silences_the_lint_at_its_line_and_nothing_else(desk, line, expected):
    text = BIASED.replace("  conv(16, 3) -> bn -> relu\n", line, 1)
    (allow,) = [item for item in offered(desk, text, "conv") if not item.is_repair]
    allowed = apply_edits(text, allow.edits)
    assert allowed == BIASED.replace("  conv(16, 3) -> bn -> relu\n", expected, 1)
    assert [code for code, _ in desk.findings(desk.write(allowed, settled=True))] == ["W0102"]  # the other line's


def test_all_safe_repairs_are_those_of_the_command(desk):
    document = desk.write(BIASED)
    assert fix_all(desk.library, document) == fix_source(Source("a.cnn", BIASED)).after.text
    assert fix_all(desk.library, desk.write(NET)) is None


def test_repairs_see_used_files_as_they_are_in_the_editor(desk):
    (desk.folder / "blocks.cnn").write_text("this is no file\n")
    desk.write("block B(out) { conv(out, 1) }\n", "blocks.cnn")
    text = 'use "blocks.cnn"\n' + BIASED.replace("  output", "  B(3)\n  output")
    repaired = fix_all(desk.library, desk.write(text))
    assert repaired is not None
    assert repaired.count("bias = false") == 2


def test_layout_edits_give_the_canonical_form_and_touch_what_differs():
    text = BIASED.replace("  conv(16, 3) -> bn", "   conv(16,3)->bn", 1)
    source = Source("a.cnn", text)
    edits = formatted(source)
    assert edits is not None
    assert apply_edits(text, edits) == BIASED
    assert [edit.span.line for edit in edits] == [3]
    assert formatted(Source("a.cnn", BIASED)) == []
    assert formatted(Source("a.cnn", "model {")) is None


def test_layout_of_some_lines_leaves_the_others():
    text = BIASED.replace("  conv(16, 3) -> bn", "   conv(16,3)->bn")
    source = Source("a.cnn", text)
    at = text.index("conv")
    edits = formatted_lines(source, at, at + 1)
    assert edits is not None
    assert [edit.span.line for edit in edits] in ([3], [3, 4])
    untouched = formatted_lines(source, len(text) - 1, len(text))
    assert untouched == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_layout_of_any_lines_keeps_every_word(data):
    text = data.draw(st.sampled_from([NET, *(path.read_text() for path in sorted(ZOO.glob("*.cnn")))]))
    places = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    blanks = [at for at in places if text[at : at + 1] == " " and text.count('"', 0, at) % 2 == 0]
    for at in sorted(set(blanks), reverse=True):
        text = text[:at] + "   " + text[at:]
    source = Source("a.cnn", text)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    edits = formatted_lines(source, start, end)
    if edits is None:
        return
    changed = apply_edits(text, edits)
    assert [token.text for token in tokenize(changed)[0] if token.kind != "NEWLINE"] == [
        token.text for token in tokenize(text)[0] if token.kind != "NEWLINE"
    ]
    assert format_source(Source("a.cnn", changed)).text == format_source(source).text
