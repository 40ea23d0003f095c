"""Hostile files end with a finding that names the limit, each in a process with little memory and time to spare.

The time is measured by `benchmarks/hostile.py`; here only a process that hangs or takes all memory fails.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.hostile_cases import CASES, Case, command_line

SECONDS = 120
MEMORY = 1 << 30
"""Address space, with all libraries in it; what is really used is about half of it."""

_CODE = re.compile(r"^(?:error|warning|note)\[([EW]\d{4})\]: ", re.MULTILINE)

CASE_BY_NAME = {case.name: case for case in CASES}


def run(arguments: list[str], folder: Path) -> tuple[int, str]:
    """Run striate in a process that gets so much memory and no more; return its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "striate", *arguments],
        cwd=folder,
        timeout=SECONDS,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def test_names_are_unique():
    assert len(CASE_BY_NAME) == len(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASE_BY_NAME)
def test_check_ends_with_the_finding(name: str, tmp_path: Path):
    case: Case = CASE_BY_NAME[name]
    exit_code, said = run(command_line("check", case.write(tmp_path)), tmp_path)
    assert "Traceback" not in said, said[-2000:]
    assert sorted(set(_CODE.findall(said))) == sorted(case.codes)
    assert exit_code == any(code.startswith("E") and code != "E0346" for code in case.codes)
    assert case.says in said
    assert len(said) < 200_000


@pytest.mark.slow
@pytest.mark.parametrize("command", ["fix", "fmt", "summary"])
@pytest.mark.parametrize("name", list(CASE_BY_NAME)[::10])
def test_other_commands_end_too(name: str, command: str, tmp_path: Path):
    exit_code, said = run(command_line(command, CASE_BY_NAME[name].write(tmp_path)), tmp_path)
    assert "Traceback" not in said, said[-2000:]
    assert exit_code in (0, 1)
