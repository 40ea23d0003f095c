"""`striate import FILE --onto NETWORK`: weights that other programs trained, as a checkpoint of a network.

Nothing is written unless every weight of the network has its tensor and no tensor is left over; with `partial`, what
has none starts anew and is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from striate.elaborate import model_names
from striate.elaborate.linked import reachable
from striate.elaborate.writing import written_value
from striate.graph import fingerprint
from striate.host.catalogue import HostCatalogue
from striate.host.records import FileRecord
from striate.model import Model, build_model, only_model
from striate.project.linking import parse_linked
from striate.project.shelves import place_of
from striate.version import __version__
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.parser import ParseResult
from striate_dsl.reading import read_source
from striate_dsl.source import Source
from striate_dsl.syntax import File, Variant

if TYPE_CHECKING:
    from striate.importing.state_choice import Choice
    from striate.importing.state_matching import Match
    from striate.runtime.checkpoint_info import CheckpointInfo
    from striate.runtime.stored_tensor import StateFile

__all__ = ["LoadReport", "MatchError", "choose_weights", "open_network", "write_weights_onto"]


@dataclass(frozen=True)
class LoadReport:
    """A file of weights held against a network, before anything is read or written.

    Attributes:
        model: the network.
        state: the file.
        choice: where in the file the weights are, and which tensor is which weight.
    """

    model: Model
    state: StateFile
    choice: Choice

    @property
    def match(self) -> Match:
        """Which tensor is which weight."""
        return self.choice.match


class MatchError(DiagnosticError):
    """The weights do not fit the network; `report` says tensor by tensor why."""

    def __init__(self, report: LoadReport, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.report = report


def open_network(onto: str, catalogue: HostCatalogue) -> ParseResult:
    """Return the file of a network: a path, or the dotted name of a plugin's file such as `zoo.resnet`.

    Raises:
        DiagnosticError: there is no such file, or it has mistakes.
    """
    dotted = "." in onto and all(part.isidentifier() for part in onto.split("."))
    if not dotted or onto.endswith(".cnn") or Path(onto).exists():
        parsed = parse_linked(read_source(Path(onto)), catalogue)
    elif (record := catalogue.find(FileRecord, onto)) is None:
        parsed = parse_linked(Source("--onto", f"use {onto}\n"), catalogue)
    else:
        shelf, place = place_of(record, onto, catalogue)
        parsed = parse_linked(shelf.read(place), catalogue, place=(shelf, place))
    if parsed.file is None or parsed.diagnostics.has_errors:
        raise DiagnosticError(*parsed.diagnostics)
    return parsed


def choose_weights(
    path: str | Path,
    onto: str | Path,
    model: str | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    names: str | Path | None = None,
    under: str | None = None,
) -> LoadReport:
    """Find out which tensor of a file is which weight of a network; its numbers are not read yet.

    Args:
        path: a file of weights, see `striate.runtime.state_file.read_state`.
        onto: the network's file, or the name of a plugin's file such as `zoo.resnet`.
        model: the model's or variant's name; without one, the one model of the file that the weights fit.
        parameters: the model's parameters as text, e.g. `{"classes": "10"}`.
        names: a name map of one's own; it is tried before those of the network.
        under: where in the file to look, e.g. `state_dict_ema`.

    Raises:
        DiagnosticError: E0661 to E0663, E0666, E0667, or the network has mistakes.
    """
    from striate.importing.known_names import conventions_of, read_names
    from striate.importing.state_choice import choose
    from striate.runtime.state_file import read_state

    catalogue = HostCatalogue()
    parsed = open_network(str(onto), catalogue)
    assert parsed.file is not None, "a network that cannot be parsed is an error"
    given = read_names(Path(names)) if names is not None else ()
    conventions = (*given, *conventions_of(parsed.file, catalogue))
    state = read_state(Path(path))

    def report(name: str) -> LoadReport:
        built = build_model(parsed, name, parameters, catalogue)
        return LoadReport(built, state, choose(state, built.graph, conventions, under))

    names_there = model_names(parsed.file)
    if model is None and len(names_there) > 1:
        found = _fitting(parsed.file, names_there, report)
        if found is not None:
            return found
    return report(model or only_model(parsed.file))


def _fitting(file: File, names: Sequence[str], report: Callable[[str], LoadReport]) -> LoadReport | None:
    """Return the report of the one network of a file that the weights fit completely; None where there is none or more.

    A model and its variant with the same parameters are one network; the variant's name says more.
    """
    from striate.runtime.mismatch import computation

    variants = {item.name.text for item in file.definitions if isinstance(item, Variant)}
    fitting: list[LoadReport] = []
    for name in sorted(names, key=lambda name: name not in variants):
        try:
            tried = report(name)
        except DiagnosticError:
            continue
        graph = computation(tried.model.graph)
        if tried.match.complete and all(computation(item.model.graph) != graph for item in fitting):
            fitting.append(tried)
    return fitting[0] if len(fitting) == 1 else None


def write_weights_onto(
    report: LoadReport, target: str | Path, *, partial: bool = False, seed: int = 0
) -> tuple[str, ...]:
    """Write the weights as a checkpoint of the network, and return the names of those that start anew.

    Args:
        report: which tensor is which weight.
        target: the safetensors file.
        partial: whether weights without a tensor may start anew; at least one has to have one.
        seed: what those start from.

    Raises:
        DiagnosticError: E0664 or E0665, the weights do not fit; E0668, they are no numbers to compute with; E0505, the
            file cannot be written. Nothing is written then.
    """
    from striate.importing.state_reading import arrays_of
    from striate.importing.state_refusal import refusal
    from striate.runtime.checkpoint import write_weights

    found = refusal(report.state, report.model.graph, report.choice, partial=partial)
    if found is not None:
        raise MatchError(report, found)
    arrays, started = arrays_of(report.state, report.model.graph, report.match, seed)
    write_weights(Path(target), arrays, _described(report.model))
    return started


def _described(model: Model) -> CheckpointInfo:
    from striate.runtime.checkpoint_info import CheckpointInfo
    from striate.runtime.mismatch import computation
    from striate.runtime.provenance import provenance

    return CheckpointInfo(
        model=model.name,
        text=model.file.span.source.text,
        files={item.span.file: item.span.source.text for item in reachable(model.file) if item is not model.file},
        arguments={name: written_value(value) for name, value in model.graph.arguments.items()},
        fingerprint=fingerprint(model.graph),
        computation=computation(model.graph),
        versions={"striate": __version__},
        plugins=provenance(model.file, model.name, model.graph, model.catalogue),
    )
