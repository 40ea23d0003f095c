"""`striate eval`: how good a trained network is on a split of its recipe's data."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.cli.model_options import format_option, model_file, model_option, parse_settings, profile_option
from striate.cli.recipe_options import (
    backend_option,
    check_settings,
    demand_own_device,
    device_option,
    load_with_recipe,
    recipe_option,
    recipe_set_option,
    weights_option,
)
from striate.host.work_records import TORCH

if TYPE_CHECKING:
    from striate.model import Model
    from striate.train.recipe import Recipe
    from striate.train.scoring import Scores

_MOST_SHOWN = 20
"""Classes up to which the confusion matrix is printed; beyond, the most frequent mix-ups are."""

_USED = ("data", "loss", "metrics", "batch", "size")
"""The settings of a recipe that measuring depends on."""


@click.command("eval")
@model_file
@model_option
@weights_option
@recipe_option
@recipe_set_option
@profile_option
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train"]),
    default="test",
    show_default=True,
    help="Which images to measure on.",
)
@format_option
@device_option
@backend_option
def command(
    file: Path,
    model: str | None,
    weights: Path,
    recipe_name: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    split: str,
    form: str,
    device_name: str,
    backend: str,
) -> None:
    """Measure a network of FILE with trained weights: accuracy, loss, scores per class, confusion matrix."""
    from striate.runtime.checkpoint import read_info
    from striate.train.extras import needs_training_packages
    from striate.train.quiet import quiet_libraries

    demand_own_device(backend, device_name)
    written = parse_settings(settings)
    check_settings(written, _USED, "eval")
    info = read_info(weights)
    network, recipe = load_with_recipe(file, model, recipe_name, written, info, profile)
    with needs_training_packages(), quiet_libraries():
        from striate.train.evaluation import scores_document

        scores = _measured(network, recipe, weights, split, device_name, backend)
    if form == "json":
        document = {"model": network.name, "weights": str(weights), "split": split, **scores_document(scores)}
        click.echo(json.dumps(document, indent=2))
        return
    lines = _head(network.name, recipe, split, scores)
    if scores.answers:
        lines += ["", *_classes(scores), "", *_confusion(scores)]
    for line in lines:
        click.echo(line)


def _measured(network: Model, recipe: Recipe, weights: Path, split: str, device_name: str, backend: str) -> Scores:
    from striate.train.backends import of_tensors
    from striate.train.devices import choose_device
    from striate.train.evaluation import evaluate
    from striate.train.subject import assemble

    subject = assemble(network, recipe)
    if backend != TORCH:
        return evaluate(subject, of_tensors(network.runner(backend, weights=weights), network.graph), split)
    device = choose_device(device_name)
    return evaluate(subject, network.to_torch(weights=weights, device=str(device)), split, device)


def _head(model: str, recipe: Recipe, split: str, scores: Scores) -> list[str]:
    from striate.train.wording import metric_text

    wrong = scores.answers - int(scores.confusion.trace())
    right = f"{100 * scores.accuracy:.2f} % right ({wrong:,} of {scores.answers:,} wrong), " if scores.answers else ""
    loss = f"loss {scores.loss:.4f}"
    if math.isnan(scores.loss):
        loss = f"loss not known: {recipe.loss} has weights of its own, which lie in the state of the run"
    lines = [f"{model} on the {split} split of {recipe.data}: {right}{loss}"]
    further = [part for part in recipe.metrics if str(part) != "accuracy"]
    return lines + [f"{part}: {metric_text(part, scores.metrics[str(part)])}" for part in further]


def _classes(scores: Scores) -> list[str]:
    width = max(len("class"), *map(len, scores.classes))
    head = f"{'class':<{width}}  precision   recall       F1  examples"
    return [
        head,
        *(
            f"{item.name:<{width}}  {100 * item.precision:7.1f} %{100 * item.recall:7.1f} %{100 * item.f1:7.1f} %"
            f"{item.examples:10,}"
            for item in scores.per_class
        ),
    ]


def _confusion(scores: Scores) -> list[str]:
    if len(scores.classes) > _MOST_SHOWN:
        return _mix_ups(scores)
    cells = [[str(count) if count else "." for count in row] for row in scores.confusion.tolist()]
    left = max(map(len, scores.classes))
    width = max(map(len, [*scores.classes, *(cell for row in cells for cell in row)])) + 2
    lines = ["confusion matrix: rows are true classes, columns are answers"]
    lines.append(" " * left + "".join(f"{name:>{width}}" for name in scores.classes))
    for name, row in zip(scores.classes, cells, strict=True):
        lines.append(f"{name:<{left}}" + "".join(f"{cell:>{width}}" for cell in row))
    return lines


def _mix_ups(scores: Scores) -> list[str]:
    counts = {
        (true, answer): count
        for true, row in zip(scores.classes, scores.confusion.tolist(), strict=True)
        for answer, count in zip(scores.classes, row, strict=True)
        if count and answer != true
    }
    worst = sorted(counts, key=lambda pair: -counts[pair])[:_MOST_SHOWN]
    return [
        "most frequent mix-ups (the whole matrix: --format json)",
        *(f"{true} taken for {answer}: {counts[true, answer]:,}" for true, answer in worst),
    ]
