"""Chance as a function of the place in the run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from striate.train.order import batches_of_epoch, in_batches, step_seed


@given(st.integers(0, 2**62), st.integers(0, 99), st.integers(1, 200), st.integers(1, 64))
def test_every_example_comes_once_per_epoch(seed, epoch, examples, batch):
    batches = batches_of_epoch(seed, epoch, examples, batch)
    assert sorted(number for part in batches for number in part) == list(range(examples))
    assert batches == batches_of_epoch(seed, epoch, examples, batch)
    assert len(batches) == len(batches_of_epoch(seed, epoch + 1, examples, batch))


@given(st.integers(0, 200), st.integers(1, 64))
def test_batches_are_full_but_for_the_last(examples, batch):
    batches = in_batches(list(range(examples)), batch)
    assert [number for part in batches for number in part] == list(range(examples))
    assert all(len(part) == batch for part in batches[:-1])
    assert all(1 <= len(part) <= batch + 1 for part in batches[-1:])
    if batch > 1 and examples > 1:
        assert min(map(len, batches)) > 1


def test_epochs_and_seeds_differ():
    orders = {str(batches_of_epoch(seed, epoch, 50, 50)) for seed in range(4) for epoch in range(4)}
    assert len(orders) == 16
    seeds = {step_seed(seed, epoch, batch) for seed in range(4) for epoch in range(4) for batch in range(4)}
    assert len(seeds) == 64
    assert all(0 <= seed < 2**63 for seed in seeds)
