"""`striate expand`: one model with everything resolved, as a `.cnn` file that is the same network."""

from __future__ import annotations

import json
from pathlib import Path

import click

from striate.cli.boundary import show
from striate.cli.model_options import (
    format_option,
    model_file,
    model_option,
    parse_settings,
    profile_option,
    set_option,
)


@click.command("expand")
@model_file
@model_option
@set_option
@profile_option
@format_option
@click.option("--origins/--no-origins", default=True, show_default=True, help="Say where every value comes from.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="Write to a file.")
def command(
    file: Path,
    model: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    form: str,
    origins: bool,
    output: Path | None,
) -> None:
    """Write out one network of FILE: blocks, loops, choices, variants and defaults resolved, every argument by name.

    The result is a legal file of its own with the same layers under the same names, so that a checkpoint of one fits
    the other. Comments say where every value comes from.
    """
    overrides = parse_settings(settings)
    from striate.expanding import expand_source
    from striate_dsl.reading import read_source

    expansion = expand_source(read_source(file), model, overrides, profile, origins=origins)
    show(expansion.warnings)
    text = json.dumps(expansion.to_json(), indent=2) + "\n" if form == "json" else expansion.text
    if output is None:
        click.echo(text, nl=False)
        return
    from striate.runtime.atomic import atomic_write

    atomic_write(output, text)
    click.echo(f"{expansion.model} is in {output}")
