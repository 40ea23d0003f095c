"""The open texts of an editor with what was found out about each: checked, built, scanned, related to each other."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from striate.checking import check_parsed
from striate.editor.server.builder import Builder
from striate.editor.server.builds import Build
from striate.editor.server.difference import Difference
from striate.editor.server.names import Sight
from striate.editor.server.scanner import scan
from striate.editor.server.texts import Buffer, Texts
from striate.editor.server.words import Scan
from striate.elaborate import Elaboration
from striate.elaborate.linked import LinkedFile, reachable, renamed_in
from striate.host.catalogue import HostCatalogue
from striate.host.project_files import stamp_of
from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate.project.linking import link_parsed
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Severity
from striate_dsl.limits import FILE_SIZE
from striate_dsl.source import Source, Span
from striate_dsl.syntax import File

MOST_FILES = 500
"""Files of a folder that are searched for names."""


LOOKUPS = 64
"""How often something is looked up before it is asked again whether the answer is still wanted."""


class SupersededError(Exception):
    """The text has changed meanwhile: what is being worked out about it is of no use any more."""


class Catalogue(HostCatalogue):
    """The layers and records of the server. Long elaborations ask it all the time, and are stopped through it."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder of the project whose settings hold, by default the current one."""
        super().__init__(folder=folder)
        self._asked = threading.local()
        self._lookups = 0
        self._stamp = stamp_of(folder)

    def limit(self, is_current: Callable[[], bool] | None) -> None:
        """Stop whatever asks from this thread on, once it is not current any more."""
        self._asked.is_current = is_current

    def known_layer(self, name: str) -> OpRecord | None:
        self._lookups += 1
        if self._lookups % LOOKUPS == 0:
            self._demand_current()
        return BUILTIN.get(name) or super().known_layer(name)

    def layer(self, name: str) -> OpRecord | None:
        self._demand_current()
        return super().layer(name)

    def has_layer(self, name: str) -> bool:
        """Whether somebody provides a layer."""
        if name in BUILTIN or name in self.names(OpRecord):
            return True
        found = self.provided(name)
        return found is not None and "layers" in found.kinds

    def refresh(self) -> None:
        """Look for the plugins anew if settings, what is trusted, or a file that is a plugin have changed."""
        stamp = stamp_of(self.folder)
        if stamp != self._stamp:
            self._stamp = stamp
            self.forget()

    def _demand_current(self) -> None:
        is_current = getattr(self._asked, "is_current", None)
        if is_current is not None and not is_current():
            raise SupersededError


@dataclass(eq=False, slots=True)
class Analysis:
    """What was found out about one version of a text; `is_settled` where it was linted too."""

    source: Source
    file: File | None
    findings: list[Diagnostic]
    builds: dict[str, Build]
    is_settled: bool = False


@dataclass(eq=False, slots=True)
class Document:
    """An open text; `analysis` may be of an older version while the newest is being checked."""

    buffer: Buffer
    builder: Builder = field(default_factory=Builder)
    analysis: Analysis | None = None
    settled: Analysis | None = None
    linked: LinkedFile | None = None

    @property
    def source(self) -> Source:
        return self.buffer.source

    @property
    def all_builds(self) -> list[Build]:
        """The models as they were built last, and behind each as it was when it was sound."""
        newest, sound = self.analysis.builds if self.analysis else {}, self.builder.sound
        names = dict.fromkeys([*sound, *newest])
        found = [build for name in names for build in (newest.get(name), sound.get(name)) if build is not None]
        return list(dict.fromkeys(found))


