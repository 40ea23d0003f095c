"""The images that the ranges of an int8 file are observed on: from a folder, a data set, or the model's recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.elaborate.faults import suggestion
from striate.host.records import DataRecord
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    import numpy as np

    from striate.graph import Graph
    from striate.model import Model
    from striate.onnx.precision.ranges import Observed

    Array = np.ndarray[Any, np.dtype[np.float32]]

IMAGES = 128
"""How many images are used; more change the ranges of ordinary networks by little."""

BATCH = 16
"""Images that are computed at a time, which bounds the memory."""

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the ranges of values are taken from, and how.

    Attributes:
        source: a folder of images (those in its folders, too), the name of a data set, or batches of inputs by name,
            as the network takes them; None for the data of the model's recipe.
        method: `mse`, `percentile` or `minmax`; None for `mse`.
        symmetric: zero points of 0, which some accelerators need.
    """

    source: str | Path | Sequence[Mapping[str, Any]] | None = None
    method: str | None = None
    symmetric: bool = False


NOT_CALIBRATED = Calibration()
"""Nothing said: the data of the recipe, by the default method."""


def batches(model: Model, calibration: Calibration) -> list[dict[str, Array]]:
    """Return the inputs to observe values on, in batches of few.

    Raises:
        DiagnosticError: E0633, there are no images; E0507, the network does not take one image; E0509, a file is none.
    """
    source = calibration.source
    if source is not None and not isinstance(source, (str, Path)):
        return [dict(batch) for batch in source]
    from striate.train.extras import needs_training_packages
    from striate.train.sizes import input_size

    with needs_training_packages():
        if source is None:
            return _recipe_batches(model)
        size = input_size(model.graph, model.domain)
        if Path(source).is_dir():
            return _prepared(model, _folder_images(model, Path(source), size))
        return _prepared(model, _data_images(model, str(source), size))


def observe(graph: Graph, program: Any, inputs: Sequence[Mapping[str, Array]]) -> dict[str, Observed]:
    """Return what is seen of every value of a network: ranges first, then how the entries lie in them.

    Args:
        graph: the network.
        program: what computes all its values from arrays (`values`).
        inputs: batches of inputs by name.
    """
    from striate.onnx.precision.ranges import Observed

    seen = {name: Observed() for name in graph.types}
    for step in (Observed.widen, Observed.count):
        for batch in inputs:
            for name, values in {**batch, **program.values(batch)}.items():
                step(seen[name], values)
    return seen


def _recipe_batches(model: Model) -> list[dict[str, Array]]:
    from striate.train.recipe import read_recipe
    from striate.train.sections import choose_section, sections_of
    from striate.train.sizes import input_size

    if not sections_of(model.file, model.name):
        raise DiagnosticError(_no_images(model))
    recipe = read_recipe(model.file, choose_section(model.file, model.name, None), model.name, model.catalogue)
    data = recipe.data.make(input_size(model.graph, model.domain, recipe.size))
    return _prepared(model, _spread(data.train))


def _data_images(model: Model, name: str, size: Any) -> Iterator[Any]:
    record = model.catalogue.find(DataRecord, name)
    if record is None:
        raise DiagnosticError(_no_such_source(model, name))
    missing = [argument.name for argument in record.arguments if argument.required]
    if missing:
        raise DiagnosticError(_needs_arguments(name, missing))
    given = {argument.name: argument.default for argument in record.arguments}
    if "channels" in given:
        given["channels"] = size[0]
    data = record.factory(size, **given)
    return _spread(data.train)


def _spread(examples: Any) -> Iterator[Any]:
    """Yield images from all over a split: sorted data sets have one class at the beginning."""
    count = min(IMAGES, len(examples))
    for number in range(count):
        yield examples[number * len(examples) // count][0]


def _folder_images(model: Model, folder: Path, size: Any) -> Iterator[Any]:
    from striate.train.images import read_image, resize_image

    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    if not found:
        raise DiagnosticError(_empty_folder(folder))
    resize = model.graph.inputs[0].contract.get("resize", "bilinear")
    count = min(IMAGES, len(found))
    for number in range(count):
        image = read_image(found[number * len(found) // count], size[0])
        yield resize_image(image, size[1], size[2], resize)


def _prepared(model: Model, images: Iterator[Any]) -> list[dict[str, Array]]:
    """Return images with the input's pixel contract applied, in batches."""
    from striate.train.prediction import pixel_batches

    item = model.graph.inputs[0]
    return [{item.value.name: batch} for batch in pixel_batches(item, images, BATCH)]


def _no_images(model: Model) -> Diagnostic:
    return Diagnostic(
        "E0633",
        f"int8 needs images to see how large the values of {model.name} become, and the file has no recipe with data",
        help="name a folder with some dozens of images, or a data set: --calibrate photos/, --calibrate digits",
    )


def _empty_folder(folder: Path) -> Diagnostic:
    return Diagnostic(
        "E0633",
        f"there are no images to calibrate on in {folder}",
        notes=(f"files with these endings are taken: {', '.join(_ENDINGS)}",),
        help="name a folder with some dozens of images like those that the network will see",
    )


def _no_such_source(model: Model, name: str) -> Diagnostic:
    known = model.catalogue.names(DataRecord)
    return Diagnostic(
        "E0633",
        f"{name} is neither a folder nor a data set, so there is nothing to calibrate on",
        notes=(f"data sets: {', '.join(known) or 'none'}",),
        help=suggestion(name, known) or "name a folder with some dozens of images",
    )


def _needs_arguments(name: str, missing: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "E0633",
        f"the data set {name} cannot be made from its name alone: it needs {', '.join(missing)}",
        help="write it as `data` into a train section of the model, and leave --calibrate out",
    )
