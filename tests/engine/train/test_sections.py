"""Which recipe is meant."""

from __future__ import annotations

import textwrap

import pytest

from striate.train.sections import choose_section, models_with_recipes, recipe_name, sections_of
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.parser import parse
from striate_dsl.source import Source


def parsed(text: str):
    result = parse(Source("net.cnn", textwrap.dedent(text)))
    assert result.file is not None, [item.message for item in result.diagnostics]
    return result.file


MODELS = "model A { input x: 1 x 8 x 8\n output x2 }\nmodel B = A()\nmodel C = B()\n"


@pytest.mark.parametrize(
    ("sections", "model", "recipe", "chosen"),
    [
        ("train A { epochs = 1 }", "A", None, 1),
        ("train A { epochs = 1 }", "C", None, 1),  # a variant of a variant
        ("train A { epochs = 1 }\ntrain B { epochs = 2 }", "C", None, 2),  # the nearest one
        ("train A { epochs = 1 }\ntrain C { epochs = 3 }", "C", None, 3),
        ("train { epochs = 4 }", "B", None, 4),
        ("train { epochs = 4 }\ntrain B { epochs = 5 }", "B", None, 5),
        ("train A as long { epochs = 6 }", "A", None, 6),  # the only one needs no naming
        ("train A { epochs = 1 }\ntrain A as long { epochs = 6 }", "A", None, 1),
        ("train A { epochs = 1 }\ntrain A as long { epochs = 6 }", "A", "long", 6),
        ("train A { epochs = 1 }\ntrain A as long { epochs = 6 }", "A", "default", 1),
    ],
)
def test_the_recipe_that_is_meant(sections, model, recipe, chosen):
    section = choose_section(parsed(MODELS + sections), model, recipe)
    assert section.settings[0].value.value == chosen


@pytest.mark.parametrize(
    ("sections", "model", "recipe", "words", "help_text"),
    [
        ("", "A", None, "A has no recipe", "add one: train A {"),
        ("train B { }", "A", None, "A has no recipe", "add one: train A {"),
        ("train A as x { }\ntrain A as y { }", "A", None, "A has several recipes: which one?", "--recipe y"),
        ("train A as long { }\ntrain A { }", "A", "lang", "A has no recipe lang", "did you mean long?"),
        ("train A { }\ntrain A { }", "A", None, "two recipes of A have the same name", "name it: train"),
    ],
)
def test_no_recipe_or_several(sections, model, recipe, words, help_text):
    with pytest.raises(DiagnosticError, match="E0406") as caught:
        choose_section(parsed(MODELS + sections), model, recipe)
    (finding,) = caught.value.diagnostics
    assert finding.message == words
    assert help_text in (finding.help or "")


def test_variants_in_a_circle_end():
    file = parsed("model A = B()\nmodel B = A()\n")
    assert sections_of(file, "A") == ()


def test_names():
    file = parsed(MODELS + "train B { }\ntrain A as long { }\ntrain B as x { }\ntrain { }")
    assert models_with_recipes(file) == ("B", "A")
    assert [recipe_name(item) for item in sections_of(file, "B")] == ["default", "x"]
