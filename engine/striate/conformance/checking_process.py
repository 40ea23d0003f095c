"""The process in which a plugin's records are checked: it says which check it is at, and what came of it.

`plugin_checks.py` starts it, and reads what it says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace

from striate.conformance.check import Check
from striate.conformance.plugin_checks import MARK, Progress
from striate.conformance.results import Effort
from striate.conformance.running import run_check, subjects_of
from striate.conformance.subject import Subject
from striate.conformance.table import checks_of
from striate.host.examination import found_again
from striate.host.kinds import Kind
from striate.host.loading import Contribution, PluginFailure, load


def _cases(contribution: Contribution, effort: Effort) -> Iterator[tuple[Kind, Subject, Check]]:
    for kind, subject in subjects_of(contribution, effort):
        for check in checks_of(subject.plural):
            yield kind, subject, check


def main(name: str, value: str, effort: Effort, first: int, *file: str) -> None:
    """Run the checks of a plugin here, from one on, and say what comes of each; `file` where it is one of a project."""
    plugin = found_again(name, value, *file)
    if plugin is None:
        raise SystemExit(f"{name} has changed or gone since the checks began")
    contribution = load(plugin, effort.seconds)
    if isinstance(contribution, PluginFailure):
        raise SystemExit(f"{name} could be loaded a moment ago: {contribution.reason}")
    for place, (kind, subject, check) in enumerate(_cases(contribution, effort)):
        if place < first:
            continue
        case = Progress(place, kind.singular, subject.record.name, check.name)
        _say(case)
        _say(replace(case, outcome=run_check(check, subject, effort.seconds)))


def _say(said: Progress) -> None:
    sys.stdout.write(f"{MARK}{json.dumps(asdict(said))}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(
        sys.argv[1],
        sys.argv[2],
        Effort(int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])),
        int(sys.argv[6]),
        *sys.argv[7:],
    )
