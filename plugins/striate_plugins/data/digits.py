"""Handwritten digits from scikit-learn's own files: nothing is downloaded.

The images are those of Alpaydin and Kaynak (1998), `optdigits` in the UCI repository: 8 x 8 pixels with 17 grey levels,
bright ink on a dark ground. Every split has the same share of each digit.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from striate.data import DataSplits, ImageArrays, resize_image

_LEVELS = 16
_TEST, _VALIDATION = 0.2, 0.1
"""Shares of all images."""

Array = np.ndarray[Any, Any]


def digits(input_shape: tuple[int, int, int], limit: int | None = None, channels: int = 1) -> DataSplits:
    """Return the digits in the size of the network's input.

    A fifth is for testing and a tenth for validation. The splits are fixed: they depend on no seed.

    Args:
        input_shape: channels, height and width of the network's input; the channels are `channels` here, and whether
            the network takes them is checked by the caller.
        limit: use only so many images.
        channels: repeat the grey image in so many channels.
    """
    _, height, width = input_shape
    stored = load_digits()
    targets: Array = stored.target.astype("int64")
    order = _spread(targets)[:limit]
    small = (stored.images / _LEVELS).astype("float32")[:, None]
    chosen = np.stack([resize_image(small[index], height, width) for index in order])
    images = np.repeat(chosen, channels, axis=1)
    labels = targets[order]
    parts = {name: ImageArrays(images[rows], labels[rows]) for name, rows in _split(labels).items()}
    return DataSplits(**parts, classes=tuple(str(name) for name in stored.target_names))


def _spread(targets: Array) -> Array:
    """Return the image numbers in an order in which every stretch has about the same share of each digit.

    Within a digit the order is that of a hash of the image's number: mixed, and the same for every version of every
    library.
    """
    ranks = np.empty(len(targets))
    for digit in np.unique(targets):
        members = np.flatnonzero(targets == digit)
        mixed = sorted(members.tolist(), key=lambda index: hashlib.sha256(str(index).encode()).digest())
        ranks[mixed] = (np.arange(len(mixed)) + 0.5) / len(mixed)
    return np.argsort(ranks, kind="stable")


def _split(labels: Array) -> dict[str, Array]:
    """Return the rows of each split, with the same share of each digit in all of them."""
    rows: dict[str, list[int]] = {"test": [], "validation": [], "train": []}
    for digit in np.unique(labels):
        members = np.flatnonzero(labels == digit).tolist()
        first = max(round(_TEST * len(members)), 1)
        second = first + max(round(_VALIDATION * len(members)), 1)
        rows["test"] += members[:first]
        rows["validation"] += members[first:second]
        rows["train"] += members[second:]
    return {name: np.array(sorted(chosen)) for name, chosen in rows.items()}
