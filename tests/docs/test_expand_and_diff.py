"""What the page about expand and diff shows is what they print."""

from __future__ import annotations

from tests.docs.consoles import sessions


def test_every_session_prints_what_the_page_shows(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = sessions(repository / "docs" / "expand_and_diff.md", tmp_path)
    assert [session.arguments[0] for session in found] == ["expand", "diff", "diff"]
    for session in found:
        assert session.printed() == session.shown, session.arguments
