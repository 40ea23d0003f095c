"""What the page about costs shows is what `summary` prints, and what it says of names is complete."""

from __future__ import annotations

import re

from striate.view.columns import COLUMNS
from tests.docs.consoles import sessions
from tests.engine.view.networks import model_of, summary_of


def test_every_session_prints_what_the_page_shows(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    found = sessions(repository / "docs" / "costs.md", tmp_path)
    assert len(found) >= 7
    for session in found:
        assert session.printed() == session.shown, session.arguments


def test_every_key_of_json_is_explained(repository):
    page = (repository / "docs" / "costs.md").read_text(encoding="utf-8").partition("## JSON")[2]
    explained = set(re.findall(r"`(\w+)`", page))
    summary = summary_of(
        model_of("model A {\n input image: 1 x 6 x 6\n conv(2, 3)\n output out\n}"), optimizer="sgd", device="cpu"
    )
    document = summary.to_json()
    for part in (document, document["layers"][0], document["training"], document["device"]):
        assert set(part) <= explained, "every key has a word on the page"


def test_columns_of_the_page_exist(repository):
    page = (repository / "docs" / "costs.md").read_text(encoding="utf-8")
    for chosen in re.findall(r"--columns (\S+)", page):
        assert set(chosen.split(",")) <= set(COLUMNS)
