"""Darknet's cfg and weights files in float64 numpy and torch, written from what its code does, section by section.

It shares nothing with the importer: it has a reader of its own, loops over indices where Darknet has index arithmetic,
and computes sizes by the rounding of C.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch

Array = np.ndarray[Any, np.dtype[np.float64]]


def read_cfg(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return the sections with their options; of a key that is repeated, the first."""
    sections: list[tuple[str, dict[str, str]]] = []
    for written in text.splitlines():
        line = "".join(written.split())
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            sections.append((line[1 : line.index("]")], {}))
        else:
            key, value = line.split("=", 1)
            sections[-1][1].setdefault(key, value.split("#")[0])
    return sections


def activate(name: str, x: Array) -> Array:
    """Apply an activation, with the constants of Darknet's code."""
    positive = x > 0
    with np.errstate(over="ignore"):
        return {
            "linear": lambda: x,
            "logistic": lambda: 1 / (1 + np.exp(-x)),
            "relu": lambda: x * positive,
            "relu6": lambda: np.minimum(np.maximum(x, 0), 6),
            "leaky": lambda: np.where(positive, x, 0.1 * x),
            "relie": lambda: np.where(positive, x, 0.01 * x),
            "ramp": lambda: x * positive + 0.1 * x,
            "tanh": lambda: 2 / (1 + np.exp(-2 * x)) - 1,
            "loggy": lambda: 2 / (1 + np.exp(-x)) - 1,
            "hardtan": lambda: np.clip(x, -1, 1),
            "elu": lambda: (x >= 0) * x + (x < 0) * (np.exp(np.minimum(x, 0)) - 1),
            "selu": lambda: (x >= 0) * 1.0507 * x + (x < 0) * 1.0507 * 1.6732 * (np.exp(np.minimum(x, 0)) - 1),
            "gelu": lambda: 0.5 * x * (1 + np.tanh(0.797885 * x + 0.035677 * x**3)),
            "swish": lambda: x / (1 + np.exp(-x)),
            "mish": lambda: x * np.tanh(np.log1p(np.exp(x))),
        }[name]()


