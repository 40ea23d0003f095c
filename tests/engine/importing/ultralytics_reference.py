"""YOLO models in float64 torch functions, written from their papers; weights are taken in the order of computation.

It shares nothing with the importer: it reads no YAML, and builds the three detectors from their published structure.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from striate.graph import Graph


class Model:
    """Computes with the weights of a graph, one layer with weights after the other.

    Args:
        graph: the graph whose nodes give the order.
        arrays: its weights by name.
    """

    def __init__(self, graph: Graph, arrays: dict[str, np.ndarray]) -> None:
        self._owned = [
            {role: torch.from_numpy(np.asarray(arrays[name], dtype=np.float64)) for role, name in node.weights.items()}
            for node in graph.nodes
            if node.weights
        ]
        self._next: Iterator[dict[str, Tensor]] = iter(self._owned)

    def left(self) -> int:
        """Return how many layers' weights were not taken."""
        return sum(1 for _ in self._next)

    def plain(self, x: Tensor, kernel: int = 1) -> Tensor:
        own = next(self._next)
        return torch.nn.functional.conv2d(x, own["weight"], own["bias"], padding=kernel // 2)

    def conv(
        self, x: Tensor, kernel: int = 1, stride: int = 1, pad: int | None = None, groups: int = 1, act: bool = True
    ) -> Tensor:
        own, norm = next(self._next), next(self._next)
        assert own["weight"].shape[-1] == kernel
        x = torch.nn.functional.conv2d(x, own["weight"], None, stride, kernel // 2 if pad is None else pad, 1, groups)
        shape = (1, -1, 1, 1)
        x = (x - norm["running_mean"].view(shape)) / (norm["running_var"].view(shape) + 0.001).sqrt()
        x = x * norm["weight"].view(shape) + norm["bias"].view(shape)
        return x * torch.sigmoid(x) if act else x

    def unit(self, x: Tensor, first: int, add: bool) -> Tensor:
        y = self.conv(self.conv(x, first), 3)
        return x + y if add and x.shape == y.shape else y

    def c3(self, x: Tensor, number: int, add: bool, first: int = 1) -> Tensor:
        y = self.conv(x)
        for _ in range(number):
            y = self.unit(y, first, add)
        return self.conv(torch.cat([y, self.conv(x)], 1))

    def c2f(self, x: Tensor, number: int, add: bool, inner: bool = False) -> Tensor:
        parts = list(self.conv(x).chunk(2, 1))
        for _ in range(number):
            parts.append(self.c3(parts[-1], 2, add, 3) if inner else self.unit(parts[-1], 3, add))
        return self.conv(torch.cat(parts, 1))

    def sppf(self, x: Tensor) -> Tensor:
        parts = [self.conv(x)]
        for _ in range(3):
            parts.append(torch.nn.functional.max_pool2d(parts[-1], 5, 1, 2))
        return self.conv(torch.cat(parts, 1))

    def attention(self, x: Tensor, heads: int) -> Tensor:
        n, c, h, w = x.shape
        each = c // heads
        key = each // 2
        packed = self.conv(x, act=False).view(n, heads, 2 * key + each, h * w)
        q, k, v = packed[:, :, :key], packed[:, :, key : 2 * key], packed[:, :, 2 * key :]
        shares = torch.einsum("bnki,bnkj->bnij", q, k).div(key**0.5).softmax(-1)
        mixed = torch.einsum("bnvj,bnij->bnvi", v, shares).reshape(n, c, h, w)
        return self.conv(mixed + self.conv(v.reshape(n, c, h, w), 3, groups=c, act=False), act=False)

    def c2psa(self, x: Tensor, number: int) -> Tensor:
        a, b = self.conv(x).chunk(2, 1)
        for _ in range(number):
            b = b + self.attention(b, b.shape[1] // 64)
            b = b + self.conv(self.conv(b), act=False)
        return self.conv(torch.cat([a, b], 1))

    def tower(self, x: Tensor) -> Tensor:
        return self.plain(self.conv(self.conv(x, 3), 3))

    def light(self, x: Tensor) -> Tensor:
        x = self.conv(self.conv(x, 3, groups=x.shape[1]))
        return self.plain(self.conv(self.conv(x, 3, groups=x.shape[1])))

    def detect(self, levels: list[Tensor], light: bool) -> list[Tensor]:
        return [torch.cat([self.tower(x), self.light(x) if light else self.tower(x)], 1) for x in levels]


def twice(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def yolov8n(model: Model, x: Tensor) -> list[Tensor]:
    """The smallest YOLOv8."""
    x = model.c2f(model.conv(model.conv(x, 3, 2), 3, 2), 1, True)
    fine = model.c2f(model.conv(x, 3, 2), 2, True)
    middle = model.c2f(model.conv(fine, 3, 2), 2, True)
    deep = model.sppf(model.c2f(model.conv(middle, 3, 2), 1, True))
    up = model.c2f(torch.cat([twice(deep), middle], 1), 1, False)
    first = model.c2f(torch.cat([twice(up), fine], 1), 1, False)
    second = model.c2f(torch.cat([model.conv(first, 3, 2), up], 1), 1, False)
    third = model.c2f(torch.cat([model.conv(second, 3, 2), deep], 1), 1, False)
    return model.detect([first, second, third], light=False)


def yolo11n(model: Model, x: Tensor) -> list[Tensor]:
    """The smallest YOLO11."""
    x = model.c2f(model.conv(model.conv(x, 3, 2), 3, 2), 1, True)
    fine = model.c2f(model.conv(x, 3, 2), 1, True)
    middle = model.c2f(model.conv(fine, 3, 2), 1, True, True)
    deep = model.c2psa(model.sppf(model.c2f(model.conv(middle, 3, 2), 1, True, True)), 1)
    up = model.c2f(torch.cat([twice(deep), middle], 1), 1, True)
    first = model.c2f(torch.cat([twice(up), fine], 1), 1, True)
    second = model.c2f(torch.cat([model.conv(first, 3, 2), up], 1), 1, True)
    third = model.c2f(torch.cat([model.conv(second, 3, 2), deep], 1), 1, True, True)
    return model.detect([first, second, third], light=True)


def yolov5n(model: Model, x: Tensor) -> list[Tensor]:
    """The smallest YOLOv5, version 6."""
    x = model.c3(model.conv(model.conv(x, 6, 2, 2), 3, 2), 1, True)
    fine = model.c3(model.conv(x, 3, 2), 2, True)
    middle = model.c3(model.conv(fine, 3, 2), 3, True)
    deep = model.conv(model.sppf(model.c3(model.conv(middle, 3, 2), 1, True)))
    up = model.conv(model.c3(torch.cat([twice(deep), middle], 1), 1, False))
    first = model.c3(torch.cat([twice(up), fine], 1), 1, False)
    second = model.c3(torch.cat([model.conv(first, 3, 2), up], 1), 1, False)
    third = model.c3(torch.cat([model.conv(second, 3, 2), deep], 1), 1, False)
    return [model.plain(level) for level in (first, second, third)]
