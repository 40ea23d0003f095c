"""From a file to a linked file: every `use` statement is followed, inside the project and within bounds.

Whatever is wrong with a used file is a finding at the `use` statement, or in the used file where its text is at fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Protocol

from striate.elaborate.linked import LinkedFile, Renamed, Used
from striate.host.catalogue import HostCatalogue, NameClashError
from striate.host.identity import qualifier
from striate.host.records import FileRecord
from striate.project.names import file_and_thing, no_such_target
from striate.project.paths import target_path
from striate.project.requirements import unmet
from striate.project.shelves import Shelf, place_of, project_of
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Edit, Fix, Label
from striate_dsl.limits import DEFINITIONS, FILE_SIZE, FILES, FINDINGS, TOKENS, USE_DEPTH, Limit
from striate_dsl.parser import Allowance, ParseResult, parse
from striate_dsl.reading import bytes_in_words
from striate_dsl.source import Source
from striate_dsl.syntax import Block, File, Model, Requires, Text, Use, Variant

_DEFINED = re.compile(r"\b(?:block|model|class|def|fn|func|function|network)[ \t]+(\w+)")


class Reader(Protocol):
    """Where the texts of used files come from: an editor has some that are not on the disk yet, and keeps others."""

    def read(self, shelf: Shelf, path: PurePosixPath) -> Source:
        """Return the text at a path; raises like `Shelf.read`."""

    def parse(self, source: Source, allowance: Allowance | None = None) -> ParseResult:
        """Return what `striate_dsl.parser.parse` says of a text."""


class Shelves:
    """Reads every file from where it lies, each time anew."""

    def read(self, shelf: Shelf, path: PurePosixPath) -> Source:
        return shelf.read(path)

    def parse(self, source: Source, allowance: Allowance | None = None) -> ParseResult:
        return parse(source, allowance)


Place = tuple[Shelf, PurePosixPath]
"""Where a file lies: a tree of files, and its path there."""


def parse_linked(
    source: Source, catalogue: HostCatalogue, reader: Reader | None = None, place: Place | None = None
) -> ParseResult:
    """Parse a text and the files it uses; see `link_parsed`."""
    return link_parsed(source, (reader or Shelves()).parse(source), catalogue, reader, place)


def link_parsed(
    source: Source,
    result: ParseResult,
    catalogue: HostCatalogue,
    reader: Reader | None = None,
    place: Place | None = None,
) -> ParseResult:
    """Follow the `use` statements of a text that has been parsed; in the result, `file` is a `LinkedFile`.

    The text's name is the path that used files are relative to, unless its place is given. With mistakes in `use`
    statements there is a file all the same: the rest of it can be checked. Where the text has errors, `mended` is what
    can be checked of it, linked. Used files are read by `reader`, from where they lie if there is none.
    """
    findings = Diagnostics(list(result.diagnostics))
    if result.file is not None:
        linked = link(result.file, catalogue, findings, reader, place, result.tokens)
        return ParseResult(linked, findings, linked, linked, whole=True, tokens=result.tokens)
    if result.mended is None:
        return result
    linked = link(result.mended, catalogue, findings, reader, place, result.tokens)
    mended = linked if result.whole else replace(linked, torn=_torn_names(source, linked))
    return ParseResult(None, findings, result.partial, mended, whole=result.whole, tokens=result.tokens)


def _torn_names(source: Source, mended: File) -> frozenset[str]:
    """Return the names of blocks and models that a text begins to define and that had to be left out."""
    named = {item.name.text for item in mended.definitions if isinstance(item, (Block, Model, Variant))}
    return frozenset(_DEFINED.findall(source.text)) - named


def link(
    file: File,
    catalogue: HostCatalogue,
    findings: Diagnostics,
    reader: Reader | None = None,
    place: Place | None = None,
    tokens: int = 0,
) -> LinkedFile:
    """Return a file with the files it uses; what is wrong with them is added to the findings.

    Args:
        file: the file, parsed.
        catalogue: where files of plugins are found.
        findings: filled here.
        reader: where the texts of used files come from.
        place: where the file lies, if its name does not say it.
        tokens: how much text the file is; that of all files counts together.
    """
    if not any(isinstance(item, (Use, Requires)) for item in file.definitions):
        return LinkedFile(file.span, file.definitions)
    shelf, path = place or project_of(file.span.file)
    left = DEFINITIONS.value - len(file.definitions)
    return _Linker(catalogue, findings, reader or Shelves(), TOKENS.value - tokens, left).link(file, shelf, path)


@dataclass(slots=True)
class _Linker:
    """Follows `use` statements depth first; every file is read once."""

    catalogue: HostCatalogue
    findings: Diagnostics
    reader: Reader
    tokens: int
    definitions: int
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
        uses: list[Used] = []
        renamed: list[Renamed] = []
        complete = not missing
        for statement in file.definitions:
            if isinstance(statement, Use):
                self.chain[identity] = statement
                used = self._follow(statement, shelf, path)
                complete = complete and used is not None
                if isinstance(used, Renamed):
                    renamed.append(used)
                elif used is not None:
                    uses.append(Used(statement, used))
        del self.chain[identity]
        return LinkedFile(file.span, file.definitions, tuple(uses), complete, renamed=tuple(renamed))

    def _follow(self, statement: Use, shelf: Shelf, using: PurePosixPath) -> LinkedFile | Renamed | None:
        if self.full:
            return None
        try:
            found = self._target(statement, shelf, using)
            if isinstance(found, Renamed):
                return found
            target, path = found
            identity = target.identity(path)
            if identity in self.chain:
                raise DiagnosticError(self._circle(statement, identity))
            if identity not in self.linked:
                self.linked[identity] = None  # what cannot be read is told at the first statement that names it
                self.linked[identity] = self._read(statement, target, path)
            return self.linked[identity]
        except DiagnosticError as error:
            self.findings.extend(self._renamed(_placed(item, statement), shelf, using) for item in error.diagnostics)
            return None

    def _renamed(self, item: Diagnostic, shelf: Shelf, using: PurePosixPath) -> Diagnostic:
        """Return a finding about a file that does not exist with the repair that names the nearest one."""
        statement = self.chain[shelf.identity(using)]
        if item.code != "E0131" or statement is None or not isinstance(statement.target, Text):
            return item
        near = shelf.nearest(target_path(statement.target, using))
        if near is None:
            return item
        written = f'"{PurePosixPath(statement.target.value).with_name(near)}"'
        return replace(item, fixes=(Fix(f"write {written}", (Edit(statement.target.span, written),), "unsafe"),))

    def _target(self, statement: Use, shelf: Shelf, using: PurePosixPath) -> tuple[Shelf, PurePosixPath] | Renamed:
        """Return the file that a statement names, or the plugin's thing.

        Raises:
            DiagnosticError: it names neither, or both: then only the file's author knows which one is meant.
        """
        if isinstance(statement.target, Text):
            return shelf, target_path(statement.target, using)
        name = ".".join(part.text for part in statement.target)
        place = statement.target[0].span.to(statement.target[-1].span)
        try:
            record, thing = self.catalogue.find(FileRecord, name), self.catalogue.provided(name)
        except NameClashError as error:
            raise DiagnosticError(error.at(place)) from None
        if record is not None and thing is not None:
            raise DiagnosticError(file_and_thing(name, self.catalogue.owner(FileRecord, name) or "", thing, place))
        if record is not None:
            return place_of(record, name, self.catalogue)
        if thing is not None:
            return Renamed(statement, f"{qualifier(thing.owner)}.{thing.name}", thing.kinds)
        raise DiagnosticError(no_such_target(statement, name, self.catalogue))

    def _read(self, statement: Use, shelf: Shelf, path: PurePosixPath) -> LinkedFile | None:
        """Read, parse and link a file; where that would be too much, no further file is looked at."""
        self.asked += 1
        self._demand(statement, FILES, self.asked)
        self._demand(statement, USE_DEPTH, len(self.chain))
        source = self.reader.read(shelf, path)
        self.characters += len(source.text)
        self._demand(statement, FILE_SIZE, self.characters)
        result = self.reader.parse(source, Allowance(max(self.tokens, 0), max(self.definitions, 0)))
        self.tokens -= result.tokens
        self.definitions -= len(result.file.definitions) if result.file else 0
        self.findings.extend(replace(item, notes=(*item.notes, _used_at(statement))) for item in result.diagnostics)
        self.full = len(self.findings) >= FINDINGS.value
        return None if result.file is None else self.link(result.file, shelf, path)

    def _demand(self, statement: Use, limit: Limit, number: int) -> None:
        if number > limit.value:
            self.full = True
            raise DiagnosticError(_too_much(statement, limit))

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


def _too_much(statement: Use, limit: Limit) -> Diagnostic:
    return Diagnostic(
        "E0329",
        "too many files are used",
        statement.span,
        notes=(
            f"at most {FILES.value:,} files with {bytes_in_words(FILE_SIZE.value)} of text are read, "
            f"and at most {USE_DEPTH.value:,} that use each other in a row",
        ),
        help=f"use only the files whose blocks are needed; {limit.advice}",
    )
