"""From uses to definitions and back, also over files; renaming, and when it is refused."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from striate.checking import check_source
from striate.editor.server.navigation import definitions, mentions, references
from striate.editor.server.renaming import prepare, rename
from striate.editor.server.soundness import RefusedError
from striate.ops import conv
from striate_dsl.edits import apply_edits
from striate_dsl.source import Source
from tests.engine.editor.desk import NET, Desk, marked

BLOCKS = "block Halve(out, act = relu) {\n  conv(out, 3, stride = 2, pad = 1) -> act\n}\n"
USER = """\
use "blocks.cnn"
model A(width = 4) {
  input x: 3 x 8 x 8
  Halve(width) -> Halve(out = width, act = tanh)
  output y
}
"""
PREFIXED = USER.replace('"blocks.cnn"', '"blocks.cnn" as b').replace("Halve", "b.Halve")


def targets(found) -> list[str]:
    return [
        f"{target.source.name.rpartition('/')[2]}:{marked(target.source.text, [(target.start, target.end)])[0]}"
        for target in found
        if target.source is not None
    ]


@pytest.mark.parametrize(
    ("words", "within", "expected"),
    [
        ("Residual(width) }", 0, ["net.cnn:6:Residual"]),
        ("ConvBN(2 * width", 0, ["net.cnn:1:ConvBN"]),
        ("Net(width = 64)", 0, ["net.cnn:13:Net"]),
        ("Net as long", 0, ["net.cnn:13:Net"]),
        ("early)", 0, ["net.cnn:15:early"]),
        ("tail ->", 0, ["net.cnn:17:tail"]),
        ("width, 1)", 0, ["net.cnn:13:width"]),
        ("width, 3) -> ConvBN", 0, ["net.cnn:6:width"]),
        ("act = identity", 0, ["net.cnn:1:act"]),
        ("stride = 2)", 0, ["net.cnn:1:stride"]),
        ("width = 64", 0, ["net.cnn:13:width"]),
        ("classes = 5", 0, ["net.cnn:13:classes"]),
        ("logits", 0, ["net.cnn:19:logits"]),
    ],
)
def test_a_use_leads_to_its_definition(desk, words, within, expected):
    assert targets(definitions(*desk.on(desk.write(NET), words, within))) == expected


def test_a_layer_leads_to_its_record_in_python(desk):
    (found,) = definitions(*desk.on(desk.write(NET), "conv("))
    assert str(found.path) == inspect.getsourcefile(conv)
    assert 'name="conv"' in found.path.read_text().split("\n")[found.start]


def test_a_record_leads_to_the_function_that_makes_it(desk):
    text = NET.replace("sgd(lr = 0.05, momentum = 0.9)", "adam()")
    (found,) = definitions(*desk.on(desk.write(text), "adam"))
    assert found.path.name == "adaptive_torch.py"
    assert found.path.read_text().split("\n")[found.start].startswith("def adam(")


def test_used_files_and_what_is_in_them_are_found(desk):
    (desk.folder / "blocks.cnn").write_text(BLOCKS)
    document = desk.write(USER)
    (file,) = definitions(*desk.on(document, "blocks.cnn"))
    assert file.source.text == BLOCKS
    assert targets(definitions(*desk.on(document, "Halve"))) == ["blocks.cnn:1:Halve"]
    assert targets(definitions(*desk.on(document, "act = tanh"))) == ["blocks.cnn:1:act"]
    prefixed = desk.write(PREFIXED)
    assert targets(definitions(*desk.on(prefixed, "Halve"))) == ["blocks.cnn:1:Halve"]
    assert targets(definitions(*desk.on(prefixed, "b.Halve"))) == ["net.cnn:1:b"]


def test_a_file_of_a_plugin_is_found_where_it_is_installed(desk):
    document = desk.write("use zoo.resnet\nmodel Flowers = ResNet18(classes = 102)\n")
    assert targets(definitions(*desk.on(document, "ResNet18"))) == ["resnet.cnn:50:ResNet18"]
    (file,) = definitions(*desk.on(document, "resnet"))
    assert desk.library.texts.path_of(file.source).name == "resnet.cnn"


def test_uses_are_found_in_all_files_that_see_the_name(desk):
    (desk.folder / "closed.cnn").write_text(USER)
    (desk.folder / "blocks.cnn").write_text(BLOCKS)
    desk.write(PREFIXED, "prefixed.cnn")
    document = desk.write(BLOCKS, "blocks.cnn")
    found = targets(references(*desk.on(document, "Halve")))
    assert found == [
        "blocks.cnn:1:Halve",
        "prefixed.cnn:4:Halve",
        "prefixed.cnn:4:Halve",
        "closed.cnn:4:Halve",
        "closed.cnn:4:Halve",
    ]
    assert targets(references(*desk.on(document, "Halve"), declaration=False)) == found[1:]
    assert targets(references(*desk.on(document, "out,"))) == [
        "blocks.cnn:1:out",
        "blocks.cnn:2:out",
        "prefixed.cnn:4:out",
        "closed.cnn:4:out",
    ]


def test_names_of_two_blocks_are_not_mixed_up(desk):
    document = desk.write(NET)
    library, document, offset = desk.on(document, "width) {")
    found = mentions(library, document, offset)
    assert marked(document.source.text, [(item.start, item.end) for item in found]) == ["6:width", "8:width", "8:width"]
    assert [item.gives for item in found] == [True, False, False]


def test_places_are_found_in_a_body_that_is_broken(desk):
    document = desk.write(NET.replace("let tail = ConvBN(2 * width, 1)", "let tail = ConvBN(2 * width, "))
    assert targets(definitions(*desk.on(document, "early)"))) == ["net.cnn:15:early"]
    assert targets(definitions(*desk.on(document, "Residual(width) }"))) == ["net.cnn:6:Residual"]


# ---------------------------------------------------------------------------------------------- renaming


def renamed(desk: Desk, document, words: str, name: str, within: int = 0) -> dict[str, str]:
    edits = rename(*desk.on(document, words, within), name)
    return {source.name.rpartition("/")[2]: apply_edits(source.text, made) for source, made in edits.items()}


@pytest.mark.parametrize(
    ("words", "old", "new", "count"),
    [
        ("early", "early", "before", 2),
        ("tail =", "tail", "last", 2),
        ("Residual", "Residual", "Unit", 2),
        ("Net(width = 16", "Net", "Network", 3),
        ("kernel,", "kernel", "size", 2),
        ("long", "long", "slow", 1),
        ("quick", "quick", "short", 1),
        ("classes = 10", "classes", "kinds", 3),
        ("logits", "logits", "scores", 1),
        ("image", "image", "picture", 1),
    ],
)
def test_a_name_is_changed_everywhere_and_nowhere_else(desk, words, old, new, count):
    (text,) = renamed(desk, desk.write(NET), words, new).values()
    assert text.count(new) == count
    before, after = check_source(Source("net.cnn", NET)), check_source(Source("net.cnn", text))
    assert [item.code for item in before.diagnostics] == [item.code for item in after.diagnostics]
    assert len(text) == len(NET) + count * (len(new) - len(old))


def test_a_block_is_renamed_in_all_files(desk):
    (desk.folder / "closed.cnn").write_text(USER)
    (desk.folder / "blocks.cnn").write_text(BLOCKS)
    desk.write(PREFIXED, "prefixed.cnn")
    found = renamed(desk, desk.write(BLOCKS, "blocks.cnn"), "Halve", "Half")
    assert found == {
        "blocks.cnn": BLOCKS.replace("Halve", "Half"),
        "closed.cnn": USER.replace("Halve", "Half"),
        "prefixed.cnn": PREFIXED.replace("Halve", "Half"),
    }


def test_a_name_in_the_message_of_a_contract_is_renamed_too(desk):
    text = (
        "model A(width = 4) {\n input x: 3 x 8 x 8\n"
        ' assert width < 9, "{width} is much"\n conv(width, 1)\n output y\n}\n'
    )
    assert renamed(desk, desk.write(text), "width", "many")["net.cnn"] == text.replace("width", "many")


@pytest.mark.parametrize(
    ("words", "name", "reason"),
    [
        ("early", "9lives", "'9lives' is no name"),
        ("early", "größe", "'größe' is no name"),
        ("early", "", "'' is no name"),
        ("early", "repeat", "repeat is a word of the language"),
        ("early", "tail", "tail already means something"),
        ("early", "flatten", "flatten already means something"),
        ("early", "logits", "logits already means something"),
        ("Residual", "ConvBN", "ConvBN already means something"),
        ("Residual", "conv", "conv already means something"),
        ("conv(", "convolution", "conv is not given in this project"),
        ("sgd", "descent", "sgd is not given in this project"),
        ("repeat", "again", "there is no name here"),
    ],
)
def test_a_renaming_that_would_break_something_is_refused(desk, words, name, reason):
    with pytest.raises(RefusedError, match=reason):
        rename(*desk.on(desk.write(NET), words), name)


def test_a_parameter_that_is_given_through_another_one_is_not_renamed(desk):
    text = (
        "block Small(out) { conv(out, 1) }\n"
        "block Twice(unit) { unit(out = 4); unit(out = 4) }\n"
        "model A {\n input x: 3 x 8 x 8\n Twice(Small)\n output y\n}\n"
    )
    with pytest.raises(RefusedError, match="this would be a mistake: line 2: Small has no parameter out"):
        rename(*desk.on(desk.write(text), "out"), "wide")


def test_a_profile_that_sets_several_models_keeps_a_parameter_from_being_renamed(desk):
    text = NET + "model Other(classes = 3) {\n input x: 3 x 8 x 8\n flatten -> dense(classes)\n output y\n}\n"
    with pytest.raises(RefusedError, match="a profile sets classes for several models"):
        rename(*desk.on(desk.write(text), "classes = 10"), "kinds")


def test_what_belongs_to_a_plugin_is_not_renamed(desk):
    document = desk.write("use zoo.resnet\nmodel Flowers = ResNet18(classes = 102)\n")
    with pytest.raises(RefusedError, match="belongs to a plugin"):
        prepare(*desk.on(document, "ResNet18"))
    with pytest.raises(RefusedError, match="belongs to a plugin"):
        rename(*desk.on(document, "classes"), "kinds")


def test_the_name_that_will_be_changed_is_told_first(desk):
    library, document, offset = desk.on(desk.write(NET), "early)", 2)
    found = prepare(library, document, offset)
    assert (document.source.text[found.start : found.end], found.name) == ("early", "early")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(NET)), st.sampled_from(["fresh", "width", "act", "image", "ConvBN", "relu", "out", "x"]))
def test_a_renaming_never_changes_what_is_computed(desk, offset, name):
    document = desk.write(NET)
    try:
        edits = rename(desk.library, document, offset, name)
    except RefusedError:
        return
    text = apply_edits(NET, edits.get(document.source, []))
    before, after = check_source(Source("n.cnn", NET)), check_source(Source("n.cnn", text))
    assert [item.code for item in before.diagnostics] == [item.code for item in after.diagnostics]


def test_each_of_several_names_is_a_definition(desk):
    text = "model N {\n  input x: 4 x 8 x 8\n  split(2) as (left, right)\n  right -> add(left)\n  output y\n}\n"
    source = desk.write(text)
    assert targets(definitions(*desk.on(source, "right ->", 0))) == ["net.cnn:3:right"]
    assert targets(definitions(*desk.on(source, "left)\n  output", 0))) == ["net.cnn:3:left"]


PATHS = """\
model Net {
  input image: 3 x 8 x 8
  let tower.0.conv1 = conv(4, 3)
  tower.0.conv1 as stage1.0.conv1 -> relu
  conv(stage1.0.conv1.channels, 1) -> add(stage1.0.conv1)
  output stage1.0.conv1 as early
  output y
}
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("stage1.0.conv1)", ["net.cnn:4:stage1.0.conv1"]),
        ("stage1.0.conv1 as early", ["net.cnn:4:stage1.0.conv1"]),
        ("tower.0.conv1 as", ["net.cnn:3:tower.0.conv1"]),
    ],
)
def test_a_path_leads_to_the_layer_of_that_name(desk, words, expected):
    assert targets(definitions(*desk.on(desk.write(PATHS), words))) == expected
