"""`striate predict`: a trained network applied to image files, or to images of its recipe's data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from striate.cli.boundary import FINDINGS, show
from striate.cli.model_options import format_option, model_file, model_option, parse_settings, profile_option
from striate.cli.recipe_options import (
    backend_option,
    check_settings,
    demand_own_device,
    device_option,
    load_for_weights,
    load_with_recipe,
    recipe_option,
    recipe_set_option,
    weights_option,
)
from striate.host.work_records import TORCH
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from striate.model import Model
    from striate.runtime.checkpoint_info import CheckpointInfo
    from striate.train.prediction import Predictor
    from striate.train.recipe import Recipe

_USED = ("data", "size")
"""The settings of a recipe that its images depend on."""


@click.command("predict")
@model_file
@click.argument("images", nargs=-1, type=click.Path(path_type=Path), metavar="[IMAGE]...")
@model_option
@weights_option
@click.option(
    "--split", type=click.Choice(["test", "validation", "train"]), help="Take images of the recipe's data instead."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="With --split: only the first N images.")
@recipe_option
@recipe_set_option
@profile_option
@format_option
@device_option
@backend_option
def command(
    file: Path,
    images: tuple[Path, ...],
    model: str | None,
    weights: Path,
    split: str | None,
    limit: int | None,
    recipe_name: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    form: str,
    device_name: str,
    backend: str,
) -> int:
    """Say what a network of FILE with trained weights sees in IMAGEs (PNG, JPEG, BMP, GIF, WEBP).

    Images are resized to the network's input and turned to grey or RGB as it needs.
    """
    _check_usage(images, split, limit, recipe_name)
    demand_own_device(backend, device_name)
    from striate.runtime.checkpoint import read_info
    from striate.train.extras import needs_training_packages
    from striate.train.quiet import quiet_libraries

    written = parse_settings(settings)
    check_settings(written, _USED if split else (), "predict")
    info = read_info(weights)
    recipe = None
    if split is None:
        network = load_for_weights(file, model, written, info, profile)
    else:
        network, recipe = load_with_recipe(file, model, recipe_name, written, info, profile)
    with needs_training_packages(), quiet_libraries():
        predictor = _predictor(network, weights, info, device_name, backend)
        if recipe is None or split is None:
            answers, findings = _of_files(predictor, images)
        else:
            answers, findings = _of_data(predictor, network, recipe, split, limit), []
    _print(answers, form, network, weights)
    show(findings)
    return FINDINGS if findings else 0


def _check_usage(images: tuple[Path, ...], split: str | None, limit: int | None, recipe_name: str | None) -> None:
    if bool(images) == bool(split):
        raise click.UsageError("pass image files, or --split for images of the recipe's data")
    for option, value in (("--limit", limit), ("--recipe", recipe_name)):
        if value is not None and split is None:
            raise click.UsageError(f"{option} goes with --split")


def _predictor(network: Model, weights: Path, info: CheckpointInfo | None, device_name: str, backend: str) -> Predictor:
    from striate.train.devices import choose_device
    from striate.train.prediction import make_predictor

    if backend == TORCH:
        return make_predictor(network, weights, info, choose_device(device_name))
    run = network.runner(backend, weights=weights)
    return make_predictor(network, weights, info, choose_device("cpu"), run)


def _of_files(predictor: Predictor, paths: Iterable[Path]) -> tuple[list[dict[str, Any]], list[Diagnostic]]:
    """Return the answers for the images that can be read, and what is wrong with the others."""
    findings: list[Diagnostic] = []
    read = {}
    for path in paths:
        try:
            read[path] = predictor.read(path)
        except DiagnosticError as error:
            findings += error.diagnostics
    answers = predictor.answers(read.values())
    return [{"image": str(path), **answer} for path, answer in zip(read, answers, strict=True)], findings


def _of_data(
    predictor: Predictor, network: Model, recipe: Recipe, split: str, limit: int | None
) -> list[dict[str, Any]]:
    """Return the answers for a split's images, each with the class that it really has."""
    from striate.train.subject import assemble

    data = assemble(network, recipe).data
    examples = [data[split][index] for index in range(min(limit or len(data[split]), len(data[split])))]
    answers = predictor.answers(image for image, _ in examples)
    return [
        {"image": f"{split} {index}", **answer, "truth": data.classes[int(target)]}
        for index, ((_, target), answer) in enumerate(zip(examples, answers, strict=True))
    ]


def _print(answers: list[dict[str, Any]], form: str, network: Model, weights: Path) -> None:
    if form == "json":
        document = {"model": network.name, "weights": str(weights), "predictions": answers}
        click.echo(json.dumps(document, indent=2))
        return
    for answer in answers:
        click.echo(_line(answer))


def _line(answer: dict[str, Any]) -> str:
    """Return an answer in one line; of what a task tells, tables such as all probabilities are left to JSON."""
    sure = f" ({100 * answer['probability']:.1f} %)" if "probability" in answer else ""
    line = f"{answer['image']}: {answer.get('class', '')}{sure}"
    further = {
        key: value
        for key, value in answer.items()
        if key not in ("image", "class", "probability", "truth") and not isinstance(value, dict | list)
    }
    line += "".join(f", {key} {value}" for key, value in further.items())
    if answer.get("truth") not in (None, answer.get("class")):
        line += f", wrong: it is {answer['truth']}"
    return line
