"""The page about training: its networks check without a warning, and what they say about weights is true."""

from __future__ import annotations

import re

import pytest

from striate.checking import check_source
from striate.host.catalogue import HostCatalogue
from striate.model import load_source
from striate.plugin import OptimizerRecord
from striate.train.groups import check_groups, treatments
from striate.train.recipe import read_recipe
from striate.train.sections import train_sections
from striate_dsl.parser import parse
from striate_dsl.source import Source


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "training.md").read_text(encoding="utf-8")


def texts(page):
    return re.findall(r"```cnn\n(.*?)```", page, re.DOTALL)


def test_the_networks_of_the_page_check(page):
    for text in texts(page):
        checked = check_source(Source("example.cnn", text))
        assert not checked.diagnostics, [(item.message, item.span) for item in checked.diagnostics]


def test_its_groups_hold_weights(page):
    text = texts(page)[0]
    source, catalogue = Source("example.cnn", text), HostCatalogue()
    model = load_source(source, "Digits", {}, catalogue)
    file = parse(source).file
    assert file is not None
    recipe = read_recipe(file, train_sections(file)[0], "Digits", catalogue)
    assert check_groups(model.graph, recipe.groups) == []
    found = treatments(model.graph, catalogue.lookup, recipe.groups, recipe.no_decay)
    assert {(item.rate, item.weight_decay): len(item.names) for item in found} == {
        (1.0, None): 2,  # the kernels
        (1.0, 0.0): 4,  # weights and biases of norms
        (2.0, None): 1,
        (2.0, 0.0): 1,
    }


def test_its_table_names_arguments_that_there_are(page):
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == 4
    for row in rows:
        said, _, owners = row.partition("(")
        (name, first), rest = re.findall(r"`(\w+) = (\w+)`", said)[0], re.findall(r"`(\w+)`", said)
        for optimizer in re.findall(r"`(\w+)`", owners) or ["adam", "sgd", "adagrad"]:
            record = HostCatalogue().find(OptimizerRecord, optimizer)
            assert record is not None
            (kind,) = [item.kind for item in record.arguments if item.name == name]
            assert set(kind.choices) == {first, *rest}  # type: ignore[attr-defined]  # a kind with names
