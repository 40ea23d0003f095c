"""What the editor knows of names of plugins' things: qualified, given another name by a file, and clashing."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from striate.editor.server.completion import complete
from striate.editor.server.hover import hover
from striate.editor.server.navigation import definitions, references
from striate.editor.server.renaming import prepare, rename
from striate.editor.server.soundness import RefusedError
from striate.editor.server.tokens import semantic_tokens
from striate_dsl.edits import apply_edits
from tests.engine.editor.desk import Desk
from tests.engine.host.distributions import install

CODE = """\
from striate.plugin import Argument, Factory, HeadRecord, Integer, LossRecord, OpRecord, Real, hookimpl

def shape(attributes, inputs, check):
    return inputs

def torch(call):
    return call.inputs[0]

def onnx(call, sink):
    sink.node("Identity", call.inputs, call.outputs)

TIMES = (Argument("times", Integer(), "How often it is turned.", 1),)
GAMMA = (Argument("gamma", Real(), "How much easy examples count less.", 2.0),)

@hookimpl
def striate_layers(context):
    return [OpRecord("swirl", "Turns nothing, says §.", shape, torch, onnx, arguments=TIMES)]

@hookimpl
def striate_losses(context):
    return [LossRecord("focal", "A loss of §", Factory("§_plugin:make"), GAMMA)]

@hookimpl
def striate_heads(context):
    return [HeadRecord("masks", "A head of §", "block M(classes) { conv(classes, 1) }", "m.cnn", ("scores",), "a")]

def make(gamma):
    return None
