"""A tiny data set with a class per pixel, for the tests: bright squares and discs on a dark ground."""

from __future__ import annotations

import numpy as np

from striate.host.records import DataRecord, Factory
from striate.train.data import DataSplits, ImageArrays

BLOBS = DataRecord("blobs", "Squares and discs.", Factory("tests.engine.train.blobs:blobs"), task="segmentation")


def blobs(input_shape: tuple[int, int, int]) -> DataSplits:
    """Return 40, 10 and 10 images of one shape each: ground 0, square 1, disc 2."""
    chance = np.random.default_rng(0)
    train, validation, test = (_split(chance, number, input_shape) for number in (40, 10, 10))
    return DataSplits(train, validation, test, ("ground", "square", "disc"))


def _split(chance: np.random.Generator, number: int, input_shape: tuple[int, int, int]) -> ImageArrays:
    _, height, width = input_shape
    rows, columns = np.mgrid[:height, :width]
    maps = np.zeros((number, height, width), dtype="int64")
    for image in range(number):
        centre, kind = chance.uniform(2, min(height, width) - 3, 2), 1 + image % 2
        down, across = np.abs(rows - centre[0]), np.abs(columns - centre[1])
        inside = np.maximum(down, across) < 2 if kind == 1 else np.hypot(down, across) < 2.5
        maps[image][inside] = kind
    images = 0.5 * (maps > 0)[:, None] + chance.uniform(0, 0.2, (number, 1, height, width))
    return ImageArrays(images.astype("float32"), maps)
