"""The options that commands share: the file, `--model`, `--profile`, `--set`, `--size` and `--format`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def model_file(function: Decorated) -> Decorated:
    """Add the FILE argument; reading it, and saying why it cannot be read, is up to `read_source`."""
    return click.argument("file", type=click.Path(path_type=Path))(function)


def model_option(function: Decorated) -> Decorated:
    """Add `--model NAME`."""
    return click.option("--model", "model", metavar="NAME", help="The model or variant, where the file has several.")(
        function
    )


def set_option(function: Decorated) -> Decorated:
    """Add `--set KEY=VALUE`, which may be given several times."""
    return click.option(
        "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Set a model parameter, e.g. classes=10."
    )(function)


def size_option(function: Decorated) -> Decorated:
    """Add `--size H=200,W=333`."""
    return click.option(
        "--size",
        "sizes",
        metavar="H=200,W=333",
        multiple=True,
        help="Check for these input sizes, where the file leaves them open.",
    )(function)


def parse_sizes(options: Iterable[str]) -> dict[str, int]:
    """Return `H=200,W=333` as numbers by symbol; a later one wins.

    Raises:
        click.UsageError: one of them is not a name, `=` and a whole number of at least 1.
    """
    parsed = {}
    for part in (part for option in options for part in option.split(",")):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if not name.isidentifier() or not (number.isascii() and number.isdigit()) or not 1 <= int(number[:10]) < 10**9:
            raise click.UsageError(f"--size needs sizes such as H=200,W=333, not {part.strip()!r}")
        parsed[name] = int(number)
    return parsed


def profile_option(function: Decorated) -> Decorated:
    """Add `--profile NAME`."""
    return click.option(
        "--profile", "profile", metavar="NAME", help="Set what a profile of the file sets: profile NAME { … }."
    )(function)


def formats_option(*forms: str) -> Callable[[Decorated], Decorated]:
    """Return the decorator that adds `--format` with these choices; the first is the default."""

    def add(function: Decorated) -> Decorated:
        return click.option(
            "--format",
            "form",
            type=click.Choice(forms),
            default=forms[0],
            show_default=True,
            help="How to print the result.",
        )(function)

    return add


def format_option(function: Decorated) -> Decorated:
    """Add `--format`, text for people or JSON for programs."""
    return formats_option("text", "json")(function)


def parse_settings(settings: Iterable[str]) -> dict[str, str]:
    """Return `KEY=VALUE` options as a dictionary; a later one wins.

    Raises:
        click.UsageError: one of them has no `=` or no key.
    """
    parsed = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign or not key.strip() or not value.strip():
            raise click.UsageError(f"--set needs KEY=VALUE, e.g. classes=10, not {setting!r}")
        parsed[key.strip()] = value.strip()
    return parsed