"""
MANIFEST = '[provides]\nlayers = ["swirl"]\nlosses = ["focal"]\nheads = ["masks"]\n'

TEXT = """\
use one.swirl as turned
use one.focal as focal_loss
model Net {
  input image: 3 x 8 x 8
  conv(4, 3) -> turned(times = 2) -> two.swirl(times = 3) -> turned
  output y
}
train Net {
  data = digits()
  loss = focal_loss(gamma = 3)
  optimizer = sgd(lr = 0.1)
  epochs = 1
}
"""


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Iterator[Desk]:
    """A desk with the plugins one and two installed, which have the same names."""
    site = tmp_path / "site"
    site.mkdir()
    for name in ("one", "two"):
        install(site, name, CODE.replace("§", name), MANIFEST)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("STRIATE_CONFIG", str(tmp_path / "config"))
    (tmp_path / "work").mkdir()
    yield Desk(tmp_path / "work")
    for name in ("one_plugin", "two_plugin"):
        sys.modules.pop(name, None)


def labels(desk, marked):
    return {item.label for item in complete(*desk.at(marked)).proposals}


def test_nothing_is_wrong_with_the_text(desk):
    assert desk.findings(desk.write(TEXT, settled=True)) == []


@pytest.mark.parametrize(
    ("words", "within", "said"),
    [
        ("as turned", 4, ["`turned` is `one.swirl` in this file.", "says one", "How often it is turned."]),
        ("one.swirl", 5, ["says one"]),
        ("turned(times", 1, ["`turned` is `one.swirl` in this file.", "says one"]),
        ("two.swirl(", 5, ["says two"]),
        ("times = 2", 1, ["How often it is turned."]),
        ("times = 3", 1, ["How often it is turned."]),
        ("focal_loss(", 1, ["`focal_loss` is `one.focal` in this file.", "A loss of one", "Provided by one."]),
        ("gamma", 1, ["How much easy examples count less."]),
        ("as focal_loss", 4, ["A loss of one"]),
    ],
)
def test_hover(desk, words, within, said):
    found = hover(*desk.on(desk.write(TEXT), words, within))
    assert found is not None
    for each in said:
        assert each in found.text


@pytest.mark.parametrize(
    ("words", "within", "file", "line"),
    [
        ("as turned", 4, "one_plugin", '"swirl"'),
        ("one.swirl", 5, "one_plugin", '"swirl"'),
        ("turned(times", 1, "one_plugin", '"swirl"'),
        ("two.swirl(", 5, "two_plugin", '"swirl"'),
        ("focal_loss(", 1, "one_plugin", "def make"),
        ("as focal_loss", 4, "one_plugin", "def make"),
    ],
)
def test_definitions_lead_to_the_plugins_python(desk, words, within, file, line):
    (target,) = definitions(*desk.on(desk.write(TEXT), words, within))
    assert target.path is not None
    assert target.path.parent.name == file
    assert line in target.path.read_text().split("\n")[target.start]


def test_references_are_all_uses_of_the_name(desk):
    document = desk.write(TEXT)
    found = references(*desk.on(document, "as turned", 4))
    text = document.source.text
    assert [text[item.start - 3 : item.end] for item in found] == ["as turned", "-> turned", "-> turned"]
    (qualified,) = references(*desk.on(document, "two.swirl", 5))
    assert text[qualified.start - 4 : qualified.end] == "two.swirl"


@pytest.mark.parametrize(("words", "within", "old"), [("as turned", 4, "turned"), ("focal_loss(", 1, "focal_loss")])
def test_renaming_changes_the_statement_and_all_uses(desk, words, within, old):
    asked = desk.on(desk.write(TEXT), words, within)
    assert prepare(*asked).name == old
    ((source, edits),) = rename(*asked, "other").items()
    text = apply_edits(source.text, edits)
    assert text == TEXT.replace(old, "other")
    assert desk.findings(desk.write(text, settled=True)) == []


def test_what_cannot_be_renamed(desk):
    document = desk.write(TEXT)
    for words, within, new in (("as turned", 4, "image"), ("as turned", 4, "focal_loss"), ("two.swirl", 5, "other")):
        with pytest.raises(RefusedError):
            rename(*desk.on(document, words, within), new)


def test_completion_offers_the_files_names_and_whole_ones_in_a_clash(desk):
    steps = labels(desk, TEXT.replace("-> turned\n", "-> |\n"))
    assert {"turned", "one.swirl", "two.swirl", "conv", "relu"} <= steps
    assert not {"swirl", "focal_loss"} & steps
    losses = labels(desk, TEXT.replace("loss = focal_loss(gamma = 3)", "loss = |"))
    assert {"focal_loss", "one.focal", "two.focal", "cross_entropy"} <= losses
    assert not {"focal", "turned"} & losses
    assert {"times"} <= labels(desk, TEXT.replace("turned(times = 2)", "turned(|)"))
    assert {"gamma"} <= labels(desk, TEXT.replace("focal_loss(gamma = 3)", "focal_loss(|)"))


def test_completion_behind_use(desk):
    assert {"swirl", "focal", "masks"} <= labels(desk, "use one.|\n" + TEXT)
    assert {"one.swirl", "two.focal", "zoo.resnet"} <= labels(desk, "use |\n" + TEXT)


def test_colours(desk):
    document = desk.write(TEXT)
    found = [
        TEXT[token.start : token.end]
        for token in semantic_tokens(desk.library.sight(document))
        if token.type == "function"
    ]
    assert found.count("turned") == 3
    assert found.count("focal_loss") == 2


def test_a_clash_is_told_at_its_place_and_the_words_around_it_are_known(desk):
    document = desk.write(TEXT.replace("two.swirl(times = 3)", "swirl"))
    assert desk.findings(document) == [("E0702", "swirl")]
    assert hover(*desk.on(document, "turned(times", 1)) is not None
    assert "swirl is provided by one and two" in hover(*desk.on(document, "-> swirl", 4)).text


def test_what_a_name_stands_for_may_change(desk):
    assert desk.findings(desk.write(TEXT)) == []
    changed = TEXT.replace("use one.swirl as turned", "use two.swirl as turned")
    document = desk.write(changed)
    assert desk.findings(document) == []
    (build,) = {id(item): item for item in document.builder.builds.values()}.values()
    assert [node.op for node in build.graph.nodes] == ["conv", "two.swirl", "two.swirl", "two.swirl"]
