"""Regularisers against their definitions in float64, and the golden values of the texts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from striate.plugin import RegularizedWeight
from striate_plugins.regularizers import constraints, penalties

GOLDEN = (1.0, -2.0, 0.0, 0.5)


def value_and_gradient(penalty, *arrays, axes=None):
    tensors = [torch.tensor(np.asarray(array), dtype=torch.float64, requires_grad=True) for array in arrays]
    weights = [
        RegularizedWeight(str(place), tensor, (axes or [0] * len(tensors))[place])
        for place, tensor in enumerate(tensors)
    ]
    term = penalty(tuple(weights))
    term.backward()
    return float(term.detach()), [tensor.grad.numpy() for tensor in tensors]


@pytest.mark.parametrize(
    ("penalty", "value", "gradient"),
    [
        (penalties.l1(0.001), 0.0035, (0.001, -0.001, 0, 0.001)),
        (penalties.l2_half(0.001), 0.002625, (0.001, -0.002, 0, 0.0005)),
        (penalties.l2(0.001), 0.00525, (0.002, -0.004, 0, 0.001)),
        (penalties.elastic_net_half(0.001, 0.01), 0.02975, (0.011, -0.021, 0, 0.006)),
        (penalties.elastic_net(0.001, 0.005), 0.02975, (0.011, -0.021, 0, 0.006)),
    ],
)
def test_golden_values(penalty, value, gradient):
    found, (slope,) = value_and_gradient(penalty, GOLDEN)
    assert found == pytest.approx(value, abs=1e-12)
    assert slope == pytest.approx(gradient, abs=1e-12)


def test_the_two_conventions_are_not_the_same():
    whole, half = (value_and_gradient(make(0.1), GOLDEN)[0] for make in (penalties.l2, penalties.l2_half))
    assert whole == pytest.approx(2 * half)


def test_l2_half_is_the_weight_decay_of_plain_sgd():
    start = torch.randn(3, 4)
    decayed, penalised = (torch.nn.Parameter(start.clone()) for _ in range(2))
    for parameter, decay in ((decayed, 0.3), (penalised, 0.0)):
        optimizer = torch.optim.SGD([parameter], lr=0.1, weight_decay=decay)
        loss = (parameter * 2).sum()
        if decay == 0:
            loss = loss + penalties.l2_half(0.3)((RegularizedWeight("w", parameter),))
        loss.backward()
        optimizer.step()
    torch.testing.assert_close(decayed, penalised)


def rows(array, axis):
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(6, 4, 3, 3), (5, 40), (30, 3)])
def test_terms_of_matrices(shape, axis):
    array = np.random.default_rng(3).normal(size=shape)
    matrix = rows(array, axis)
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    lengths = np.sqrt((matrix**2).sum(axis=1))
    for penalty, expected in (
        (penalties.orthogonal(0.1), 0.1 * ((gram - np.eye(len(gram))) ** 2).sum()),
        (penalties.spectral(0.1), 0.05 * np.linalg.svd(matrix, compute_uv=False)[0] ** 2),
        (penalties.group_lasso(0.1), 0.1 * np.sqrt(matrix.shape[1]) * lengths.sum()),
    ):
        assert value_and_gradient(penalty, array, axes=[axis])[0] == pytest.approx(expected)


def test_gradients_at_zero_are_numbers():
    for make in (penalties.l1, penalties.l2, penalties.group_lasso, penalties.orthogonal, penalties.spectral):
        _, (slope,) = value_and_gradient(make(1.0), np.zeros((3, 4)))
        assert np.isfinite(slope).all(), make


def test_several_weights_add_up():
    first, second = np.ones((2, 3)), np.full((4,), 2.0)
    assert value_and_gradient(penalties.l2(1.0), first, second)[0] == pytest.approx(6 + 16)


def changed(change, array, axis=0):
    tensor = torch.tensor(array)
    change((RegularizedWeight("w", tensor, axis),))
    return tensor.numpy()


@pytest.mark.parametrize("axis", [0, 1])
def test_max_norm(axis):
    array = np.random.default_rng(0).normal(size=(6, 5, 3, 3))
    array[:, :2] *= 0.01
    array[0] *= 0.01
    made = changed(constraints.max_norm(2.0), array, axis)
    before, after = (np.linalg.norm(rows(item, axis), axis=1) for item in (array, made))
    np.testing.assert_allclose(after, np.minimum(before, 2.0))
    assert (before > 2).any() and (before < 2).any(), "both cases are there"
    np.testing.assert_allclose(rows(made, axis), rows(array, axis) * (after / before)[:, None])


def test_the_other_changes():
    array = np.array([[3.0, -4.0], [0.0, 0.0]])
    assert np.array_equal(changed(constraints.unit_norm(), array), [[0.6, -0.8], [0, 0]])
    assert np.array_equal(changed(constraints.non_negative(), array), [[3, 0], [0, 0]])
