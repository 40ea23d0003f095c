"""The page of lints has every lint, says what its record says, and every example fires as its heading says."""

from __future__ import annotations

import re

import pytest

from striate.checking import check_source
from striate.lint import LINTS
from striate_dsl.source import Source

SECTION = re.compile(r"^## (W\d+): (.*?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"```cnn\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def page() -> str:
    from tests.conftest import IS_CHECKOUT, ROOT

    if not IS_CHECKOUT:
        pytest.skip("needs the source tree")
    return (ROOT / "docs" / "lints.md").read_text(encoding="utf-8")


def test_every_lint_is_on_the_page_in_order(page):
    assert [(code, name) for code, name, _ in SECTION.findall(page)] == [(lint.code, lint.name) for lint in LINTS]


@pytest.mark.parametrize("lint", LINTS, ids=lambda lint: lint.code)
def test_a_section_gives_reason_reference_and_an_example_that_fires(page, lint):
    body = next(body for code, _, body in SECTION.findall(page) if code == lint.code)
    words = " ".join(body.split())
    assert lint.reason[1:] in words
    assert f"Reference: {lint.reference}." in words
    (example,) = EXAMPLE.findall(body)
    found = check_source(Source("example", example)).diagnostics
    assert [item.code for item in found] == [lint.code]
    if found[0].fixes:
        assert "Repair" in body
        grade = {"display": "shown only"}.get(found[0].fixes[0].grade, found[0].fixes[0].grade)
        assert grade in body
    else:
        assert "Repair" not in body


def test_the_allowances_of_the_page_silence(page):
    text = EXAMPLE.findall(page)[0]
    assert not check_source(Source("example", text)).diagnostics
    bare = check_source(Source("example", text.replace("# allow", "# permit"))).diagnostics
    assert [item.code for item in bare] == ["W0102", "W0105", "W0109"]
