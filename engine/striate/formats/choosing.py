"""Which module or plugin writes a format: striate's own by the table of kinds, others by their exporter's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, TypeAlias

from striate.formats.kinds import KINDS, Kind
from striate.formats.subject import Converted, RefusedError, Subject
from striate.host.catalogue import HostCatalogue
from striate.host.provided import Provided, demand_provided, shown
from striate.host.work_records import ExporterRecord
from striate.runtime.runner import checked_runner

Convert: TypeAlias = Callable[[Subject, Mapping[str, str]], Converted]


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its name on the command line, what it is, and what makes its files."""

    name: str
    kind: Kind
    convert: Convert


def choose_format(name: str, catalogue: HostCatalogue) -> Format:
    """Return a format by name: one of striate's own other than `onnx`, or one of a plugin.

    Raises:
        DiagnosticError: E0722, there is no such format; E0702, several plugins have one.
    """
    if name in KINDS:
        return Format(name, KINDS[name], _own(name))
    found = demand_provided(catalogue, ExporterRecord, name)
    record = found.record
    title = f"{record.title} (plugin {found.owner})"
    return Format(name, Kind(title, record.suffix, record.beside), _of_plugin(found))


def _own(name: str) -> Convert:
    def convert(subject: Subject, entries: Mapping[str, str]) -> Converted:
        made: Converted = import_module(f"striate.formats.{name}").convert(subject, entries)
        return made

    return convert


def _of_plugin(found: Provided[ExporterRecord]) -> Convert:
    def convert(subject: Subject, entries: Mapping[str, str]) -> Converted:
        with found.blamed(RefusedError):
            made: Converted = found.record.factory(subject, dict(entries))
        found.demand(isinstance(made, Converted), f"returned {shown(made)} where a Converted is due")
        _hold_to_files(found, made)
        return replace(made, runner=checked_runner(made.runner, subject.outputs))

    return convert


def _hold_to_files(found: Provided[ExporterRecord], made: Converted) -> None:
    endings = {found.record.suffix, *found.record.beside}
    files: Any = made.files
    found.demand(
        isinstance(files, Mapping)
        and all(isinstance(content, bytes) for content in files.values())
        and found.record.suffix in files,
        f"gave no bytes for its main file, {found.record.suffix}",
    )
    strange = sorted(set(files) - endings)
    found.demand(not strange, f"gave a file {', '.join(strange)}, which its record does not name in beside")
    found.demand(callable(made.runner), "gave nothing that runs its file: the runner of Converted is no function")
