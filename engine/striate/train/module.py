"""A network and its recipe as Lightning sees them: one training step, one validation step, one optimizer."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from striate.lower.torch import Program
from striate.train.augmenting import Augmenter
from striate.train.batches import Batch, loader, whole_loader
from striate.train.data import DataSplits
from striate.train.objective import Objective
from striate.train.order import batches_of_epoch, step_seed
from striate.train.pixels import Pixels
from striate.train.recipe import Recipe
from striate.train.regularizing import Regularizers
from striate.train.run_state import RunState
from striate.train.scoring import Scorer, Scores


class TrainingModule(LightningModule):
    """Trains a program; where the run stands is in `run`, which `Recorder` moves on."""

    validation: Scores

    def __init__(
        self,
        program: Program,
        objective: Objective,
        recipe: Recipe,
        pixels: Pixels,
        classes: tuple[str, ...],
        run: RunState,
        steps: int,
    ) -> None:
        super().__init__()
        self.program, self.objective = program, objective
        self.recipe, self.pixels, self.classes = recipe, pixels, classes
        self.run, self.steps = run, steps
        self.rate = 0.0
        self._augment = Augmenter(recipe.augment, recipe.seed)
        self._regularizers = Regularizers(program, recipe)
        self._factor = recipe.schedule.make(recipe.epochs) if recipe.schedule else None
        self._scorer: Scorer | None = None

    def configure_optimizers(self) -> Optimizer:
        """Make the recipe's optimizer, for the network's weights and those that losses have of their own."""
        weights = [*self.program.parameters(), *self.objective.parameters()]
        optimizer: Optimizer = self.recipe.optimizer.make(weights)
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        if self._regularizers.changes_weights:  # part of the step: before anything is saved, and once per real step
            optimizer.register_step_post_hook(lambda *_: self._regularizers.after_step())
        return optimizer

    def on_fit_start(self) -> None:
        """Move the running sum to where the losses are."""
        self.run.loss_sum = self.run.loss_sum.to(self.device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set rate and random numbers by the place in the run alone, so that a resumed run goes on alike."""
        run = self.run
        torch.manual_seed(step_seed(self.recipe.seed, run.epoch, run.batch))
        # The schedule is asked at the middle of the step: neither the first nor the last one has a rate of 0.
        factor = 1.0 if self._factor is None else self._factor(run.epoch + (run.batch + 0.5) / self.steps)
        optimizer = self.optimizers()
        for group in optimizer.param_groups:  # type: ignore[union-attr]  # there is one optimizer
            group["lr"] = self.rate = group["initial_lr"] * factor

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch, and with it what layers and regularisers add; the score counts the loss alone."""
        run, made = self.run, self._augment(*batch, self.run.epoch, self.run.batch)
        outputs = _only(self.program(self.pixels(made.images)))
        terms = [self.objective(outputs, targets, made.images) * share for share, targets in made.targets]
        loss: Tensor = sum(terms[1:], terms[0])
        run.loss_sum += loss.detach().double() * len(made.images)
        run.seen += len(made.images)
        for penalty in (self.program.penalty(), self._regularizers.penalty()):
            loss = loss if penalty is None else loss + penalty
        return loss

    def on_validation_epoch_start(self) -> None:
        """Start counting."""
        objective = self.objective
        self._scorer = Scorer(objective, self.recipe.metrics, self.classes, objective.goal, self.device)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Take in a batch."""
        images, targets = batch
        if self._scorer is not None:
            self._scorer.update(_only(self.program(self.pixels(images))), targets, images)

    def on_validation_epoch_end(self) -> None:
        """Keep the scores for the recorder."""
        if self._scorer is not None:
            self.validation = self._scorer.result()

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the program's weights by the graph's names, in the processor's memory."""
        return _copied(self.program)

    def loss_weights(self) -> dict[str, Tensor]:
        """Return a copy of the weights that losses have of their own, in the processor's memory."""
        return _copied(self.objective)


class SplitLoaders(LightningDataModule):
    """The loaders of a run. The training batches depend on seed and epoch; those that are done are left out."""

    def __init__(self, data: DataSplits, recipe: Recipe, run: RunState) -> None:
        super().__init__()
        self._data, self._recipe, self._run = data, recipe, run

    def train_dataloader(self) -> DataLoader[Any]:
        """Return what is left of the current epoch; Lightning asks anew for every epoch."""
        recipe, run = self._recipe, self._run
        batches = batches_of_epoch(recipe.seed, run.epoch, len(self._data.train), recipe.batch)
        return loader(self._data.train, batches[run.batch :])

    def val_dataloader(self) -> DataLoader[Any]:
        """Return the validation split."""
        return whole_loader(self._data.validation, self._recipe.batch)


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}


def _only(outputs: Tensor | dict[str, Tensor]) -> Tensor:
    if isinstance(outputs, dict):
        raise TypeError("a network with several outputs cannot be trained; this is checked before a run begins")
    return outputs
