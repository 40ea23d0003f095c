"""Applying a trained network to images: from files or examples to answers in the words of its task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from striate.graph import Input
from striate.host.records import TaskRecord
from striate.runtime.checkpoint_info import CheckpointInfo
from striate.train.backends import Run, of_tensors
from striate.train.images import read_image, resize_image
from striate.train.pixels import Pixels
from striate.train.sizes import Size, input_size
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from striate.model import Model

_BATCH = 64
_DEFAULT_TASK = "classification"
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Predictor:
    """A network with weights, ready for images.

    Attributes:
        program: the network, from a batch `N x C x H x W` to its output.
        pixels: its pixel contract.
        size: channels, height and width that images are brought to.
        task: how outputs become answers.
        classes: the class names.
        device: where the weights are.
    """

    program: Callable[[Tensor], Tensor]
    pixels: Pixels
    size: Size
    task: TaskRecord
    classes: tuple[str, ...]
    device: torch.device

    def read(self, path: Path) -> Array:
        """Read an image file in the network's size; raises DiagnosticError like `read_image`."""
        channels, height, width = self.size
        return resize_image(read_image(path, channels), height, width, self.pixels.resize)

    def answers(self, images: Iterable[Array]) -> Iterator[dict[str, Any]]:
        """Yield one answer per image (`C x H x W` in the network's size, 0 to 1)."""
        waiting: list[Array] = []
        for image in images:
            waiting.append(image)
            if len(waiting) == _BATCH:
                yield from self._batch(waiting)
                waiting = []
        if waiting:
            yield from self._batch(waiting)

    def _batch(self, images: list[Array]) -> list[dict[str, Any]]:
        batch = torch.from_numpy(np.stack(images)).float().to(self.device)
        with torch.inference_mode():
            outputs = self.program(self.pixels(batch))
        answers: list[dict[str, Any]] = self.task.decode(outputs, self.classes)
        return answers


def make_predictor(
    model: Model, weights: Path, info: CheckpointInfo | None, device: torch.device, run: Run | None = None
) -> Predictor:
    """Return a network with weights, ready for images; computed by `run` where it is given, by torch otherwise.

    Images are brought to the size that the network was trained with; where the weights do not say, to the size in the
    file or the smallest legal one. Classes without names are numbered.

    Raises:
        DiagnosticError: the weights do not belong to the network, or it does not take one image and give one answer.
    """
    size = _size(model, info)
    if len(model.graph.outputs) != 1 or size[0] not in (1, 3):
        outputs = len(model.graph.outputs)
        message = f"{model.name} takes {size[0]} channels and has {outputs} outputs; images are grey or RGB, for one"
        raise DiagnosticError(Diagnostic("E0507", message, model.graph.inputs[0].origin.span))
    program = (
        model.to_torch(weights=weights, device=str(device)).eval() if run is None else of_tensors(run, model.graph)
    )
    scores = model.graph.types[next(iter(model.graph.outputs.values()))].channels
    classes = info.classes if info and info.classes else tuple(map(str, range(int(str(scores)))))
    task = _task(model, info)
    return Predictor(program, Pixels(model.graph.inputs[0]), size, task, classes, device)


def _size(model: Model, info: CheckpointInfo | None) -> Size:
    trained = info.input[1:] if info and len(info.input) == 3 and model.domain.symbols else None
    return input_size(model.graph, model.domain, None if trained is None else (trained[0], trained[1]))


def _task(model: Model, info: CheckpointInfo | None) -> TaskRecord:
    head = model.graph.tasks[0].name if model.graph.tasks else None
    name = head or (info.task if info and info.task else _DEFAULT_TASK)
    record = model.catalogue.identified(TaskRecord, name)
    if record is None:
        raise DiagnosticError(Diagnostic("E0405", f"no installed plugin provides the task {name}"))
    return record


def pixel_batches(item: Input, images: Iterable[Array], size: int) -> Iterator[Array]:
    """Yield images (`C x H x W`, 0 to 1) as the network takes them, up to `size` at a time: `N x C x H x W`, float32.

    Raises:
        DiagnosticError: E0507, the input's colours do not go with its channels.
    """
    pixels = Pixels(item)
    waiting = iter(images)
    while batch := list(islice(waiting, size)):
        yield pixels(torch.from_numpy(np.stack(batch)).float()).numpy()
