"""`# allow W0107`: what it silences, where it speaks of, and what is said of one that has no effect."""

from __future__ import annotations

import pytest

from striate.checking import check_source
from striate_dsl.source import Source
from tests.engine.lints.linting import codes, findings, model

BIASED = "conv(8, 3) -> bn"


@pytest.mark.parametrize(
    "body",
    [
        f"{BIASED}  # allow W0102",
        f"{BIASED}#allow W0102: the weights come with one",
        f"{BIASED}  # allow W0102 - from the paper",
        f"{BIASED}  # allow W0102 as in the paper",
        f"{BIASED}  # allow W0102 \u2014 from the paper",
        f"# allow W0102\n{BIASED}",
        f"# allow W0102: see the paper\n# and its appendix\n\n{BIASED}",
        f"{BIASED} as spare  # allow W0102, W0109",
        f"{BIASED} as spare  # allow W0109 W0102: both meant",
        f"# allow W0109\n# allow W0102\n{BIASED} as spare",
        f"# allow W0109\n{BIASED} as spare # allow W0102",
    ],
)
def test_a_finding_is_silenced(body):
    assert codes(model(body)) == []


@pytest.mark.parametrize(
    "body",
    [
        f'assert 1 == 1, "# allow W0102"; {BIASED}',
        f"{BIASED}  # we allow W0102",
        f"{BIASED}  # allow more: W0102",
        f"{BIASED}  # allowed W0102",
        f"{BIASED}  # allow W0102x",
    ],
)
def test_what_is_no_allowance_silences_nothing(body):
    assert codes(model(body)) == ["W0102"]


@pytest.mark.parametrize(
    ("body", "line", "column", "words"),
    [
        ("relu  # allow W0102", 3, 17, "allow W0102 silences nothing at line 3"),
        ("relu  # allow W0107, W0102", 3, 24, "allow W0102 silences nothing at line 3"),
        (f"{BIASED}  # allow W0102, W0102", 3, 36, "written twice"),
        ("relu  # allow W9999", 3, 17, "there is no lint of that code"),
        ("relu  # allow E0202", 3, 17, "errors cannot be silenced"),
        ("# allow W0102\nrelu\n" + BIASED, 3, 11, "at line 4"),
        (f"{BIASED}\n# allow W0102\nrelu", 4, 11, "at line 5"),
    ],
)
def test_an_allowance_without_effect_is_a_finding(body, line, column, words):
    found = [item for item in findings(model(body)) if item.code == "W0100"]
    assert found, "no W0100"
    assert (found[-1].span.line, found[-1].span.column) == (line, column)
    assert words in found[-1].message


def test_an_allowance_at_the_end_of_the_file_says_that_no_line_follows():
    (found,) = findings(model("relu") + "# allow W0102\n")
    assert (found.code, found.span.line) == ("W0100", 6)
    assert "no line follows" in found.message


def test_a_near_code_is_proposed():
    (found,) = findings(model("relu  # allow W0190"))
    assert found.help.startswith("did you mean W01")


def test_an_idle_allowance_can_be_allowed_itself():
    assert codes(model("relu  # allow W0102, W0100: only some variants need it")) == []


def test_errors_stay_and_idle_allowances_wait_for_a_file_without_errors():
    checked = check_source(Source("net.cnn", model("relluu  # allow E0301")))
    assert [item.code for item in checked.diagnostics] == ["E0301"]


def test_a_check_of_one_model_does_not_judge_allowances():
    text = model("act  # allow W0108").replace("Net {", "Net(act = relu) {")
    assert codes(text) == ["W0100"]
    assert check_source(Source("net.cnn", text), "Net").diagnostics == []
