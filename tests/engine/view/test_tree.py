"""Groups of layers: nothing is lost or counted twice, and only alike neighbours are folded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.view.tree import MOST_LEVELS, Group, build_tree, split_path
from tests.engine.view.networks import HARD, hard_summary, model_of, summary_of


def leaves(groups: tuple[Group, ...]) -> Iterator[Group]:
    for group in groups:
        if group.is_layer:
            yield group
        else:
            yield from leaves(group.members)


def all_groups(groups: tuple[Group, ...]) -> Iterator[Group]:
    for group in groups:
        yield group
        yield from all_groups(group.members)


@pytest.mark.parametrize("kind", HARD)
def test_the_lines_of_a_level_add_up(kind: str):
    summary = hard_summary(kind)
    tree = build_tree(summary.rows)
    assert sum(group.parameters for group in tree) == summary.totals.parameters
    assert sum(len(group.every) for group in tree) == summary.totals.layers
    for group in all_groups(tree):
        if group.members:
            assert sum(member.parameters for member in group.members) == sum(row.parameters for row in group.rows)
            assert group.count * len(group.rows) == len(group.every)


@pytest.mark.parametrize("kind", HARD)
def test_layers_stay_in_execution_order(kind: str):
    summary = hard_summary(kind)
    tree = build_tree(summary.rows)
    assert [row for group in tree for row in group.every] == list(summary.rows)


@pytest.mark.parametrize(
    ("path", "sites"),
    [
        ("conv1", ("conv1",)),
        ("stage1.0.conv2", ("stage1.0", "conv2")),
        ("stage1.0.3.unit2.1.conv1", ("stage1.0.3", "unit2.1", "conv1")),
        ("0.1.weight", ("0.1", "weight")),
    ],
)
def test_numbers_belong_to_the_name_before_them(path: str, sites: tuple[str, ...]):
    assert split_path(path) == sites


@given(st.lists(st.sampled_from(["a", "b1", "0", "17"]), min_size=1, max_size=2 * MOST_LEVELS + 40))
def test_no_part_of_a_path_gets_lost(parts: list[str]):
    path = ".".join(parts)
    sites = split_path(path)
    assert ".".join(sites) == path
    assert len(sites) <= MOST_LEVELS


def test_alike_rounds_of_a_loop_are_one_line():
    tree = build_tree(hard_summary("resnet50").rows)
    stage = next(group for group in tree if group.name == "stage1.2")
    assert [(member.name, member.label, member.count) for member in stage.members] == [
        ("unit1", "Bottleneck", 1),
        ("unit2.0-4", "Bottleneck", 5),
    ]
    assert stage.members[1].parameters == 5 * sum(row.parameters for row in stage.members[1].rows)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        pytest.param("repeat 3 { conv(2, 1) }", ["conv1.0-2"], id="layers"),
        pytest.param("repeat 3 { Unit(2) }", ["unit1.0-2"], id="blocks"),
        pytest.param("for n in [2, 2, 3, 2] { Unit(n) }", ["unit1.0-1", "unit1.2", "unit1.3"], id="widths"),
        pytest.param("Unit(2) -> Unit(2)", ["unit1", "unit2"], id="places of their own"),
        pytest.param("repeat 2 { conv(2, 1) -> relu }", ["conv1.0", "relu1.0", "conv1.1", "relu1.1"], id="interleaved"),
        pytest.param("for s in [1, 2] { conv(2, 1, stride = s) }", ["conv1.0", "conv1.1"], id="strides"),
    ],
)
def test_what_is_folded_and_what_is_not(body: str, names: list[str]):
    text = f"block Unit(n) {{ conv(n, 1) -> relu }}\nmodel M {{ input image: 2 x 8 x 8\n{body}\noutput out }}"
    assert [group.name for group in build_tree(summary_of(model_of(text)).rows)] == names


def test_a_block_that_uses_shared_weights_says_so():
    first, second = build_tree(hard_summary("siamese").rows)
    assert (first.name, first.label, first.shared) == ("a", "Tower", False)
    assert (second.name, second.label, second.shared) == ("b", "Tower", True)
    assert len(list(leaves((first, second)))) == 18
