"""`striate diff`: what differs between two networks, two files or two revisions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.cli.boundary import FINDINGS, USAGE, show, terminal_width, wants_color
from striate_dsl.diagnostics import DiagnosticError

if TYPE_CHECKING:
    from striate.compare.difference import FileDifference
    from striate.differing import Side


@click.command("diff")
@click.argument("sides", nargs=-1, required=True, metavar="A B")
@click.option("--git", "revisions", is_flag=True, help="Compare revisions: REVISION [REVISION] FILE.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="Write to a file.")
@click.option("--exit-code", "tell", is_flag=True, help="Exit with 1 if there are differences.")
def command(sides: tuple[str, ...], revisions: bool, form: str, output: Path | None, tell: bool) -> int:
    """Show what differs between the networks A and B: layers, sizes, costs, weights, inputs, recipes.

    A and B are files, FILE::Model, or REVISION:FILE with git. Two files that differ in comments, form or in how they
    put a network together are the same. The exit code is 0, with --exit-code 1 where there are differences, and 2 where
    a side cannot be read or has mistakes.
    """
    try:
        found = _compared(sides, revisions=revisions)
        _write(found, form, output)
    except DiagnosticError as error:
        show(error.diagnostics)
        return USAGE
    return FINDINGS if tell and not found.is_empty else 0


def _compared(sides: tuple[str, ...], *, revisions: bool) -> FileDifference:
    from striate.differing import difference

    return difference(*(_revisions(sides) if revisions else _sides(sides)))


def _sides(sides: tuple[str, ...]) -> tuple[Side, Side]:
    from striate.differing import open_side

    if len(sides) != 2:
        raise click.UsageError(f"diff compares two networks, not {len(sides)}: striate diff A B")
    return open_side(sides[0]), open_side(sides[1])


def _revisions(sides: tuple[str, ...]) -> tuple[Side, Side]:
    from striate.differing import open_beside, open_side

    if len(sides) not in (2, 3):
        raise click.UsageError("--git needs a revision, or two, and a file: striate diff --git HEAD~1 net.cnn")
    *names, file = sides
    old = open_beside(names[0], file)
    return old, open_beside(names[1], file) if len(names) == 2 else open_side(file)


def _write(found: FileDifference, form: str, output: Path | None) -> None:
    if form == "html":
        from striate.view.difference_page import difference_page

        text = difference_page(found)
    elif form == "json":
        text = json.dumps(found.to_json(), indent=2) + "\n"
    elif output is None and wants_color(sys.stdout):
        _print_colored(found)
        return
    else:
        from striate.view.difference_text import difference_lines

        text = "".join(f"{line}\n" for _, line in difference_lines(found))
    if output is None:
        click.echo(text, nl=False)
        return
    from striate.runtime.atomic import atomic_write

    atomic_write(output, text)


def _print_colored(found: FileDifference) -> None:
    from rich.console import Console
    from rich.text import Text

    from striate.view.difference_text import difference_lines

    styles = {
        "heading": "bold",
        "added": "green",
        "removed": "red",
        "changed": "yellow",
        "renamed": "cyan",
        "quiet": "dim",
    }
    console = Console(force_terminal=True, width=max(terminal_width(), 20), highlight=False)
    for style, line in difference_lines(found, max(terminal_width(), 40)):
        console.print(Text(line, styles.get(style, "")), soft_wrap=True)
