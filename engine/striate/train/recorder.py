"""What a run leaves on disk while it goes on, and when it stops: weights, state, history, early stop, interruption.

The state is the one file that decides: weights and history are written before it and can be made from it again, so a
process killed between two files loses nothing and contradicts nothing.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from striate.runtime.checkpoint_info import CheckpointInfo
from striate.train.history import format_history
from striate.train.interruption import StopRequest, TrainingInterruptedError
from striate.train.module import TrainingModule
from striate.train.run_folder import RunFolder
from striate.train.run_state import EpochScore
from striate_dsl.diagnostics import Diagnostic, DiagnosticError


class Recorder(Callback):
    """Moves the run state on and keeps it on disk.

    Args:
        folder: where to write.
        info: the description that weights get; epoch and metrics are filled in.
        stop: whether the user wants to stop.
        interval: seconds after which the state is saved in the middle of an epoch.
    """

    def __init__(self, folder: RunFolder, info: CheckpointInfo, stop: StopRequest, interval: float) -> None:
        self._folder, self._info, self._stop, self._interval = folder, info, stop, interval
        self._saved = self._begun = time.monotonic()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save a state before the first step, so that there is always one to go on from."""
        self._begun = time.monotonic()
        self._save(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the batch; save where it is time to, and stop where that was asked for."""
        run = _module(pl_module).run
        run.batch += 1
        if batch_idx + 1 == trainer.num_training_batches:
            return  # the end of the epoch is near: validation comes first
        if self._stop.signal is not None:
            self._save(trainer)
            raise TrainingInterruptedError(self._stop.signal, run.epoch)
        if time.monotonic() - self._saved >= self._interval:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write weights, history and state, and decide whether to go on."""
        module = _module(pl_module)
        run, recipe = module.run, module.recipe
        score = self._score(module)
        run.history.append(score)
        weights = module.measured
        if score.beats(run.best, recipe.metrics[0] if recipe.metrics else None):
            run.best, run.best_weights, run.best_loss_weights = score, weights, module.measured_loss
            self._folder.write_weights(self._folder.best, weights, self._described(score))
        run.next_epoch()
        out_of_patience = recipe.patience is not None and run.waited >= recipe.patience
        over = out_of_patience or run.came_apart
        run.finished = over or run.epoch == recipe.epochs
        self._folder.write_weights(self._folder.last, weights, self._described(score))
        self._folder.write_history(format_history(run.history))
        self._save(trainer)
        trainer.should_stop = over
        if self._stop.signal is not None:
            raise TrainingInterruptedError(self._stop.signal, run.epoch)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Add the run to what Lightning saves.

        Lightning's own record of its loops is left out: where the run stands is said once, by the run state, in terms
        that do not change with Lightning's version.
        """
        module = _module(pl_module)
        checkpoint.pop("loops", None)
        checkpoint["striate"] = {
            "run": module.run.to_plain(),
            "recipe": module.recipe.settings(),
            "fingerprint": self._info.fingerprint,
            "plugins": {name: dict(said) for name, said in self._info.plugins.items()},
        }

    def _score(self, module: TrainingModule) -> EpochScore:
        """Return the score of the epoch that has just ended, with the seconds since this process took it up."""
        run, seen = module.run, module.validation
        loss = float(run.loss_sum) / run.seen if run.seen else math.nan  # none, where a range test was over before
        if run.seen and not math.isfinite(loss):
            raise DiagnosticError(_diverged(loss, run.epoch + 1, module))
        now = time.monotonic()
        seconds, self._begun = now - self._begun, now
        return EpochScore(run.epoch + 1, module.rate, loss, seen.loss, seen.metrics, round(seconds, 3))

    def _described(self, score: EpochScore) -> CheckpointInfo:
        return replace(self._info, epoch=score.epoch, metrics={"loss": score.validation_loss, **score.metrics})

    def _save(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self._folder.state)
        self._saved = time.monotonic()


def _module(module: LightningModule) -> TrainingModule:
    if not isinstance(module, TrainingModule):
        raise TypeError(f"a recorder works for a TrainingModule, not for a {type(module).__name__}")
    return module


def _diverged(loss: float, epoch: int, module: TrainingModule) -> Diagnostic:
    optimizer = module.recipe.optimizer
    rate = optimizer.arguments.get("lr")
    return Diagnostic(
        "E0511",
        f"training came apart: the loss in epoch {epoch} is {loss}",
        optimizer.span,
        notes=("what was saved before this epoch is intact",),
        help=f"try a lower rate: --set train.optimizer.lr={rate / 10:g}, or clip gradients: --set train.clip_norm=1"
        if isinstance(rate, float)
        else "try a lower learning rate",
    )
