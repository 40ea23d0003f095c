"""What is trained or measured: a model, its recipe, the images in its size, and that all of them go together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from striate.graph import format_shape
from striate.host.records import TaskRecord
from striate.train.augmenting import Augmenter
from striate.train.batches import whole_loader
from striate.train.data import DataSplits
from striate.train.parts import Part
from striate.train.pixels import Pixels
from striate.train.recipe import Recipe
from striate.train.regularizing import Regularizers
from striate.train.scoring import Scorer
from striate.train.sizes import Size, input_size
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.source import Span

if TYPE_CHECKING:
    from striate.lower.torch import Program
    from striate.model import Model

_TRIED = 2
"""Images in the batch on which loss and metrics are tried out."""


@dataclass(frozen=True)
class Subject:
    """A model with everything that its recipe names, checked against each other.

    Attributes:
        model: the model.
        recipe: its recipe.
        size: channels, height and width of the images.
        pixels: the input's pixel contract.
        data: the splits, in that size.
        task: how outputs become answers.
    """

    model: Model
    recipe: Recipe
    size: Size
    pixels: Pixels
    data: DataSplits
    task: TaskRecord


def assemble(model: Model, recipe: Recipe) -> Subject:
    """Load a recipe's data in the model's size, and check that they go together.

    Raises:
        DiagnosticError: E0405, the task is not installed; E0507, model and data do not fit.
    """
    size = input_size(model.graph, model.domain, recipe.size)
    if len(model.graph.outputs) != 1:
        names = ", ".join(model.graph.outputs)
        raise _misfit(recipe, f"{model.name} has {len(model.graph.outputs)} outputs ({names}); one can be trained")
    task = _task(model, recipe)
    data: DataSplits = recipe.data.make(size)
    _check_metrics(recipe)
    _check_images(recipe, model, data, size)
    _check_classes(recipe, model, data)
    return Subject(model, recipe, size, Pixels(model.graph.inputs[0]), data, task)


def try_out(subject: Subject, program: Program) -> None:
    """Run a few images through augmentations, network, loss and metrics, so that misfits show before a run begins.

    Raises:
        DiagnosticError: E0507, something does not fit.
    """
    recipe, first = subject.recipe, range(min(_TRIED, len(subject.data.train)))
    examples = [subject.data.train[index] for index in first]
    images, targets = next(iter(whole_loader(examples, len(first))))
    Augmenter(recipe.augment, recipe.seed)(images, targets, 0, 0)
    Regularizers(program, recipe).try_out()
    program.eval()
    with torch.no_grad():
        outputs = program(subject.pixels(images))
    program.train()
    parts: tuple[Part[Any], ...] = (recipe.loss, *recipe.metrics)
    for part in parts:
        metrics = [metric for metric in recipe.metrics if metric is part]
        try:
            scorer = Scorer(recipe.loss, metrics, subject.data.classes)
            scorer.update(outputs, targets)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # two images are few, which metrics complain of
                scorer.result()
        except (ValueError, RuntimeError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise _misfit(recipe, f"{part.record.name} cannot be worked out: {reason}", part.span) from None


def _task(model: Model, recipe: Recipe) -> TaskRecord:
    needed = recipe.data.record.task
    if model.graph.tasks and model.graph.tasks[0].name != needed:
        head = model.graph.tasks[0].name
        raise _misfit(recipe, f"{recipe.data.record.name} is for {needed}, but {model.name} ends in a {head} head")
    record = model.catalogue.identified(TaskRecord, needed)
    if record is None:
        raise DiagnosticError(Diagnostic("E0405", f"no installed plugin provides the task {needed}", recipe.data.span))
    return record


def _check_metrics(recipe: Recipe) -> None:
    task = recipe.data.record.task
    for part in recipe.metrics:
        if part.record.tasks and task not in part.record.tasks:
            wanted = " or ".join(part.record.tasks)
            message = f"{part.record.name} is for {wanted}, but {recipe.data.record.name} is for {task}"
            raise _misfit(recipe, message, part.span)


def _check_images(recipe: Recipe, model: Model, data: DataSplits, size: Size) -> None:
    name = recipe.data.record.name
    for split, examples in data:
        if len(examples) == 0:
            raise _misfit(recipe, f"the {split} split of {name} is empty")
    shape = tuple(data.train[0][0].shape)
    if len(shape) != 3 or shape[0] != size[0]:
        channels = "channel" if shape[0] == 1 else "channels"
        raise _misfit(
            recipe,
            f"the images of {name} have {shape[0]} {channels}, {model.name} takes {size[0]}",
            help_text=_channel_help(recipe, model, shape[0], size),
        )
    if shape != size:
        raise _misfit(recipe, f"{name} gave images of {_written(shape)} where {_written(size)} was asked for")


def _channel_help(recipe: Recipe, model: Model, channels: int, size: Size) -> str:
    item = model.graph.inputs[0]
    text = f"write input {item.value.name}: {_written((channels, *size[1:]))}"
    if "channels" in recipe.data.arguments:
        text += f", or data = {recipe.data.record.name}(channels = {size[0]})"
    return text


def _check_classes(recipe: Recipe, model: Model, data: DataSplits) -> None:
    name, classes = recipe.data.record.name, len(data.classes)
    output, value = next(iter(model.graph.outputs.items()))
    shape = model.graph.types[value]
    target = getattr(data.train[0][1], "shape", ())
    if shape.rank != len(target) + 1:
        wanted = "one class per image" if not target else "one class per pixel"
        raise _misfit(
            recipe,
            f"{name} has {wanted}, but output {output} of {model.name} is {format_shape(shape)}",
            help_text=f"end the network with flatten -> dense({classes})" if not target else None,
        )
    if shape.channels != classes:
        parameter = next((key for key, given in model.graph.arguments.items() if given == shape.channels), None)
        raise _misfit(
            recipe,
            f"{name} has {classes} classes, but output {output} of {model.name} has {shape.channels} scores",
            help_text=f"set it: --set {parameter}={classes}" if parameter else f"end the network with dense({classes})",
        )


def _misfit(recipe: Recipe, message: str, span: Span | None = None, help_text: str | None = None) -> DiagnosticError:
    place = span or recipe.data.span
    return DiagnosticError(Diagnostic("E0507", message, place, help=help_text))


def _written(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
