"""`profile NAME { … }` and `--profile NAME`: what a profile sets, for which models, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

import striate
from striate.checking import check_file
from striate.cli.recipe_options import load_with_recipe
from striate_dsl.diagnostics import DiagnosticError

NET = """model Net(classes = 10, width = 4) {
  input i: 1 x 8 x 8
  conv(width, 3) -> flatten -> dense(classes)
  output y
}
model Wide = Net(width = 8)
model Other { input i: 1 x 8 x 8; relu; output y }
train Net { data = digits(); loss = cross_entropy; optimizer = sgd(lr = 0.1); epochs = 5; batch = 16 }
"""


@pytest.fixture
def file(tmp_path):
    def write(profile: str) -> Path:
        path = tmp_path / "net.cnn"
        path.write_text(f"{profile}\n{NET}")
        return path

    return write


QUICK = "profile quick { train.epochs = 1; model.classes = 3; model.width = 2 }"


@pytest.mark.parametrize(
    "profile",
    [
        QUICK,
        "profile quick { train { epochs = 1 }; model { classes = 1 + 2; width = 2 } }",
        f"profile other {{ model.width = 7 }}\n{QUICK}",
    ],
)
def test_a_profile_sets_parameters_and_the_recipe(file, profile):
    path = file(profile)
    model, recipe = load_with_recipe(path, "Net", None, {}, profile="quick")
    assert (recipe.epochs, recipe.batch, model.graph.arguments) == (1, 16, {"classes": 3, "width": 2})
    plain, untouched = load_with_recipe(path, "Net", None, {})
    assert (untouched.epochs, plain.graph.arguments) == (5, {"classes": 10, "width": 4})


def test_set_wins_over_the_profile_and_the_profile_over_the_variant(file):
    path = file("profile quick { train.epochs = 1; train.optimizer.lr = 0.5; model.width = 2 }")
    model, recipe = load_with_recipe(path, "Wide", None, {"train.epochs": "3"}, profile="quick")
    assert (recipe.epochs, str(recipe.optimizer), model.graph.arguments["width"]) == (3, "sgd(lr = 0.5)", 2)
    _, other = load_with_recipe(path, "Net", None, {"train.optimizer": "adam(lr = 0.1)"}, profile="quick")
    assert str(other.optimizer) == "adam(lr = 0.1)"
    assert striate.load(path, "Wide", profile="quick", width=9).graph.arguments["width"] == 9


def test_a_model_without_the_parameter_is_left_as_it_is(file):
    path = file(QUICK)
    assert striate.load(path, "Other", profile="quick").parameters == 0
    assert list(check_file(path, profile="quick").domains) == ["Net", "Wide", "Other"]


def test_values_are_names_of_the_file(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(
        "block A { conv(2, 1) }\nblock B { conv(3, 1) }\n"
        "model N(unit = A) { input i: 1 x 4 x 4; unit; output y }\nprofile b { model.unit = B }\n"
    )
    assert [striate.load(path, profile=name).parameters for name in (None, "b")] == [4, 6]


@pytest.mark.parametrize(
    ("profile", "code", "line", "column", "message", "advice"),
    [
        (
            "profile q { train.epoks = 1 }",
            "E0402",
            1,
            13,
            "a recipe has no setting epoks",
            "did you mean train.epochs?",
        ),
        ("profile q { epochs = 1 }", "E0402", 1, 13, "a profile has no setting epochs", "did you mean train.epochs?"),
        (
            "profile q { classes = 1 }",
            "E0402",
            1,
            13,
            "a profile has no setting classes",
            "did you mean model.classes?",
        ),
        (
            "profile q { model.clases = 1 }",
            "E0402",
            1,
            13,
            "no model of this file has a parameter clases",
            "did you mean model.classes?",
        ),
        ("profile q {\n  model { wdth = 1 } }", "E0402", 2, 11, "no model of this file has a parameter wdth", None),
        ("profile q { export.opset = 13 }", "E0402", 1, 13, "a profile has no setting export.opset", None),
        ("profile q { train.epochs = 1; train.epochs = 2 }", "E0401", 1, 31, "train.epochs is set twice", None),
        ("profile q { train.epochs = 0 }", "E0403", 1, 28, "epochs must be a whole number of at least 1, not 0", None),
        ("profile q { train.loss = cros_entropy }", "E0405", 1, 26, "there is no loss cros_entropy", None),
        ("profile q { }\nprofile q { }", "E0408", 2, 9, "there are two profiles q", "rename one of them"),
    ],
)
def test_a_mistake_in_a_profile_is_found_by_every_check(file, profile, code, line, column, message, advice):
    path = file(profile)
    (item,) = check_file(path).diagnostics
    assert (item.code, item.span.line, item.span.column, item.message) == (code, line, column, message)
    if advice:
        assert advice in item.help


def test_a_value_that_does_not_fit_the_model_is_found_with_the_profile(file):
    path = file("profile q { model.width = 1.5 }")
    assert check_file(path).diagnostics == []
    codes = [item.code for item in check_file(path, profile="q").diagnostics]
    assert codes == ["E0211"]


def test_an_unknown_profile(file, run):
    path = file(QUICK)
    result = run("check", path, "--profile", "quik")
    assert result.code == 1
    assert "error[E0408]: there is no profile quik" in result.err
    assert "did you mean quick?" in result.err
    path.write_text(NET)
    assert "profile quik { train.epochs = 1 }" in run("check", path, "--profile", "quik").err
    with pytest.raises(DiagnosticError, match="E0408"):
        striate.load(path, "Net", profile="quick")


def test_commands_take_the_option(file, run, tmp_path):
    path = file(QUICK)
    assert run("check", path, "--profile", "quick").code == 0
    summary = run("summary", path, "--model", "Net", "--profile", "quick")
    assert summary.code == 0
    assert f"{2 * 10 + 3 * 73}" in summary.out
    assert "5,010" not in summary.out
