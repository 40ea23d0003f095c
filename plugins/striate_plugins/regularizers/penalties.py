"""Regularisers that are terms of the loss; sums over all their weights, as the texts define them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from striate.plugin import RegularizedWeight

Penalty = Callable[[tuple[RegularizedWeight, ...]], Tensor]


def l1(rate: float) -> Penalty:
    """Return λ Σ |w|; torch takes the gradient at 0 to be 0."""
    return lambda weights: rate * _total([weight.tensor.abs().sum() for weight in weights])


def l2(rate: float) -> Penalty:
    """Return λ Σ w²."""
    return lambda weights: rate * _total([weight.tensor.square().sum() for weight in weights])


def l2_half(rate: float) -> Penalty:
    """Return λ/2 Σ w²."""
    return l2(rate / 2)


def elastic_net(l1: float, l2: float) -> Penalty:
    """Return λ₁ Σ |w| + λ₂ Σ w²."""

    def term(weights: tuple[RegularizedWeight, ...]) -> Tensor:
        return _total([l1 * weight.tensor.abs().sum() + l2 * weight.tensor.square().sum() for weight in weights])

    return term


def elastic_net_half(l1: float, l2: float) -> Penalty:
    """Return λ₁ Σ |w| + λ₂/2 Σ w²."""
    return elastic_net(l1, l2 / 2)


def group_lasso(rate: float) -> Penalty:
    """Return λ Σ √n ‖w_o‖ over the output channels; the gradient of a channel of zeros is taken to be 0."""

    def term(weights: tuple[RegularizedWeight, ...]) -> Tensor:
        lengths = []
        for weight in weights:
            rows = weight.rows()
            lengths.append(torch.linalg.vector_norm(rows, dim=1).sum() * rows.shape[1] ** 0.5)
        return rate * _total(lengths)

    return term


def orthogonal(rate: float) -> Penalty:
    """Return λ Σ ‖W Wᵀ - I‖²_F, with the smaller of the two products."""

    def term(weights: tuple[RegularizedWeight, ...]) -> Tensor:
        return rate * _total([_off_identity(weight.rows()) for weight in weights])

    return term


def spectral(rate: float) -> Penalty:
    """Return λ/2 Σ s(W)²; s is worked out exactly, not by power iteration, which would have to be kept with a run."""

    def term(weights: tuple[RegularizedWeight, ...]) -> Tensor:
        return rate / 2 * _total([torch.linalg.matrix_norm(weight.rows(), ord=2).square() for weight in weights])

    return term


def _off_identity(matrix: Tensor) -> Tensor:
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    return (product - torch.eye(len(product), device=matrix.device, dtype=matrix.dtype)).square().sum()


def _total(terms: list[Tensor]) -> Tensor:
    return torch.stack(terms).sum()
