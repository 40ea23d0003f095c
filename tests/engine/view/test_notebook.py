"""The page for notebooks: well formed, escaped, self-contained, and with every layer in it."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from striate.view.tree import build_tree
from tests.engine.view.networks import hard_summary


class Page(HTMLParser):
    """Checks that elements close in order, and collects texts and elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.deepest = 0
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.elements.append((tag, dict(attrs)))
        self.deepest = max(self.deepest, self.open.count("details"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("kind", ["resnet50", "siamese", "open", "deep", "big"])
def test_blocks_open_and_close(kind: str):
    summary = hard_summary(kind)
    page = Page(summary._repr_html_())
    blocks = count_blocks(build_tree(summary.rows))
    assert sum(tag == "details" for tag, _ in page.elements) == blocks
    assert f"{summary.totals.parameters:,}, all trainable" in page.texts


def count_blocks(groups) -> int:
    return sum(1 + count_blocks(group.members) for group in groups if group.members)


def test_blocks_lie_within_blocks():
    page = Page(hard_summary("resnet50")._repr_html_())
    assert page.deepest == 4, "a stage, a bottleneck, its shortcut, the convolution and its norm"
    assert "5 x Bottleneck" in page.texts


def test_nothing_is_loaded_or_run():
    page = Page(hard_summary("resnet50")._repr_html_())
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe"}
    assert not [name for _, attributes in page.elements for name in attributes if name in ("src", "href")]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_names_are_escaped():
    summary = hard_summary("siamese")
    evil = "<script>alert('x' & \"y\")</script>"
    row = replace(summary.rows[0], name=evil, op="<b>")
    totals = replace(summary.totals, domain=("H < W & <i>",))
    text = replace(summary, model=evil, rows=(row, *summary.rows[1:]), totals=totals)._repr_html_()
    assert "<script" not in text
    assert "<b>conv" not in text
    page = Page(text)
    assert page.texts.count(evil) == 2
    assert "H < W & <i>" in page.texts
