"""The options of `striate export` for what the file does before and behind the network."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from striate.analysis.ends import CAMERAS, POSTPROCESS, PREPROCESS, Wanted

Command = Callable[..., Any]

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


def ends_options(command: Command) -> Command:
    """Give a command the options for the ends of a file; it takes them as `wanted`."""

    @wraps(command)
    def packed(
        *, preprocess: str | None, camera: str | None, postprocess: str | None, top: int | None, **others: Any
    ) -> Any:
        return command(wanted=Wanted(preprocess, camera, postprocess, top), **others)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed
