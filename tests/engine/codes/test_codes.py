"""The catalogue and the source name the same codes, and every example is what its page says."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

import striate
import striate_dsl
import striate_plugins
from striate.checking import check_source
from striate.codes import CODE, PageError, catalogue, read_pages
from striate.codes.reference import FAMILIES, reference
from striate_dsl.diagnostics import Severity
from striate_dsl.source import Source

PAGES = catalogue()
EXAMPLES = [code for code, page in PAGES.items() if page.example]
LITERAL = re.compile(rf'"({CODE.pattern})"')


def used_codes():
    """Return the codes that stand in the source, with the files that use them."""
    used = defaultdict(set)
    for package in (striate, striate_dsl, striate_plugins):
        for path in Path(package.__file__).parent.rglob("*.py"):
            for code in LITERAL.findall(path.read_text(encoding="utf-8")):
                used[code].add(path.name)
    return used


def findings(text):
    return check_source(Source("example.cnn", text)).diagnostics


def test_every_code_of_the_source_has_a_page():
    used = used_codes()
    assert len(used) > 80
    assert {code: sorted(files) for code, files in used.items() if code not in PAGES} == {}


def test_every_page_is_of_a_code_that_is_used():
    assert set(PAGES) - set(used_codes()) == set()


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_gives_exactly_its_code(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = findings(PAGES[code].example)
    assert {item.code for item in found} == {code}
    assert all((item.severity is Severity.ERROR) is code.startswith("E") for item in found)


@pytest.mark.parametrize("code", EXAMPLES)
def test_its_repaired_form_checks(code):
    assert [(item.code, item.message) for item in findings(PAGES[code].repaired)] == []


@pytest.mark.parametrize("code", PAGES)
def test_a_page_is_complete(code):
    page = PAGES[code]
    assert page.title[0].isupper() or page.title[0] == "`"
    assert not page.title.endswith(".")
    assert page.why.endswith(".")
    assert any(code.startswith(beginning) for beginning in FAMILIES)
    if page.situation:
        kinds = "error|note" if code.startswith("E") else "warning"
        assert re.match(r"\$ (?:[A-Z_]+=\w+ )?striate ", page.situation)
        assert re.search(rf"^(?:{kinds})\[{code}\]: ", page.situation, re.MULTILINE)
    assert bool(page.situation) != bool(page.example)


def test_the_reference_page_is_up_to_date(repository):
    written = (repository / "docs" / "codes.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m striate.codes.reference"


@pytest.mark.parametrize(
    "text",
    [
        "# E0101 Title\n\nWhy.\n\n```cnn\nmodel\n```\n\n- repair\n",
        "# E0101 Title\n\nWhy.\n\n- repair\n",
        "# E0101 Title\n\nWhy.\n\n```console\n$ a\n```\n",
        "# E0101 Title\n\n```console\n$ a\n```\n\n- repair\n",
    ],
)
def test_a_page_that_lacks_a_part_is_refused(text):
    with pytest.raises(PageError, match="E0101"):
        list(read_pages(text))
