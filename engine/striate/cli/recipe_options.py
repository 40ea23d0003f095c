"""What `train`, `eval` and `predict` have in common: finding model and recipe in a file, with `--set` for both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.cli.boundary import show
from striate.cli.model_options import Decorated
from striate.elaborate import visible_models
from striate.host.catalogue import HostCatalogue
from striate.host.work_records import TORCH
from striate.model import Model, build_model, chosen_profile, only_model
from striate.project.linking import parse_linked
from striate.train.overrides import read_overrides  # noqa: TID253 - of this room only what needs no torch
from striate.train.recipe import KEYS, Recipe, read_recipe  # noqa: TID253 - the same
from striate.train.sections import choose_section, models_with_recipes  # noqa: TID253 - the same
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.parser import ParseResult
from striate_dsl.reading import read_source
from striate_dsl.syntax import File

if TYPE_CHECKING:
    from striate.runtime.checkpoint_info import CheckpointInfo


def recipe_option(function: Decorated) -> Decorated:
    """Add `--recipe NAME`."""
    return click.option(
        "--recipe", "recipe_name", metavar="NAME", help="The recipe, where the model has several: train Net as NAME."
    )(function)


def recipe_set_option(function: Decorated) -> Decorated:
    """Add `--set KEY=VALUE` for model parameters and settings of the recipe."""
    return click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="Set a model parameter (classes=10) or a setting of the recipe (train.epochs=3, train.optimizer.lr=0.01).",
    )(function)


def device_option(function: Decorated) -> Decorated:
    """Add `--device`."""
    return click.option(
        "--device",
        "device_name",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Where to compute; auto takes a GPU where there is one.",
    )(function)


def backend_option(function: Decorated) -> Decorated:
    """Add `--backend NAME`."""
    return click.option(
        "--backend",
        metavar="NAME",
        default=TORCH,
        show_default=True,
        help="What computes: torch, onnxruntime or a plugin's; compared with torch first.",
    )(function)


def demand_own_device(backend: str, device_name: str) -> None:
    """Refuse a device for a back end that computes where it does.

    Raises:
        click.UsageError: so it is.
    """
    if backend != TORCH and device_name == "cuda":
        raise click.UsageError("--device is about torch; another back end computes where it does")


def weights_option(function: Decorated) -> Decorated:
    """Add `--weights PATH`."""
    return click.option(
        "--weights",
        type=click.Path(path_type=Path),
        required=True,
        metavar="PATH",
        help="The checkpoint, e.g. runs/Net/default/best.safetensors.",
    )(function)


def check_settings(settings: Mapping[str, str], allowed: tuple[str, ...], command: str) -> None:
    """Refuse settings of the recipe that make no difference to a command.

    Args:
        settings: the `--set` options.
        allowed: the settings that the command uses.
        command: its name, for the message.

    Raises:
        click.UsageError: there is one that it does not use.
    """
    for key in settings:
        prefix, dot, name = key.partition(".")
        if prefix == "train" and dot and name.partition(".")[0] in set(KEYS) - set(allowed):
            raise click.UsageError(
                f"{key} makes no difference to {command}; of the recipe it uses "
                + (", ".join(allowed) if allowed else "nothing, unless --split is given")
            )


def load_with_recipe(
    path: Path,
    model: str | None,
    recipe_name: str | None,
    settings: Mapping[str, str],
    info: CheckpointInfo | None = None,
    profile: str | None = None,
) -> tuple[Model, Recipe]:
    """Load a model and read its recipe.

    Args:
        path: the `.cnn` file.
        model: the model's name; by default the one that the weights are for, or the only one with a recipe.
        recipe_name: the recipe's own name.
        settings: the `--set` options.
        info: the description of the weights, if there are any.
        profile: the name of the profile, over which `settings` win.

    Raises:
        DiagnosticError: the file, its recipe or an override has mistakes.
    """
    catalogue = HostCatalogue()
    _tell_of_plugins(info, catalogue, network_only=False)
    parsed, file = _parsed(path, catalogue)
    with_recipes = models_with_recipes(file)
    name = model or _named_by(info, file) or (with_recipes[0] if len(with_recipes) == 1 else only_model(file))
    overrides = read_overrides(settings, file, name, KEYS)
    loaded = build_model(parsed, name, overrides.model, catalogue, profile)
    from_outside = chosen_profile(file, profile).settings(overrides.recipe)
    return loaded, read_recipe(file, choose_section(file, name, recipe_name), name, catalogue, from_outside)


def load_for_weights(
    path: Path, model: str | None, settings: Mapping[str, str], info: CheckpointInfo | None, profile: str | None = None
) -> Model:
    """Load a model without looking at recipes; by default the one that the weights are for."""
    catalogue = HostCatalogue()
    _tell_of_plugins(info, catalogue, network_only=True)
    parsed, file = _parsed(path, catalogue)
    name = model or _named_by(info, file) or only_model(file)
    overrides = read_overrides(settings, file, name, ())
    return build_model(parsed, name, overrides.model, catalogue, profile)


def _tell_of_plugins(info: CheckpointInfo | None, catalogue: HostCatalogue, *, network_only: bool) -> None:
    """Name the plugins that weights were made with and that are not here in that version: before what fails for it."""
    if info is not None and info.plugins:
        from striate.runtime.provenance import unlike

        show(unlike(info.plugins, catalogue, "the weights", network_only=network_only))


def _parsed(path: Path, catalogue: HostCatalogue) -> tuple[ParseResult, File]:
    """Read a file and those it uses."""
    result = parse_linked(read_source(path), catalogue)
    if result.file is None or result.diagnostics.has_errors:
        raise DiagnosticError(*result.diagnostics)
    return result, result.file


def _named_by(info: CheckpointInfo | None, file: File) -> str | None:
    """Return the model that weights are for, if the file has it."""
    return info.model if info is not None and info.model in visible_models(file) else None
