"""The desk of the editor's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.editor.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "striate.toml").write_text("")
    return Desk(tmp_path)
