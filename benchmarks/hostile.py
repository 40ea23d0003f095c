"""Whether files of a stranger who means harm end soon: every case of `hostile_cases.py` with every command for it.

A row holds the seconds of each command, process start included, the most memory that one of them took, and the first
words of the finding. A command that takes longer than `SECONDS_BEFORE_KILL` is killed and named.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from arguments import Choices, parse
from hostile_cases import CASES, COMMANDS, Case, command_line
from measure import LAUNCHER, striate
from report import Row, start

SECONDS_BEFORE_KILL = 60
WANTED_SECONDS, WANTED_MEGABYTES = 2.0, 500.0
_SAYS = re.compile(r"^(?:error|warning|note)\[[EW]\d+\]: .*", re.MULTILINE)


@dataclass(slots=True)
class Outcome:
    """What one command took, and what it said."""

    seconds: float
    megabytes: float
    code: int | None
    output: str


def run(choices: Choices) -> None:
    """Measure, print, and save if asked to."""
    report = start("hostile", "Hostile files: seconds and memory until the answer")
    rows = [_row(case) for case in CASES[:: 10 if choices.quick else 1]]
    seconds = max(row[f"{command}_s"] or 0 for row in rows for command in COMMANDS)
    megabytes = max(row["peak_MB"] for row in rows)
    slow = [row["case"] for row in rows if any((row[f"{command}_s"] or 0) > WANTED_SECONDS for command in COMMANDS)]
    report.add(
        "every case, one run of each command",
        rows,
        f"The slowest took {seconds:.1f} s (wanted: {WANTED_SECONDS:.0f}), "
        f"the largest {megabytes:.0f} MB (wanted: {WANTED_MEGABYTES:.0f}).",
        f"Slower than wanted: {', '.join(slow) or 'none'}.",
    )
    report.finish(save=choices.save)


def _row(case: Case) -> Row:
    outcomes: dict[str, Outcome] = {}
    for command in case.commands:
        with TemporaryDirectory() as folder:
            outcomes[command] = measured(striate(*command_line(command, case.write(Path(folder)))))
    print(f"{case.name}: " + ", ".join(f"{name} {each.seconds:.2f} s" for name, each in outcomes.items()), flush=True)
    row: Row = {"case": case.name}
    for command in COMMANDS:
        row[f"{command}_s"] = round(outcomes[command].seconds, 2) if command in outcomes else None
    row["peak_MB"] = round(max(each.megabytes for each in outcomes.values()), 1)
    found = _SAYS.search(outcomes["check"].output)
    row["check says"] = found[0][:100] if found else "fine" if outcomes["check"].code == 0 else "killed"
    return row


def measured(command: list[str]) -> Outcome:
    """Run a command by the launcher, in a group of its own so that both can be killed."""
    with TemporaryDirectory() as folder:
        result, output = Path(folder) / "result", Path(folder) / "output"
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(result), str(output), *command]
        process = subprocess.Popen(launcher, start_new_session=True, stdin=subprocess.DEVNULL)
        try:
            process.wait(SECONDS_BEFORE_KILL)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return Outcome(SECONDS_BEFORE_KILL, 0.0, None, "")
        seconds, peak, code = json.loads(result.read_text())
        scale = 1 if sys.platform == "darwin" else 1024
        return Outcome(seconds, peak * scale / 1e6, code, output.read_text(errors="replace"))


if __name__ == "__main__":
    run(parse(__doc__ or ""))
