"""`striate summary`: the layers of a network with their sizes, parameters and costs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from striate.analysis.devices import DEVICES
from striate.analysis.precision import OPTIMIZERS, PRECISIONS
from striate.cli.boundary import show, terminal_width, wants_color
from striate.cli.model_options import (
    formats_option,
    model_file,
    model_option,
    parse_settings,
    profile_option,
    set_option,
)
from striate.view.columns import COLUMNS

if TYPE_CHECKING:
    from striate.view import Summary
    from striate.view.tables import View


_COLUMNS_HELP = "\b\nColumns:\n" + "\n".join(
    f"  {name:<12}{column.meaning}{f' (with {column.needs})' if column.needs else ''}"
    for name, column in COLUMNS.items()
)
_DEVICES_HELP = "\b\nDevices:\n" + "\n".join(f"  {name:<12}{device.title}" for name, device in DEVICES.items())


@click.command("summary", epilog=f"{_COLUMNS_HELP}\n\n{_DEVICES_HELP}")
@model_file
@model_option
@set_option
@profile_option
@click.option(
    "--view",
    type=click.Choice(["tree", "flat"]),
    help="Layers grouped by block instances, or one line per layer with its whole name.  [default: tree]",
)
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Show N levels of the tree.")
@click.option("--columns", metavar="A,B,…", help="Show these columns beside the name; they are listed below.")
@click.option("--sort", metavar="COLUMN", help="Sort the layers by a column, the largest first.")
@formats_option("text", "json", "csv", "markdown")
@click.option("--size", "sizes", metavar="H=N,W=N", help="Put numbers in for the sizes that the file leaves open.")
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    help="Give operations, traffic and memory for a batch of N images instead of one.",
)
@click.option(
    "--precision",
    type=click.Choice(list(PRECISIONS)),
    default="fp32",
    show_default=True,
    help="What values are held in; in training weights stay in float32.",
)
@click.option(
    "--training",
    "optimizer",
    type=click.Choice(list(OPTIMIZERS)),
    help="Forecast the memory of training with this optimizer (adam stands for AdamW, too).",
)
@click.option(
    "--device", type=click.Choice(list(DEVICES)), help="Bound the time on a device from below; they are listed below."
)
def command(file: Path, model: str | None, settings: tuple[str, ...], profile: str | None, **options: Any) -> None:
    """Show the layers of the network in FILE: output sizes, parameters, MACs, memory, receptive fields, and more.

    A MAC is one multiply-add of a convolution or dense layer. Memory is that of a layer's output in float32, unless
    another precision is given. Times are lower bounds from data sheets, never measurements.
    """
    form: str = options["form"]
    _check_usage(form, options)
    given = parse_sizes(options["sizes"]) if options["sizes"] is not None else {}
    overrides = parse_settings(settings)
    from striate.model import load_source
    from striate.view import summarize
    from striate_dsl.reading import read_source

    loaded = load_source(read_source(file), model, overrides, profile=profile)
    show(loaded.warnings)
    summary = summarize(
        loaded.graph,
        loaded.catalogue.layer,
        loaded.domain,
        sizes=given,
        **{name: options[name] for name in ("batch", "precision", "optimizer", "device")},
    )
    if form == "json":
        click.echo(json.dumps(summary.to_json(), indent=2))
        return
    columns = [name.strip() for name in options["columns"].split(",")] if options["columns"] is not None else []
    view: View = "flat" if options["view"] == "flat" else "tree"
    shown = summary.shown(view=view, depth=options["depth"], columns=columns, sort=options["sort"] or "")
    if form == "text":
        _print(shown)
    else:
        click.echo(shown.to_csv() if form == "csv" else shown.to_markdown(), nl=False)


def _check_usage(form: str, options: Mapping[str, Any]) -> None:
    """Check that options go together.

    Raises:
        click.UsageError: one is for another view or format.
    """
    flat = options["view"] == "flat" or options["sort"] is not None
    name = {"json": "JSON", "csv": "CSV", "markdown": "Markdown"}.get(form)
    if options["depth"] is not None and (flat or name):
        raise click.UsageError(f"--depth is for the tree view; {name or 'a flat view'} has no levels")
    if options["view"] is not None and name:
        raise click.UsageError(f"--view is for text; {name} lists the layers")
    if options["view"] == "tree" and options["sort"] is not None:
        raise click.UsageError("--sort makes the view flat; a tree keeps the order in which layers run")
    for option in ("columns", "sort"):
        if form == "json" and options[option] is not None:
            raise click.UsageError(f"--{option} is for tables; JSON has everything, in the order in which layers run")


def _print(shown: Summary) -> None:
    from striate.view.lines import signs_for

    color = wants_color(sys.stdout)
    click.echo(shown.text(terminal_width(), color=color, signs=signs_for(sys.stdout.encoding)), color=color)


def parse_sizes(text: str) -> dict[str, int]:
    """Return `H=224,W=224` as a dictionary.

    Raises:
        click.UsageError: a part is not NAME=NUMBER with a number of at least 1, or a name is given twice.
    """
    sizes: dict[str, int] = {}
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\w+)\s*=\s*0*([1-9][0-9]{0,8})\s*", part, re.ASCII)
        if found is None:
            raise click.UsageError(f"--size needs NAME=NUMBER, e.g. H=224,W=224, not {part.strip()!r}")
        name, size = found[1], int(found[2])
        if name in sizes:
            raise click.UsageError(f"--size has {name} twice")
        sizes[name] = size
    return sizes
