"""Every lint: where it speaks, where it is silent, and what its repair makes of the text."""

from __future__ import annotations

from collections import Counter

import pytest

from striate.checking import check_source
from striate.lint import LINTS
from striate_dsl.diagnostics import Severity
from striate_dsl.edits import apply_edits
from striate_dsl.reading import read_source
from striate_dsl.source import Source
from tests.engine.lints.faults import FAULTS, FINE
from tests.engine.lints.linting import codes, findings, model


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.code}-{fault.words[:20]}")
def test_a_fault_is_found_at_its_place(fault):
    (found,) = [item for item in findings(fault.plain) if item.code == fault.code]
    assert found.span is not None
    assert (found.span.line, found.span.column) == fault.place
    assert fault.words in found.message
    assert found.help
    assert found.severity is next(lint.severity for lint in LINTS if lint.code == fault.code)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.code}-{fault.words[:20]}")
def test_the_repair_is_what_it_says_and_removes_the_finding(fault):
    (found,) = [item for item in findings(fault.plain) if item.code == fault.code]
    if fault.grade is None:
        assert not found.fixes
        return
    (fix,) = found.fixes
    assert fix.grade == fault.grade
    text = apply_edits(fault.plain, fix.edits)
    assert fault.repaired in text
    assert fault.code not in codes(text)


@pytest.mark.parametrize(("code", "text"), FINE)
def test_what_only_looks_alike_is_fine(code, text):
    assert code not in codes(text)


def test_every_lint_has_two_faults_and_two_fine_texts():
    found, fine = Counter(fault.code for fault in FAULTS), Counter(code for code, _ in FINE)
    for lint in LINTS:
        assert found[lint.code] >= 2, lint.code
        assert fine[lint.code] >= 2, lint.code


def test_codes_are_unique_and_reasons_are_given():
    assert len({lint.code for lint in LINTS}) == len(LINTS)
    for lint in LINTS:
        assert lint.reason
        assert lint.reference
        assert not lint.reason.endswith(".")


def test_a_place_is_told_once_however_often_it_is_used():
    text = model("repeat 5 { B }\nB", before="block B { conv(8, 3) -> bn }\n", after="model Other = Net()\n")
    (found,) = findings(text)
    assert found.code == "W0102"
    assert any("in block B, used at net.cnn:4:14" in note for note in found.notes)


def test_findings_carry_reason_and_reference():
    (found,) = findings(model("conv(8, 3) -> bn"))
    lint = next(lint for lint in LINTS if lint.code == "W0102")
    assert found.notes == (lint.reason, f"see {lint.reference}")


def test_a_file_with_errors_is_not_linted():
    checked = check_source(Source("net.cnn", model("conv(8, 3) -> bn -> relluu")))
    assert [item.severity for item in checked.diagnostics] == [Severity.ERROR]


def test_a_bias_that_one_variant_needs_stays():
    text = model("conv(8, 3) -> act").replace("Net {", "Net(act = bn) {")
    assert codes(text) == ["W0102"]
    assert codes(text + "model Plain = Net(act = relu)\n") == []


def test_layers_of_heads_are_judged_with_the_network_but_not_reported():
    text = model("global_avgpool -> conv(8, 1)\nhead classification(classes = 10)").replace("  output y\n", "")
    assert codes(text) == []


def test_the_zoo_is_clean(repository):
    folder = repository / "plugins" / "striate_plugins" / "zoo"
    files = sorted(folder.glob("*.cnn"))
    assert len(files) >= 7
    for path in files:
        assert not check_source(read_source(path)).diagnostics, path.name
