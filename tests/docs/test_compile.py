"""What the page about kernels shows is what `compile` prints."""

from __future__ import annotations

from tests.docs.consoles import sessions


def test_every_session_prints_what_the_page_shows(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    found = sessions(repository / "docs" / "compile.md", tmp_path)
    assert found
    for session in found:
        assert session.printed() == session.shown, session.arguments
