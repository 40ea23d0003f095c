"""Work folders with a small network, and the command."""

from __future__ import annotations

import pytest

from striate.cli.boundary import run_guarded
from striate.cli.importing import command
from tests.engine.loading.foreign_weights import NAMES, NET


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty work folder with the network, without a name map."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text(NET)
    return tmp_path


@pytest.fixture
def mapped(folder):
    """The same with a name map beside it."""
    (folder / "net.names.toml").write_text(NAMES)
    return folder


@pytest.fixture
def run(capsys):
    """Run `striate import`; returns the exit code and what was printed."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run_guarded(command, [*arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
