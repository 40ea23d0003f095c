"""The page of the standard blocks: its networks check, its table has every signature, size and cost as they are."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from striate.analysis.costs import graph_macs
from striate.checking import check_source
from striate.graph import format_shape
from striate.model import load_source
from striate_dsl.source import Source

TEXT = files("striate_plugins").joinpath("std", "blocks.cnn").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "blocks.md").read_text(encoding="utf-8")


def rows(page):
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in page.splitlines() if line[:3] == "| `"]


def network(call, given):
    """A model around the call of a row; a second value that it takes has its name in front of its size."""
    first, _, second = given.partition(", ")
    lines = (
        [f"input image: {first}", f"input {second}", f"image -> {call}"] if second else [f"input image: {first}", call]
    )
    return "use std.blocks\nmodel Net {\n" + "\n".join(lines) + "\noutput y\n}\n"


def test_the_networks_of_the_page_check(page):
    (text,) = re.findall(r"```cnn\n(.*?)```", page, re.DOTALL)
    checked = check_source(Source("example.cnn", text))
    assert not checked.diagnostics, [(item.message, item.span) for item in checked.diagnostics]
    assert set(checked.domains) == {"Small", "Masks"}


def test_every_row_is_true(page):
    found = rows(page)
    assert len(found) >= 20
    for signature, call, given, gives, parameters, macs, _ in found:
        assert f"block {signature.strip('`')} {{" in TEXT
        model = load_source(Source("example.cnn", network(call.strip("`"), given)))
        assert not model.warnings
        values = {value.name: value for node in model.graph.nodes for value in node.outputs}
        counted = graph_macs(model.graph, model.catalogue.lookup)
        result = format_shape(values[model.graph.outputs["y"]].type)
        assert (call, result, f"{model.parameters:,}", f"{counted:,}") == (call, gives, parameters, macs)


def test_every_block_with_defaults_of_a_paper_has_a_row(page):
    named = {re.split(r"\W", row[0].strip("`"))[0] for row in rows(page)}
    papers = re.findall(r"^# [^\n]*\d{4}[^\n]*\n(?:#[^\n]*\n)*block (\w+)", TEXT, re.MULTILINE)
    assert len(papers) >= 15
    assert set(papers) <= named
