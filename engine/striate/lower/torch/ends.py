"""The two ends of an exported file in torch: pixels as training prepares them, and answers from scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from striate.analysis.ends import Answer, Ends, Pixels

Array = np.ndarray[Any, np.dtype[Any]]


def network_input(images: Tensor, pixels: Pixels) -> Tensor:
    """Return images of 8 bits (`N x H x W x C`) as an input of the network (`N x C x H x W`, float32)."""
    values = images.permute(0, 3, 1, 2).float().contiguous() / 255  # so that torch.export asks nothing of the batch
    if pixels.size is not None:
        values = _resized(values, pixels.size, pixels.resize or "bilinear")
    if pixels.flip:
        values = values.flip(1)
    values = values * (pixels.high - pixels.low) + pixels.low
    mean, std = (torch.tensor(each).reshape(1, -1, 1, 1) for each in (pixels.mean, pixels.std))
    return (values - mean) / std


def _resized(values: Tensor, size: tuple[int, int], method: str) -> Tensor:
    resample = torch.nn.functional.interpolate
    if method == "nearest":
        return resample(values, size, mode="nearest-exact")  # the pixel in whose square the middle lies
    return resample(values, size, mode=method, antialias=True, align_corners=False)


def answers_of(scores: Tensor, answer: Answer) -> dict[str, Tensor]:
    """Return the answers that scores (`N x C …`) become, by name."""
    if answer.kind == "sigmoid":
        return {answer.names[0]: scores.sigmoid()}
    if answer.kind == "argmax":
        return {answer.names[0]: scores.argmax(1)}
    shares = scores if answer.is_shares else scores.softmax(1)
    if answer.kind == "softmax":
        return {answer.names[0]: shares}
    likeliest, classes = shares.topk(answer.count, 1)
    return dict(zip(answer.names, (likeliest, classes), strict=True))


class BakedReference:
    """A network, from inputs to outputs by name, with its two ends in torch: from arrays of 8 bits to answers."""

    def __init__(self, network: Callable[[Mapping[str, Array]], Mapping[str, Array]], ends: Ends) -> None:
        self._network = network
        self._ends = ends

    def scores(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the outputs of the network by name, for images of 8 bits where pixels are prepared."""
        prepared = dict(inputs)
        for pixels in self._ends.pixels:
            prepared[pixels.name] = network_input(torch.from_numpy(inputs[pixels.name]), pixels).contiguous().numpy()
        return self._network(prepared)

    def answers(self, scores: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs of the file by name: answers, and the network's outputs that stay as they are."""
        made = dict(scores)
        for answer in self._ends.answers:
            found = answers_of(torch.from_numpy(made.pop(answer.output)), answer)
            made |= {name: tensor.numpy() for name, tensor in found.items()}
        return made
