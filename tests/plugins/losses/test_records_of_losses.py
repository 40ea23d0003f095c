"""Every loss has its formula, its source, its range, and examples that it lives up to."""

from __future__ import annotations

import pytest
import torch

from striate.host.loss_traits import SIZES
from tests.plugins.losses.made import RECORDS, made_for, tensors

EXAMPLES = [
    pytest.param(record, example, id=f"{name}-{number}")
    for name, record in RECORDS.items()
    for number, example in enumerate(record.examples)
]


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_every_loss_is_described(record):
    assert record.formula and record.reference and record.reduction
    assert record.examples, "a value that it must have"
    assert set(record.sizes) <= set(SIZES)


@pytest.mark.parametrize(("record", "example"), EXAMPLES)
def test_examples_hold(record, example):
    loss = made_for(record, example)
    value = loss(*map(tensors, example.inputs))
    assert value.shape == ()
    assert float(value) == pytest.approx(example.value, rel=2e-7, abs=2e-8)
    assert record.range[0] - 1e-9 <= float(value) <= record.range[1] + 1e-9


@pytest.mark.parametrize(("record", "example"), EXAMPLES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_narrow_numbers_give_the_same_within_their_digits(record, example, dtype):
    """Half precision is widened first: what remains is the rounding of the inputs."""
    value = made_for(record, example, torch.float32)(*(tensors(item, dtype) for item in example.inputs))
    digits = {torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 6e-2}[dtype]
    if record.name == "gradient_penalty":
        assert value.dtype == torch.float32
    assert float(value) == pytest.approx(example.value, rel=digits, abs=digits)
