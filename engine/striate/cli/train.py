"""`striate train`: a network trained by the recipe in its file."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.cli.boundary import INTERRUPTED, show
from striate.cli.model_options import model_file, model_option, parse_settings, profile_option
from striate.cli.recipe_options import device_option, load_with_recipe, recipe_option, recipe_set_option
from striate_dsl.diagnostics import DiagnosticError

if TYPE_CHECKING:
    from striate.model import Model
    from striate.train.fit import TrainingResult
    from striate.train.recipe import Recipe
    from striate.train.run_folder import RunFolder

_CANNOT_WRITE = "E0505"


@click.command("train")
@model_file
@model_option
@recipe_option
@recipe_set_option
@profile_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to write [runs/MODEL/RECIPE[-PROFILE]].",
)
@click.option("--resume", is_flag=True, help="Go on with the run in the folder; begin it if there is none.")
@click.option("--overwrite", is_flag=True, help="Begin anew, and replace a run that the folder holds.")
@device_option
def command(
    file: Path,
    model: str | None,
    recipe_name: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    device_name: str,
) -> int:
    """Train a network of FILE by its recipe, and measure it on images that it has not seen.

    Weights (best and last), their history, pictures and a report go into a folder. Ctrl-C saves and stops; --resume
    goes on, to the same weights that a run without a stop would have come to.
    """
    if resume and overwrite:
        raise click.UsageError("--resume goes on with a run, --overwrite replaces it: give one of them")
    from striate.train.extras import needs_training_packages
    from striate.train.run_folder import RunFolder

    network, recipe = load_with_recipe(file, model, recipe_name, parse_settings(settings), profile=profile)
    show(network.warnings)
    name = f"{recipe.name}-{profile}" if profile else recipe.name
    folder = RunFolder(out or Path("runs") / network.name / name)
    folder.check(resume=resume, overwrite=overwrite)
    again = _resume_command(file, model, recipe_name, settings, profile, out, device_name)
    with needs_training_packages():
        return _train(network, recipe, folder, resume, overwrite, device_name, again)


def _train(
    network: Model, recipe: Recipe, folder: RunFolder, resume: bool, overwrite: bool, device_name: str, again: str
) -> int:
    """Run the training and say how it ended; returns the exit code."""
    from striate.train.quiet import quiet_libraries

    with quiet_libraries():
        from striate.train.devices import choose_device
        from striate.train.fit import train
        from striate.train.interruption import TrainingInterruptedError
        from striate.train.progress import console, progress_for
        from striate.train.subject import assemble

        screen = console(sys.stderr)
        try:
            result = train(
                assemble(network, recipe),
                folder,
                resume=resume,
                overwrite=overwrite,
                device=choose_device(device_name),
                callbacks=(progress_for(screen),),
                tell=lambda message: click.echo(message, err=True),
            )
        except TrainingInterruptedError as stop:
            click.echo(f"stopped after {stop.epoch} of {recipe.epochs} epochs; everything is saved.", err=True)
            click.echo(f"Go on with: {again}", err=True)
            return stop.exit_code
        except KeyboardInterrupt:
            if not folder.state.exists():
                raise
            click.echo(f"stopped at once; go on from the last saved state with: {again}", err=True)
            return INTERRUPTED
        except DiagnosticError as error:
            if folder.state.exists() and error.diagnostics[0].code == _CANNOT_WRITE:
                click.echo(f"The run can go on from its last saved state: {again}", err=True)
            raise
    _tell(result)
    return 0


def _tell(result: TrainingResult) -> None:
    test, folder = result.test, result.folder
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    best = f", weights of epoch {result.run.best.epoch}" if result.run.best else ""
    if test.answers:
        wrong = test.answers - int(test.confusion.trace())
        click.echo(f"accuracy    {100 * test.accuracy:.2f} % on the test split ({wrong} of {test.answers} wrong){best}")
    else:
        click.echo(f"loss        {test.loss:.6f} on the test split{best}")
    if result.run.rates:
        from striate.train.wording import rate_text

        click.echo(f"rate        {rate_text(result.run)}")
    click.echo(f"checkpoint  {folder.best}")
    click.echo(f"report      {folder.report}")


def _resume_command(
    file: Path,
    model: str | None,
    recipe_name: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    out: Path | None,
    device_name: str,
) -> str:
    """Return the command that goes on with the run, as it has to be typed."""
    words = ["striate", "train", str(file)]
    for option, value in (("--model", model), ("--recipe", recipe_name), ("--profile", profile), ("--out", out)):
        words += [option, str(value)] if value is not None else []
    for setting in settings:
        words += ["--set", setting]
    words += ["--device", device_name] if device_name != "auto" else []
    return shlex.join([*words, "--resume"])
