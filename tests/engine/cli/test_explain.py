"""`striate explain`."""

from __future__ import annotations

import pytest

from striate.codes import catalogue


def test_a_code_is_explained_with_example_and_repairs(run):
    result = run("explain", "E0204")
    assert result.code == 0
    head, *_ = lines = result.out.splitlines()
    assert head == "E0204: An image where a flat value is needed, or the other way round"
    assert "    conv(4, 3) -> dense(10)".replace("    ", "      ") in lines
    assert lines.index("Repaired:") > lines.index("For example:")
    assert lines[-1].startswith("- Write `flatten`")
    assert "```" not in result.out


@pytest.mark.parametrize("written", ["e0204", " E0204", "[E0204]"])
def test_a_code_may_be_copied_as_it_is_printed(run, written):
    assert run("explain", written).out == run("explain", "E0204").out


def test_every_page_can_be_shown(run):
    for code in catalogue():
        result = run("explain", code)
        assert result.code == 0
        assert result.out.startswith(f"{code}: ")


def test_without_a_code_all_are_listed(run):
    lines = run("explain").out.splitlines()
    assert len(lines) == len(catalogue())
    assert lines[0] == "E0101  Something cannot stand here"


@pytest.mark.parametrize(("code", "hint"), [("E0214", "The nearest is E0204."), ("banana", "Codes look like E0203.")])
def test_an_unknown_code(run, code, hint):
    result = run("explain", code)
    assert result.code == 2
    assert f"there is no code {code}. {hint}" in result.err
