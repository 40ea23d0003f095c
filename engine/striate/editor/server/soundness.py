"""Whether texts still mean the same after edits: no new mistakes, and every model the same layers and sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from striate.checking import check_parsed
from striate.editor.server.builder import Builder
from striate.editor.server.documents import Library
from striate.elaborate.linked import reachable
from striate.project.linking import Reader, link_parsed
from striate.project.shelves import Shelf
from striate_dsl.diagnostics import Diagnostic, Edit, Severity
from striate_dsl.edits import apply_edits
from striate_dsl.parser import Allowance, ParseResult
from striate_dsl.source import Source


class RefusedError(Exception):
    """A change that is not made, and why."""


@dataclass(eq=False, slots=True)
class _Changed:
    """Reads some texts as they would be after a change, and the others as they are."""

    library: Library
    changed: Mapping[str, Source]

    def read(self, shelf: Shelf, path: PurePosixPath) -> Source:
        source = self.library.texts.read(shelf, path)
        return self.changed.get(source.name, source)

    def parse(self, source: Source, allowance: Allowance | None = None) -> ParseResult:
        return self.library.texts.parse(source, allowance)


@dataclass(eq=False, slots=True)
class _State:
    """The errors of a text and the layers of its models with their sizes."""

    errors: list[Diagnostic]
    networks: Sequence[object]


def demand_same_networks(library: Library, texts: Iterable[Source], edits: Mapping[Source, list[Edit]]) -> None:
    """Check the texts that edits touch, and those that use them, before and after.

    Raises:
        RefusedError: there is a mistake that was not there before, or a model is another one.
    """
    changed = {source.name: Source(source.name, apply_edits(source.text, made)) for source, made in edits.items()}
    reader = _Changed(library, changed)
    for source in texts:
        if library.texts.is_foreign(source) or not _concerned(library, source, changed):
            continue
        before = _state(library, source, library.texts)
        after = _state(library, changed.get(source.name, source), reader)
        _compare(before, after)


def _concerned(library: Library, source: Source, changed: Mapping[str, Source]) -> bool:
    result = link_parsed(source, library.texts.parse(source), library.catalogue, library.texts)
    linked = result.file or result.mended
    names = {source.name} if linked is None else {file.span.file for file in reachable(linked)}
    return bool(names & changed.keys())


def _state(library: Library, source: Source, reader: Reader) -> _State:
    builder = Builder()
    result = link_parsed(source, reader.parse(source), library.catalogue, reader)
    checked = check_parsed(source, result, library.catalogue, builder.run, linted=False)
    graphs = (build.elaboration.graph for build in builder.builds.values())
    networks = [
        None if graph is None else [(node.op, tuple(value.type for value in node.outputs)) for node in graph.nodes]
        for graph in graphs
    ]
    return _State([item for item in checked.diagnostics if item.severity is Severity.ERROR], networks)


def _compare(before: _State, after: _State) -> None:
    known = Counter(item.code for item in before.errors)
    for item in after.errors:
        known[item.code] -= 1
        if known[item.code] < 0:
            place = f"line {item.span.line}: " if item.span else ""
            raise RefusedError(f"this would be a mistake: {place}{item.message}")
    if before.networks != after.networks:
        raise RefusedError("this would change what a model computes")
