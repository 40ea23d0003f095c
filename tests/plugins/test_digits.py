"""The digits: all of them, in fixed stratified splits, whatever is installed around them."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from striate_plugins.data.digits import digits

SPLITS = ("train", "validation", "test")
DIGEST = "5693e41410d60927069351ede6fb0f384527553187e3d57a746dee0a626719b8"


def rows(splits, name):
    return [image.tobytes() for image in splits[name].images]


def test_every_image_is_in_one_split():
    data = digits((1, 8, 8))
    stored = (load_digits().images / 16).astype("float32")
    assert sorted(row for name in SPLITS for row in rows(data, name)) == sorted(image.tobytes() for image in stored)
    assert {name: len(data[name]) for name in SPLITS} == {"train": 1259, "validation": 179, "test": 359}


def test_every_split_has_the_same_share_of_each_digit():
    data = digits((1, 8, 8))
    counts = np.stack([np.bincount(data[name].targets, minlength=10) for name in SPLITS])
    shares = counts / counts.sum(axis=0)
    expected = np.array([[0.7], [0.1], [0.2]]).repeat(10, axis=1)
    np.testing.assert_allclose(shares, expected, atol=0.006)


def test_the_splits_never_change():
    """The test images decide what the figures in the documentation mean: this digest is theirs."""
    data = digits((1, 8, 8))
    digest = hashlib.sha256(b"".join(rows(data, "test")) + data.test.targets.tobytes()).hexdigest()
    assert digest == DIGEST


def test_classes_and_targets_go_together():
    data = digits((1, 8, 8))
    stored = load_digits()
    known = {
        (image / 16).astype("float32").tobytes(): target
        for image, target in zip(stored.images, stored.target, strict=True)
    }
    assert data.classes == tuple("0123456789")
    assert all(known[row] == target for row, target in zip(rows(data, "test"), data.test.targets, strict=True))


@given(st.integers(50, 1797))
@settings(max_examples=15)
def test_a_limit_keeps_all_digits_in_all_splits(limit):
    data = digits((1, 8, 8), limit=limit)
    assert sum(len(data[name]) for name in SPLITS) == limit
    assert all(set(data[name].targets) == set(range(10)) for name in SPLITS)


@pytest.mark.parametrize(("shape", "channels"), [((1, 32, 32), 1), ((3, 9, 17), 3), ((3, 32, 32), 1)])
def test_size_and_channels(shape, channels):
    data = digits(shape, limit=50, channels=channels)
    image, target = data.train[0]
    assert image.shape == (channels, *shape[1:])
    assert image.dtype == np.float32
    assert 0 <= image.min() < image.max() <= 1
    assert np.array_equal(image[0], image[-1])
    assert int(target) in range(10)
