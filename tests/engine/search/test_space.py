"""Search sections: what they may say, which points they have, in which order, and what is said of mistakes."""

from __future__ import annotations

import math
from collections import Counter
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.checking import check_source
from striate.search.dimensions import Choices, Interval, Whole
from striate.search.points import LISTED, all_points, corners, points_to_check, random_points
from striate.search.space import Entry, Space, choose_space, merged, read_space
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.parser import parse
from striate_dsl.source import Source, Span

NET = """model Net(width = 8, act = relu) {
  input image: 1 x 8 x 8
  conv(width, 3) -> act -> flatten -> dense(10)
  output logits
}
model Wide = Net(width = 64)
train Net { data = digits(); loss = cross_entropy; optimizer = sgd(lr = 0.1); epochs = 1; metrics = [accuracy] }
"""


def space(line, model="Net", name=None):
    file = parse(Source("net.cnn", f"{NET}{line}\n")).file
    return read_space(choose_space(file, model, name), file, model)


def codes(line):
    return [(item.code, item.message) for item in check_source(Source("net.cnn", f"{NET}{line}\n")).diagnostics]


def made(*dimensions):
    nowhere = Span(Source("s", ""), 0, 0)
    entries = tuple(Entry(f"train.{index}", item, "", nowhere) for index, item in enumerate(dimensions))
    return Space("Net", None, entries, nowhere)


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("[16, 32, 16]", Choices(("16", "32"))),
        ("[0.1, 1e-3]", Choices(("0.1", "1e-3"))),
        ("[sgd(lr = 0.1), adam]", Choices(("sgd(lr = 0.1)", "adam"))),
        ("4..9", Whole(4, 8)),
        ("int(4, 9)", Whole(4, 9)),
        ("int(8, 30, step = 8)", Whole(8, 30, 8)),
        ("int(low = 1, high = 3)", Whole(1, 3)),
        ("real(0, 0.5)", Interval(0, 0.5)),
        ("real(-1, 2 * 3)", Interval(-1, 6)),
        ("log(1e-4, 1e-1)", Interval(1e-4, 1e-1, log=True)),
        ("[\n  [1, # one\n   2],\n  [3]\n]", Choices(("[ 1 , 2 ]", "[3]"))),
    ],
)
def test_what_a_setting_may_range_over(text, dimension):
    (entry,) = space(f"search Net {{ train.batch = {text} }}").entries
    assert entry.dimension == dimension
    assert entry.key == "train.batch"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("64", "E0410", "does not say which values to try: 64"),
        ("sgd(lr = 0.1)", "E0410", "does not say which values to try"),
        ("half", "E0410", "which values to try: half"),
        ("[]", "E0411", "the list is empty"),
        ("5..5", "E0411", "the range is empty"),
        ("int(5, 5)", "E0411", "has no values to choose from"),
        ("int(5, 9, step = 0)", "E0411", "has no values to choose from"),
        ("int(1, 2.5)", "E0411", "int is for whole numbers"),
        ("int(1)", "E0411", "needs its lowest and its highest value"),
        ("int(1, 2, 3, 4)", "E0411", "has no such argument"),
        ("log(1, 2, base = 2)", "E0411", "has no such argument base"),
        ("log(0, 1)", "E0411", "log needs bounds above 0"),
        ("real(2, 1)", "E0411", "has no values to choose from"),
        ("real(true, 2)", "E0411", "are numbers, not true"),
        ('real("a", 2)', "E0411", 'are numbers, not "a"'),
    ],
)
def test_values_that_make_no_sense(text, code, words):
    ((found, message),) = codes(f"search Net {{ train.batch = {text} }}")
    assert found == code
    assert words in message


@pytest.mark.parametrize(
    ("line", "code", "help_text"),
    [
        ("search Net { model.widht = [1, 2] }", "E0409", "did you mean model.width?"),
        ("search Net { width = [1, 2] }", "E0409", "did you mean model.width?"),
        ("search Net { optimizer.lr = [1, 2] }", "E0409", "did you mean train.optimizer.lr?"),
        ("search Net { train.bacth = [1, 2] }", "E0409", "did you mean train.batch?"),
        ("search Net { train.metrics = [[accuracy]] }", "E0409", None),
        ("search Net { }", "E0411", "for example model.width = [8, 16]"),
        ("search Net { train.batch = [1, 2]; train.batch = [3, 4] }", "E0401", None),
        ("search Nett { train.batch = [1, 2] }", "E0310", "did you mean Net?"),
        ("model Else = Net()\nblock B { relu }\nsearch Other { train.batch = [1, 2] }", "E0310", None),
    ],
)
def test_keys_and_sections_that_are_none(line, code, help_text):
    found = [item for item in check_source(Source("net.cnn", f"{NET}{line}\n")).diagnostics if item.code[0] == "E"]
    assert [item.code for item in found] == [code]
    assert found[0].help == help_text


def test_a_section_needs_a_recipe():
    text = NET.replace("train Net", "train Wide") + "search Net { train.batch = [1, 2] }\n"
    assert [item.code for item in check_source(Source("net.cnn", text)).diagnostics] == ["E0413"]
    bare = NET[: NET.index("train Net")]
    assert [
        item.code for item in check_source(Source("net.cnn", bare + "search { train.batch = [1] }\n")).diagnostics
    ] == ["E0413"]


