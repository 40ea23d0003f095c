"""The first-party records: declared without heavy packages, documented, and pointing at something that exists."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files

import pytest

import striate_plugins
from striate.host.installed import GROUP
from striate.host.kinds import KINDS
from striate.host.manifest import read_manifest
from striate.host.plugins import Plugins
from striate.host.records import DataRecord, FileRecord, HeadRecord, TaskRecord
from striate.plugin import PluginContext

LOADED = Plugins()
LOADED.load_all()
RECORDS = [
    pytest.param(kind.record, record, id=f"{kind.record.__name__}-{name}")
    for kind in KINDS
    for name, (owner, record) in LOADED.of(kind.plural).items()
    if owner == "striate-plugins"
]


def test_they_come_in_by_the_same_door_as_a_strangers():
    assert not LOADED.failures
    assert {param.values[1].name for param in RECORDS} >= {
        "digits", "cross_entropy", "sgd", "adam", "cosine", "step", "constant", "accuracy", "classification",
        "segmentation",
    }  # fmt: skip


def test_the_manifest_names_them_all():
    (entry,) = [item for item in entry_points(group=GROUP) if item.name == "striate-plugins"]
    manifest = read_manifest(entry)
    given = LOADED.contribution("striate-plugins")
    assert manifest is not None and given is not None
    assert manifest.provides == {kind: tuple(shelf) for kind, shelf in given.records.items()}


def test_declaring_them_imports_nothing_heavy():
    program = (
        "import sys, striate_plugins as plugins\nfrom striate.plugin import PluginContext\n"
        "for name in dir(plugins):\n"
        "    hook = getattr(plugins, name)\n"
        "    if name.startswith('striate_') and callable(hook): hook(PluginContext())\n"
        "heavy = {'torch', 'torchmetrics', 'sklearn', 'numpy', 'lightning', 'striate.train.data'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize(("kind", "record"), RECORDS)
def test_every_record_is_documented(kind, record):
    assert record.summary.endswith(".")
    for argument in getattr(record, "arguments", ()):
        assert argument.summary.endswith("."), argument.name
        assert argument.kind.describe()


@pytest.mark.parametrize(("kind", "record"), RECORDS)
def test_every_factory_exists(kind, record):
    if kind is HeadRecord:
        assert LOADED.of("tasks")[record.task]
        return
    if kind is FileRecord:
        assert files(record.package).joinpath(record.resource).is_file()
        return
    factory = record.decode if kind is TaskRecord else record.factory
    module, _, attribute = factory.target.partition(":")
    assert callable(getattr(import_module(module), attribute))
    if kind is DataRecord:
        assert LOADED.of("tasks")[record.task]


def test_hooks_return_fresh_lists():
    first, second = (striate_plugins.striate_losses(PluginContext()) for _ in range(2))
    first.clear()
    assert second
