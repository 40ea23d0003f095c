"""What is shown for a word, and behind the lines; the numbers are those of the formula and of published networks."""

from __future__ import annotations

import pytest

from striate.codes import catalogue
from striate.editor.server.hints import hints
from striate.editor.server.hover import hover
from tests.engine.editor.desk import NET, ZOO, Desk


def shown(desk: Desk, words: str, within: int = 0, text: str = NET) -> str:
    found = hover(*desk.on(desk.write(text), words, within))
    assert found is not None
    return found.text


def test_a_layer_shows_signature_formula_costs_and_path_of_every_instance(desk):
    text = shown(desk, "conv(out")
    assert text.startswith("```cnn\nconv(channels, kernel, stride = 1, pad = 0,")
    first = text.split("---\n\n")[1].split("\n\n")[0]
    assert first == (
        "**Net** `early.conv1`  \n"
        "3 x 32 x 32 → 16 x 16 x 16  \n"
        "height, width: `floor((32 + 2*1 - 3)/2) + 1 = 16`  \n"
        "432 parameters, 111 k MACs, sees 3 x 3"
    )
    assert text.count("**Net**") == 3
    assert text.endswith("and 9 more: 16 x 16 x 16 … 128 x 16 x 16")  # 12 runs: 6 in Net, 6 in Wide


def test_a_layer_whose_axes_differ_shows_both_formulas(desk):
    text = shown(desk, "conv", text="model A {\n input x: 3 x 8 x 9\n conv(4, (3, 2))\n output y\n}\n")
    assert "height: `8 - 3 + 1 = 6`  \nwidth: `9 - 2 + 1 = 8`" in text


def test_sequences_and_volumes_have_formulas_for_their_own_axes(desk):
    text = "model A {{\n input x: {}\n conv(4, 3, stride = 2)\n output y\n}}\n"
    assert "\nlength: `floor((64 - 3)/2) + 1 = 31`" in shown(desk, "conv", text=text.format("2 x 64"))
    volume = shown(desk, "conv", text=text.format("2 x 9 x 8 x 8"))
    assert "depth: `floor((9 - 3)/2) + 1 = 4`  \nheight, width: `floor((8 - 3)/2) + 1 = 3`" in volume
    assert volume.endswith("sees 3 x 3 x 3")


def test_a_block_shows_its_head_its_comment_and_what_this_call_makes(desk):
    assert shown(desk, "Residual(width) }") == (
        "```cnn\nblock Residual(width)\n```\n\nTwo convolutions and a way round them\n\n"
        "**Net** `residual1.0`  \n16 x 16 x 16 → 16 x 16 x 16  \n9 layers, 4,672 parameters\n\n"
        "**Net** `residual1.1`  \n16 x 16 x 16 → 16 x 16 x 16  \n9 layers, 4,672 parameters\n\n"
        "**Wide** `residual1.0`  \n64 x 16 x 16 → 64 x 16 x 16  \n9 layers, 73,984 parameters\n\n"
        "and 1 more: 64 x 16 x 16"
    )


def test_a_model_shows_its_totals(desk):
    document = desk.write((ZOO / "resnet.cnn").read_text())
    found = hover(*desk.on(document, "ResNet50 "))
    assert found.text.endswith("187 layers, 25,557,032 parameters, 4.09 G MACs")  # He et al., 2015


@pytest.mark.parametrize(
    ("words", "within", "expected"),
    [
        ("early)", 0, "`early`: a named value\n\n`16 x 16 x 16`, `64 x 16 x 16`"),
        ("image:", 0, "`image`: an input\n\n`3 x 32 x 32`"),
        ("tail ->", 0, "`tail`: made with `let`\n\n`ConvBN(2 * width, 1)`"),
        ("width, 3) -> ConvBN", 0, "`width`: a parameter of `Residual`\n\n`16`, `64`"),
        ("act\n", 0, "`act`: a parameter of `ConvBN`\n\n`relu`, `identity`"),
        ("stride = 2", 0, "`stride`: a parameter of `ConvBN`\n\n`2`, `1`"),
        ("classes = 5", 0, "`classes`: a parameter of `Net`\n\n`10`"),
        ("pad = half", 0, "`pad = 0` of `conv`\n\nRows and columns added around the image; fill says what they hold."),
        ("half", 0, "`pad = 0` of `conv`"),
        ("momentum", 0, "`momentum = 0.0` of `sgd`\n\nShare of the last step that is kept."),
        ("sgd", 0, "```cnn\nsgd(lr, momentum = 0.0,"),
        ("optimizer", 0, "`optimizer`\n\nHow the weights follow the gradients."),
        ("epochs ", 0, "`epochs` of `train`\n\nHow often the training images are gone through."),
        ("epochs = 1", 0, "`epochs` of `train`"),
        ("repeat", 0, "`repeat 3 { … }`"),
        ("output", 0, "`output logits`"),
        ("logits", 0, "`logits`: an output"),
    ],
)
def test_every_kind_of_word_has_a_description(desk, words, within, expected):
    assert shown(desk, words, within).startswith(expected)


