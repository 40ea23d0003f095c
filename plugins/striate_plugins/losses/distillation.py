"""Knowledge distillation: a small network learns what a large one answers (Hinton et al., 2015)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from striate_plugins.losses.tensors import check_classes, comparable


def distillation(temperature: float = 4.0, hard_weight: float = 0.0) -> Callable[..., Tensor]:
    """Return the loss as a function of the student's and the teacher's scores and, for the hard part, class numbers.

    Scores are `N x K` or `N x K x H x W`. No gradient goes to the teacher.

    Args:
        temperature: what scores are divided by before the softmax; the term is multiplied by its square, so that
            gradients keep their size.
        hard_weight: the share of cross-entropy with the class numbers, from 0 to 1.
    """

    def loss(student: Tensor, teacher: Tensor, classes: Tensor | None = None) -> Tensor:
        student, teacher = comparable(student, teacher.detach())
        soft = functional.kl_div(
            (student / temperature).log_softmax(dim=1),
            (teacher / temperature).log_softmax(dim=1),
            reduction="sum",
            log_target=True,
        )
        soft = soft * temperature**2 / max(student.numel() // student.shape[1], 1)
        if hard_weight == 0:
            return soft
        if classes is None:
            raise ValueError("hard_weight is above 0, so class numbers are needed as a third argument")
        check_classes(student, classes)
        return (1 - hard_weight) * soft + hard_weight * functional.cross_entropy(student, classes)

    return loss
