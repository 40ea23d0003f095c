"""Optimizers of torch under the arguments of the recipe: two betas for a pair, and the mode of weight decay by name."""

from __future__ import annotations

from typing import Any

from torch.optim import Adadelta, Adafactor, Adagrad, Adam, Adamax, AdamW, Optimizer, RAdam, RMSprop
from torch.optim.optimizer import ParamsT

from striate_plugins.optimizers.decay import with_decay
from striate_plugins.optimizers.written import COUPLED, DECOUPLED


def adam(
    parameters: ParamsT, *, beta1: float, beta2: float, decay: str = COUPLED, amsgrad: bool = False, **settings: Any
) -> Adam:
    """Return torch's Adam."""
    apart = decay == DECOUPLED
    return Adam(parameters, betas=(beta1, beta2), amsgrad=amsgrad, decoupled_weight_decay=apart, **settings)


def amsgrad(parameters: ParamsT, **settings: Any) -> Adam:
    """Return torch's Adam with the largest squares so far."""
    return adam(parameters, **settings, amsgrad=True)


def adamw(parameters: ParamsT, *, beta1: float, beta2: float, **settings: Any) -> AdamW:
    """Return torch's AdamW."""
    return AdamW(parameters, betas=(beta1, beta2), **settings)


def adamax(parameters: ParamsT, *, beta1: float, beta2: float, decay: str, **settings: Any) -> Optimizer:
    """Return torch's Adamax."""
    return with_decay(Adamax, decay)(parameters, betas=(beta1, beta2), **settings)


def radam(parameters: ParamsT, *, beta1: float, beta2: float, decay: str, **settings: Any) -> RAdam:
    """Return torch's RAdam."""
    return RAdam(parameters, betas=(beta1, beta2), decoupled_weight_decay=decay == DECOUPLED, **settings)


def adagrad(parameters: ParamsT, *, start: float, decay: str, **settings: Any) -> Optimizer:
    """Return torch's Adagrad."""
    return with_decay(Adagrad, decay)(parameters, initial_accumulator_value=start, **settings)


def rmsprop(parameters: ParamsT, *, rho: float, centred: bool, decay: str, **settings: Any) -> Optimizer:
    """Return torch's RMSprop."""
    return with_decay(RMSprop, decay)(parameters, alpha=rho, centered=centred, **settings)


def adadelta(parameters: ParamsT, *, decay: str, **settings: Any) -> Optimizer:
    """Return torch's Adadelta."""
    return with_decay(Adadelta, decay)(parameters, **settings)


def adafactor(parameters: ParamsT, *, eps2: float, **settings: Any) -> Adafactor:
    """Return torch's Adafactor, which has no first eps unless it is told one."""
    return Adafactor(parameters, eps=(None, eps2), **settings)
