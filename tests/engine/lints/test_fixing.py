"""Repairs of whole texts: they remove their findings, lose no comment, and never make a text worse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.checking import check_source
from striate.fixing import fix_source
from striate_dsl.comments import comments
from striate_dsl.diagnostics import Severity
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.engine.lints.faults import FAULTS
from tests.engine.lints.linting import RECIPE, model


def source(text: str) -> Source:
    return Source("net.cnn", text)


def errors(text: str) -> int:
    return sum(item.severity is Severity.ERROR for item in check_source(source(text)).diagnostics)


def remarks(text: str) -> list[str]:
    return [span.text for span in comments(source(text))]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.code}-{fault.words[:20]}")
@pytest.mark.parametrize("unsafe", [False, True])
def test_every_fault_is_repaired_at_its_grade_only(fault, unsafe):
    fixed = fix_source(source(fault.plain), unsafe=unsafe)
    left = {item.code for item in fixed.checked.diagnostics}
    repaired = fault.grade == "safe" or (fault.grade == "unsafe" and unsafe)
    assert (fault.code not in left) is repaired
    assert (fault.code in {repair.finding.code for repair in fixed.made}) is repaired
    assert remarks(fixed.after.text) == remarks(fault.plain)


# The faults of a body, each as a line; sizes are kept, so that any of them can follow any other.
LINES = [
    "conv(8, 3, pad = 1) -> bn  # bias",
    "conv(8, # the width\n    3, pad = 1)  # then\n  bn",
    "relu as spare{}",
    "let width{} = 8",
    "let depth{} = 9  # still here",
    "repeat 1 { relu  # once\n  }",
    "conv(8, 4, pad = half) -> deconv(8, 2)",
    "dropout(0.1) -> bn -> relu",
    "dropout(0.1)  # first\n  -> bn",
    "deconv(8, 3, stride = 2, pad = 1, output_padding = 1) -> avgpool(2)  # up and down",
    "# a remark",
    "conv(8, 1) -> relu  # fine",
    "dense(  # wrong\n    9)",
    "conv(8, 300)",
    "conv(8, 3, pad = 1) - > relu",
    "conv(8 3)",
    "relu ->-> tanh  # two arrows",
    "unknown(3)",
]


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=7), st.booleans(), st.booleans())
def test_random_faults_get_no_worse_and_lose_no_comment(lines, unsafe, trained):
    body = "\n".join(line.replace("{}", str(index)) for index, line in enumerate(lines))
    text = model(f"{body}\nglobal_avgpool -> flatten -> dense(10)", after=RECIPE if trained else "")
    fixed = fix_source(source(text), unsafe=unsafe)
    after = fixed.after.text
    assert not [remark for remark in remarks(text) if remarks(text).count(remark) > remarks(after).count(remark)]
    if fixed.changed:
        assert parse(fixed.after).file is not None
        assert errors(after) <= errors(text) or parse(source(text)).file is None
    grades = {"safe", "unsafe"} if unsafe else {"safe"}
    assert {repair.fix.grade for repair in fixed.made} <= grades
    assert fix_source(source(after), unsafe=unsafe).after.text == after, "a second run finds nothing to do"


HARMLESS = [line for line in LINES[:12] if "# first" not in line]


@given(st.lists(st.sampled_from(HARMLESS), min_size=1, max_size=7))
def test_texts_without_errors_check_clean_after_unsafe_repairs(lines):
    body = "\n".join(line.replace("{}", str(index)) for index, line in enumerate(lines))
    fixed = fix_source(source(model(body)), unsafe=True)
    left = [item for item in fixed.checked.diagnostics if not item.fixes]
    assert fixed.checked.diagnostics == left, fixed.after.text
    assert {item.code for item in left} <= {"W0109"}, "a constant whose line holds a comment stays"


def test_repairs_of_one_round_are_made_together_and_the_next_sees_what_they_uncover():
    fixed = fix_source(source(model("dropout(0.2) -> conv(8, 3) -> dropout(0.5) -> bn")), unsafe=True)
    assert "dropout(0.2) -> conv(8, 3, bias = false) -> bn -> dropout(0.5)" in fixed.after.text
    assert [repair.finding.code for repair in fixed.made] == ["W0108", "W0102"]


def test_a_repair_that_breaks_a_contract_is_left_out_and_others_are_made():
    text = model("let idle = 3\nconv(8, 3) -> bn\nassert params == 8 * 8 * 9 + 8 + 16")
    fixed = fix_source(source(text))
    assert [repair.finding.code for repair in fixed.made] == ["W0109"]
    assert {item.code for item in fixed.checked.diagnostics} == {"W0102"}


def test_a_repair_that_would_take_a_comment_away_is_not_made():
    text = model("flatten -> dense(10)  # ten digits\n  -> softmax", after=RECIPE)
    fixed = fix_source(source(text), unsafe=True)
    assert not fixed.changed
    assert [item.code for item in fixed.checked.diagnostics] == ["W0103"]
    bare = fix_source(source(text.replace("  # ten digits", "")), unsafe=True)
    assert not bare.checked.diagnostics


def test_many_repairs_with_a_bad_one_among_them():
    lines = "\n".join(f"let idle{index} = {index}" for index in range(20))
    text = model(f"{lines}\nconv(8, 3) -> bn\nassert params == 8 * 8 * 9 + 8 + 16")
    fixed = fix_source(source(text))
    assert len(fixed.made) == 20
    assert "let" not in fixed.after.text


def test_layout_stays():
    text = model("conv( 8,3 )   ->bn      # odd   blanks\n\n\n  relu ;tanh").replace("\n", "\r\n")
    after = fix_source(source(text)).after.text
    assert after == text.replace("8,3 )", "8,3, bias = false )")


def test_a_text_that_cannot_be_brought_to_parse_stays_as_it_was():
    text = model("relu ->-> tanh\nconv(((")
    fixed = fix_source(source(text))
    assert not fixed.changed
    assert not fixed.made


def test_errors_of_syntax_are_repaired_and_what_shows_then_too():
    fixed = fix_source(source(model("relu ->-> conv(8, 3) -> bn")))
    assert "relu -> conv(8, 3, bias = false) -> bn" in fixed.after.text
    assert not fixed.checked.diagnostics
