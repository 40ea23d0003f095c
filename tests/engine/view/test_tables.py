"""Tables fit every width, in every encoding, and say what they should where there is room."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.view.lines import ASCII, BOXES, aligned, cells, clipped, plain, printable, shortened, signs_for
from tests.engine.view.networks import BIG, HARD, hard_summary, summary_of, zoo_model

WIDTHS = (40, 80, 120, 200)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("view", ["tree", "flat"])
@pytest.mark.parametrize("kind", HARD)
def test_no_line_is_wider_than_the_terminal(kind: str, view, width: int):
    text = hard_summary(kind).shown(view=view).text(width)
    assert max(cells(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", range(1, 40, 3))
def test_even_absurd_widths_hold(width: int):
    for kind in ("siamese", "open", "long names"):
        text = hard_summary(kind).text(width)
        assert max(cells(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", HARD)
def test_ascii_is_enough(kind: str, width: int):
    text = hard_summary(kind).text(width, signs=ASCII)
    text.encode("ascii")
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize(
    ("width", "wanted"),
    [
        (40, ["name", "output", "params", "MACs"]),
        (80, ["name", "layer", "output", "params", "MACs", "memory", "field"]),
        (120, ["name", "layer", "output", "parameters", "MACs", "memory", "receptive", "field"]),
    ],
)
def test_columns_go_as_the_width_shrinks(width: int, wanted: list[str]):
    header = hard_summary("resnet50").text(width).splitlines()[2]
    assert header.split() == wanted


def test_digits_where_there_is_room_and_prefixes_where_not():
    wide, narrow = (hard_summary("resnet50").text(width) for width in (120, 80))
    assert re.search(r"dense1 +dense +1000 +2,049,000 +2,048,000", wide)
    assert re.search(r"dense1 +dense +1000 +2\.05 M +2\.05 M", narrow)
    assert "conv 7x7/2" in wide
    for text in (wide, narrow):
        assert "25,557,032, all trainable" in text
        assert "4,089,184,256 (4.09 G)" in text
        assert "53,120 running means and variances" in text


def test_depth_closes_blocks_and_keeps_their_totals():
    summary = hard_summary("resnet50")
    first = summary.shown(depth=1).text(120)
    assert re.search(r"stage1\.3 +Stage +2048 x 7 x 7 +14,964,736 ", first)
    assert "unit1" not in first
    assert " x Bottleneck" not in first
    assert "n x" not in first, "nothing is folded at this depth"
    second = summary.shown(depth=2).text(120)
    assert re.search(r"└ unit2\.0-4 +5 x Bottleneck +1024 x 14 x 14 +5,585,920 ", second)
    assert "conv_bn2" not in second
    assert "alike instances" in second
    assert summary.shown(depth=99).text(120) == summary.text(120)


def test_a_flat_view_has_a_line_per_layer_and_whole_names():
    summary = hard_summary("googlenet").shown(view="flat")
    lines = summary.text(120).splitlines()
    for row in summary.rows:
        assert any(line.startswith(f"{row.name} ") for line in lines)


def test_a_long_path_keeps_its_end_and_a_long_name_its_beginning():
    flat = hard_summary("long names").shown(view="flat").text(80)
    assert re.search(r"^….*conv +", flat, re.MULTILINE)
    tree = hard_summary("long names").text(80)
    assert re.search(r"├ a_name_that.*…", tree)


def test_shared_weights_and_inputs_are_marked():
    text = hard_summary("siamese").text(120)
    assert re.search(r"^left +input +1 x 28 x 28$", text, re.MULTILINE)
    assert re.search(r"^b +Tower +128 +shared +3,868,672", text, re.MULTILINE)


def test_open_sizes_read_as_simply_as_the_domain_allows():
    text = hard_summary("open").text(140)
    assert "16 x H/2 x W/2" in text
    assert "floor" not in text
    assert re.search(r"input sizes +H and W: even", text)
    ragged = hard_summary("ragged").text(200)
    assert "8 x (ceil(H/2) - 1) x (ceil(W/2) - 1)" in ragged


def test_deep_nesting_keeps_names_readable():
    lines = hard_summary("deep").text(80).splitlines()
    assert any("conv1" in line for line in lines)
    assert any("level59" in line for line in lines)
    assert len(hard_summary("deep").shown(depth=3).text(80).splitlines()) < 20


def test_thousands_of_layers_take_no_time():
    summary = hard_summary("big")
    start = time.perf_counter()
    text = summary.text(100)
    assert time.perf_counter() - start < 5, "0.2 s on a desktop machine"
    assert len(text.splitlines()) > BIG


def test_colour_adds_nothing_but_colour():
    for width in (80, 120):
        for kind in ("siamese", "open"):
            summary = hard_summary(kind)
            colored = summary.text(width, color=True)
            assert "\x1b[" in colored
            stripped = [line.rstrip() for line in ESCAPES.sub("", colored).splitlines()]
            assert stripped == summary.text(width).splitlines()


def test_text_has_no_colour_unless_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in str(hard_summary("siamese"))


def test_the_width_is_the_terminals(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "64")
    summary = summary_of(zoo_model("lenet5"))
    assert str(summary) == summary.text(64) != summary.text(100)


@pytest.mark.parametrize(
    ("encoding", "signs"), [("utf-8", BOXES), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII), ("nonsense", ASCII)]
)
def test_boxes_only_where_they_can_be_written(encoding: str | None, signs):
    assert signs_for(encoding) is signs


@given(text=st.text(max_size=30), width=st.integers(0, 30))
def test_cut_texts_fit(text: str, width: int):
    for signs in (BOXES, ASCII):
        for keep in ("start", "end"):
            cut = shortened(text, width, signs, keep=keep)
            assert cells(cut) <= width
            assert cut == text or cells(text) > width
    assert cells(aligned(shortened(text, width, BOXES), width, right=True)) == width


@given(pieces=st.lists(st.text(max_size=8), max_size=5), width=st.integers(0, 20))
def test_clipped_lines_fit(pieces: list[str], width: int):
    line = clipped([(piece, "") for piece in pieces], width)
    whole = "".join(pieces)
    assert cells("".join(text for text, _ in line)) <= width
    assert whole.startswith("".join(text for text, _ in line)) or any(map(cells, whole))


def test_control_characters_of_names_do_not_reach_the_terminal():
    assert printable("conv\x1b[31m\n1") == "conv?[31m?1"
    assert plain([[("a ", "bold"), (" ", "")], [("b", "dim")]]) == "a\nb"
