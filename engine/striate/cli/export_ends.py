"""The options of `striate export` for what the file does before and behind the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from striate.analysis.ends import CAMERAS, POSTPROCESS, PREPROCESS

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--preprocess",
        type=click.Choice(PREPROCESS),
        help="Take 8-bit images N x H x W x C: of the network's size, or resize them to it.",
    ),
    click.option("--camera", type=click.Choice(CAMERAS), help="Order of the channels in those images [rgb]."),
    click.option(
        "--postprocess",
        type=click.Choice(POSTPROCESS),
        help="Give answers instead of scores: those of the head, or what is named.",
    ),
    click.option("--top", type=click.IntRange(1), metavar="N", help="How many classes --postprocess top names [5]."),
)


def ends_options(command: _Command) -> _Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
