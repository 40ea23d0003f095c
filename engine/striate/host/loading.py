"""Finding plugins by entry point and asking each for its records; a broken plugin is set aside and named.

Imports pluggy and reads package metadata, so it is only imported once something beyond the built-in layers is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import PurePosixPath
from typing import Any

import pluggy

from striate.host.installed import GROUP
from striate.host.manifest import Manifest, ManifestError, read_manifest
from striate.host.records import FileRecord
from striate.host.spec import HOOK_KINDS, PROJECT, Hooks, PluginContext


@dataclass(frozen=True, slots=True)
class PluginFailure:
    """A plugin that could not be used, why, in one line, what its manifest says it would provide, and whence it is."""

    plugin: str
    reason: str
    manifest: Manifest | None = None
    distribution: str | None = None


@dataclass(slots=True)
class Loaded:
    """The records of all working plugins: by kind of record, then by name, with the plugin that owns each."""

    records: dict[type, dict[str, tuple[str, Any]]] = field(default_factory=dict)
    clashes: dict[tuple[type, str], tuple[str, ...]] = field(default_factory=dict)
    failures: list[PluginFailure] = field(default_factory=list)

    def of(self, kind: type) -> Mapping[str, tuple[str, Any]]:
        """Return owner and record by name for one kind of record."""
        return self.records.get(kind, {})


def load_plugins(found: Iterable[EntryPoint] | None = None) -> Loaded:
    """Load every installed plugin and collect its records."""
    loaded = Loaded()
    for entry in sorted(entry_points(group=GROUP) if found is None else found, key=lambda item: item.name):
        try:
            contribution = _contribution(entry)
        except Exception as error:  # a stranger's code may raise anything; it must not take the command with it
            loaded.failures.append(_failure(entry, f"{type(error).__name__}: {error}"))
            continue
        for kind, name, record in contribution:
            _add(loaded, entry.name, kind, name, record)
    return loaded


def _failure(entry: EntryPoint, reason: str) -> PluginFailure:
    distribution = entry.dist.metadata["Name"] if entry.dist is not None else None
    try:
        return PluginFailure(entry.name, reason, read_manifest(entry), distribution)
    except ManifestError as error:
        return PluginFailure(entry.name, f"{reason}; {error}", None, distribution)


def _contribution(entry: EntryPoint) -> list[tuple[type, str, Any]]:
    """Load one plugin and return its checked records; all of them or, with an exception, none."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(entry.load(), name=entry.name)
    manager.check_pending()
    context = PluginContext()
    records = []
    for hook, kind in HOOK_KINDS.items():
        for answer in getattr(manager.hook, hook)(context=context):
            records += [(kind, _checked(record, kind, hook).name, record) for record in answer]
    return records


def _checked(record: Any, kind: type, hook: str) -> Any:
    if not isinstance(record, kind):
        raise TypeError(f"{hook} returned a {type(record).__name__} where a {kind.__name__} is due")
    name = getattr(record, "name", None)
    if isinstance(record, FileRecord):
        _check_file(record, hook)
    elif not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"{hook} returned a record named {name!r}, which is no identifier")
    return record


def _check_file(record: FileRecord, hook: str) -> None:
    parts = record.name.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ValueError(f"{hook} returned a file named {record.name!r}, which is not like zoo.resnet")
    path = PurePosixPath(record.resource)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{hook} returned the file {record.resource!r}, which is no path inside its package")


def _add(loaded: Loaded, owner: str, kind: type, name: str, record: Any) -> None:
    shelf = loaded.records.setdefault(kind, {})
    if name in shelf:
        owners = loaded.clashes.get((kind, name), (shelf[name][0],))
        loaded.clashes[kind, name] = (*owners, owner)
        return
    shelf[name] = (owner, record)
