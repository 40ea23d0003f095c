"""`striate.loss`: any loss in Python, by the name and with the arguments of a recipe."""

from __future__ import annotations

import pytest
import torch

import striate


def codes(call) -> list[tuple[str, str]]:
    with pytest.raises(striate.DiagnosticError) as caught:
        call()
    return [(item.code, item.message) for item in caught.value.diagnostics]


def test_a_loss_by_name():
    scores, classes = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([2])
    assert float(striate.loss("focal", gamma=0)(scores, classes)) == pytest.approx(0.407605964)
    assert float(striate.loss("striate_plugins.focal", gamma=0)(scores, classes)) == pytest.approx(0.407605964)


def test_a_loss_with_weights_of_its_own_is_a_module():
    loss = striate.loss("arcface", features=3, classes=2, scale=8.0)
    assert isinstance(loss, torch.nn.Module)
    assert [tuple(weight.shape) for weight in loss.parameters()] == [(2, 3)]


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: striate.loss("focall"), [("E0405", "there is no loss focall")]),
        (lambda: striate.loss("focal", gama=2), [("E0402", "focal has no argument gama")]),
        (
            lambda: striate.loss("focal", gamma="two"),
            [("E0403", 'focal: gamma must be a number of at least 0, not "two"')],
        ),
        (lambda: striate.loss("focal", features=3), [("E0402", "focal has no argument features")]),
        (
            lambda: striate.loss("arcface", classes=2),
            [("E0404", "arcface needs features, a size of its own weights")],
        ),
    ],
)
def test_mistakes_are_said(call, found):
    assert codes(call) == found


def test_the_nearest_name_is_proposed():
    with pytest.raises(striate.DiagnosticError) as caught:
        striate.loss("cross_entropie")
    assert "cross_entropy" in (caught.value.diagnostics[0].help or "")
