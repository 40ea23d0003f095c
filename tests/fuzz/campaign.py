"""Fuzz every target for some time: `python tests/fuzz/campaign.py --seconds 600`.

Each target runs in a process of its own, as many at once as `--jobs` says. What is worth going on from is kept in
build/fuzz between campaigns; a text that breaks something is put into the corpus, where `test_corpus.py` replays it
until it is repaired. Exit code 1 if there was one.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / folder) for folder in ("dsl", "engine", "plugins"))]

from rich.console import Console  # noqa: E402  # the path comes first
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from tests.fuzz.invariants import TARGETS  # noqa: E402
from tests.fuzz.seeds import CORPUS  # noqa: E402

WORK = ROOT / "build" / "fuzz"
TIMEOUT = 25
"""Seconds for one text; coverage makes everything several times slower."""

MEMORY = 2500
"""Megabytes of one process, libraries and coverage included."""

_EXECUTED = re.compile(r"^#(\d+)\s.*\bcov: (\d+)", re.MULTILINE)
_DONE = re.compile(r"^Done (\d+) runs", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What fuzzing one target came to: texts tried, edges of the code reached, texts kept, texts that broke it."""

    target: str
    tried: int
    reached: int
    kept: int
    faults: tuple[Path, ...]
    said: str


def fuzz(target: str, seconds: int) -> Outcome:
    """Fuzz one target for so many seconds, or until the first fault."""
    folder, found = WORK / target, WORK / f"{target}-found"
    for each in (folder, found):
        each.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "tests" / "fuzz" / "atheris_target.py"),
            target,
            str(folder),
            str(CORPUS),
            f"-max_total_time={seconds}",
            f"-timeout={TIMEOUT}",
            f"-report_slow_units={TIMEOUT}",
            f"-rss_limit_mb={MEMORY}",
            f"-artifact_prefix={found}{os.sep}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    said = done.stdout + done.stderr
    executed = _EXECUTED.findall(said)
    runs = _DONE.search(said)
    tried = int(runs[1]) if runs else int(executed[-1][0]) if executed else 0
    faults = tuple(_into_corpus(path, target) for path in sorted(set(found.iterdir()) - before))
    if done.returncode and not faults:
        raise SystemExit(f"fuzzing {target} did not run (exit code {done.returncode}):\n{said[-3000:]}")
    reached = int(executed[-1][1]) if executed else 0
    return Outcome(target, tried, reached, sum(1 for _ in folder.iterdir()), faults, said[-4000:] if faults else "")


def _into_corpus(path: Path, target: str) -> Path:
    kind, _, digest = path.name.partition("-")
    kept = CORPUS / f"{target}_{kind}_{digest[:10]}.cnn"
    kept.write_bytes(path.read_bytes())
    return kept


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz, with a bar of progress and a table at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="seconds for each target (60)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once (one per processor)")
    parser.add_argument("--targets", nargs="+", choices=sorted(TARGETS), default=sorted(TARGETS), metavar="TARGET")
    chosen = parser.parse_args(arguments)
    rounds = -(-len(chosen.targets) // chosen.jobs)
    began = time.monotonic()
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(chosen.jobs) as pool:
        bar = progress.add_task(f"fuzzing {len(chosen.targets)} targets", total=rounds * chosen.seconds)
        pending = [pool.submit(fuzz, target, chosen.seconds) for target in chosen.targets]
        while not all(future.done() for future in pending):
            progress.update(bar, completed=time.monotonic() - began)
            time.sleep(0.5)
        outcomes = [future.result() for future in pending]
    console.print(_table(outcomes))
    for outcome in outcomes:
        if outcome.faults:
            console.print(f"{outcome.target}: {', '.join(str(path) for path in outcome.faults)}", soft_wrap=True)
            console.print(outcome.said, markup=False, highlight=False, soft_wrap=True)
    return 1 if any(outcome.faults for outcome in outcomes) else 0


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table("target", "texts tried", "edges reached", "texts kept", "faults")
    for column in table.columns[1:]:
        column.justify = "right"
    for outcome in outcomes:
        row = (outcome.tried, outcome.reached, outcome.kept, len(outcome.faults))
        table.add_row(outcome.target, *(f"{number:,}" for number in row))
    return table


if __name__ == "__main__":
    sys.exit(main())
