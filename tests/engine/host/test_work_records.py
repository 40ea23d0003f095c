"""Records of what is named on the command line: each field that is not as it should be is told with its record."""

from __future__ import annotations

import pytest

from striate.host.plugins import take_untold
from striate.host.records import Factory, FileRecord
from striate.host.work_records import (
    BackendRecord,
    CommandRecord,
    ExplainerRecord,
    ExporterRecord,
    ImporterRecord,
    PassRecord,
)
from tests.engine.stand_ins import Entry, load_plugins, providing

WORK = Factory("acme:work")


@pytest.mark.parametrize(
    ("hook", "record", "reason"),
    [
        ("passes", PassRecord("a", "A.", WORK, "late"), "point must be before_folding or after_folding, not 'late'"),
        ("passes", PassRecord("a", "A.", "acme:work"), 'rewrite must be a Factory of "package.module:function"'),
        ("backends", BackendRecord("a", "A.", WORK, 2.0), "tolerance must be a number between 0 and 1, not 2.0"),
        ("backends", BackendRecord("a", "", WORK), "summary must be one line of text"),
        ("exporters", ExporterRecord("a", "A.", WORK, "", ".a"), "title must be one line of text"),
        ("exporters", ExporterRecord("a", "A.", WORK, "A", "a"), "suffix must be an ending with its dot"),
        ("exporters", ExporterRecord("a", "A.", WORK, "A", ".a", (".b/c",)), "beside must be a tuple of endings"),
        ("importers", ImporterRecord("a", "A.", WORK, ()), "suffixes must be a tuple of endings in lower case"),
        ("importers", ImporterRecord("a", "A.", WORK, (".PT",)), "suffixes must be a tuple of endings in lower case"),
        ("importers", ImporterRecord("a", "A.", WORK, (".a",), "no"), "runs_code must be True or False, not 'no'"),
        ("explainers", ExplainerRecord("a", "A.", WORK, signed=1), "signed must be True or False, not 1"),
        ("explainers", ExplainerRecord("a b", "A.", WORK), "'a b', which is no identifier"),
        ("commands", CommandRecord("train", "A.", WORK), "it provides the command train, and striate itself has one"),
        ("backends", BackendRecord("torch", "A.", WORK), "it provides the back end torch, and striate itself has one"),
        ("exporters", ExporterRecord("onnx", "A.", WORK, "A", ".a"), "it provides the exporter onnx, and striate"),
        ("files", FileRecord("a.b", "A."), "needs either package and resource"),
        ("files", FileRecord("a.b", "A.", "acme"), "needs either package and resource"),
        ("files", FileRecord("a.b", "A.", "acme", "b.cnn", build=WORK), "needs either package and resource"),
        ("files", FileRecord("a.b", "A.", build="acme:work"), "build must be a Factory"),
        ("files", FileRecord("a.b", "A.", build=WORK, settings={"a b": 1}), "settings must be a dictionary"),
    ],
)
def test_a_field_that_is_wrong_sets_the_plugin_aside(hook, record, reason):
    loaded = load_plugins([Entry("acme", providing(**{f"striate_{hook}": [record]}))])
    assert [failure.plugin for failure in loaded.failures] == ["acme"]
    assert reason in loaded.failures[0].reason
    take_untold()  # else a command in a later test of this process would tell it


@pytest.mark.parametrize(
    ("hook", "record"),
    [
        ("passes", PassRecord("a", "A.", WORK, "after_folding")),
        ("backends", BackendRecord("a", "A.", WORK, 0.01)),
        ("exporters", ExporterRecord("a", "A.", WORK, "A", ".onnx.gz", (".bin",))),
        ("importers", ImporterRecord("a", "A.", WORK, (".a", ".a.gz"), True)),
        ("files", FileRecord("a.b", "A.", build=WORK, settings={"depth": 3})),
        ("files", FileRecord("a.b", "A.", "acme", "b.cnn")),
    ],
)
def test_sound_records_come_in(hook, record):
    loaded = load_plugins([Entry("acme", providing(**{f"striate_{hook}": [record]}))])
    assert loaded.failures == []
    assert loaded.of(hook) == {record.name: ("acme", record)}
