"""The outline, folding, growing selections and colours by meaning."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from striate.editor.server.outline import folds, outline, surroundings
from striate.editor.server.places import Lines
from striate.editor.server.scanner import scan
from striate.editor.server.tokens import semantic_tokens
from tests.engine.editor.desk import NET, ZOO


def test_the_outline_holds_definitions_and_the_names_that_they_give():
    found = [(entry.kind, entry.name, [child.name for child in entry.children]) for entry in outline(scan(NET))]
    assert found == [
        ("block", "ConvBN", ["out", "kernel", "stride", "act"]),
        ("block", "Residual", ["width"]),
        ("model", "Net", ["width", "classes", "image", "early", "tail", "logits"]),
        ("model", "Wide", []),
        ("section", "train Net as long", []),
        ("section", "profile quick", []),
    ]


def test_entries_hold_their_names_and_their_children():
    for path in sorted(ZOO.glob("*.cnn")):
        scanned = scan(path.read_text())
        for entry in outline(scanned):
            assert entry.start <= entry.name_start < entry.name_end <= entry.end, path.name
            for child in entry.children:
                assert entry.start <= child.start <= child.end <= entry.end


@pytest.mark.parametrize(
    "broken",
    [
        NET.replace("model Net(width = 16, classes = 10) {", "model Net(width = 16, classes = 10 {"),
        NET.replace("  } -> relu\n}", "  } -> relu\n"),
        NET.replace("dense(classes)", "dense(classes"),
        NET.replace("repeat 2 { Residual(width) }", "repeat 2 { Residual(width)"),
        NET.replace("add {", "add {{"),
        NET.replace("add {", "add"),
    ],
)
def test_definitions_behind_a_broken_one_are_in_the_outline(broken):
    names = [entry.name for entry in outline(scan(broken))]
    assert names == ["ConvBN", "Residual", "Net", "Wide", "train Net as long", "profile quick"]


def test_bodies_and_runs_of_comments_fold():
    text = "# one\n# two\nblock B {\n  add {\n    relu\n    tanh\n  }\n}\n"
    found = [(fold.first, fold.last, fold.is_comment) for fold in folds(scan(text), Lines(text))]
    assert found == [(2, 6, False), (3, 5, False), (0, 1, True)]


def test_a_selection_grows_from_the_word_to_the_file():
    text = "block B {\n  conv(8 + one, 3) -> relu\n}\n"
    chain = surroundings(scan(text), text.index("one"))
    assert [text[start:end] for start, end in chain] == [
        "one",
        "8 + one, 3",
        "conv(8 + one, 3)",
        "conv(8 + one, 3) -> relu",
        "\n  conv(8 + one, 3) -> relu\n",
        "{\n  conv(8 + one, 3) -> relu\n}",
        text[:-1],
        text,
    ]


def coloured(desk, text: str, *kinds: str) -> list[str]:
    document = desk.write(text)
    found = semantic_tokens(desk.library.sight(document))
    return [text[token.start : token.end] for token in found if token.type in kinds]


def test_every_word_is_coloured_by_what_it_stands_for(desk):
    text = (
        'use "blocks.cnn" as b\n'
        "block Unit(out, act = relu) { conv(out, 3, pad = half) as kept -> act; add(kept) }  # a remark\n"
        "model A { input x: 3 x H x 8; let u = Unit(4); u -> b.Other; output y\n"
        '  assert params < 3k and in.height == 3, "{params}" }\n'
        "train A { loss = cross_entropy; epochs = 3 }\n"
    )
    (desk.folder / "blocks.cnn").write_text("block Other { relu }\n")
    assert coloured(desk, text, "function") == ["relu", "conv", "add", "cross_entropy"]
    assert coloured(desk, text, "class") == ["Unit", "Unit", "Other"]
    assert coloured(desk, text, "type") == ["A", "A"]
    assert coloured(desk, text, "namespace") == ["b", "b"]
    assert coloured(desk, text, "parameter") == ["out", "act", "out", "pad", "act"]
    assert coloured(desk, text, "variable") == ["kept", "kept", "x", "H", "u", "u", "y"]
    assert coloured(desk, text, "property") == ["height", "loss", "epochs"]
    assert coloured(desk, text, "enumMember") == ["half", "params", "params"]
    assert coloured(desk, text, "comment") == ["# a remark"]
    assert coloured(desk, text, "string") == ['"blocks.cnn"', '"{', '}"']
    assert coloured(desk, text, "keyword") == [
        *("use", "as", "block", "as", "model", "input", "let", "output", "assert", "train")
    ]


@pytest.mark.parametrize("path", sorted(ZOO.glob("*.cnn")), ids=lambda path: path.stem)
def test_colours_do_not_overlap_and_leave_no_word_out(desk, path: Path):
    text = path.read_text()
    document = desk.write(text)
    found = semantic_tokens(desk.library.sight(document))
    assert all(before.end <= after.start for before, after in itertools.pairwise(found))
    covered = {offset for token in found for offset in range(token.start, token.end)}
    assert not [text[at] for at in range(len(text)) if text[at].isalnum() and at not in covered]
    assert not [token for token in found if token.type == "enumMember" and text[token.start].isupper()]


def test_a_stretch_has_the_colours_that_all_of_it_has(desk):
    sight = desk.library.sight(desk.write(NET))
    whole = semantic_tokens(sight)
    assert semantic_tokens(sight, 100, 200) == [token for token in whole if token.end > 100 and token.start < 200]
