"""What the page about import shows is what the commands print, and it names every operator that is read."""

from __future__ import annotations

import re

from striate.importing.converters import CONVERTERS
from tests.docs.consoles import sessions


def test_every_session_prints_what_the_page_shows(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = sessions(repository / "docs" / "import.md", tmp_path)
    assert [session.arguments[0] for session in found] == ["export", "import"]
    for session in found:
        assert _lasting(session.printed()) == _lasting(session.shown), session.arguments
    assert (tmp_path / "back.cnn").read_text(encoding="utf-8") in (repository / "docs" / "import.md").read_text()


def _lasting(text: str) -> str:
    """Return what is printed without what changes with the version of striate."""
    return re.sub(r"[\d.]+ kB|striate [\w.+]+", "", text)


def test_every_operator_is_named(repository):
    page = (repository / "docs" / "import.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    named = {word.strip() for row in rows for word in row.split("|")[2].split(",")}
    assert named >= set(CONVERTERS)
