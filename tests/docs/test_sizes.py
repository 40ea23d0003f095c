"""What the page about sizes shows is what `check` prints."""

from __future__ import annotations

from tests.docs.consoles import sessions


def test_every_session_prints_what_the_page_shows(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = sessions(repository / "docs" / "sizes.md", tmp_path)
    assert len(found) >= 6
    for session in found:
        assert session.printed() == session.shown, session.arguments
