"""Whole processes side by side, in alternating order: medians of seconds from start to end and of peak memory.

A process that fails stops the benchmark with its own words: a figure for what did not work is worse than none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

LAUNCHER = Path(__file__).with_name("launch.py")
RUNS = 5
"""Runs that are measured, after one that is not: it fills the disk's cache and writes bytecode."""


@dataclass(slots=True)
class Measured:
    """One command and what its runs took: seconds and megabytes (10^6 bytes) at the peak."""

    name: str
    command: Sequence[str]
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    output: str = ""

    @property
    def median(self) -> float:
        """Median of the seconds."""
        return median(self.seconds)

    @property
    def spread(self) -> str:
        """Fastest and slowest run."""
        return f"{min(self.seconds):.3f}-{max(self.seconds):.3f}"

    def row(self) -> dict[str, object]:
        """Return the figures as plain values."""
        return {
            "name": self.name,
            "median_s": round(self.median, 4),
            "min_s": round(min(self.seconds), 4),
            "max_s": round(max(self.seconds), 4),
            "peak_MB": round(median(self.megabytes), 1),
            "runs": len(self.seconds),
        }


def compare(commands: Sequence[tuple[str, Sequence[str]]], runs: int = RUNS) -> list[Measured]:
    """Measure commands in turns: one unmeasured round, then `runs` rounds, every other one in reverse order.

    Raises:
        SystemExit: a command failed.
    """
    measured = [Measured(name, command) for name, command in commands]
    for each in measured:
        _run(each)
    for turn in range(runs):
        for each in measured if turn % 2 == 0 else reversed(measured):
            seconds, megabytes = _run(each)
            each.seconds.append(seconds)
            each.megabytes.append(megabytes)
    return measured


def _run(measured: Measured) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        result, output = Path(folder) / "result", Path(folder) / "output"
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(result), str(output)]
        subprocess.run([*launcher, *measured.command], check=True)
        seconds, peak, code = json.loads(result.read_text())
        measured.output = output.read_text(errors="replace")
    if code:
        last = "\n".join(measured.output.splitlines()[-15:])
        sys.exit(f"{measured.name} ended with exit code {code}:\n{last}")
    return seconds, peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def striate(*arguments: str) -> list[str]:
    """Return the command line of striate as a user types it: the script beside this interpreter."""
    script = Path(sys.executable).with_name("striate")
    if not script.is_file():
        sys.exit(f"striate is not installed for {sys.executable}: pip install -e . (or make setup)")
    return [str(script), *arguments]
