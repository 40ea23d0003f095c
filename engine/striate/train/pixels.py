"""The pixel contract applied: from values between 0 and 1 in RGB to what the network expects, the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from striate.graph import Input
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_CHANNELS = {"rgb": 3, "bgr": 3, "grey": 1}


class Pixels:
    """Applies the contract in an input's body to batches of images (`N x C x H x W`, 0 to 1, RGB or grey).

    In this order: colours are put into the contract's order, values are stretched to its range, its mean is subtracted
    and the result divided by its standard deviation.

    Raises:
        DiagnosticError: E0507, the contract's colours do not go with the input's channels.
    """

    def __init__(self, item: Input) -> None:
        self.contract = dict(item.contract)
        self.resize: str = self.contract.get("resize", "bilinear")
        channels = item.value.type.channels
        color = self.contract.get("color")
        if color is not None and _CHANNELS[color] != channels:
            raise DiagnosticError(
                Diagnostic(
                    "E0507",
                    f"color = {color} needs {_CHANNELS[color]} channels, input {item.value.name} has {channels}",
                    item.origin.span,
                )
            )
        self._flip = color == "bgr"
        self._low, self._high = self.contract.get("range", (0.0, 1.0))
        self._mean = _per_channel(self.contract, "mean")
        self._std = _per_channel(self.contract, "std")

    def __call__(self, images: Tensor) -> Tensor:
        if self._flip:
            images = images.flip(1)
        if (self._low, self._high) != (0, 1):
            images = images * (self._high - self._low) + self._low
        if self._mean is not None:
            images = images - self._mean.to(images)
        if self._std is not None:
            images = images / self._std.to(images)
        return images


def _per_channel(contract: Mapping[str, Any], key: str) -> Tensor | None:
    return torch.tensor(contract[key]).reshape(1, -1, 1, 1) if key in contract else None
