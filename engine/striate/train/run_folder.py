"""The folder of a run: the names of its files, and whether a run may begin or go on in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from striate.runtime.atomic import atomic_write, make_folder, remove_file, remove_parts
from striate.runtime.checkpoint import write_weights
from striate.runtime.checkpoint_info import CheckpointInfo
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of a run below `path`."""

    path: Path

    @property
    def best(self) -> Path:
        """The weights of the best epoch."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """The weights of the last epoch."""
        return self.path / "last.safetensors"

    @property
    def state(self) -> Path:
        """Everything needed to go on."""
        return self.path / "resume.safetensors"

    @property
    def history(self) -> Path:
        """The finished epochs as a table."""
        return self.path / "metrics.csv"

    @property
    def curves(self) -> Path:
        """The learning curves."""
        return self.path / "curves.png"

    @property
    def confusion(self) -> Path:
        """The confusion matrix on the test split."""
        return self.path / "confusion.png"

    @property
    def augmented(self) -> Path:
        """Training images as the augmentations of the recipe change them."""
        return self.path / "augmented.png"

    @property
    def rates(self) -> Path:
        """The loss over the rate, of a range test."""
        return self.path / "rates.png"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of a run; the state first, because without it the others are no run."""
        pictures = (self.curves, self.confusion, self.augmented, self.rates)
        return (self.state, self.best, self.last, self.history, *pictures, self.report)

    def check(self, *, resume: bool, overwrite: bool) -> bool:
        """Return whether there is a run to go on with, without touching anything.

        Args:
            resume: go on with the run in the folder, if there is one.
            overwrite: begin anew in any case.

        Raises:
            DiagnosticError: E0506, the folder holds a run, and what is to become of it was not said.
        """
        there = [path.name for path in self.files if path.exists()]
        if overwrite or not there:
            return False
        if resume and self.state.exists():
            return True
        raise DiagnosticError(_occupied(self.path, there, resume))

    def prepare(self, *, keep: bool) -> None:
        """Make the folder and remove what killed processes left half written.

        Args:
            keep: leave the files of the run in it; otherwise they are removed. Other files are never touched.

        Raises:
            DiagnosticError: E0505, the folder cannot be written to.
        """
        make_folder(self.path)
        remove_parts(self.path)
        for path in () if keep else self.files:
            remove_file(path)

    def write_weights(self, path: Path, weights: Mapping[str, Tensor], info: CheckpointInfo) -> None:
        """Write weights atomically."""
        write_weights(path, {name: value.contiguous().numpy() for name, value in weights.items()}, info)

    def write_history(self, text: str) -> None:
        """Write the table of epochs atomically."""
        atomic_write(self.history, text)


def _occupied(path: Path, there: list[str], resume: bool) -> Diagnostic:
    state = "resume.safetensors" in there
    return Diagnostic(
        "E0506",
        f"{path} holds a run without its state, so that it cannot go on" if resume else f"{path} already holds a run",
        notes=(f"its files: {', '.join(there)}",),
        help=("go on with it: --resume; " if state else "")
        + "begin anew and replace it: --overwrite; keep it and write elsewhere: --out DIR",
    )
