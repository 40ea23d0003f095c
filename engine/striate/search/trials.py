"""The trials of a search: real runs of training, one after the other, each in a folder of its own.

Which points are tried is a function of the seed. A stopped search goes on where it was, in the middle of a run too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.host.records import MetricRecord
from striate.search.checking import Ground
from striate.search.record import Purpose, SearchFolder, Trial
from striate.search.space import Point, Space
from striate.train.fit import TrainingResult, train
from striate.train.parts import Part
from striate.train.run_state import EpochScore
from striate.train.subject import assemble
from striate_dsl.diagnostics import DiagnosticError

if TYPE_CHECKING:
    from lightning.pytorch import Callback

    from striate.model import Model

_OF_THE_TRIAL = frozenset({"E0405", "E0507", "E0511"})
"""What ends a trial and not the search: images that do not fit, a loss that is not finite."""


@dataclass(frozen=True)
class Search:
    """A search with everything it needs.

    Attributes:
        space: what is searched.
        ground: what its points are laid over.
        points: the points to try, in order.
        build: makes the model of a point.
        folder: where everything is written.
        purpose: what the record says of the search.
        device: where to compute, as torch writes it.
    """

    space: Space
    ground: Ground
    points: Sequence[Point]
    build: Callable[[Point], Model]
    folder: SearchFolder
    purpose: Purpose
    device: str = "cpu"

    def run(
        self,
        trials: list[Trial],
        *,
        begun: Callable[[int, Point], None],
        ended: Callable[[Trial, bool], None],
        callbacks: Callable[[], tuple[Callback, ...]],
        tell: Callable[[str], None],
    ) -> Trial | None:
        """Run the trials that have not ended before, and return the best of all; None where none came to an end.

        Args:
            trials: those that have ended; the others are added.
            begun: is told the number and the point of a trial before it is run.
            ended: is told a trial that has ended, and whether it is the best so far.
            callbacks: makes the display of a run's progress.
            tell: is given short messages for the user.

        Raises:
            DiagnosticError: a file cannot be written.
            TrainingInterruptedError: the user stopped the search; the run at hand is saved.
        """
        best = self.best(trials)
        for number, point in enumerate(self.points, 1):
            if number <= len(trials):
                continue
            begun(number, point)
            trial = self._trial(number, point, callbacks(), tell)
            trials.append(trial)
            self.folder.write(self.purpose, trials)
            better = self._beats(trial, best)
            best = trial if better else best
            ended(trial, better)
        return best

    def best(self, trials: Sequence[Trial]) -> Trial | None:
        """Return the best of several trials by the first metric of the recipe, or by the loss."""
        found: Trial | None = None
        for trial in trials:
            found = trial if self._beats(trial, found) else found
        return found

    def ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the trials that came to an end, the best first."""
        waiting, found = [trial for trial in trials if trial.failure is None], []
        while (best := self.best(waiting)) is not None:
            found.append(best)
            waiting.remove(best)
        return found

    @property
    def metric(self) -> Part[MetricRecord] | None:
        """The metric by which trials are compared."""
        metrics = self.ground.recipe(self.space, self.points[0]).metrics
        return metrics[0] if metrics else None

    def _beats(self, trial: Trial, other: Trial | None) -> bool:
        if trial.failure is not None:
            return False
        return _score(trial).beats(None if other is None else _score(other), self.metric)

    def _trial(self, number: int, point: Point, callbacks: tuple[Callback, ...], tell: Callable[[str], None]) -> Trial:
        """Run one trial; what ends it early without being anybody's fault but the point's is its result."""
        try:
            subject = assemble(self.build(point), self.ground.recipe(self.space, point))
            folder = self.folder.trial(number)
            result = train(
                subject,
                folder,
                resume=folder.state.exists(),
                overwrite=not folder.state.exists(),
                device=self.device,
                callbacks=callbacks,
                tell=tell,
            )
        except DiagnosticError as error:
            if error.diagnostics[0].code not in _OF_THE_TRIAL:
                raise
            return Trial(number, point, failure=error.diagnostics[0].message)
        return _ended(number, point, result)


def _ended(number: int, point: Point, result: TrainingResult) -> Trial:
    best = result.run.best
    if best is None:
        raise RuntimeError("a finished run has a best epoch")
    seconds = sum(score.seconds for score in result.run.history)
    return Trial(number, point, best.epoch, best.validation_loss, dict(best.metrics), round(seconds, 3))


def _score(trial: Trial) -> EpochScore:
    return EpochScore(trial.epoch, 0.0, 0.0, trial.loss, trial.metrics, trial.seconds)
