"""What a plugin's importer has read, as `importer` takes it: elaborated, and with its weights held to the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from striate.model import Model, load_source
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.formatter import format_source
from striate_dsl.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from striate.host.catalogue import HostCatalogue
    from striate.host.provided import Provided
    from striate.host.work_records import ImporterRecord
    from striate.importing.kinds import Facts, Original
    from striate.importing.plugin_reading import ImportedText


@dataclass(frozen=True, slots=True)
class _TextFacts:
    """What a plugin's importer says of a file."""

    origin: str
    original: Callable[[], Original] | None
    contract: Mapping[str, Any]
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    operators: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""


@dataclass(slots=True)
class _Opened:
    """The network as it was, run by a plugin."""

    name: str
    run: Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PluginImport:
    """What came of reading a file: the model, its text in canonical form, its weights and what is known of the file."""

    model: Model
    text: str
    weights: Mapping[str, Any]
    facts: Facts


def read_file(
    found: Provided[ImporterRecord], path: Path, options: Mapping[str, Any], catalogue: HostCatalogue
) -> PluginImport:
    """Read a file by a plugin's importer.

    Args:
        found: the importer.
        path: the file.
        options: what the importer is told; of such there is only `trust`, for one that runs code.
        catalogue: what the importer's text is elaborated with.

    Raises:
        DiagnosticError: E0646, an option says nothing about such a file; E0720, E0721 or E0724, the importer failed.
    """
    from striate.importing.plugin_reading import demand_weights, read_by

    useless = sorted(options.keys() - ({"trust"} if found.record.runs_code else set()))
    if useless:
        message = f"--{useless[0].replace('_', '-')} says nothing about {path}, which is read by {found}"
        raise DiagnosticError(Diagnostic("E0646", message, help="leave it out"))
    given = read_by(found, path, trust=bool(options.get("trust")))
    model, text = _model_of(found, given, path, catalogue)
    demand_weights(found, given, model.graph)
    origin = given.origin or f"read by {found}"
    facts = _TextFacts(origin, _opening(found, given, model), given.contract, given.classes, given.notes)
    return PluginImport(model, text, dict(given.weights), facts)


def _model_of(
    found: Provided[ImporterRecord], given: ImportedText, path: Path, catalogue: HostCatalogue
) -> tuple[Model, str]:
    """Return the model of the text that an importer has written, and the text in canonical form."""
    source = Source(f"{path.stem}.cnn", given.text)
    try:
        model = load_source(source, given.model or None, catalogue=catalogue)
    except DiagnosticError as error:
        told = "; ".join(f"{item.code}: {item.message}" for item in error.diagnostics[:3])
        found.demand(False, f"wrote a text with mistakes for {path}: {told}")
        raise
    return model, format_source(source).text or given.text


def _opening(found: Provided[ImporterRecord], given: ImportedText, model: Model) -> Callable[[], Original] | None:
    from striate.runtime.runner import checked_runner

    opening = given.original
    if opening is None:
        return None

    def opened() -> Original:
        with found.blamed():
            run = checked_runner(opening(), tuple(model.graph.outputs))

        def guarded(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
            with found.blamed():
                return run(inputs)

        return _Opened(f"{found.name} (plugin {found.owner})", guarded)

    return opened