class Library:
    """The open documents, and the files they use."""

    def __init__(self, roots: Iterable[Path] = (), catalogue: Catalogue | None = None) -> None:
        self.roots = list(roots)
        self.texts = Texts()
        self.catalogue = catalogue or Catalogue(self.roots[0] if self.roots else None)
        self.documents: dict[str, Document] = {}
        self._scans: OrderedDict[Source, Scan] = OrderedDict()

    def put(self, buffer: Buffer) -> Document:
        """Take a text as the editor has it."""
        self.texts.put(buffer)
        document = self.documents.get(buffer.uri)
        if document is None:
            document = self.documents[buffer.uri] = Document(buffer)
        document.buffer = buffer
        return document

    def drop(self, uri: str) -> None:
        """Forget a text that was closed."""
        self.texts.drop(uri)
        self.documents.pop(uri, None)

    # ------------------------------------------------------------------------------------------ checking

    def check(
        self, document: Document, *, settled: bool = False, is_current: Callable[[], bool] | None = None
    ) -> Analysis:
        """Check the newest version of a document; lints are only looked for if it is `settled`.

        Raises:
            SupersededError: it is not current any more.
        """
        self.catalogue.refresh()
        self.catalogue.limit(is_current)
        try:
            analysis = self._checked(document, settled=settled)
        except DiagnosticError as error:  # a limit is set to what is no number
            analysis = Analysis(document.source, None, list(error.diagnostics), {}, settled)
        finally:
            self.catalogue.limit(None)
        if settled:
            document.settled = analysis
        document.analysis = analysis
        if isinstance(analysis.file, LinkedFile):
            document.linked = analysis.file
        return analysis

    def _checked(self, document: Document, *, settled: bool) -> Analysis:
        source = document.source
        if len(source.text) > FILE_SIZE.value:
            return Analysis(source, None, [_too_large()], {}, is_settled=True)
        result = link_parsed(source, self.texts.parse(source), self.catalogue, self.texts)

        def built(file: File, catalogue: HostCatalogue) -> Iterator[Elaboration]:
            return document.builder.run(file, catalogue, afresh=settled)

        checked = check_parsed(source, result, self.catalogue, built, linted=settled)
        file = result.file or result.mended
        analysis = Analysis(source, file, checked.diagnostics, dict(document.builder.builds), settled)
        if not settled and not checked.failed:
            analysis.findings += _carried(document.settled, analysis)
        return analysis

    def dependants(self, document: Document) -> list[Document]:
        """Return the other documents whose files use this one, or lack a file."""
        return [
            other
            for other in list(self.documents.values())
            if other is not document
            and other.linked is not None
            and (not other.linked.complete or self._uses(other.linked, document.buffer))
        ]

    def _uses(self, file: File, buffer: Buffer) -> bool:
        wanted = buffer.path.resolve()
        others = (item.span.source for item in reachable(file) if item is not file)
        return any((path := self.texts.path_of(source)) is not None and path.resolve() == wanted for source in others)

    # ------------------------------------------------------------------------------------------ names

    def scan(self, source: Source) -> Scan:
        """Return the words of a text."""
        found = self._scans.get(source)
        if found is None:
            found = self._scans[source] = scan(source.text)
            while len(self._scans) > MOST_FILES:
                self._scans.popitem(last=False)
        return found

    def sight(self, document: Document) -> Sight:
        """Return the words of a document's newest version and of the files that it uses."""
        linked = document.linked
        made: dict[Source, Sight] = {}
        uses = [(used.prefix, self._sight_of(used.file, made)) for used in linked.uses] if linked else []
        renamed = renamed_in(linked) if linked else {}
        return Sight(document.source.name, self.scan(document.source), uses, self.catalogue.has_layer, renamed)

    def _sight_of(self, file: LinkedFile, made: dict[Source, Sight]) -> Sight:
        source = file.span.source
        if source not in made:
            uses = [(used.prefix, self._sight_of(used.file, made)) for used in file.uses]
            made[source] = Sight(source.name, self.scan(source), uses, self.catalogue.has_layer, renamed_in(file))
        return made[source]

    def related(self, document: Document) -> dict[Source, Sight]:
        """Return the sights of all texts in which a name of this document's files may be used, itself first."""
        found = {document.source: self.sight(document)}
        for other in list(self.documents.values()):
            found.setdefault(other.source, self.sight(other))
            if other.linked is not None:
                self._add_used(other.linked, found)
        for source in self.folder_texts():
            if source not in found:
                linked = self._linked(source)
                if linked is not None:
                    self._add_used(linked, found)
        return found

    def folder_texts(self) -> Iterator[Source]:
        """Yield the texts of the workspace's folders that are not open."""
        open_paths = {document.buffer.path.resolve() for document in list(self.documents.values())}
        for root in self.roots:
            for path in self.texts.networks_below(root, MOST_FILES):
                source = None if path.resolve() in open_paths else self.texts.file_of(path)
                if source is not None:
                    yield source

    def _linked(self, source: Source) -> LinkedFile | None:
        try:
            result = link_parsed(source, self.texts.parse(source), self.catalogue, self.texts)
        except DiagnosticError:
            return None
        linked = result.file or result.mended
        return linked if isinstance(linked, LinkedFile) else None

    def _add_used(self, linked: LinkedFile, found: dict[Source, Sight]) -> None:
        made: dict[Source, Sight] = {}
        for file in reachable(linked):
            source = file.span.source
            is_older = any(document.source.name == source.name for document in list(self.documents.values()))
            if isinstance(file, LinkedFile) and not is_older:
                found.setdefault(source, self._sight_of(file, made))


def _too_large() -> Diagnostic:
    message = f"the text is larger than {FILE_SIZE.value // 1024 // 1024} MiB, the most that is read"
    return Diagnostic("E0136", message, help="keep repeated layers in repeat and for")


def _carried(settled: Analysis | None, analysis: Analysis) -> Iterator[Diagnostic]:
    """Yield the lints of an earlier version that still stand: nothing changed at their places."""
    if settled is None:
        return
    told = {(item.code, item.span.start if item.span else 0) for item in analysis.findings}
    difference = Difference(settled.source.text, analysis.source.text)
    for item in settled.findings:
        if item.severity is Severity.ERROR or item.span is None or item.span.source is not settled.source:
            continue
        moved = difference.to_new(item.span.start, item.span.end)
        if moved is not None and (item.code, moved[0]) not in told:
            yield _at(item, analysis.source, moved, difference)


def _at(item: Diagnostic, source: Source, place: tuple[int, int], difference: Difference) -> Diagnostic:
    labels = []
    for label in item.labels:
        moved = difference.to_new(label.span.start, label.span.end)
        if moved is not None:
            labels.append(replace(label, span=Span(source, *moved)))
    return replace(item, span=Span(source, *place), labels=tuple(labels), fixes=())
