"""`striate explain`."""

from __future__ import annotations

import pytest

from striate.codes import catalogue
from striate.ops import BUILTIN


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


def test_without_a_topic_all_are_listed(run):
    lines = run("explain").out.splitlines()
    codes = lines[lines.index("Codes") + 1 :]
    assert len(codes) == len(catalogue())
    assert codes[0] == "  E0101  Something cannot stand here"
    layers = lines[lines.index("Layers") + 1 : lines.index("Data sets") - 1]
    assert [line.split()[0] for line in layers] == list(BUILTIN)
    assert "  sgd        Stochastic gradient descent, with momentum if wanted." in lines


@pytest.mark.parametrize(("code", "hint"), [("E0214", "The nearest is E0204."), ("E99999", "Codes look like E0203.")])
def test_an_unknown_code(run, code, hint):
    result = run("explain", code)
    assert result.code == 2
    assert f"there is no code {code}. {hint}" in result.err


@pytest.mark.parametrize(
    ("topic", "head", "within"),
    [
        ("conv", "conv (layer, built in)", "    conv(channels, kernel, stride = 1, pad = 0, groups = 1"),
        ("cross_entropy", "cross_entropy (loss, from striate-plugins)", "    loss = cross_entropy("),
        ("sgd", "sgd (optimizer, from striate-plugins)", "    optimizer = sgd(lr, momentum"),
        ("zoo.lenet5", "zoo.lenet5 (file, from striate-plugins)", "LeNet5  1 x 32 x 32  61,706      416,520"),
        ("repeat", "repeat (word of the language)", "    model Net {"),
        ("train", "train (word of the language)", "epochs      a whole number of at least 1"),
        ("export", "export (word of the language)", "opset         a whole number of at least 1"),
    ],
)
def test_a_topic_is_shown(run, topic, head, within):
    result = run("explain", topic)
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == head
    assert any(line.startswith(within) for line in lines)
    assert "`" not in result.out
    assert "\x1b" not in result.out


def test_a_name_of_two_things_shows_both(run):
    out = run("explain", "classification").out
    assert "classification (head, from striate-plugins)" in out
    assert "classification (task, from striate-plugins)" in out


def test_tables_fit_the_terminal(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("explain", "maxpool").out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("    ")) <= 80


def test_colours_are_for_terminals_that_want_them(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run("explain", "relu").out.startswith("\x1b[1mrelu (layer, built in)\x1b[0m")


@pytest.mark.parametrize(
    ("topic", "hint"), [("covn", " Did you mean conv?"), ("adem", " Did you mean adam?"), ("zzzzzz", "")]
)
def test_an_unknown_topic(run, topic, hint):
    result = run("explain", topic)
    assert result.code == 2
    assert f"there is nothing called {topic}.{hint} Without a topic" in result.err
