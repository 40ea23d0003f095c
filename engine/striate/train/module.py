"""A network and its recipe as Lightning sees them: one training step, one validation step, one optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from striate.lower.torch import Program
from striate.train.augmenting import Augmenter
from striate.train.averaging import Averaging
from striate.train.batches import Batch, loader, whole_loader
from striate.train.data import DataSplits
from striate.train.image_batch import ImageBatch
from striate.train.objective import Objective
from striate.train.order import batches_of_epoch, step_seed
from striate.train.parts import Part, broken_by
from striate.train.rate_test import comes_apart
from striate.train.rates import Rates, make_optimizer
from striate.train.recipe import Recipe
from striate.train.regularizing import Regularizers
from striate.train.run_state import RunState
from striate.train.scoring import Scorer, Scores
from striate.train.statistics import has_statistics, recompute_statistics
from striate.train.stepping import Clipping, StepGradients, parts_of_step
from striate.train.subject import Subject


class _CameApartError(Exception):
    """The loss of a range test has risen so far that the test is over."""


class TrainingModule(LightningModule):
    """Trains a program; where the run stands is in `run`, which `Recorder` moves on.

    The step is made here and not by Lightning, because an optimizer may want the gradients of a step several times,
    and those of several batches at once.

    Attributes:
        validation: the scores of the last validation.
        measured: the weights that it measured, by the graph's names: those of the network, or what recipe or optimizer
            put in their place.
        measured_loss: those that losses had of their own.
    """

    validation: Scores
    measured: dict[str, Tensor]
    measured_loss: dict[str, Tensor]

    def __init__(self, program: Program, objective: Objective, subject: Subject, run: RunState, steps: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        recipe = subject.recipe
        self.program, self.objective = program, objective
        self.recipe, self.pixels, self.classes = recipe, subject.pixels, subject.data.classes
        self.run, self.steps = run, steps
        self.rate = 0.0
        self._subject = subject
        self._augment = Augmenter(recipe.augment, recipe.seed)
        self._regularizers = Regularizers(program, recipe)
        self._rates = Rates(recipe, run)
        self._clipping = Clipping(recipe.clip_value, recipe.clip_norm)
        self._averaging = Averaging(recipe.average, recipe.epochs, run) if recipe.average else None
        self._scorer: Scorer | None = None
        self._put_back: Callable[[], object] | None = None

    @property
    def _trained(self) -> nn.Module:
        """Everything that has weights: the network and the losses. Made anew, or they would be saved twice."""
        return nn.ModuleDict({"program": self.program, "objective": self.objective})

    def configure_optimizers(self) -> Optimizer:
        """Make the recipe's optimizer, for the network's weights and those that losses have of their own."""
        self._optimizer = make_optimizer(self._subject, self.program, list(self.objective.parameters()))
        if self._regularizers.changes_weights:  # part of the step: before anything is saved, and once per real step
            self._optimizer.register_step_post_hook(lambda *_: self._regularizers.after_step())
        return self._optimizer

    def on_fit_start(self) -> None:
        """Move what the run state keeps to where the losses and weights are."""
        run = self.run
        run.loss_sum = run.loss_sum.to(self.device)
        run.average = {name: value.to(self.device) for name, value in run.average.items()}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set rate and random numbers by the place in the run alone, so that a resumed run goes on alike."""
        run = self.run
        torch.manual_seed(step_seed(self.recipe.seed, run.epoch, run.batch))
        # The schedule is asked at the middle of the step: neither the first nor the last one has a rate of 0.
        self.rate = self._rates.set(self._optimizer, run.epoch + (run.batch + 0.5) / self.steps)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Make one step. What layers and regularisers add takes part in it; the score counts the loss alone."""
        run = self.run
        if run.came_apart:
            return
        made = self._augment(*batch, run.epoch, run.batch)
        gradients = StepGradients(
            self._trained,
            parts_of_step(len(made.images), self.recipe.batch),
            partial(self.loss_of, made),
            seed=step_seed(self.recipe.seed, run.epoch, run.batch),
            clipping=self._clipping,
            forward=self.trainer.precision_plugin.forward_context,
            backward=self.manual_backward,
            accept=self._accept if self._rates.are_tested else None,
        )
        try:
            # Lower precision is for the network alone: gradients and steps are worked out in that of the weights.
            with torch.autocast(self.device.type, enabled=False):
                self.optimizers().step(gradients)  # type: ignore[union-attr]  # there is one optimizer
        except _CameApartError:
            run.came_apart = True
            return
        if gradients.loss is None:
            outermost: Part[Any] = self.recipe.wrap[-1] if self.recipe.wrap else self.recipe.optimizer
            raise broken_by(outermost, "made a step without asking for gradients")
        run.loss_sum += gradients.loss
        run.seen += gradients.images
        if self._averaging is not None:
            self._averaging.move(self._trained, run.epoch + (run.batch + 1) / self.steps)

    def loss_of(self, made: ImageBatch, part: slice) -> tuple[Tensor, Tensor | None]:
        """Return the loss of a part of a step, and what layers and regularisers add to it, or None."""
        images = made.images[part]
        outputs = _only(self.program(self.pixels(images)))
        terms = [self.objective(outputs, targets[part], images) * share for share, targets in made.targets]
        added = [item for item in (self.program.penalty(), self._regularizers.penalty()) if item is not None]
        return sum(terms[1:], terms[0]), sum(added[1:], added[0]) if added else None

    def _accept(self, loss: float) -> None:
        if comes_apart(self.run.rates, loss):
            raise _CameApartError
        self.run.rates.append((self.rate, loss))

    def on_validation_start(self) -> None:
        """Put the weights in place that are measured and saved, if these are not those of the network."""
        with torch.inference_mode(False), torch.no_grad():
            if self._averaging is not None and self.run.averaged:
                own = {name: value.clone() for name, value in self._trained.state_dict().items()}
                self._trained.load_state_dict(self.run.average)
                if self._averaging.recomputes and has_statistics(self.program.graph):
                    recompute_statistics(self.program, self._subject.model.catalogue.lookup, self._training_images())
                self._put_back = partial(self._trained.load_state_dict, own)
            elif hasattr(self._optimizer, "eval"):
                self._optimizer.eval()
                self._put_back = getattr(self._optimizer, "train")  # noqa: B009  # an optimizer that has one has both

    def on_validation_end(self) -> None:
        """Keep the weights that were measured, and put those of the network back."""
        with torch.inference_mode(False), torch.no_grad():
            self.measured, self.measured_loss = _copied(self.program), _copied(self.objective)
            if self._put_back is not None:
                self._put_back()
                self._put_back = None

    def _training_images(self) -> Iterator[Tensor]:
        """Yield the images of the training split as the network takes them, in order."""
        for images, _ in whole_loader(self._subject.data.train, self.recipe.batch):
            yield self.pixels(images.to(self.device))

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


class SplitLoaders(LightningDataModule):
    """The loaders of a run. The training batches depend on seed and epoch; those that are done are left out."""

    def __init__(self, data: DataSplits, recipe: Recipe, run: RunState) -> None:
        super().__init__()
        self._data, self._recipe, self._run = data, recipe, run

    def train_dataloader(self) -> DataLoader[Any]:
        """Return what is left of the current epoch; Lightning asks anew for every epoch."""
        recipe, run = self._recipe, self._run
        batches = batches_of_epoch(recipe.seed, run.epoch, len(self._data.train), recipe.step_images)
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
