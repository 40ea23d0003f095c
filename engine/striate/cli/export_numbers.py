"""The options of `striate export` that choose the numbers of the file; the command gets them as one `Numbers`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

Command = Callable[..., Any]


def _precisions(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    from striate.onnx.precision.formats import PRECISIONS

    return None if value is None else str(click.Choice(list(PRECISIONS)).convert(value, parameter, context))


def number_options(command: Command) -> Command:
    """Give a command the options for the numbers of a file; it takes them as `numbers`."""

    @wraps(command)
    def packed(
        *,
        precision: str | None,
        io_precision: str | None,
        keep_float: tuple[str, ...],
        calibrate: str | None,
        calibration_method: str | None,
        symmetric: bool,
        **others: Any,
    ) -> Any:
        from striate.calibration import Calibration
        from striate.precisions import Numbers

        names = tuple(name for text in keep_float for name in text.split(",") if name)
        calibration = Calibration(calibrate, calibration_method, symmetric)
        return command(numbers=Numbers(precision, io_precision, names, calibration), **others)

    options = (
        click.option(
            "--precision",
            callback=_precisions,
            metavar="NAME",
            help="Numbers of weights and computation: float32, float16, bfloat16 or int8 [the export section's].",
        ),
        click.option(
            "--io-precision",
            type=click.Choice(["float32", "float16", "bfloat16"]),
            help="Numbers of inputs and outputs: float32, or what --precision is [float32].",
        ),
        click.option(
            "--keep-float",
            multiple=True,
            metavar="NAME",
            help="A layer or block that stays in float32; several with commas, or the option again.",
        ),
        click.option(
            "--calibrate",
            metavar="FOLDER|DATA",
            help="For int8: images, or a data set, to see the ranges of values on [the recipe's data].",
        ),
        click.option(
            "--calibration-method",
            type=click.Choice(["mse", "percentile", "minmax"]),
            help="For int8: ranges with the least error, of 99.99 % of the entries, or of all [mse].",
        ),
        click.option("--symmetric", is_flag=True, help="For int8: zero points of 0, which TensorRT needs."),
    )
    for option in reversed(options):
        packed = option(packed)
    return packed
