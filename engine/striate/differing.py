"""`striate diff`: two files, two models or two revisions, loaded and compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from striate.compare.comparison import compare
from striate.compare.difference import FileDifference
from striate.compare.facts import NetworkFacts, network_facts
from striate.elaborate import model_names, visible_models
from striate.elaborate.profiles import NO_PROFILE
from striate.host.catalogue import HostCatalogue
from striate.model import build_model
from striate.project.linking import Place, parse_linked
from striate.project.revisions import open_revision, path_in_repository
from striate.settling import settled_sections
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.names import nearest
from striate_dsl.parser import ParseResult
from striate_dsl.reading import read_source
from striate_dsl.source import Source

MODEL_SIGN = "::"
"""Stands between a file and the name of a model in it."""


@dataclass(slots=True)
class Side:
    """One side of a comparison: a text that is read, and the model that is meant."""

    name: str
    source: Source
    place: Place | None = None
    model: str | None = None
    parsed: ParseResult | None = None
    catalogue: HostCatalogue = field(default_factory=HostCatalogue)

    def parse(self) -> ParseResult:
        """Return the parsed text.

        Raises:
            DiagnosticError: it has mistakes.
        """
        if self.parsed is None:
            self.parsed = parse_linked(self.source, self.catalogue, place=self.place)
        if self.parsed.file is None or self.parsed.diagnostics.has_errors:
            raise DiagnosticError(*self.parsed.diagnostics)
        return self.parsed

    def models(self) -> tuple[str, ...]:
        """Return the models that are meant: the one named, or all of the file."""
        file = self.parse().file
        assert file is not None, "parse() raises otherwise"
        if self.model is None:
            return model_names(file)
        return (self.known(self.model),)

    def known(self, model: str) -> str:
        """Return a model's name.

        Raises:
            DiagnosticError: E0310, there is no such model.
        """
        file = self.parse().file
        assert file is not None, "parse() raises otherwise"
        if model in visible_models(file):
            return model
        near = nearest(model, visible_models(file))
        raise DiagnosticError(
            Diagnostic(
                "E0310",
                f"there is no model {model} in {self.source.name}",
                notes=(f"models there: {', '.join(model_names(file)) or 'none'}",),
                help=f"did you mean {self.source.name}{MODEL_SIGN}{near}?" if near else None,
            )
        )

    def facts(self, model: str) -> NetworkFacts:
        """Return what is compared of a model.

        Raises:
            DiagnosticError: it has mistakes.
        """
        built = build_model(self.parse(), model, None, self.catalogue)
        sections = {section.title: section.values for section in settled_sections(built.file, model, NO_PROFILE)}
        return network_facts(built.graph, self.catalogue.layer, built.domain, sections)


def open_side(text: str) -> Side:
    """Return the side that `FILE`, `FILE::Model`, `REVISION:FILE` or `REVISION:FILE::Model` names.

    Raises:
        DiagnosticError: the file or revision cannot be read.
    """
    spot, _, model = text.rpartition(MODEL_SIGN) if MODEL_SIGN in text else (text, "", "")
    revision, colon, path = spot.partition(":")
    if colon and revision and path and not Path(spot).exists() and not Path(spot[:2]).drive:
        return open_in_revision(revision, path, text, model or None)
    return Side(text, read_source(Path(spot)), None, model or None)


def open_in_revision(revision: str, path: str, name: str, model: str | None = None) -> Side:
    """Return a file of a revision; the path begins at the top of the repository, or at this folder with `./`."""
    opened = open_revision(revision, Path())
    inside = path_in_repository(opened, Path(path)) if path.startswith(("./", "../")) else PurePosixPath(path)
    shelf, place = opened.project(inside)
    return Side(name, shelf.read(place), (shelf, place), model)


def open_beside(revision: str, file: str) -> Side:
    """Return the state that a file of the work tree (or `FILE::Model`) has in a revision."""
    spot, _, model = file.rpartition(MODEL_SIGN) if MODEL_SIGN in file else (file, "", "")
    folder = Path(spot).parent
    opened = open_revision(revision, folder if folder.is_dir() else Path())
    shelf, place = opened.project(path_in_repository(opened, Path(spot)))
    return Side(f"{revision}:{file}", shelf.read(place), (shelf, place), model or None)


def difference(old: Side, new: Side) -> FileDifference:
    """Return what differs between two sides.

    A model named on one side is compared with the one named on the other, or else with the one of its name there, or
    the only one. Without names all models are compared by name; where each side has one only, those two.

    Raises:
        DiagnosticError: one side has mistakes, or no such model.
    """
    pairs = _pairs(old, new)
    whole = old.model is None and new.model is None
    return FileDifference(
        old.name,
        new.name,
        _without(old.models(), [one for one, _ in pairs]) if whole else (),
        _without(new.models(), [other for _, other in pairs]) if whole else (),
        tuple(compare(old.facts(one), new.facts(other)) for one, other in pairs),
    )


def _without(names: tuple[str, ...], others: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)


def _pairs(old: Side, new: Side) -> list[tuple[str, str]]:
    first, second = old.models(), new.models()
    if old.model is not None and new.model is None:
        return [(old.model, _counterpart(old.model, new))]
    if new.model is not None and old.model is None:
        return [(_counterpart(new.model, old), new.model)]
    if len(first) == len(second) == 1:
        return [(first[0], second[0])]
    return [(name, name) for name in first if name in second]


def _counterpart(model: str, other: Side) -> str:
    names = other.models()
    return names[0] if len(names) == 1 else other.known(model)
