"""`--set`: sorted, quoted as typed, and never able to smuggle more than one value in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.train.overrides import SOURCE, model_parameters, read_overrides
from striate.train.recipe import KEYS
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.engine.train.networks import TINY, load_with_recipe

FILE = parse(Source("net.cnn", TINY + "model Small = Net(classes = 4)\n")).file
assert FILE is not None


def refused(settings: dict[str, str]):
    with pytest.raises(DiagnosticError) as caught:
        read_overrides(settings, FILE, "Net", KEYS)
    return caught.value.diagnostics


def test_they_are_sorted():
    found = read_overrides({"classes": "12", "train.epochs": "3"}, FILE, "Net", KEYS)
    assert found.model == {"classes": "12"}
    assert [item.key[0].text for item in found.recipe] == ["epochs"]


def test_a_variant_has_the_parameters_of_its_model():
    assert model_parameters(FILE, "Small") == ("classes",)
    assert model_parameters(FILE, "Nobody") == ()


@pytest.mark.parametrize(
    ("key", "help_text"),
    [
        ("epochs", "--set train.epochs=3"),
        ("optimizer.lr", "--set train.optimizer.lr=3"),
        ("clases", "did you mean classes?"),
        ("trian.epochs", "did you mean train.epochs?"),
        ("zzz", "settings of the recipe begin with train."),
    ],
)
def test_unknown_keys(key, help_text):
    (finding,) = refused({key: "3"})
    assert (finding.code, finding.message) == ("E0407", f"there is nothing called {key} to set")
    assert help_text in (finding.help or "")
    assert (finding.span.file, finding.span.text) == (SOURCE, key)


@pytest.mark.parametrize(
    "value", ["", ")", "3 4", "3 } model X { ", "3; batch = 4", "3\nbatch = 4", "3 }\ntrain { epochs = 4", "{ a = 1 }"]
)
def test_a_value_is_one_value(value):
    findings = refused({"train.epochs": value})
    assert [item.code for item in findings] == ["E0407"]
    assert findings[0].span.source.text == f"train.epochs={value}"


def test_all_mistakes_are_told():
    assert len(refused({"train.epochs": ")", "x": "1", "train.batch": "("})) == 3


@given(st.text(max_size=12))
def test_any_value_is_read_or_refused(value):
    try:
        found = read_overrides({"train.epochs": value}, FILE, "Net", KEYS)
    except DiagnosticError as error:
        assert {item.code for item in error.diagnostics} == {"E0407"}
    else:
        assert len(found.recipe) == 1


@pytest.mark.parametrize(
    ("key", "value", "marked"),
    [
        ("train.epochs", "0", "0"),
        ("train.optimizer.lr", "-1", "-1"),
        ("train.optimizer", "sgdd(lr = 1)", "sgdd"),
        ("train.metrics", "[accuracy, acuracy]", "acuracy"),
        ("train.data", "digits(limt = 3)", "limt"),
        ("train.epcohs", "3", "epcohs"),
    ],
)
def test_messages_point_into_what_was_typed(key, value, marked):
    with pytest.raises(DiagnosticError) as caught:
        load_with_recipe(settings={key: value})
    span = caught.value.diagnostics[0].span
    assert span is not None
    assert (span.file, span.text) == (SOURCE, marked)
    assert span.source.text == f"{key}={value}"
    assert (span.line, span.column) == (1, len(key) + 2 + value.find(marked) if marked in value else 7)