@pytest.mark.parametrize(
    ("sections", "model", "name", "key"),
    [
        ("search { train.seed = [1, 2] }", "Net", None, "train.seed"),
        ("search { train.seed = [1, 2] }\nsearch Net { train.batch = [1, 2] }", "Wide", None, "train.batch"),
        ("search Wide { train.epochs = [1, 2] }\nsearch Net { train.batch = [1, 2] }", "Wide", None, "train.epochs"),
        ("search Net as a { train.epochs = [1, 2] }", "Net", None, "train.epochs"),
        ("search Net as a { train.epochs = [1] }\nsearch Net as b { train.batch = [1] }", "Net", "b", "train.batch"),
        ("search Net { train.epochs = [1] }\nsearch Net as b { train.batch = [1] }", "Net", None, "train.epochs"),
    ],
)
def test_the_nearest_section_counts(sections, model, name, key):
    assert [entry.key for entry in space(sections, model, name).entries] == [key]


@pytest.mark.parametrize(
    ("sections", "name", "words"),
    [
        ("", None, "Net has no search section"),
        ("search Net as a { train.seed = [1] }\nsearch Net as b { train.seed = [1] }", None, "which one?"),
        ("search Net as a { train.seed = [1] }", "b", "Net has no search section b"),
        ("search Net { train.seed = [1] }\nsearch Net { train.seed = [2] }", None, "have the same name"),
    ],
)
def test_a_section_that_cannot_be_chosen(sections, name, words):
    with pytest.raises(DiagnosticError) as caught:
        space(sections, "Net", name)
    (found,) = caught.value.diagnostics
    assert found.code == "E0413"
    assert words in found.message


# ------------------------------------------------------------------------------------------ points

DIMENSIONS = st.one_of(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True).map(lambda items: Choices(tuple(items))),
    st.builds(
        lambda low, more, step: Whole(low, low + more, step), st.integers(-5, 5), st.integers(1, 6), st.integers(1, 3)
    ),
    st.builds(lambda low, more: Interval(low, low + more), st.floats(-5, 5), st.floats(0.1, 5)),
    st.builds(lambda low, by: Interval(low, low * by, log=True), st.floats(1e-6, 1), st.floats(2, 1000)),
)


@given(st.lists(DIMENSIONS, min_size=1, max_size=3), st.integers(0, 5), st.integers(1, 30))
def test_points_are_different_in_bounds_and_the_same_again(dimensions, seed, number):
    wanted = made(*dimensions)
    points = list(islice(random_points(wanted, seed), number))
    assert points == list(islice(random_points(wanted, seed), number + 10))[:number], "a longer search begins the same"
    assert len({tuple(point.values()) for point in points}) == len(points)
    if wanted.size is not None:
        assert len(points) == min(wanted.size, number)
    for point in points:
        for text, dimension in zip(point.values(), dimensions, strict=True):
            match dimension:
                case Choices(texts):
                    assert text in texts
                case Whole(low, high, step):
                    assert int(text) in range(low, high + 1, step)
                case Interval(low, high):
                    assert float(f"{low:.6g}") <= float(text) <= float(f"{high:.6g}") or low <= float(text) <= high


@given(st.lists(DIMENSIONS, min_size=1, max_size=3))
def test_a_space_with_an_end_is_tried_whole(dimensions):
    wanted = made(*dimensions)
    if wanted.size is None:
        return
    every = {tuple(point.values()) for point in all_points(wanted)}
    assert every == set(product(*([item.at(index) for index in range(item.size)] for item in dimensions)))
    assert {tuple(point.values()) for point in random_points(wanted, 3)} == every


def test_another_seed_gives_another_order():
    wanted = made(Whole(1, 50))
    assert list(islice(random_points(wanted, 0), 5)) != list(islice(random_points(wanted, 1), 5))


def test_log_draws_every_power_of_ten_alike():
    points = islice(random_points(made(Interval(1e-4, 1, log=True)), 0), 4000)
    found = Counter(math.floor(math.log10(float(point["train.0"]))) for point in points)
    assert all(900 < found[power] < 1100 for power in (-4, -3, -2, -1))


def test_a_large_space_with_an_end_is_drawn_from():
    wanted = made(Whole(1, 100), Whole(1, 100))
    assert wanted.size > LISTED
    points = [tuple(point.values()) for point in islice(random_points(wanted, 0), 500)]
    assert len(set(points)) == 500


@given(st.lists(DIMENSIONS, min_size=1, max_size=4))
def test_what_is_tested_has_every_extreme(dimensions):
    wanted = made(*dimensions)
    points = points_to_check(wanted, 24)
    assert len(points) == len({tuple(point.values()) for point in points}) <= 24
    if wanted.size is not None and wanted.size <= 24:
        assert len(points) == wanted.size
    else:
        assert len(points) == 24 or wanted.size is None
    for entry in wanted.entries:
        assert set(entry.dimension.ends) <= {point[entry.key] for point in points}
    assert next(corners(wanted)) == {entry.key: entry.dimension.ends[0] for entry in wanted.entries}


def test_a_whole_part_takes_its_arguments_away():
    below = {"train.optimizer.lr": "0.1", "train.batch": "8"}
    above = {"train.optimizer.momentum": "0.9", "train.optimizer": "sgd(lr = 1)"}
    assert merged(below, above) == {
        "train.batch": "8",
        "train.optimizer": "sgd(lr = 1)",
        "train.optimizer.momentum": "0.9",
    }