class Darknet:
    """A network of one cfg with the numbers of a weights file, for one image at a time.

    Args:
        text: the cfg.
        weights: the file; None for a network whose parameters are only counted.
    """

    def __init__(self, text: str, weights: bytes | None = None) -> None:
        (_, self.net), *self.sections = read_cfg(text)
        self.numbers: Array = np.zeros(0)
        self.at, self.asked, self.transposed = 0, 0, False
        if weights is not None:
            major, minor = struct.unpack("<ii", weights[:8])
            self.transposed = major > 1000 or minor > 1000
            long = major * 10 + minor >= 2 and not self.transposed
            self.numbers = np.frombuffer(weights, "<f4", offset=20 if long else 16).astype(np.float64)

    def take(self, *shape: int) -> Array:
        """Return the next numbers of the file; zeros where there is none."""
        count = math.prod(shape)
        self.asked += count
        if not len(self.numbers):
            return np.zeros(shape)
        found = self.numbers[self.at : self.at + count].reshape(shape)
        self.at += count
        return found

    def run(self, image: Array) -> dict[int, Array]:
        """Return the output of every layer by its number; what flows into a head is the head's."""
        self.at = self.asked = 0
        outputs: dict[int, Array] = {}
        x = image.astype(np.float64)
        np.seterr(invalid="ignore", over="ignore")
        for index, (kind, options) in enumerate(self.sections):
            name = {"conv": "convolutional", "silence": "empty"}.get(kind, kind.lower())
            x = getattr(self, f"_{name}")(x, options, index, outputs)
            outputs[index] = x
        return outputs

    # -------------------------------------------------------------------------------------------- with weights

    def _norm(self, x: Array, bias: Array, scale: Array, mean: Array, variance: Array) -> Array:
        shape = (-1,) + (1,) * (x.ndim - 1)
        y = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + 0.00001)
        return y * scale.reshape(shape) + bias.reshape(shape)

    def _convolutional(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        n, size, groups = int(o.get("filters", 1)), int(o.get("size", 1)), int(o.get("groups", 1))
        x = x if x.ndim == 3 else x.reshape(-1, 1, 1)
        stride = int(o.get("stride", 1))
        step = (int(o.get("stride_y", stride)), int(o.get("stride_x", stride)))
        pad = size // 2 if int(o.get("pad", 0)) else int(o.get("padding", 0))
        dilation = int(o.get("dilation", 1)) if size > 1 else 1
        bias, norm = self.take(n), int(o.get("batch_normalize", 0))
        rest = [self.take(n) for _ in range(3)] if norm else []
        if int(o.get("flipped", 0)):
            kernel = self.take(x.shape[0] // groups * size * size, n).T.reshape(n, -1, size, size)
        else:
            kernel = self.take(n, x.shape[0] // groups, size, size)
        made = torch.nn.functional.conv2d(
            torch.from_numpy(x)[None], torch.from_numpy(np.ascontiguousarray(kernel)), None, step, pad * dilation,
            dilation, groups,
        )[0].numpy()  # fmt: skip
        y = self._norm(made, bias, *rest) if norm else made + bias.reshape(-1, 1, 1)
        return activate(o.get("activation", "logistic"), y)

    def _connected(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        flat, n, norm = x.reshape(-1), int(o.get("output", 1)), int(o.get("batch_normalize", 0))
        bias = self.take(n)
        weight = self.take(flat.size, n).T if self.transposed else self.take(n, flat.size)
        y = weight @ flat
        y = self._norm(y, bias, *[self.take(n) for _ in range(3)]) if norm else y + bias
        return activate(o.get("activation", "logistic"), y)

    def _batchnorm(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return self._norm(x, *[self.take(x.shape[0]) for _ in range(4)])

    def _local(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        n, size, stride = int(o["filters"]), int(o.get("size", 1)), int(o.get("stride", 1))
        pad = int(o.get("pad", 0))
        c, h, w = x.shape
        high = ((h - 1) if pad else (h - size)) // stride + 1
        wide = ((w - 1) if pad else (w - size)) // stride + 1
        bias = self.take(n, high, wide)
        kernels = self.take(high * wide, n, c * size * size)
        padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        y = bias.copy()
        for i in range(high):
            for j in range(wide):
                window = padded[:, i * stride : i * stride + size, j * stride : j * stride + size]
                y[:, i, j] += kernels[i * wide + j] @ window.reshape(-1)
        return activate(o.get("activation", "logistic"), y)

    # -------------------------------------------------------------------------------------------- windows

    def _window(self, x: Array, o: dict[str, str], best: Any) -> Array:
        stride = int(o.get("stride", 1))
        sy, sx = int(o.get("stride_y", stride)), int(o.get("stride_x", stride))
        size = int(o.get("size", stride))
        padding = int(o.get("padding", size - 1))
        c, h, w = x.shape
        y = np.zeros((c, (h + padding - size) // sy + 1, (w + padding - size) // sx + 1))
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                top, left = i * sy - padding // 2, j * sx - padding // 2
                part = x[:, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)]
                y[:, i, j] = best(part.reshape(c, -1), axis=1)
        return y

    def _maxpool(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return self._window(x, o, np.max)

    def _local_avgpool(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return self._window(x, o, np.mean)

    def _avgpool(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return x.mean(axis=(1, 2), keepdims=True)

    # -------------------------------------------------------------------------------------------- other layers' outputs

    def _route(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        groups, part = int(o.get("groups", 1)), int(o.get("group_id", 0))
        found = []
        for item in o["layers"].split(","):
            value = outputs[int(item) if int(item) >= 0 else index + int(item)]
            value = value.reshape(-1, 1, 1) if value.ndim == 1 else value
            count = value.shape[0] // groups
            found.append(value[part * count : (part + 1) * count])
        return np.concatenate(found)

    def _shortcut(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        terms = [x]
        for item in o["from"].split(","):
            add = outputs[int(item) if int(item) >= 0 else index + int(item)]
            stride = add.shape[-1] // x.shape[-1]
            term = np.zeros_like(x)
            few = min(len(add), len(x))
            term[:few] = add[:few] if stride == 1 else add[:few, ::stride, ::stride]
            terms.append(term)
        kind = o.get("weights_type", "none")
        if kind != "none":
            w = self.take(len(terms), len(x) if kind == "per_channel" else 1)
            how = o.get("weights_normalization", "none")
            if how != "none":
                w = np.maximum(w, 0) if "relu" in how else np.exp(w - w.max(axis=0))
                w = w / (w.sum(axis=0) + 0.0001)
            terms = [term * factor.reshape(-1, 1, 1) for term, factor in zip(terms, w, strict=True)]
        return activate(o.get("activation", "linear"), np.sum(terms, axis=0))

    def _scale_channels(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return activate(o.get("activation", "linear"), outputs[index + int(o["from"])] * x)

    _sam = _scale_channels

    # -------------------------------------------------------------------------------------------- pixels and channels

    def _moved(self, x: Array, sizes: tuple[int, int, int], stride: int, forward: bool) -> Array:
        """Copy entries as Darknet's reorg does, for sizes that it calls those of the output."""
        wide, high, channels = sizes
        few = channels // (stride * stride)
        flat, y = x.reshape(-1), np.zeros(x.size)
        for k in range(channels):
            for j in range(high):
                for i in range(wide):
                    near = i + wide * (j + high * k)
                    c2, offset = k % few, k // few
                    far = (i * stride + offset % stride) + wide * stride * (
                        (j * stride + offset // stride) + high * stride * c2
                    )
                    if forward:
                        y[far] = flat[near]
                    else:
                        y[near] = flat[far]
        return y

    def _shape_behind(self, x: Array, stride: int, reverse: bool) -> tuple[int, int, int]:
        c, h, w = x.shape
        if reverse:
            return c // stride**2, h * stride, w * stride
        return c * stride**2, h // stride, w // stride

    def _reorg(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        stride, reverse = int(o.get("stride", 1)), bool(int(o.get("reverse", 0)))
        c, h, w = x.shape
        return self._moved(x, (w, h, c), stride, reverse).reshape(self._shape_behind(x, stride, reverse))

    def _reorg3d(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        stride, reverse = int(o.get("stride", 1)), bool(int(o.get("reverse", 0)))
        c, h, w = self._shape_behind(x, stride, reverse)
        return self._moved(x, (w, h, c), stride, reverse).reshape(c, h, w)

    def _upsample(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        stride = int(o.get("stride", 2))
        return x.repeat(stride, axis=1).repeat(stride, axis=2) * float(o.get("scale", 1))

    def _crop(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        high, wide = int(o["crop_height"]), int(o["crop_width"])
        top, left = (x.shape[1] - high) // 2, (x.shape[2] - wide) // 2
        y = x[:, top : top + high, left : left + wide]
        return y if int(o.get("noadjust", 0)) else y * 2 - 1

    # -------------------------------------------------------------------------------------------- entry by entry

    def _softmax(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        y = x / float(o.get("temperature", 1))
        if int(o.get("spatial", 0)):
            e = np.exp(y - y.max(axis=0))
            return e / e.sum(axis=0)
        y = y.reshape(int(o.get("groups", 1)), -1)
        e = np.exp(y - y.max(axis=1, keepdims=True))
        return (e / e.sum(axis=1, keepdims=True)).reshape(-1)

    def _activation(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return activate(o.get("activation", "linear"), x)

    def _logistic(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return activate("logistic", x)

    def _l2norm(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return x / np.sqrt((x**2).sum(axis=0))

    def _same(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return x

    _dropout = _cost = _empty = _yolo = _region = _gaussian_yolo = _same

    def _detection(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        return x.reshape(-1)


def random_weights(text: str, seed: int = 1, header: bytes | None = None) -> bytes:
    """Return a weights file that fits a cfg, with numbers of both signs but for the variances."""
    network = _Recorder(text)
    (_, net), *_ = read_cfg(text)
    size = (int(net["channels"]), int(net["height"]), int(net["width"])) if "width" in net else (int(net["inputs"]),)
    network.run(np.zeros(size))
    generator = np.random.default_rng(seed)
    parts = [
        generator.uniform(0.3, 1.5, count) if positive else generator.normal(0, 1 / math.sqrt(max(fan, 1)), count)
        for count, positive, fan in network.wanted
    ]
    start = struct.pack("<iiiQ", 0, 2, 5, 32013312) if header is None else header
    return start + np.concatenate([*parts, np.zeros(0)]).astype("<f4").tobytes()


class _Recorder(Darknet):
    """Notes what is taken from a file, and which of it are variances: the fourth of four equal runs in a row."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.wanted: list[tuple[int, bool, int]] = []
        self._in_norm = False

    def take(self, *shape: int) -> Array:
        count = math.prod(shape)
        fan = math.prod(shape[1:]) if len(shape) > 1 else 4
        self.wanted.append((count, False, fan))
        return super().take(*shape)

    def _norm(self, x: Array, bias: Array, scale: Array, mean: Array, variance: Array) -> Array:
        variance_at = len(self.wanted) - (2 if self._kernel_last else 1)
        count, _, fan = self.wanted[variance_at]
        self.wanted[variance_at] = (count, True, fan)
        return super()._norm(x, bias, scale, mean, variance + 1)

    @property
    def _kernel_last(self) -> bool:
        return self._convolving

    _convolving = False

    def _convolutional(self, x: Array, o: dict[str, str], index: int, outputs: dict[int, Array]) -> Array:
        self._convolving = True
        try:
            return super()._convolutional(x, o, index, outputs)
        finally:
            self._convolving = False


def parameters(text: str, size: tuple[int, ...]) -> int:
    """Return how many numbers a weights file of a cfg has."""
    network = Darknet(text)
    network.run(np.zeros(size))
    return network.asked


def write(folder: Path, text: str, weights: bytes | None = None) -> Path:
    """Write a cfg, and weights beside it; returns the cfg's path."""
    (folder / "net.cfg").write_text(text, encoding="utf-8")
    if weights is not None:
        (folder / "net.weights").write_bytes(weights)
    return folder / "net.cfg"
