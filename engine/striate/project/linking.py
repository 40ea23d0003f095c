"""From a file to a linked file: every `use` statement is followed, inside the project and within bounds.

Whatever is wrong with a used file is a finding at the `use` statement, or in the used file where its text is at fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from striate.elaborate.linked import LinkedFile, Used
from striate.host.catalogue import HostCatalogue
from striate.host.records import FileRecord
from striate.project.paths import target_path
from striate.project.requirements import unmet
from striate.project.shelves import Package, Shelf, project_of
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Label
from striate_dsl.names import nearest
from striate_dsl.parser import ParseResult, parse
from striate_dsl.source import Source
from striate_dsl.syntax import File, Requires, Text, Use

MAX_FILES = 200
"""Files that one file may use, directly or not."""

MAX_CHARACTERS = 16 * 1024 * 1024
"""Characters that these may have together."""

MAX_DEPTH = 50
"""Files that use files that use files."""


def parse_linked(source: Source, catalogue: HostCatalogue) -> ParseResult:
    """Parse a text and the files it uses; in the result, `file` is a `LinkedFile`.

    The text's name is the path that used files are relative to. With mistakes in `use` statements there is a file all
    the same: the rest of it can be checked.
    """
    result = parse(source)
    if result.file is None:
        return result
    findings = Diagnostics(list(result.diagnostics))
    linked = link(result.file, catalogue, findings)
    return ParseResult(linked, findings, linked)


def link(file: File, catalogue: HostCatalogue, findings: Diagnostics) -> LinkedFile:
    """Return a file with the files it uses; what is wrong with them is added to the findings."""
    if not any(isinstance(item, (Use, Requires)) for item in file.definitions):
        return LinkedFile(file.span, file.definitions)
    shelf, path = project_of(file.span.file)
    return _Linker(catalogue, findings).link(file, shelf, path)


@dataclass(slots=True)
class _Linker:
    """Follows `use` statements depth first; every file is read once."""

    catalogue: HostCatalogue
    findings: Diagnostics
    linked: dict[str, LinkedFile | None] = field(default_factory=dict)
    chain: dict[str, Use | None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    characters: int = 0
    full: bool = False

    def link(self, file: File, shelf: Shelf, path: PurePosixPath) -> LinkedFile:
        """Link a file that has been read; it stays on the chain while its own `use` statements are followed."""
        identity = shelf.identity(path)
        self.names[identity] = file.span.file
        self.chain[identity] = None
        missing = list(unmet(file))
        self.findings.extend(missing)
        uses, complete = [], not missing
        for statement in file.definitions:
            if isinstance(statement, Use):
                self.chain[identity] = statement
                used = self._follow(statement, shelf, path)
                complete = complete and used is not None
                uses += [Used(statement, used)] if used is not None else []
        del self.chain[identity]
        return LinkedFile(file.span, file.definitions, tuple(uses), complete)

    def _follow(self, statement: Use, shelf: Shelf, using: PurePosixPath) -> LinkedFile | None:
        if self.full:
            return None
        try:
            target, path = self._target(statement, shelf, using)
            identity = target.identity(path)
            if identity in self.chain:
                raise DiagnosticError(self._circle(statement, identity))
            if identity not in self.linked:
                self.linked[identity] = None  # what cannot be read is told at the first statement that names it
                self.linked[identity] = self._read(statement, target, path)
            return self.linked[identity]
        except DiagnosticError as error:
            self.findings.extend(_placed(item, statement) for item in error.diagnostics)
            return None

    def _target(self, statement: Use, shelf: Shelf, using: PurePosixPath) -> tuple[Shelf, PurePosixPath]:
        if isinstance(statement.target, Text):
            return shelf, target_path(statement.target, using)
        name = ".".join(part.text for part in statement.target)
        record = self.catalogue.find(FileRecord, name)
        if record is None:
            raise DiagnosticError(self._no_such_file(statement, name))
        return Package(record.package), PurePosixPath(record.resource)

    def _read(self, statement: Use, shelf: Shelf, path: PurePosixPath) -> LinkedFile | None:
        self.asked += 1
        source = shelf.read(path) if self.asked <= MAX_FILES and len(self.chain) <= MAX_DEPTH else None
        self.characters += len(source.text) if source else 0
        if source is None or self.characters > MAX_CHARACTERS:
            self.full = True
            raise DiagnosticError(_too_much(statement))
        result = parse(source)
        self.findings.extend(replace(item, notes=(*item.notes, _used_at(statement))) for item in result.diagnostics)
        return None if result.file is None else self.link(result.file, shelf, path)

    def _circle(self, statement: Use, identity: str) -> Diagnostic:
        round_trip = list(self.chain)[list(self.chain).index(identity) :]
        names = [self.names[item] for item in [*round_trip, identity]]
        further = [item for key in round_trip if (item := self.chain[key]) is not None and item is not statement]
        return Diagnostic(
            "E0328",
            f"files use each other in a circle: {' -> '.join(names)}" if len(names) > 2 else "a file uses itself",
            statement.span,
            labels=tuple(Label(item.span, "on the way here") for item in further),
            help="put what both files need into a third one",
        )

    def _no_such_file(self, statement: Use, name: str) -> Diagnostic:
        known = self.catalogue.names(FileRecord)
        near = nearest(name, known)
        first = name.partition(".")[0]
        family = [item for item in known if item.partition(".")[0] == first] or known
        return Diagnostic(
            "E0330",
            f"no installed plugin provides a file {name}",
            statement.span,
            notes=(f"files of plugins: {', '.join(family[:12])}",) if family else (),
            help=f"did you mean {near}?" if near else f'a file of the project is named in quotes: use "{first}.cnn"',
        )


def _placed(item: Diagnostic, statement: Use) -> Diagnostic:
    """Return a finding about a file as one about the statement that names it, unless it has a place in a text."""
    if item.span is None:
        place = statement.target.span if isinstance(statement.target, Text) else statement.span
        return replace(item, span=place)
    if item.span.source is statement.span.source:
        return item
    return replace(item, notes=(*item.notes, _used_at(statement)))


def _used_at(statement: Use) -> str:
    return f"used at {statement.span!r}"


def _too_much(statement: Use) -> Diagnostic:
    return Diagnostic(
        "E0329",
        "too many files are used",
        statement.span,
        notes=(
            f"at most {MAX_FILES} files with {MAX_CHARACTERS // 1024 // 1024} MiB of text are read, "
            f"and at most {MAX_DEPTH} that use each other in a row",
        ),
        help="use only the files whose blocks are needed",
    )
