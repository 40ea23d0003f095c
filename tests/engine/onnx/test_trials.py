"""The inputs on which exports are compared: every batch size, and two sizes where the file leaves them open."""

from __future__ import annotations

import numpy as np
import pytest

from striate.dims.constraints import AtLeast, Divisible, Equal
from striate.dims.domain import solve
from striate.dims.expr import symbol
from striate.onnx.trials import legal_sizes, trials_for
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import from_body

H, W = symbol("H"), symbol("W")


@pytest.mark.parametrize(
    ("constraints", "symbols", "expected"),
    [
        ([], [], [{}]),
        ([], ["H"], [{"H": 1}, {"H": 33}]),
        ([Divisible(H, 32), AtLeast(H, 60)], ["H"], [{"H": 64}, {"H": 96}]),
        ([Divisible(H, 16), Divisible(W, 8)], ["H", "W"], [{"H": 16, "W": 8}, {"H": 48, "W": 64}]),
        ([Equal(H, W)], ["H", "W"], [{"H": 1, "W": 1}, {"H": 33, "W": 33}]),
        ([Equal(H, 2 * W)], ["H", "W"], [{"H": 2, "W": 1}, {"H": 66, "W": 33}]),
        ([AtLeast(20, H), AtLeast(50, W)], ["H", "W"], [{"H": 1, "W": 1}, {"H": 2, "W": 2}]),
        ([Equal(H, 8)], ["H"], [{"H": 8}]),
        ([Equal(H, 8), AtLeast(W, 5)], ["H", "W"], [{"H": 8, "W": 5}, {"H": 8, "W": 33}]),
    ],
)
def test_every_open_axis_has_two_sizes(constraints, symbols, expected):
    assert legal_sizes(solve(constraints, symbols), "Net") == expected


def test_no_legal_size_is_said():
    with pytest.raises(DiagnosticError) as caught:
        legal_sizes(solve([AtLeast(H, 5), AtLeast(0 - H, -4)], ["H"]), "Net")
    finding = caught.value.diagnostics[0]
    assert (finding.code, finding.message) == ("E0609", "no input size could be found on which to verify Net")
    assert finding.help is not None
    assert "--no-verify" in finding.help


def test_inputs_have_the_sizes_and_are_the_same_every_time():
    model = from_body("a -> add(b)", "input a: 2 x H x 4\ninput b: 2 x H x 4")
    first, second = trials_for(model.graph, model.domain), trials_for(model.graph, model.domain)
    assert [trial.words for trial in first] == [f"batch {n} with H = {size}" for size in (1, 33) for n in (1, 3)]
    assert [trial.inputs["a"].shape for trial in first] == [(1, 2, 1, 4), (3, 2, 1, 4), (1, 2, 33, 4), (3, 2, 33, 4)]
    for one, two in zip(first, second, strict=True):
        assert np.array_equal(one.inputs["a"], two.inputs["a"])
        assert not np.array_equal(one.inputs["a"], one.inputs["b"])
