"""`striate compile`: how a network is cut into kernels, and what that saves."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.analysis.precision import PRECISIONS
from striate.cli.boundary import show, terminal_width, wants_color
from striate.cli.model_options import (
    model_file,
    model_option,
    parse_settings,
    parse_sizes,
    profile_option,
    set_option,
    size_option,
)
from striate.fusion.machine import MACHINES

if TYPE_CHECKING:
    from striate.compiling import CompileReport
    from striate.view.lines import Line

_LEVELS = ("layers", "epilogues", "chains")


@click.command("compile")
@model_file
@model_option
@set_option
@profile_option
@size_option
@click.option(
    "--report",
    is_flag=True,
    required=True,
    help="Show the groups of layers that one kernel computes, with the bytes that they move.",
)
@click.option(
    "--fuse",
    "level",
    type=click.Choice(_LEVELS),
    default=_LEVELS[-1],
    show_default=True,
    help="How far layers are united: not at all, products with what lies around them, products in a row as well.",
)
@click.option(
    "--device",
    "machine",
    type=click.Choice(list(MACHINES)),
    default="h200",
    show_default=True,
    help="The processor whose memory kernels must fit.",
)
@click.option(
    "--precision",
    type=click.Choice(list(PRECISIONS)),
    default="bf16",
    show_default=True,
    help="What values and weights are held in.",
)
@click.option(
    "--batch", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="The number of images."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    file: Path,
    model: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    sizes: tuple[str, ...],
    report: bool,
    level: str,
    machine: str,
    precision: str,
    batch: int,
    form: str,
) -> None:
    """Cut the network in FILE into kernels for a graphics processor, and show what they move.

    Nothing runs: bytes are those of values that cross the border of a group, and times are the least that a
    processor needs for them or for the operations. Bytes of weights stand apart.
    """
    given, overrides = parse_sizes(sizes), parse_settings(settings)
    from striate.compiling import compile_report
    from striate.model import load_source
    from striate_dsl.reading import read_source

    loaded = load_source(read_source(file), model, overrides, profile=profile)
    show(loaded.warnings)
    made = compile_report(loaded, level=level, machine=machine, precision=precision, batch=batch, sizes=given)  # type: ignore[arg-type] # click has checked it
    if form == "json":
        click.echo(json.dumps(made.to_json(), indent=2))
    else:
        _print(made)


def _print(report: CompileReport) -> None:
    from striate.view.groups import group_lines
    from striate.view.lines import colored, plain, signs_for

    color = wants_color(sys.stdout)
    lines = group_lines(report.plan.groups, report, terminal_width(), signs_for(sys.stdout.encoding))
    said: list[Line] = [[(text, "")] for text in ("", *report.sentences())]
    click.echo(colored([*lines, *said]) if color else plain([*lines, *said]), color=color)
