"""The losses of generative adversarial networks, for critic and generator apart.

All take scores before a sigmoid, in any shape; means are over all entries. A probability D is the sigmoid of a score.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import wide, written

_CRITICS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    # -log D(x) and -log(1 - D(G(z))), without a sigmoid that rounds to 0 or 1.
    "minimax": lambda real, fake: functional.softplus(-real).mean() + functional.softplus(fake).mean(),
    "non_saturating": lambda real, fake: functional.softplus(-real).mean() + functional.softplus(fake).mean(),
    "least_squares": lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
    "wasserstein": lambda real, fake: fake.mean() - real.mean(),
    "hinge": lambda real, fake: (1 - real).relu().mean() + (1 + fake).relu().mean(),
}
_GENERATORS: dict[str, Callable[[Tensor], Tensor]] = {
    "minimax": lambda fake: -functional.softplus(fake).mean(),
    "non_saturating": lambda fake: functional.softplus(-fake).mean(),
    "least_squares": lambda fake: (fake - 1).square().mean() / 2,
    "wasserstein": lambda fake: -fake.mean(),
    "hinge": lambda fake: -fake.mean(),
}


def gan_critic(form: str = "non_saturating") -> Callable[[Tensor, Tensor], Tensor]:
    """Return what the critic makes small, as a function of its scores for real and for made images."""
    rule = _CRITICS[form]
    return lambda real, fake: rule(wide(real), wide(fake))


def gan_generator(form: str = "non_saturating") -> Callable[[Tensor], Tensor]:
    """Return what the generator makes small, as a function of the critic's scores for made images."""
    rule = _GENERATORS[form]
    return lambda fake: rule(wide(fake))


def gradient_penalty(weight: float = 10.0, norm: float = 1.0) -> Callable[..., Tensor]:
    """Return the penalty of a Wasserstein critic, as a function of the critic and of real and made images.

    The returned function takes:
        critic: a function from images `N x …` to scores.
        real: images.
        fake: made images of the same shape.
        mix: per image the share of the real one, `N` numbers from 0 to 1; by default drawn evenly.
        generator: where that chance comes from; by default torch's own.

    Args:
        weight: the factor lambda.
        norm: the length that gradients are drawn to.
    """

    def loss(
        critic: Callable[[Tensor], Tensor],
        real: Tensor,
        fake: Tensor,
        mix: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        if real.shape != fake.shape:
            raise ValueError(f"real and made images have one shape, not {written(real)} and {written(fake)}")
        real, fake = wide(real).detach(), wide(fake).detach()
        if mix is None:
            mix = torch.rand(len(real), generator=generator).to(real)
        shares = mix.to(real).reshape(-1, *[1] * (real.dim() - 1))
        between = (shares * real + (1 - shares) * fake).requires_grad_()
        (slopes,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        lengths: Tensor = torch.linalg.vector_norm(slopes.flatten(1), dim=1)
        return weight * (lengths - norm).square().mean()

    return loss


FORMS = tuple(_CRITICS)
