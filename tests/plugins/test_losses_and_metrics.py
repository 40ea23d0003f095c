"""Losses, metrics and tasks against their definitions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from striate_plugins.losses.cross_entropy import cross_entropy
from striate_plugins.metrics.accuracy import accuracy
from striate_plugins.tasks.classification import decode as decode_class
from striate_plugins.tasks.segmentation import decode as decode_map


def by_definition(logits: Tensor, targets: Tensor, smoothing: float, weights: tuple[float, ...] | None) -> Tensor:
    """Weighted mean of minus the log-probability, the target spread by the smoothing; in float64, N x classes."""
    classes = logits.shape[1]
    logs = logits.double() - logits.double().exp().sum(1, keepdim=True).log()
    weight = torch.ones(classes).double() if weights is None else torch.tensor(weights).double()
    right = -(1 - smoothing) * weight[targets] * logs.gather(1, targets[:, None])[:, 0]
    spread = -(smoothing / classes) * (weight * logs).sum(1)
    return (right + spread).sum() / weight[targets].sum()


@given(
    seed=st.integers(0, 2**32 - 1),
    smoothing=st.floats(0, 0.9),
    weights=st.none() | st.tuples(*[st.floats(0.1, 5)] * 4),
)
def test_cross_entropy(seed, smoothing, weights):
    chance = torch.Generator().manual_seed(seed)
    logits, targets = torch.randn(7, 4, generator=chance), torch.randint(4, (7,), generator=chance)
    loss = cross_entropy(smoothing, weights)(logits, targets)
    assert float(loss) == pytest.approx(float(by_definition(logits, targets, smoothing, weights)), rel=1e-4)


def test_cross_entropy_of_maps_is_that_of_their_pixels():
    logits, targets = torch.randn(2, 4, 3, 5), torch.randint(4, (2, 3, 5))
    flat = cross_entropy()(logits.permute(0, 2, 3, 1).reshape(-1, 4), targets.flatten())
    torch.testing.assert_close(cross_entropy()(logits, targets), flat)


def test_weights_of_another_number_of_classes():
    with pytest.raises(ValueError, match="class_weights has 3 entries, but there are 4 classes"):
        cross_entropy(class_weights=(1, 2, 3))(torch.zeros(2, 4), torch.zeros(2, dtype=torch.long))


@pytest.mark.parametrize("top", [1, 2, 4])
def test_accuracy(top):
    metric = accuracy(4, top)
    logits, targets = torch.randn(50, 4), torch.randint(4, (50,))
    for start in (0, 20):
        metric.update(logits[start : start + 30 - start // 2], targets[start : start + 30 - start // 2])
    metric.reset()
    metric.update(logits[:20], targets[:20])
    metric.update(logits[20:], targets[20:])
    expected = logits.topk(top).indices.eq(targets[:, None]).any(1).float().mean()
    assert float(metric.compute()) == pytest.approx(float(expected))


def test_accuracy_of_more_than_all_classes():
    with pytest.raises(ValueError, match="top = 5 asks for more classes than there are"):
        accuracy(4, 5)


def test_decoding_classes():
    logits = torch.tensor([[0.0, 2.0, 1.0], [1000.0, 0.0, -1000.0]])
    first, second = decode_class(logits, ("a", "b", "c"))
    assert (first["class"], first["probability"]) == ("b", pytest.approx(0.665241, abs=1e-6))
    assert first["probabilities"] == pytest.approx({"a": 0.090031, "b": 0.665241, "c": 0.244728}, abs=1e-6)
    assert (second["class"], second["probability"]) == ("a", 1.0)


def test_decoding_maps():
    logits = torch.zeros(1, 3, 2, 2)
    logits[0, 2, 0] = 5.0
    logits[0, 1, 1, 0] = 5.0
    (answer,) = decode_map(logits, ("sky", "road", "car"))
    assert answer == {"class": "car", "shares": {"sky": 0.25, "road": 0.25, "car": 0.5}}
