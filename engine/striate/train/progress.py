"""What the user sees while a network is trained: one line that moves on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import math
import time
from typing import Any, TextIO

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from striate.train.module import TrainingModule
from striate.train.wording import score_text, validation_text

_MOST_LINES = 20
_REFRESH = 0.1
"""Seconds between two looks at the loss, each of which waits for the device."""


def console(stream: TextIO) -> Console:
    """Return a console on a stream; only a real terminal gets moving lines, whatever colours are asked for."""
    return Console(file=stream, force_terminal=stream.isatty())


def progress_for(console: Console) -> Callback:
    """Return the display that suits a console."""
    return MovingLine(console) if console.is_terminal and not console.is_dumb_terminal else PlainLines(console)


class PlainLines(Callback):
    """One line per epoch, or per so many epochs that there are at most about twenty."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the epoch's line, if it is its turn."""
        module = pl_module
        if not isinstance(module, TrainingModule) or not module.run.history:
            return
        score, epochs = module.run.history[-1], module.recipe.epochs
        if score.epoch in (1, epochs) or score.epoch % math.ceil(epochs / _MOST_LINES) == 0 or module.run.finished:
            line = f"epoch {score.epoch:{len(str(epochs))}}/{epochs}  {score_text(score, module.recipe.metrics)}"
            self._console.print(line, highlight=False, soft_wrap=True)


class MovingLine(Callback):
    """Epoch, bar over the whole training, loss, validation score, time left; rewritten in place."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=console,
            expand=True,
        )
        self._task = self._progress.add_task("", total=None, epoch="", note="")
        self._looked = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the line, from where the run stands."""
        module = _training(pl_module)
        done = module.run.epoch * module.steps + module.run.batch
        self._progress.update(self._task, total=module.recipe.epochs * module.steps, completed=done, note="")
        self._progress.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move on, and now and then look at the loss."""
        module = _training(pl_module)
        self._progress.advance(self._task)
        now = time.monotonic()
        if now - self._looked < _REFRESH:
            return
        self._looked = now
        run = module.run
        note = f"loss {float(run.loss_sum) / max(run.seen, 1):.4f}"
        if run.history:
            note += f"  {validation_text(run.history[-1], module.recipe.metrics)}"
        self._progress.update(self._task, epoch=f"{run.epoch + 1}/{module.recipe.epochs}", note=note)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the finished epoch's scores."""
        module = _training(pl_module)
        if module.run.history:
            score = module.run.history[-1]
            note = score_text(score, module.recipe.metrics)
            self._progress.update(self._task, epoch=f"{score.epoch}/{module.recipe.epochs}", note=note)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the line as it is."""
        self._progress.stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave the line as it is, and give the terminal back."""
        self._progress.stop()


def _training(module: LightningModule) -> TrainingModule:
    if not isinstance(module, TrainingModule):
        raise TypeError(f"this shows the progress of a TrainingModule, not of a {type(module).__name__}")
    return module
