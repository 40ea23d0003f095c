"""What is trained or measured: a model, its recipe, the images in its size, and that all of them go together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from striate.graph import TensorType, format_shape
from striate.host.records import LossRecord, TaskRecord
from striate.train.augmenting import Augmenter
from striate.train.batches import whole_loader
from striate.train.data import DataSplits
from striate.train.groups import check_groups
from striate.train.loss_terms import LossTerm
from striate.train.objective import VECTORS, Goal, Objective
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

_TASKS = {"embeddings": "embedding", "directions": "embedding", "images": "reconstruction"}
"""The task of a goal that is not the data's own."""


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
        goal: what the loss compares outputs with.
    """

    model: Model
    recipe: Recipe
    size: Size
    pixels: Pixels
    data: DataSplits
    task: TaskRecord
    goal: Goal = "classes"

    def objective(self, terms: tuple[LossTerm, ...] | None = None) -> Objective:
        """Return the recipe's loss, or some of its terms, with weights of its own as a run begins with them."""
        loss = self.recipe.loss if terms is None else replace(self.recipe.loss, terms=terms)
        sizes = {"classes": len(self.data.classes)}
        features = _output(self.model)[1].channels
        if isinstance(features, int):
            sizes["features"] = features
        return Objective(loss, sizes, self.recipe.seed, self.goal)


def assemble(model: Model, recipe: Recipe) -> Subject:
    """Load a recipe's data in the model's size, and check that they go together.

    Raises:
        DiagnosticError: E0405, the task is not installed; E0507, model, groups and data do not fit.
    """
    size = input_size(model.graph, model.domain, recipe.size)
    if len(model.graph.outputs) != 1:
        names = ", ".join(model.graph.outputs)
        raise _misfit(recipe, f"{model.name} has {len(model.graph.outputs)} outputs ({names}); one can be trained")
    if findings := check_groups(model.graph, recipe.groups):
        raise DiagnosticError(*findings)
    if not any(part.record.output in VECTORS for part in recipe.loss.parts):
        _task(model, recipe, recipe.data.record.task)
    data: DataSplits = recipe.data.make(size)
    _check_metrics(recipe)
    _check_images(recipe, model, data, size)
    goal = _goal(recipe, model, data)
    task = _task(model, recipe, _TASKS.get(goal, recipe.data.record.task))
    if goal == "classes":
        _check_classes(recipe, model, data)
    if goal == "images" and recipe.metrics:
        metric = recipe.metrics[0]
        message = f"{metric.record.name} needs classes, but {model.name} is trained to give its input back"
        raise _misfit(recipe, message, metric.span, "leave metrics out: the loss says which epoch is best")
    return Subject(model, recipe, size, Pixels(model.graph.inputs[0]), data, task, goal)


def try_out(subject: Subject, program: Program) -> Objective:
    """Run a few images through augmentations, network, loss and metrics, so that misfits show before a run begins.

    Returns:
        The recipe's loss, as a run begins with it.

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
    for part in recipe.loss.parts:
        _check_values(recipe, part, outputs)
    parts: tuple[Part[Any], ...] = (*recipe.loss.parts, *recipe.metrics)
    for part in parts:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # two images are few, which metrics complain of
                _measure(subject, part, outputs, targets, images)
        except (ValueError, RuntimeError, IndexError, TypeError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise _misfit(recipe, f"{part.record.name} cannot be worked out: {reason}", part.span) from None
    return subject.objective()


def _measure(subject: Subject, part: Part[Any], outputs: Tensor, targets: Tensor, images: Tensor) -> None:
    """Work out one loss or one metric, alone and of objects of its own: what it keeps is not kept for the run."""
    recipe = subject.recipe
    terms = tuple(term for term in recipe.loss.terms if term.part is part)
    objective = subject.objective(terms).eval() if terms else None
    metrics = [metric for metric in recipe.metrics if metric is part]
    scorer = Scorer(objective, metrics, subject.data.classes, subject.goal)
    with torch.no_grad():
        scorer.update(outputs, targets, images)
        scorer.result()


_SLACK = 1e-3
"""How far outside of 0 to 1 a probability may be, for numbers of half precision."""


def _check_values(recipe: Recipe, part: Part[LossRecord], outputs: Tensor) -> None:
    """Hold the first outputs to what a loss takes, where numbers can tell."""
    name, kind = part.record.name, part.record.output
    low, high = float(outputs.min()), float(outputs.max())
    spread = f"but the output goes from {low:.3g} to {high:.3g}"
    if kind == "probabilities" and not -_SLACK <= low <= high <= 1 + _SLACK:
        scores = name.removesuffix("_from_probabilities")
        help_text = "end the network in softmax or sigmoid"
        help_text += f", or take loss = {scores}, which works on scores" if scores != name else ""
        raise _misfit(recipe, f"{name} takes probabilities, {spread}", part.span, help_text)
    if kind == "log_probabilities" and high > _SLACK:
        help_text = "end the network in log_softmax, or take loss = cross_entropy, which works on scores"
        raise _misfit(recipe, f"{name} takes logarithms of probabilities, {spread}", part.span, help_text)


def _goal(recipe: Recipe, model: Model, data: DataSplits) -> Goal:
    """Return what the recipe's losses compare the output with.

    Raises:
        DiagnosticError: E0507, some take vectors and others scores, or the output is no vector.
    """
    parts = recipe.loss.parts
    vectors = [part for part in parts if part.record.output in VECTORS]
    maps = bool(getattr(data.train[0][1], "shape", ()))
    if vectors:
        _check_vectors(recipe, model, vectors, maps)
        return "directions" if any(part.record.output == "directions" for part in vectors) else "embeddings"
    of_images = all(part.record.target in ("values", "shares") for part in parts)
    if of_images and not maps and _output(model)[1] == model.graph.inputs[0].value.type:
        return "images"
    return "classes"


def _check_vectors(recipe: Recipe, model: Model, vectors: list[Part[LossRecord]], maps: bool) -> None:
    first = vectors[0]
    for part in recipe.loss.parts:
        if part.record.output not in VECTORS:
            message = f"{first.record.name} compares vectors of images and {part.record.name} does not: one output "
            raise _misfit(recipe, f"{message}cannot be both", part.span)
    if maps:
        message = f"{first.record.name} needs one class per image, but {recipe.data.record.name} has one per pixel"
        raise _misfit(recipe, message, first.span)
    output, shape = _output(model)
    if shape.rank != 1:
        raise _misfit(
            recipe,
            f"{first.record.name} needs one vector per image, but output {output} of {model.name} is "
            f"{format_shape(shape)}",
            first.span,
            "end the network with flatten -> dense(64)",
        )


def _output(model: Model) -> tuple[str, TensorType]:
    """Return name and size of the one output."""
    name, value = next(iter(model.graph.outputs.items()))
    return name, model.graph.types[value]


def _task(model: Model, recipe: Recipe, needed: str) -> TaskRecord:
    if model.graph.tasks and model.graph.tasks[0].name != needed:
        head = model.graph.tasks[0].name
        what = recipe.data.record.name if needed == recipe.data.record.task else str(recipe.loss)
        raise _misfit(recipe, f"{what} is for {needed}, but {model.name} ends in a {head} head")
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
