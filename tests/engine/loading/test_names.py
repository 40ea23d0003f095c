"""Rules of a name map: what they match, what they make of it, and what is wrong with some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.importing.known_names import read_names
from striate.importing.name_map import expected_names, read_name_map
from striate.importing.name_rules import Lists, Rule, RuleError
from striate.importing.state_matching import fits
from striate_dsl.diagnostics import DiagnosticError


def theirs(rules: dict[str, str], weights: list[str], names: tuple[str, ...] = ()) -> dict[str, str]:
    """What rules make of our names for a file with these names."""
    lines = "\n".join(f"{ours!r} = {name!r}" for ours, name in rules.items())
    (convention,) = read_name_map(f"[a.names]\n{lines}\n", "map.toml")
    return expected_names(convention.named(weights), names)


@pytest.mark.parametrize(
    ("ours", "name", "weight", "expected"),
    [
        ("dense1", "fc", "dense1.bias", "fc.bias"),
        ("stage{i}.{k}.conv", "l{i}.{k+1}.c", "stage3.9.conv.weight", "l3.10.c.weight"),
        ("stage{i}", "l{i-1}", "stage1.weight", "l0.weight"),
        ("<a>.<kind>1", "<a>.<kind>", "aux.bn1.running_var", "aux.bn.running_var"),
        ("**.conv1", "x", "a.b.0.conv1.weight", "x.weight"),
        ("a.*.conv1", "x", "a.b.conv1.weight", "x.weight"),
        ("factor.weight", "gamma", "factor.weight", "gamma"),
        ("{i}.{i}", "n{i}", "4.4.weight", "n4.weight"),
        ("a.b", "x", "a_b.weight", None),
        ("a.*.conv1", "x", "a.b.c.conv1.weight", None),
        ("{i}.{i}", "n{i}", "4.5.weight", None),
        ("conv{i}", "x{i}", "conv1_a.weight", None),
    ],
)
def test_one_rule(ours, name, weight, expected):
    assert theirs({ours: name}, [weight]).get(weight) == expected


def test_the_first_rule_that_fits_counts():
    rules = {"conv1": "stem", "conv{i}": "c{i}"}
    assert list(theirs(rules, ["conv1.weight", "conv2.weight"]).values()) == ["stem.weight", "c2.weight"]


def test_lists_are_counted_in_the_order_of_the_network():
    names = ("f.0.weight", "f.3.a.weight", "f.3.b.weight", "f.10.a.weight", "f.10.b.weight")
    ours = ["first.weight", "fire1.x.weight", "fire1.y.weight", "fire2.x.weight", "fire2.y.weight"]
    rules = {"first": "f.{#}", "fire{n}|.x": "f.{#}.a", "fire{n}|.y": "f.{#}.b"}
    assert tuple(theirs(rules, ours, names).values()) == names


def test_lists_within_lists():
    names = ("f.1.c.0.0.w", "f.1.c.2.w", "f.4.c.1.0.w", "f.4.c.5.w")
    ours = ["u.0.in.conv.w", "u.0.out.w", "u.1.in.conv.w", "u.1.out.w"]
    rules = {"u.{i}|.in|.conv": "f.{#}.c.{#}.0", "u.{i}|.out": "f.{#}.c.{#}"}
    assert tuple(theirs(rules, ours, names).values()) == names


def test_a_list_that_is_too_short_leaves_a_question_mark():
    assert theirs({"a{i}": "f.{#}"}, ["a1.w", "a2.w"], ("f.7.w",)) == {"a1.w": "f.7.w", "a2.w": "f.?.w"}


@pytest.mark.parametrize(
    ("ours", "name", "reason"),
    [
        ("a", "b{i}", "{i} in 'b{i}' is no number of 'a'"),
        ("a", "<b>", "<b> in '<b>' is no part of 'a'"),
        ("a{i}", "b{i*2}", "is part of no number"),
        ("a{i}", "b*", "is part of no number"),
        ("a|", "f.{#+1}", "shifts a number that is the file's own"),
        ("a{1}", "b", "has no name"),
    ],
)
def test_rules_that_say_nothing(ours, name, reason):
    with pytest.raises(RuleError) as caught:
        Rule(ours, name)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[a", "it is no TOML"),
        ("", "it has no table"),
        ("a = 1", "a must be a table"),
        ("[a]\nabout = 'x'", "a must be a table with a table names"),
        ("[a]\nwhat = 1\n[a.names]", "has no entry what"),
        ("[a]\nabout = 1\n[a.names]", "about is a text"),
        ("[a]\nspare = 'x'\n[a.names]", "spare a list of texts"),
        ("[a]\nolder = { a = 1 }\n[a.names]", "older is a table of texts"),
        ("[a]\nolder = { a = '{k}' }\n[a.names]", "{k} in '{k}' is no number of 'a'"),
        ("[a]\nparameters = [1]\n[a.names]", "parameters is a table of texts"),
        ("[a.names]\nx = 1", "x must be a text or"),
        ("[a.names]\nx = { name = 'y', axes = [0, 2] }", "x must be a text or"),
        ("[a.names]\nx = 'y{i}'", "{i} in 'y{i}' is no number of 'x'"),
    ],
)
def test_a_map_with_mistakes_says_which(tmp_path, text, reason):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(DiagnosticError) as caught:
        read_names(path)
    (found,) = caught.value.diagnostics
    assert found.code == "E0666"
    assert reason in found.message


@given(names=st.lists(st.from_regex(r"[a-c]?[0-9]{0,2}(\.[a-c0-9]{1,2}){0,3}", fullmatch=True)))
def test_numbers_of_a_list_are_those_of_the_file_in_order(names):
    lists = Lists(names)
    for name in names:
        place, _, last = name.rpartition(".")
        place = f"{place}." if "." in name else ""
        if last.isdigit():
            found = [lists.number(place, rank) for rank in range(len(names) + 1)]
            assert str(int(last)) in found
            numbers = [int(item) for item in found if item != "?"]
            assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("stored", "shape", "axes", "fit"),
    [
        ((4, 3, 3, 3), (4, 3, 3, 3), None, True),
        ((4, 3, 3, 3), (4, 3, 3, 1), None, False),
        ((4,), (4, 1, 1, 1), None, True),
        ((4, 1, 1), (4,), None, True),
        ((8, 4, 7, 7), (8, 196), None, True),
        ((8, 196), (8, 4, 7, 7), None, True),
        ((8, 4, 7, 7), (196, 8), None, False),
        ((8, 9), (9, 8), None, False),
        ((8, 9), (9, 8), (1, 0), True),
        ((8, 9), (8, 9), (1, 0), False),
        ((8, 9), (72,), None, False),
        ((8, 3, 3), (8, 9), None, True),
        ((), (1,), None, True),
        ((2, 6), (3, 4), None, False),
    ],
)
def test_which_sizes_hold_the_same_numbers(stored, shape, axes, fit):
    assert fits(stored, shape, axes) is fit
