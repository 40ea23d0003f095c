"""The texts that once broke something, and short real ones: every invariant holds for them."""

from __future__ import annotations

import pytest

from tests.fuzz.invariants import TARGETS
from tests.fuzz.seeds import kept


def test_there_are_texts():
    assert kept()


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("name", sorted(kept()))
def test_what_was_found_stays_repaired(name: str, target: str):
    TARGETS[target](kept()[name])
