"""`striate search`: the settings of a recipe and a model that do best, found by training with many."""

from __future__ import annotations

import shlex
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from striate.cli.boundary import INTERRUPTED
from striate.cli.model_options import model_file, model_option, parse_settings, profile_option
from striate.cli.recipe_options import device_option, recipe_option, recipe_set_option
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from striate.search.record import Trial
    from striate.search.space import Point
    from striate.search.trials import Search

_SHOWN = 10
"""Trials in the table at the end; the file has all of them."""


@click.command("search")
@model_file
@model_option
@recipe_option
@click.option("--space", metavar="NAME", help="The search section, where the model has several: search Net as NAME.")
@recipe_set_option
@profile_option
@click.option(
    "--trials",
    type=click.IntRange(min=1, max=9999),
    metavar="N",
    default=20,
    show_default=True,
    help="How many points to try; a space with at most so many is tried as a whole.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    show_default=True,
    help="Which points, in which order.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write [runs/MODEL/search[-SPACE]]."
)
@click.option("--resume", is_flag=True, help="Go on with the search in the folder; begin it if there is none.")
@click.option("--overwrite", is_flag=True, help="Begin anew, and replace a search that the folder holds.")
@device_option
def command(file: Path, **options: Any) -> int:
    """Train a network of FILE with many settings, as its search section says, and keep the best as a profile.

    All points are checked before the first one is trained. They are compared by the first metric of the recipe on the
    validation split. Ctrl-C saves and stops, --resume goes on, and with a larger --trials a search gets longer.
    """
    if options["resume"] and options["overwrite"]:
        raise click.UsageError("--resume goes on with a search, --overwrite replaces it: give one of them")
    from striate.searching import plan_search
    from striate.train.extras import needs_training_packages

    plan = plan_search(
        file,
        model=options["model"],
        recipe=options["recipe_name"],
        space=options["space"],
        settings=parse_settings(options["settings"]),
        profile=options["profile"],
        seed=options["seed"],
    )
    points = list(islice(plan.points, options["trials"]))
    plan.check(points)
    folder = plan.folder(options["out"])
    trials = folder.begin(plan.purpose, resume=options["resume"], overwrite=options["overwrite"])
    with needs_training_packages():
        from striate.train.quiet import quiet_libraries

        with quiet_libraries():
            from striate.search.trials import Search
            from striate.train.devices import choose_device

            device = str(choose_device(options["device_name"]))
            search = Search(plan.space, plan.ground, points, plan.model, folder, plan.purpose, device)
            return _run(search, trials, _again(file, options))


def _run(search: Search, trials: list[Trial], again: str) -> int:
    """Run the trials and say how they ended; returns the exit code."""
    from striate.train.interruption import TrainingInterruptedError
    from striate.train.progress import console, progress_for

    screen = console(sys.stderr)
    shown = _Shown(search, len(trials))
    try:
        best = search.run(
            trials,
            begun=shown.begun,
            ended=shown.ended,
            callbacks=lambda: (progress_for(screen),) if screen.is_terminal else (),
            tell=lambda message: click.echo(message, err=True),
        )
    except TrainingInterruptedError as stop:
        click.echo(f"stopped in trial {len(trials) + 1} of {len(search.points)}; everything is saved.", err=True)
        click.echo(f"Go on with: {again}", err=True)
        return stop.exit_code
    except KeyboardInterrupt:
        click.echo(f"stopped at once; go on with: {again}", err=True)
        return INTERRUPTED
    if best is None:
        raise DiagnosticError(_all_failed(trials))
    _tell(search, trials, best)
    return 0


class _Shown:
    """Says on standard error which trial runs and how it ended."""

    def __init__(self, search: Search, done: int) -> None:
        self._search = search
        if done:
            click.echo(f"{done} of {len(search.points)} trials have ended before", err=True)

    def begun(self, number: int, point: Point) -> None:
        """Name a trial that begins; where the output is no terminal, the line at its end says the same."""
        if sys.stderr.isatty():
            click.echo(f"trial {number}/{len(self._search.points)}  {written(point)}", err=True)

    def ended(self, trial: Trial, best: bool) -> None:
        """Say how a trial ended."""
        number = f"trial {trial.number:{len(str(len(self._search.points)))}}/{len(self._search.points)}"
        mark = "  (best so far)" if best else ""
        click.echo(f"{number}  {_result(self._search, trial)}  {written(trial.point)}{mark}", err=True)


def written(point: Point) -> str:
    """Return a point in one line, as the file would set it."""
    return ", ".join(f"{key} = {text}" for key, text in point.items())


def _result(search: Search, trial: Trial) -> str:
    from striate.train.wording import metric_text

    if trial.failure is not None:
        return f"failed: {trial.failure}"
    metric = search.metric
    score = "" if metric is None else f"{metric} {metric_text(metric, trial.metrics[str(metric)])}  "
    return f"{score}loss {trial.loss:.4f}"


def _tell(search: Search, trials: list[Trial], best: Trial) -> None:
    """Write the profile, and print the best trials and where everything lies."""
    from striate.runtime.atomic import atomic_write
    from striate.search.profile import with_profile
    from striate.search.space import merged

    folder, ground = search.folder, search.ground
    remark = f"Trial {best.number} of {len(trials)} of a search: {_result(search, best)} on the validation split."
    settings = merged(ground.settings, best.point)
    text, name = with_profile(ground.file, settings, folder.path, remark)
    atomic_write(folder.best, text)
    for trial in search.ranked(trials)[:_SHOWN]:
        click.echo(
            f"{'best' if trial is best else '':4}  trial {trial.number:<4}  "
            f"{_result(search, trial)}  {written(trial.point)}"
        )
    click.echo(f"profile  {folder.best}: striate train {shlex.quote(str(folder.best))} --profile {name}")
    click.echo(f"weights  {folder.trial(best.number).best}")
    click.echo(f"table    {folder.table}")


def _all_failed(trials: list[Trial]) -> Diagnostic:
    reasons = list(dict.fromkeys(trial.failure for trial in trials if trial.failure))
    return Diagnostic(
        "E0415",
        f"none of the {len(trials)} trials came to an end",
        notes=tuple(reasons[:5]),
        help="train with the recipe as it is first: striate train",
    )


def _again(file: Path, options: dict[str, Any]) -> str:
    """Return the command that goes on with the search, as it has to be typed."""
    words = ["striate", "search", str(file)]
    for key, name in (("model", "model"), ("recipe_name", "recipe"), ("space", "space"), ("profile", "profile")):
        words += [f"--{name}", options[key]] if options[key] is not None else []
    for setting in options["settings"]:
        words += ["--set", setting]
    for key, default in (("trials", 20), ("seed", 0), ("out", None)):
        words += [f"--{key}", str(options[key])] if options[key] != default else []
    words += ["--device", options["device_name"]] if options["device_name"] != "auto" else []
    return shlex.join([*words, "--resume"])
