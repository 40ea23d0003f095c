"""The kit over everything of our own: the built-in layers, and the first-party plugin."""

from __future__ import annotations

import pytest

from striate.conformance import Effort, Status, check_record
from striate.conformance.running import subjects_of
from striate.host.installed import find_plugins
from striate.host.loading import Contribution, load
from striate.ops import BUILTIN

EFFORT = Effort(draws=3)
"""The samples, a call per argument, and a few drawn ones: tests/engine/ops draws many more, by tables of its own."""

EXPECTED: dict[str, dict[str, str]] = {
    "table_conv": {"macs": "torch multiplies by the zeros of the table as well, which are not counted"},
}
"""What a layer fails for a reason, by layer and check."""


@pytest.mark.parametrize("record", BUILTIN.values(), ids=lambda record: record.name)
def test_built_in_layers(record):
    outcomes = check_record(record, EFFORT)
    expected = EXPECTED.get(record.name, {})
    assert not [str(item) for item in outcomes if item.status is Status.FAILED and item.check not in expected]
    assert {item.check for item in outcomes if item.status is Status.FAILED} == set(expected)
    assert sum(item.status is Status.PASSED for item in outcomes) >= 10


def _own() -> list:
    (plugin,) = {item.name: item for item in find_plugins() if item.name == "striate-plugins"}.values()
    contribution = load(plugin, 60)
    assert isinstance(contribution, Contribution), contribution
    return [subject.record for _, subject in subjects_of(contribution)]


@pytest.mark.parametrize("record", _own(), ids=lambda record: f"{type(record).__name__}-{record.name}")
def test_the_first_party_plugin(record):
    outcomes = check_record(record, EFFORT)
    assert not [str(item) for item in outcomes if item.status is Status.FAILED]
