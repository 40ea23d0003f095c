"""The pictures and the report of a run, without training one."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from striate.runtime.checkpoint_info import CheckpointInfo
from striate.train.history import format_history
from striate.train.pictures import draw_confusion, draw_curves
from striate.train.report import RunReport
from striate.train.run_state import EpochScore, RunState
from striate.train.scoring import Scores
from tests.engine.train.networks import TINY, load_with_recipe

RECIPE = load_with_recipe()[1]
HISTORY = [
    EpochScore(1, 0.1, 2.0, 1.5, {"accuracy": 0.5}, 1.25),
    EpochScore(2, 0.05, 1.0, 0.75, {"accuracy": 0.9}, 1.0),
]
SCORES = Scores(0.5, {"accuracy": 0.75}, np.array([[3, 1], [0, 0]]), ("<cat>", "dog & co"))


def run_report(**changes) -> RunReport:
    values = {
        "info": CheckpointInfo("Net", text=TINY + "# <script>alert(1)</script>\n"),
        "recipe": RECIPE,
        "run": RunState(epoch=2, history=HISTORY, best=HISTORY[1], finished=True),
        "test": SCORES,
        "examples": {"train": 1234, "test": 5},
        "parameters": 61706,
        "pictures": {"Learning curves": draw_curves(HISTORY, HISTORY[1], RECIPE.metrics)},
        "environment": {"device": "CPU"},
        "notes": ("something to know",),
    }
    return RunReport(**(values | changes))


class Reader(HTMLParser):
    """Collects the text, and checks that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href", "action") and value]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_it_tells_the_results_and_the_recipe():
    text = " ".join(read(run_report().to_html()).text)
    for words in ("75.00 %", "1 of 4", "2 of 2", "loss 0.7500, accuracy 90.0 %", "2.2 s", "1,234 train", "61,706"):
        assert words in text
    for words in ("adam(lr = 0.01)", "digits(limit = 120)", "something to know", "CPU", "conv(4, 3, bias = false)"):
        assert words in text


def test_text_from_outside_is_no_markup():
    page = run_report().to_html()
    assert "<script" not in page
    text = " ".join(read(page).text)
    assert "<script>alert(1)</script>" in text
    assert "<cat>" in text
    assert "dog & co" in text


def test_it_needs_nothing_from_elsewhere():
    page = run_report().to_html()
    assert all(link.startswith("data:image/png;base64,") for link in read(page).links)
    assert not re.search(r"https?://|@import|url\(", page)


def test_it_fits_a_phone():
    page = run_report().to_html()
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert page.count('<div class="wide">') == page.count("<table") + page.count("<img")


@pytest.mark.browser
def test_nothing_sticks_out_on_a_phone(tmp_path):
    import shutil
    import subprocess

    page = tmp_path / "report.html"
    probe = "<script>document.title = document.documentElement.scrollWidth</script>"
    page.write_text(run_report().to_html().replace("</body>", probe + "</body>"))
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("needs Chromium")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,800", "--dump-dom"]
    done = subprocess.run([browser, *options, str(page)], capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"<title>(\d+)</title>", done.stdout)
    assert found is not None
    assert int(found[1]) <= 500


def test_a_network_without_pictures_or_metrics():
    bare = Scores(0.5, {}, np.array([[3, 1], [0, 0]]), ("a", "b"))
    recipe = load_with_recipe(settings={"train.metrics": "[]"})[1]
    history = [EpochScore(1, 0.1, 2.0, 1.5, {}, 1.0)]
    run = RunState(epoch=1, history=history, best=history[0], finished=True)
    page = run_report(test=bare, recipe=recipe, run=run, pictures={}, notes=()).to_html()
    assert "<img" not in page
    assert "loss 1.5000" in page
    assert draw_curves(history, history[0], ()).startswith(b"\x89PNG")


def test_many_classes_are_drawn_without_numbers():
    many = Scores(1.0, {}, np.eye(300, dtype=int) * 7, tuple(f"class number {number}" for number in range(300)))
    assert draw_confusion(many).startswith(b"\x89PNG")
    assert draw_confusion(SCORES).startswith(b"\x89PNG")


def test_the_history_as_a_table():
    assert format_history(HISTORY) == (
        "epoch,learning_rate,train_loss,validation_loss,validation_accuracy,seconds\n"
        "1,0.1,2.000000,1.500000,0.500000,1.25\n"
        "2,0.05,1.000000,0.750000,0.900000,1.00\n"
    )
    assert format_history([]) == "epoch,learning_rate,train_loss,validation_loss,seconds\n"


@pytest.mark.parametrize(
    ("mine", "theirs", "better"),
    [((0.9, 1.0), (0.8, 0.1), True), ((0.8, 0.1), (0.9, 1.0), False), ((0.9, 0.1), (0.9, 0.2), True),
     ((0.9, 0.2), (0.9, 0.2), False)],
)  # fmt: skip
def test_which_epoch_is_better(mine, theirs, better):
    def score(values):
        return EpochScore(1, 0.1, 1.0, values[1], {"accuracy": values[0]}, 1.0)

    assert score(mine).beats(score(theirs), RECIPE.metrics[0]) is better
    assert score(mine).beats(None, RECIPE.metrics[0])
    assert score(mine).beats(score(theirs), None) is (mine[1] < theirs[1])


def test_a_metric_that_is_better_when_low():
    from dataclasses import replace

    part = RECIPE.metrics[0]
    low = replace(part, record=replace(part.record, higher_is_better=False))
    first, second = HISTORY
    assert second.beats(first, part)
    assert first.beats(second, low)
