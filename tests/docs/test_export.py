"""The page on exports: its commands print what it shows, but for figures that depend on the machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.consoles import sessions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "export.md"
_FIGURES = re.compile(r"\d+(\.\d+)?e-\d+|[\d.]+ kB|ONNX Runtime [\d.]+|of torch [\d.]+\S*|\d+ kB")


def plain(text: str) -> str:
    return _FIGURES.sub("#", text)


@pytest.mark.slow
def test_the_commands_print_what_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = sessions(PAGE, tmp_path)
    assert len(found) == 7
    for session in found:
        assert plain(session.printed()) == plain(session.shown)
    assert (tmp_path / "Net.onnx").is_file()
