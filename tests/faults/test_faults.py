"""Every file of the corpus gets exactly the findings that its comments announce, and the repairs that they promise."""

from __future__ import annotations

import pytest

from striate.checking import check_source
from striate.elaborate import elaborate, model_names
from striate.fixing import fix_source
from striate.graph import fingerprint
from striate.host.catalogue import HostCatalogue
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.edits import apply_edits
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.faults.corpus import Case, Expected, corpus, local

CASES = corpus()
FLAGS = {"fix": False, "unsafe-fixes": True}


def found_in(case: Case) -> list[Diagnostic]:
    return check_source(Source(str(case.path), case.text)).diagnostics


def place_of(item: Diagnostic) -> tuple[int, int, str, str]:
    assert item.span is not None, item
    return item.span.line, item.span.column, item.severity.value, item.code


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exactly_these_findings_in_one_run(case):
    found = sorted(found_in(case), key=place_of)
    expected = sorted(case.expected, key=lambda item: (item.line, item.column, item.severity, item.code))
    assert [place_of(item) for item in found] == [
        (item.line, item.column, item.severity, item.code) for item in expected
    ]
    for item, wanted in zip(found, expected, strict=True):
        says(item, wanted)
        proposes(case, item, wanted)


def says(item: Diagnostic, wanted: Expected) -> None:
    """Demand the words of one finding, and the width of the text that it points at."""
    assert wanted.message in local(item.message)
    assert item.span is not None
    first_line = item.span.text.splitlines()[0] if item.span.text else ""
    assert wanted.width in {None, max(1, len(first_line))}
    for words in wanted.all("help"):
        assert words in local(item.help or "")
    for words in wanted.all("note"):
        assert any(words in local(note) for note in item.notes), item.notes
    for words in wanted.all("here"):
        assert any(words in label for label in (item.label, *(more.text for more in item.labels)))


def proposes(case: Case, item: Diagnostic, wanted: Expected) -> None:
    """Demand the repairs of one finding with their grades, and the lines that they write."""
    assert [(fix.grade, fix.title) for fix in item.fixes if fix.edits] == wanted.fixes
    reasons = [words for words in wanted.all("no fix") if words != "?"]
    assert bool(wanted.fixes) != bool(reasons), "a finding has a repair, or a reason for having none"
    before = {line.strip() for line in case.text.splitlines()}
    written = [apply_edits(case.text, fix.edits) for fix in item.fixes]
    new = {line.strip() for text in written for line in text.splitlines()} - before
    assert set(wanted.all("now")) <= new


@pytest.mark.parametrize("case", [case for case in CASES if case.after], ids=lambda case: case.name)
def test_the_repairs_leave_what_is_announced(case):
    for flag, left in case.after.items():
        repaired = fix_source(Source(str(case.path), case.text), unsafe=FLAGS[flag])
        codes = sorted(item.code for item in repaired.checked.diagnostics)
        assert (" ".join(codes) or "clean") == left, repaired.after.text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_says_what_its_repairs_come_to(case):
    grades = {grade for item in case.expected for grade, _ in item.fixes}
    assert case.title
    assert set(case.after) >= ({"fix"} if "safe" in grades else set()) | (
        {"unsafe-fixes"} if "unsafe" in grades else set()
    )
    assert not case.after or grades & {"safe", "unsafe"}


def test_the_twelve_are_there_with_their_variants_and_look_alikes():
    names = {case.path.stem.partition("_")[0] for case in CASES}
    faults = {*(f"f{number:02}" for number in range(1, 13)), "f01v", "f02v", "f05v", "f12v", "m1", "m2"}
    assert faults | {"c1", "c2", "c3", "c4", "c5", "base"} <= names


def mended_cases() -> list[Case]:
    """The cases whose syntax is wrong in ways that leave no doubt about what was meant."""
    results = ((case, parse(Source(str(case.path), case.text))) for case in CASES)
    return [case for case, result in results if result.file is None and result.whole]


@pytest.mark.parametrize("case", mended_cases(), ids=lambda case: case.name)
def test_a_mended_text_is_the_network_of_the_repaired_one(case):
    result = parse(Source(str(case.path), case.text))
    text = case.text
    while not (repaired := parse(Source(str(case.path), text))).file:
        fixes = (fix for item in repaired.diagnostics for fix in item.fixes if fix.grade == "safe")
        text = apply_edits(text, next(fixes).edits)
    catalogue = HostCatalogue()
    assert model_names(result.mended) == model_names(repaired.file)
    for name in model_names(repaired.file):
        mended, meant = (elaborate(file, name, catalogue) for file in (result.mended, repaired.file))
        assert [item.code for item in mended.diagnostics] == [item.code for item in meant.diagnostics]
        assert (mended.graph is None) == (meant.graph is None)
        if mended.graph is not None and meant.graph is not None:
            assert fingerprint(mended.graph) == fingerprint(meant.graph)


def test_many_cases_are_mended():
    assert len(mended_cases()) > 20
