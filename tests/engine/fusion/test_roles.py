"""What a layer is to a kernel, held to what its torch rule does: which entries of the output one entry reaches."""

from __future__ import annotations

import pytest
import torch

from striate.fusion.roles import ENTRYWISE, MERGES
from striate.ops import BUILTIN
from tests.engine.fusion.single import evaluated, samples_of

OTHERWISE = {
    "dropout": "evaluation passes it through, so nothing is computed",
    "spatial_dropout": "the same",
    "alpha_dropout": "the same",
    "droppath": "the same",
    "concrete_dropout": "the same",
    "gaussian_noise": "the same",
    "cutout": "the same",
    "identity": "the same",
    "rrelu": "a leaky_relu in evaluation, which nobody trains today",
    "gumbel_sigmoid": "a gate that rounds, rare",
    "logical_not": "on truth values",
}
"""Functions of one entry that no kernel takes along, and why."""


def reaches_only_itself(record, sample) -> bool:
    """Whether a change of one entry of the input changes that entry of the output at most."""
    before, values, run = evaluated(record, sample)
    if before.shape != values.shape or len(sample.inputs) != 1:
        return False
    flat = values.reshape(-1)
    for place in {0, len(flat) // 3, len(flat) // 2, len(flat) - 1}:
        changed = flat.clone()
        changed[place] = changed[place] * 0.5 + 0.125
        after = run(changed.reshape(values.shape))
        moved = ((after != before) & ~(after.isnan() & before.isnan())).reshape(-1)
        moved[place] = False
        if moved.any():
            return False
    return True


@pytest.mark.parametrize("name", sorted(ENTRYWISE))
def test_a_function_of_single_entries_is_one(name):
    record = BUILTIN[name]
    assert all(reaches_only_itself(record, sample) for sample in samples_of(record)), name


@pytest.mark.parametrize("name", sorted(set(BUILTIN) - ENTRYWISE - MERGES - set(OTHERWISE)))
def test_what_is_none_is_no_function_of_single_entries(name):
    record = BUILTIN[name]
    samples = samples_of(record)
    assert not samples or not all(reaches_only_itself(record, sample) for sample in samples), name


@pytest.mark.parametrize("name", sorted(MERGES))
def test_a_merge_works_place_by_place(name):
    record = BUILTIN[name]
    torch.manual_seed(0)
    sample = next(item for item in samples_of(record) if len(item.inputs) == 2 and item.inputs[0] == item.inputs[1])
    before, values, run = evaluated(record, sample)
    changed = values.clone()
    changed.reshape(-1)[7] += 0.5
    moved = (run(changed) != before).reshape(-1).nonzero().flatten().tolist()
    assert moved in ([7], []), name
