"""What a loss's record says of itself is held to its form, and the mistake is named."""

from __future__ import annotations

import math
from typing import Any

import pytest

from striate.host.validation import RecordError, checked
from striate.plugin import Argument, Factory, LossExample, LossRecord, Real

EXAMPLE = LossExample(([[1.0]], [0]), 0.5)


def record(**fields: Any) -> LossRecord:
    return LossRecord("odd", "A loss.", Factory("torch.nn:MSELoss"), (Argument("rate", Real(), "A rate."),), **fields)


def test_a_sound_record_passes():
    fields = {"formula": "L = x", "range": (0.0, math.inf), "output": "values", "target": "values"}
    made = record(**fields, examples=(LossExample(([1.0], [0.0]), 1.0, {"rate": 2}),))
    assert checked(made, LossRecord, "striate_losses") is made
    assert made.in_recipes
    assert not record(output="tensors", target="tensors").in_recipes


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"formula": 3}, "formula must be a text, not 3"),
        ({"output": "logits"}, "output must be one of scores, probabilities, "),
        ({"target": "labels"}, "target must be one of classes, shares, signs, values, tensors, not 'labels'"),
        ({"output": "tensors"}, 'a loss of several tensors has both output and target "tensors"'),
        ({"range": (1.0, 0.0)}, "range must be a pair of the smallest and the largest value, not (1.0, 0.0)"),
        ({"range": "any"}, "range must be a pair"),
        ({"reduction": "one\ntwo"}, "reduction must be one line of text"),
        ({"sizes": ("width",)}, "sizes must be a tuple of names among features, classes, not ('width',)"),
        ({"examples": [EXAMPLE]}, "examples must be a tuple of LossExamples"),
        ({"examples": (LossExample((), 1.0, {"speed": 1}),)}, "an example has the argument speed, which the record"),
        ({"examples": (EXAMPLE,), "sizes": ("classes",)}, "an example must say the sizes classes"),
        ({"examples": (LossExample((), math.nan),)}, "the value of an example must be a finite number, not nan"),
    ],
)
def test_what_is_wrong_is_named(fields, problem):
    with pytest.raises(RecordError) as caught:
        checked(record(**fields), LossRecord, "striate_losses")
    assert str(caught.value).startswith(f"striate_losses: odd: {problem}")
