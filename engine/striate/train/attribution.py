"""Asking a trained network which pixels of an image an answer hangs on: the question that an explainer is put."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from striate.lower.torch import Program
from striate.lower.torch.attribution import AttributionRequest
from striate.runtime.checkpoint import read_info
from striate.train.devices import choose_device
from striate.train.prediction import Predictor, make_predictor
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.names import nearest

if TYPE_CHECKING:
    from striate.model import Model

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Question:
    """What an explainer is asked.

    Attributes:
        request: the question as the explainer gets it.
        image: the image in the network's size, `C x H x W`, from 0 to 1.
        target: the name of the class.
        score: the network's output for it.
    """

    request: AttributionRequest
    image: Array
    target: str
    score: float

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.image.shape[1], self.image.shape[2]


def ask(model: Model, image: Path, weights: Path, target: str | None, layer: str, device: str) -> Question:
    """Return the question which pixels of an image speak for a class.

    Args:
        model: a network with one image as its input and one output.
        image: the image file.
        weights: the checkpoint.
        target: the class, by name or number; None for the likeliest, of a map the one that is likeliest on the mean.
        layer: the value with the feature map.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        DiagnosticError: E0725, there is no such class; E0507 and E0509, the network takes no image or the file is none;
            the checkpoint is not for the network.
    """
    predictor = make_predictor(model, weights, read_info(weights), choose_device(device))
    program = predictor.program
    assert isinstance(program, Program), "without another back end it is torch's"
    pixels = predictor.read(image)
    given = predictor.pixels(torch.from_numpy(pixels[None]).float().to(predictor.device))
    output = next(iter(model.graph.outputs.values()))
    request = AttributionRequest(program.requires_grad_(requires_grad=False), given, 0, output, layer)
    with torch.inference_mode():
        values = request.values(given)
    scores = values[output][0]
    means = scores.flatten(1).mean(1) if scores.dim() > 1 else scores
    number = int(means.argmax()) if target is None else _number(predictor, target)
    return Question(replace(request, target=number), pixels, predictor.classes[number], float(means[number]))


def _number(predictor: Predictor, wanted: str) -> int:
    """Return the number of a class by its name, or by that number."""
    classes = predictor.classes
    if wanted in classes:
        return classes.index(wanted)
    if wanted.isascii() and wanted.isdigit() and int(wanted[:9]) < len(classes):
        return int(wanted[:9])
    near = nearest(wanted, classes)
    raise DiagnosticError(
        Diagnostic(
            "E0725",
            f"the network has no class {wanted}",
            notes=(f"its {len(classes)} classes: {', '.join(classes[:12])}{', …' if len(classes) > 12 else ''}",),
            help=f"did you mean {near}?" if near else None,
        )
    )
