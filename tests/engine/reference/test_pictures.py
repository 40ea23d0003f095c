"""The pictures of layers: small, whole in themselves, readable on any ground, and of what layers really compute."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

from striate.ops import BUILTIN
from striate.reference.pictures import PICTURES, WITHOUT, picture
from striate.reference.pictures.drawing import cells, curves, grey, laid_out
from striate.reference.pictures.execution import channels_of, reach, results, seen_from
from striate.reference.pictures.values import counting, mixed, photo

LARGEST, ALL_TOGETHER = 30_000, 1_500_000
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    made = {name: picture(BUILTIN[name]) for name in PICTURES}
    return {name: text for name, text in made.items() if text is not None}


def test_every_layer_has_a_picture_or_a_reason_for_none():
    assert {*PICTURES, *WITHOUT} == set(BUILTIN)
    assert not set(PICTURES) & set(WITHOUT)
    assert all(len(reason) > 15 for reason in WITHOUT.values())
    assert all(picture(BUILTIN[name]) is None for name in WITHOUT)


def test_pictures_are_small(drawn: dict[str, str]):
    assert {name: len(text) for name, text in drawn.items() if len(text) > LARGEST} == {}
    assert sum(map(len, drawn.values())) < ALL_TOGETHER


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_whole_in_themselves(drawn: dict[str, str], name: str):
    root = ElementTree.fromstring(drawn[name])
    assert root.tag == f"{SVG}svg"
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    assert 0 < width <= 760 and 0 < height <= 800
    for item in root.iter():
        assert item.tag in {f"{SVG}{tag}" for tag in ("svg", "g", "text", "path", "image")}
        assert item.get("href", "data:image/png").startswith("data:image/png")
    assert not {"nan", "inf", "-inf"} & {item.text for item in root.iter(f"{SVG}text")}
    assert re.search(r"<(path|image|text)", drawn[name])


def test_pictures_are_the_same_every_time(drawn: dict[str, str]):
    state = torch.get_rng_state()
    for name in ("dropout", "bilateral", "attention", "gelu"):
        assert picture(BUILTIN[name]) == drawn[name]
    assert torch.equal(torch.get_rng_state(), state), "drawing leaves the numbers that others draw alone"


def test_cells_hold_the_numbers_that_the_layer_gives(drawn: dict[str, str]):
    texts = re.findall(r">([^<>]+)</text>", drawn["flip"])
    flipped = torch.flip(counting((2, 2, 3)), (3,)).flatten().long().tolist()
    at = texts.index("flip(width)") + 1
    assert texts[at : at + 12] == [str(number) for number in flipped]


def test_a_picture_of_a_window_shows_the_window():
    record = BUILTIN["conv"]
    call = {"channels": 1, "kernel": 3, "dilation": 2}
    seen, out = seen_from(record, call, mixed((1, 7, 7)), {"weight": 1.0, "bias": 0.0}, (1, 1))
    assert out.shape == (1, 1, 3, 3)
    assert [[int(y), int(x)] for y, x in seen[0, 0].nonzero()] == [[y, x] for y in (1, 3, 5) for x in (1, 3, 5)]


def test_a_causal_reach_is_a_triangle():
    found = reach(BUILTIN["lstm"], {"hidden": 2}, [mixed((2, 5)) / 10], {})
    assert torch.equal(found, torch.ones(5, 5, dtype=found.dtype).tril())


def test_training_is_drawn_as_training():
    (dropped,) = results(BUILTIN["dropout"], {"rate": 0.5}, [counting((1, 8, 8))], training=True)
    assert 10 < int((dropped == 0).sum()) < 54
    (kept,) = results(BUILTIN["dropout"], {"rate": 0.5}, [counting((1, 8, 8))])
    assert torch.equal(kept, counting((1, 8, 8)))


def test_a_curve_breaks_where_it_leaves_or_jumps():
    text = curves([0, 1, 2, 3, 4], [("jump", [0.0, 0.0, 3.9, 9.0, 3.9])], 0, 4).svg()
    (path,) = re.findall(r'd="([^"]+)" fill="none"', text)
    assert path.count("M") == 3


def test_grey_images_are_pngs_of_the_numbers():
    rows = photo()[0, 0].tolist()
    (image,) = re.findall(r"base64,([^\"]+)", laid_out([grey("photo", rows, 2)]).svg())
    read = Image.open(BytesIO(b64decode(image)))
    assert (read.mode, read.size) == ("L", (48, 48))
    assert list(read.tobytes()) == [round(255 * value) for row in rows for value in row]


def test_panels_wrap_and_titles_are_escaped():
    panel = cells("a < b & c", channels_of(counting((1, 3, 12))), 1, 36)
    drawing = laid_out([panel] * 4)
    assert drawing.width < 760 and drawing.height > 2 * panel.height
    assert "a &lt; b &amp; c" in drawing.svg()
