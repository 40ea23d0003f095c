"""The examples on the page about the canonical form are in that form, and check."""

from __future__ import annotations

import re

import pytest

from striate.checking import check_source
from striate_dsl.formatter import format_source
from striate_dsl.source import Source


def examples(repository, page):
    text = (repository / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"```cnn\n(.*?)```", text, re.DOTALL)


def test_the_examples_are_in_form_and_check(repository):
    found = examples(repository, "formatting.md")
    assert len(found) == 2
    for text in found:
        source = Source("example", text)
        assert format_source(source).text == text
        assert not check_source(source).diagnostics


@pytest.mark.parametrize("folder", ["benchmarks", "examples", "plugins"])
def test_the_networks_of_the_repository_are_in_form(repository, folder):
    for path in (repository / folder).rglob("*.cnn"):
        text = path.read_text(encoding="utf-8")
        assert format_source(Source(str(path), text)).text == text, path
