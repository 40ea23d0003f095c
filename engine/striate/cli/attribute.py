"""`striate attribute`: which pixels of an image a trained network's answer hangs on, as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.cli.model_options import (
    format_option,
    model_file,
    model_option,
    parse_settings,
    profile_option,
    set_option,
)
from striate.cli.recipe_options import device_option, load_for_weights, weights_option

if TYPE_CHECKING:
    from striate.attributing import Attribution


@click.command("attribute")
@model_file
@click.argument("image", type=click.Path(path_type=Path))
@model_option
@weights_option
@set_option
@profile_option
@click.option("--method", metavar="NAME", default="saliency", show_default=True, help="How: saliency, grad_cam, …")
@click.option("--class", "target", metavar="NAME", help="The class to be explained, by name or number [the likeliest].")
@click.option("--layer", metavar="NAME", help="The layer whose feature map is looked at [the last with a map].")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="The picture [IMAGE.METHOD.png].")
@format_option
@device_option
def command(
    file: Path,
    image: Path,
    model: str | None,
    weights: Path,
    settings: tuple[str, ...],
    profile: str | None,
    method: str,
    target: str | None,
    layer: str | None,
    output: Path | None,
    form: str,
    device_name: str,
) -> None:
    """Draw which pixels of IMAGE speak for what a network of FILE with trained weights sees in it.

    saliency draws where a change of a pixel would move the score the most, grad_cam which parts of a feature map speak
    for it. Plugins provide further methods.
    """
    from striate.exporting import check_target
    from striate.runtime.atomic import atomic_write
    from striate.runtime.checkpoint import read_info
    from striate.train.extras import needs_training_packages

    place = output or image.with_name(f"{image.stem}.{method.partition('(')[0].strip()}.png")
    if place.suffix.lower() != ".png":
        raise click.UsageError(f"the picture is a PNG file: name it {place.with_suffix('.png')}")
    check_target(place)
    written = parse_settings(settings)
    with needs_training_packages():
        from striate.attributing import attribute
        from striate.view.heat_map import heat_map

        network = load_for_weights(file, model, written, read_info(weights), profile)
        found = attribute(
            network,
            image,
            weights=weights,
            method=method,
            target=target,
            layer=layer,
            device=device_name,
        )
        atomic_write(place, heat_map(found.image, found.values, signed=found.signed))
    click.echo(json.dumps(_document(found, image, place), indent=2) if form == "json" else _words(found, image, place))


def _words(found: Attribution, image: Path, place: Path) -> str:
    return f"{image}: {found.target}, score {found.score:.4g}; what speaks for it, by {found.method}, is in {place}"


def _document(found: Attribution, image: Path, place: Path) -> dict[str, object]:
    row, column = divmod(int(found.values.argmax()), found.values.shape[1])
    return {
        "image": str(image),
        "picture": str(place),
        "method": found.method,
        "plugin": found.owner,
        "class": found.target,
        "score": found.score,
        "layer": found.layer,
        "size": list(found.values.shape),
        "strongest": {"row": row, "column": column},
    }
