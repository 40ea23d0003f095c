"""Objects that a head states: what is a size, which value must see which object, what plugins' heads can state."""

from __future__ import annotations

import re

import pytest

from striate.checking import check_source
from striate.elaborate import elaborate
from striate.graph import Extent, fingerprint
from striate.host.catalogue import HostCatalogue
from striate.host.records import HeadRecord
from striate.lint import Network, Subject, lint
from striate.model import load_source
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.engine.lints.faults import with_head
from tests.engine.stand_ins import Entry, load_plugins, providing

ANCHORS = HeadRecord(
    "boxes",
    "Boxes around objects",
    "block Boxes(fine, coarse, anchors = [[8], [16, (40, 20)]]) { coarse -> conv(4, 1) }",
    "boxes.cnn",
    ("boxes",),
    "detection",
    objects="anchors",
)
TWO = """model Net {
  input image: 3 x 64 x 64
  conv(8, 3, stride = 2, pad = 1) as fine
  conv(8, 3, stride = 2, pad = 1) as coarse
  head boxes(fine, coarse%s)
}
"""


@pytest.fixture
def catalogue():
    return HostCatalogue(plugins=load_plugins([Entry("acme", providing(striate_heads=[ANCHORS]))]))


def found(text, catalogue):
    file = parse(Source("net.cnn", text)).file
    built = elaborate(file, "Net", catalogue)
    assert built.diagnostics == ()
    return built, [item for item in lint(Subject(file, [Network(built.graph)])) if item.code == "W0120"]


def findings(objects):
    text = with_head("conv(8, 3)", f"segmentation(classes = 2, objects = {objects})")
    return check_source(Source("net.cnn", text)).diagnostics


@pytest.mark.parametrize("objects", ['"small"', "0", "2.5", "(1, 2, 3)", "[3, 0]", "true", "[[1], [2]]", "-3", "small"])
def test_what_is_no_size_is_a_mistake(objects):
    (item,) = findings(objects)
    assert item.code == "E0347"
    assert item.span.text == objects
    assert item.help


def test_what_a_head_states_is_kept_apart_from_what_is_computed():
    plain = load_source(Source("net.cnn", with_head("conv(8, 3)", "segmentation(classes = 2)")))
    stating = load_source(Source("net.cnn", with_head("conv(8, 3)", "segmentation(classes = 2, objects = (2, 3))")))
    assert fingerprint(plain.graph) == fingerprint(stating.graph)
    assert plain.graph.tasks[0].objects is None
    assert stating.graph.tasks[0].objects.groups == ((("conv1",), (Extent(2, 3),)),)


def test_a_plugins_head_states_objects_by_its_own_argument(catalogue):
    built, items = found(TWO % ", anchors = [[8], [7, (6, 3)]]", catalogue)
    assert built.graph.tasks[0].objects.groups == (
        (("fine",), (Extent(8, 8),)),
        (("coarse",), (Extent(7, 7), Extent(6, 3))),
    )
    (item,) = items
    assert "objects of 8 x 8 pixels" in item.message
    assert "sees 3 x 3" in item.message
    assert item.span.text == "[[8], [7, (6, 3)]]"


def test_a_default_counts_and_is_told_at_the_head(catalogue):
    _, (item,) = found(TWO % "", catalogue)
    assert "objects of 40 x 20 pixels" in item.message
    assert item.span.text == "head boxes(fine, coarse)"


def test_one_list_for_all_values_is_seen_by_the_one_that_sees_most(catalogue):
    _, items = found(TWO % ", anchors = [7, 3]", catalogue)
    assert items == []
    _, (item,) = found(TWO % ", anchors = [8, 3]", catalogue)
    assert "sees 7 x 7" in item.message


def test_the_help_counts_the_convolutions_that_are_missing():
    (item,) = findings(12)
    number = int(re.match(r"(\d+) more 3x3 convolutions", item.help)[1])
    for layers in (number - 1, number):
        body = "conv(8, 3)" + " -> conv(8, 3)" * layers
        text = with_head(body, "segmentation(classes = 2, objects = 12)")
        codes = [each.code for each in check_source(Source("net.cnn", text)).diagnostics]
        assert ("W0120" in codes) == (layers < number)
