"""The text and the page of a difference: what they say, and that they fit where they are read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from striate.compare.difference import Change
from striate.view.difference_page import difference_page
from striate.view.difference_text import difference_lines
from striate.view.difference_words import elided, growth, parent, prefixes
from tests.dsl.trees import zoo
from tests.engine.compare.sides import files, side

RESNET = zoo()["resnet.cnn"]
UNET = zoo()["unet.cnn"]
LENET = zoo()["lenet5.cnn"]
WIDER = UNET.replace("width = 64", "width = 48")


def text(old: str, new: str) -> list[str]:
    return [line for _, line in difference_lines(files(old, new))]


def test_what_is_the_same_has_no_lines():
    assert text(RESNET, RESNET.replace("# ResNet", "# A residual network")) == []


def test_a_change_of_one_layer():
    assert text(LENET, LENET.replace("conv(16, 5)", "conv(20, 5)")) == [
        "--- net.cnn",
        "+++ net.cnn",
        "",
        "model LeNet5",
        "  parameters         61,706 -> 74,310  +20.4 %",
        "  MACs               416,520 -> 488,520  +17.3 %",
        "  layers: 1 changed, 3 with other sizes only",
        "@ the model itself",
        "~ conv2  conv",
        "    channels           16 -> 20",
        "    size               16 x 10 x 10 -> 20 x 10 x 10",
        "    parameters         2,416 -> 3,020",
        "    MACs               240,000 -> 300,000",
        "  tanh2  size 16 x 10 x 10 -> 20 x 10 x 10",
        "  avgpool2  size 16 x 5 x 5 -> 20 x 5 x 5",
        "  conv3  parameters 48,120 -> 60,120",
        "@ weights of a checkpoint",
        "  7 fit as they are",
        "  3 have another size:",
        "    conv2.weight  16 x 6 x 5 x 5 -> 20 x 6 x 5 x 5",
        "    conv2.bias  16 -> 20",
        "    conv3.weight  120 x 16 x 5 x 5 -> 120 x 20 x 5 x 5",
    ]


def test_whole_blocks_take_one_line():
    lines = text(RESNET, RESNET.replace("ConvBN", "Cell"))
    assert "> stage1.3.unit2.1.conv_bn2 -> stage1.3.unit2.1.cell2  2 layers" not in lines  # inside of their block
    assert "> conv_bn2 -> cell2  2 layers" in lines
    fewer = RESNET.replace("depths = [2, 2, 2, 2]", "depths = [2, 2, 2, 1]")
    assert "- unit2.0  8 layers, 4,720,640 parameters" in text(RESNET, fewer)
    assert "+ unit2.0  8 layers, 4,720,640 parameters" in text(fewer, RESNET)


def test_recipes_read_like_a_unified_difference():
    lines = text(LENET, LENET.replace("epochs    = 15", "epochs    = 20").replace("  metrics   = [accuracy]\n", ""))
    at = lines.index("@ train")
    assert lines[at + 1 :] == ["- epochs = 15", "+ epochs = 20", "- metrics = [accuracy]"]


def test_models_of_one_side_are_told():
    lines = text(RESNET, RESNET.replace("ResNet34 ", "Other "))
    assert lines == ["--- net.cnn", "+++ net.cnn", "- model ResNet34", "+ model Other"]


@pytest.mark.parametrize(
    ("old", "new"), [(UNET, WIDER), (RESNET, RESNET.replace("4 * width", "2 * width")), (UNET, LENET)]
)
@pytest.mark.parametrize("width", [80, 50])
def test_no_line_is_wider_than_the_page(old, new, width):
    lines = difference_lines(files(old, new), width)
    assert len(lines) > 20
    assert max(len(line) for _, line in lines) <= width


def test_every_style_of_line_is_told_apart():
    styles = {style for style, _ in difference_lines(files(RESNET, RESNET.replace("4 * width", "2 * width")))}
    assert styles == {"heading", "added", "removed", "changed", "renamed", "quiet", "plain"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change("MACs", "1,000", "1,500"), "+50.0 %"),
        (Change("MACs", "1,000", "0"), "-100.0 %"),
        (Change("MACs", "0", "7"), "+7"),
        (Change("MACs", "H*W", "7"), ""),
        (Change("size", None, "7"), ""),
    ],
)
def test_growth(change, told):
    assert growth(change) == told


def test_words():
    assert [elided("abcdefghij", width) for width in (10, 9, 4, 1)] == ["abcdefghij", "abcd…ghij", "ab…j", "…"]
    assert [parent(name) for name in ("conv1", "a.conv1", "a.1.conv1.0.2", "a.0")] == ["", "a", "a.1", ""]
    assert list(prefixes("a.0.conv1")) == ["a", "a.0", "a.0.conv1"]


# ------------------------------------------------------------------------------------------------ the page

VOID = {"meta", "input", "br"}


class Page(HTMLParser):
    """Checks that tags close as they open, and collects rows, links and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[tuple[str, str]] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append((dict(attrs).get("class") or "", ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "tr" in self.open:
            kind, before = self.rows[-1]
            self.rows[-1] = (kind, f"{before} {data}")


def test_the_page_has_a_row_per_layer():
    page = Page(difference_page(files(UNET, WIDER)))
    kinds = [kind for kind, _ in page.rows]
    assert kinds.count("changed") == 22 + 3  # and three totals
    assert kinds.count("sizes") == 45
    row = next(words for kind, words in page.rows if kind == "changed" and "e1.conv1.0" in words)
    assert "channels:  64   48" in row
    assert page.rows[1][1].split() == ["layers", "67", "67"]


def test_the_page_needs_nothing_else():
    page = difference_page(files(RESNET, RESNET.replace("4 * width", "2 * width")))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page)
    assert not [value for name, value in Page(page).attributes if name in ("src", "href")]
    assert "color-scheme: light dark" in page


def test_texts_are_escaped():
    old = side(LENET, name="<b>&.cnn")
    new = side(LENET.replace("conv(6, 5)", "conv(6, 3)"), name='"x"')
    from striate.differing import difference

    page = difference_page(difference(old, new))
    assert "<b>&.cnn" not in page
    assert "&lt;b&gt;&amp;.cnn" in page


def test_equal_networks_make_a_page_that_says_so():
    assert "The networks are the same" in difference_page(files(LENET, LENET))


@pytest.mark.browser
def test_the_filter_narrows_the_rows(tmp_path):
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("needs Chromium")
    probe = """<script>
    const count = () => [...document.querySelectorAll('.layers tbody tr')].filter(row => !row.hidden).length;
    const found = [count()], word = document.querySelector('input[type=search]');
    word.value = 'E1.CONV'; word.dispatchEvent(new Event('input')); found.push(count());
    word.value = ''; document.querySelector('input[type=checkbox]').click(); found.push(count());
    found.push(document.documentElement.scrollWidth);
    document.title = JSON.stringify(found);</script>"""
    page = tmp_path / "difference.html"
    changed = LENET.replace("conv(120, 5)", "conv(120, 5) as e1.conv")
    page.write_text(difference_page(files(LENET, changed)).replace("</body>", f"{probe}</body>"))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,800", "--dump-dom"]
    done = subprocess.run([browser, *options, str(page)], capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"<title>(.*?)</title>", done.stdout)
    assert found is not None
    shown, filtered, everything, width = json.loads(found[1])
    assert (shown, filtered, everything) == (1, 1, 12)
    assert width <= 500
