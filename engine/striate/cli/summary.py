"""`striate summary`: the layers of a network with their sizes, parameters and costs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

from striate.cli.boundary import show, terminal_width, wants_color
from striate.cli.model_options import (
    format_option,
    model_file,
    model_option,
    parse_settings,
    profile_option,
    set_option,
)


@click.command("summary")
@model_file
@model_option
@set_option
@profile_option
@click.option(
    "--view",
    type=click.Choice(["tree", "flat"]),
    default="tree",
    show_default=True,
    help="Layers grouped by block instances, or one line per layer with its whole name.",
)
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Show N levels of the tree.")
@format_option
@click.option("--size", "sizes", metavar="H=N,W=N", help="Put numbers in for the sizes that the file leaves open.")
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    help="Give MACs and memory for a batch of N images instead of one.",
)
def command(
    file: Path,
    model: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    view: str,
    depth: int | None,
    form: str,
    sizes: str | None,
    batch: int,
) -> None:
    """Show the layers of the network in FILE: output sizes, parameters, MACs, memory, receptive fields.

    A MAC is one multiply-add of a convolution or dense layer. Memory is that of a layer's output in float32.
    """
    if depth is not None and (view == "flat" or form == "json"):
        other = "JSON" if form == "json" else "a flat view"
        raise click.UsageError(f"--depth is for the tree view; {other} has no levels")
    if view == "flat" and form == "json":
        raise click.UsageError("--view is for text; JSON lists the layers with the blocks they are in")
    given = parse_sizes(sizes) if sizes is not None else {}
    overrides = parse_settings(settings)
    from striate.model import load_source
    from striate.view import summarize
    from striate_dsl.reading import read_source

    loaded = load_source(read_source(file), model, overrides, profile=profile)
    show(loaded.warnings)
    summary = summarize(loaded.graph, loaded.catalogue.layer, loaded.domain, sizes=given, batch=batch)
    if form == "json":
        click.echo(json.dumps(summary.to_json(), indent=2))
        return
    from striate.view.lines import signs_for

    shown = summary.shown(view="flat" if view == "flat" else "tree", depth=depth)
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
