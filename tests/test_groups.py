"""Tests that share something costly must run in one process; a silent loss of the groups made an installation race."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest

@pytest.mark.xdist_group("costly")
@pytest.mark.parametrize("number", range(12))
def test_of_a_group(number, worker_id):
    with open(r"{record}", "a") as file:
        file.write(worker_id + "\\n")
"""


def test_a_group_runs_in_one_process(tmp_path: Path) -> None:
    """The installed pytest and pytest-xdist agree on groups: `--dist loadgroup` gives one group to one process."""
    record = tmp_path / "workers.txt"
    (tmp_path / "test_group.py").write_text(TESTS.format(record=record), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = xdist_group: of pytest-xdist\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    workers = record.read_text(encoding="utf-8").split()
    assert len(workers) == 12
    assert len(set(workers)) == 1, "groups are no longer kept together: see the bound of pytest in pyproject.toml"
