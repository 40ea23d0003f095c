"""What is known of a search on disk: what was searched, which trials have ended how, the table, the best as a profile.

`search.json` is the one file that decides; it is replaced after every trial, and table and profile follow from it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from striate.runtime.atomic import atomic_write, make_folder, remove_file, remove_parts  # noqa: TID253  # room of files
from striate.search.space import Point
from striate.train.run_folder import RunFolder  # noqa: TID253  # names of files; nothing of torch
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial that has ended: its number from 1, its point, and its scores, or why it came to nothing.

    `epoch`, `loss`, `metrics` are those of the best epoch on the validation split; `seconds` are of all epochs.
    """

    number: int
    point: Point
    epoch: int = 0
    loss: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a search is of; one with another purpose cannot go on in its folder."""

    model: str
    recipe: Mapping[str, str]
    network: str
    space: Mapping[str, str]
    seed: int


@dataclass(frozen=True, slots=True)
class SearchFolder:
    """The files of a search below `path`."""

    path: Path

    @property
    def record(self) -> Path:
        """What was searched and how the trials ended."""
        return self.path / "search.json"

    @property
    def table(self) -> Path:
        """The trials as a table."""
        return self.path / "trials.csv"

    @property
    def best(self) -> Path:
        """The network's file with the best trial as a profile."""
        return self.path / "best.cnn"

    def trial(self, number: int) -> RunFolder:
        """Return the folder of a trial's run."""
        return RunFolder(self.path / "trials" / f"{number:04}")

    def begin(self, purpose: Purpose, *, resume: bool, overwrite: bool) -> list[Trial]:
        """Make the folder ready and return the trials that have ended before.

        Raises:
            DiagnosticError: E0414, the folder holds a search and what is to become of it was not said, or another
                search; E0505, the folder cannot be written to.
        """
        if overwrite:
            self._clear()
        known = self._read() if self.record.exists() else None
        if known is not None and not resume:
            raise DiagnosticError(_occupied(self.path))
        if known is not None and known[0] != purpose:
            raise DiagnosticError(_another(self.path, known[0], purpose))
        make_folder(self.path)
        remove_parts(self.path)
        trials = known[1] if known else []
        self.write(purpose, trials)
        return trials

    def write(self, purpose: Purpose, trials: Sequence[Trial]) -> None:
        """Write record and table."""
        plain = {"format": _FORMAT, "purpose": asdict(purpose), "trials": [asdict(trial) for trial in trials]}
        atomic_write(self.record, json.dumps(plain, indent=1) + "\n")
        atomic_write(self.table, format_table(trials))

    def _read(self) -> tuple[Purpose, list[Trial]]:
        try:
            plain = json.loads(self.record.read_text(encoding="utf-8"))
            if plain["format"] != _FORMAT:
                raise ValueError(f"its format is {plain['format']}")
            return Purpose(**plain["purpose"]), [Trial(**trial) for trial in plain["trials"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DiagnosticError(_unreadable(self.record, error)) from None

    def _clear(self) -> None:
        for folder in sorted((self.path / "trials").glob("[0-9][0-9][0-9][0-9]")):
            for path in RunFolder(folder).files:
                remove_file(path)
        for path in (self.best, self.table, self.record):
            remove_file(path)


def format_table(trials: Sequence[Trial]) -> str:
    """Return the trials as CSV, one line each, in the order of their numbers."""
    keys = list(dict.fromkeys(key for trial in trials for key in trial.point))
    names = list(dict.fromkeys(name for trial in trials for name in trial.metrics))
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    scores = [f"validation_{name}" for name in names]
    table.writerow(["trial", *keys, "epoch", "validation_loss", *scores, "seconds", "failure"])
    for trial in trials:
        point = [trial.point.get(key, "") for key in keys]
        done: list[Any] = ["", "", *("" for _ in names)]
        if trial.failure is None:
            done = [trial.epoch, f"{trial.loss:.6f}", *(f"{trial.metrics[name]:.6f}" for name in names)]
        table.writerow([trial.number, *point, *done, f"{trial.seconds:.2f}", trial.failure or ""])
    return stream.getvalue()


def _occupied(path: Path) -> Diagnostic:
    return Diagnostic(
        "E0414",
        f"{path} already holds a search",
        help="go on with it: --resume; begin anew and replace it: --overwrite; keep it and write elsewhere: --out DIR",
    )


def _another(path: Path, known: Purpose, wanted: Purpose) -> Diagnostic:
    before, now = asdict(known), asdict(wanted)
    notes = tuple(f"{name}: then {before[name]}, now {now[name]}" for name in before if before[name] != now[name])
    return Diagnostic(
        "E0414",
        f"{path} holds another search",
        notes=notes,
        help="undo the changes, or begin anew: --overwrite, or another folder: --out DIR",
    )


def _unreadable(path: Path, error: Exception) -> Diagnostic:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Diagnostic(
        "E0414",
        f"{path} is no record of a search: {reason}",
        help="begin anew: --overwrite, or write to another folder: --out DIR",
    )