def test_a_code_in_a_comment_shows_its_page(desk):
    text = NET.replace("-> bn -> act", "-> bn -> act  # allow W0102")
    assert shown(desk, "W0102", 2, text) == catalogue()["W0102"].text


def test_nothing_is_said_of_signs_numbers_and_unknown_names(desk):
    document = desk.write("model A {\n input x: 3 x 8 x 8\n nonsense(3)\n output y\n}\n")
    assert hover(*desk.on(document, "nonsense")) is None
    assert hover(*desk.on(document, "(3)", 1)) is None


def lines_with_hints(desk: Desk, text: str) -> dict[str, str]:
    document = desk.write(text)
    current = document.source.text
    found = hints(desk.library, document, 0, len(current))
    for hint in found:
        rest = current[hint.offset : (current + "\n").index("\n", hint.offset)]
        assert not rest.strip() or rest.strip().startswith("#"), "a hint stands behind the code of its line"
    return {current[: hint.offset].rpartition("\n")[2].strip(): hint.text for hint in found}


def test_hints_show_the_size_behind_each_line(desk):
    assert lines_with_hints(desk, NET) == {
        "conv(out, kernel, stride = stride, pad = half, bias = false) -> bn -> act": "16 x 16 x 16 … 128 x 16 x 16",
        "ConvBN(width, 3) -> ConvBN(width, 3, act = identity)": "16 x 16 x 16 … 64 x 16 x 16",
        "identity": "16 x 16 x 16 … 64 x 16 x 16",
        "} -> relu": "16 x 16 x 16 … 64 x 16 x 16",
        "ConvBN(width, 3, stride = 2) as early": "16 x 16 x 16 … 64 x 16 x 16",
        "repeat 2 { Residual(width) }": "16 x 16 x 16 … 64 x 16 x 16",
        "tail -> concat(early) -> global_avgpool -> flatten -> dense(classes)": "10",
    }


def test_hints_of_one_model_are_exact_and_open_sizes_stay_open(desk):
    found = lines_with_hints(
        desk, "model A {\n input x: 3 x H x 32\n conv(8, 3)   # a comment\n maxpool(2) -> relu\n output y\n}\n"
    )
    assert found == {"conv(8, 3)": "8 x (H - 2) x 30", "maxpool(2) -> relu": "8 x (floor(H/2) - 1) x 15"}


def test_hints_stay_where_the_text_is_broken_elsewhere(desk):
    whole = lines_with_hints(desk, NET)
    broken = lines_with_hints(desk, NET.replace("let tail = ConvBN(2 * width, 1)", "let tail = ConvBN(2 * wid"))
    changed = {line: size for line, size in broken.items() if whole[line] != size}
    assert broken.keys() == whole.keys()
    assert list(changed.values()) == ["16 x 16 x 16 … 64 x 16 x 16"]  # one use of ConvBN less


def test_lines_before_a_size_that_does_not_fit_have_hints_at_once(desk):
    text = "model A {\n input x: 3 x 8 x 8\n conv(4, 3)\n conv(4, 9)\n relu\n output y\n}\n"
    assert lines_with_hints(desk, text) == {"conv(4, 3)": "4 x 6 x 6"}


def test_hints_of_a_block_file_come_from_the_open_files_that_use_it(desk):
    blocks = "block Halve(out) {\n  conv(out, 3, stride = 2, pad = 1)\n}\n"
    desk.write(blocks, "blocks.cnn")
    desk.write('use "blocks.cnn"\nmodel A {\n input x: 3 x 8 x 8\n Halve(4)\n output y\n}\n', "user.cnn")
    document = desk.write(blocks, "blocks.cnn")
    assert [hint.text for hint in hints(desk.library, document, 0, 100)] == ["4 x 4 x 4"]


def test_a_model_that_was_deleted_shows_no_sizes_any_more(desk):
    text = "block B(out) { conv(out, 1) }\n" + "".join(
        f"model {name} {{\n input x: 3 x {size} x {size}\n B({size})\n output y\n}}\n"
        for name, size in (("A", 8), ("C", 9))
    )
    document = desk.write(text)
    assert hints(desk.library, document, 0, 30)[0].text == "8 x 8 x 8 … 9 x 9 x 9"
    document = desk.write(text[: text.index("model C")])
    assert hints(desk.library, document, 0, 30)[0].text == "8 x 8 x 8"
