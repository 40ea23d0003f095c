"""Where a name is given and where it is used, in all texts that see each other."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import getsourcefile, unwrap
from pathlib import Path
from typing import Any

from striate.editor.server.documents import Document, Library
from striate.editor.server.names import Sight, Symbol, is_definition, occurrences, symbol_of
from striate.editor.server.recipes import record_of, things_of
from striate.editor.server.words import Word
from striate.elaborate.linked import LinkedFile
from striate.host.records import Factory, HeadRecord
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source

_ELSEWHERE = frozenset({"layer", "argument", "head", "record", "plugin", "renamed", "used"})


@dataclass(frozen=True, slots=True)
class Target:
    """A stretch of a text; of a file that is no text of ours (`source` is None) the line, from 0, at its path."""

    source: Source | None
    start: int = 0
    end: int = 0
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of the document's text, and whether a name is given there."""

    start: int
    end: int
    gives: bool


def definitions(library: Library, document: Document, offset: int) -> list[Target]:
    """Return where the name at an offset is given: in a text, or in the Python file of a layer or record."""
    file = _used_file(document, offset)
    if file is not None:
        return [Target(file.span.source)]
    sight = library.sight(document)
    word = sight.scan.word_at(offset)
    symbol = symbol_of(word, sight) if word is not None else None
    if word is None or symbol is None:
        return []
    if symbol.kind in _ELSEWHERE:
        return _in_python(library, symbol, word, sight)
    texts = library.related(document)
    found = occurrences(symbol, texts.values())
    sources = {sight.file: source for source, sight in texts.items()}
    return [Target(sources[each.file], item.start, item.end) for each, item in found if is_definition(item, each)]


def references(library: Library, document: Document, offset: int, *, declaration: bool = True) -> list[Target]:
    """Return all places that mean the same as the name at an offset."""
    sight = library.sight(document)
    word = sight.scan.word_at(offset)
    symbol = symbol_of(word, sight) if word is not None else None
    if symbol is None:
        return []
    texts = library.related(document)
    sources = {each.file: source for source, each in texts.items()}
    return [
        Target(sources[each.file], item.start, item.end)
        for each, item in occurrences(symbol, texts.values())
        if declaration or not is_definition(item, each)
    ]


def mentions(library: Library, document: Document, offset: int) -> list[Mention]:
    """Return the places of the document that mean the same as the name at an offset."""
    sight = library.sight(document)
    word = sight.scan.word_at(offset)
    symbol = symbol_of(word, sight) if word is not None else None
    if symbol is None:
        return []
    return [Mention(item.start, item.end, is_definition(item, sight)) for _, item in occurrences(symbol, [sight])]


def _used_file(document: Document, offset: int) -> LinkedFile | None:
    """Return the file that the `use` statement at an offset brings in."""
    if document.linked is None or document.linked.span.source is not document.source:
        return None
    for used in document.linked.uses:
        target = used.statement.target
        spans = [part.span for part in target] if isinstance(target, tuple) else [target.span]
        if spans[0].start <= offset <= spans[-1].end:
            return used.file
    return None


def _in_python(library: Library, symbol: Symbol, word: Word, sight: Sight) -> list[Target]:
    """Return where a layer or record is made."""
    try:
        made = _maker(library, symbol, word, sight)
    except DiagnosticError:
        return []
    place = None if made is None else _place_of(made)
    return [] if place is None else [Target(None, place[1], place[1], place[0])]


def _maker(library: Library, symbol: Symbol, word: Word, sight: Sight) -> Any:
    catalogue = library.catalogue
    if symbol.kind in ("renamed", "used"):
        whole = sight.renamed.get(symbol.name, symbol.name)
        return next((record for _, record in things_of(catalogue, whole, word)), None)
    if symbol.kind == "record":
        return record_of(catalogue, symbol.home, symbol.name)[1]
    if symbol.kind == "head":
        return catalogue.find(HeadRecord, symbol.name)
    name = symbol.home if symbol.kind == "argument" else symbol.name
    return catalogue.layer(name)


def _place_of(record: Any) -> tuple[Path, int] | None:
    """Return the file and line of the function that does a record's work: its shape rule or its factory."""
    function = getattr(record, "shape", None)
    factory = getattr(record, "factory", None)
    if function is None and isinstance(factory, Factory):
        return _place_of_factory(factory)
    if function is None:
        return None
    return _place_of_function(unwrap(function), record.name.rpartition(".")[2])


def _place_of_function(function: Any, name: str) -> tuple[Path, int] | None:
    """Return the file of a rule, at the line of the record of that name in it, else at the rule's own."""
    try:
        file = getsourcefile(function)
        text = Path(file).read_text(encoding="utf-8") if file else ""
    except (OSError, TypeError, UnicodeDecodeError):
        return None
    if file is None:
        return None
    lines = text.split("\n")
    named = next((line for line, content in enumerate(lines) if f'"{name}"' in content), None)
    code = getattr(function, "__code__", None)
    return Path(file).resolve(), named if named is not None else code.co_firstlineno - 1 if code else 0


def _place_of_factory(factory: Factory) -> tuple[Path, int] | None:
    """Return where a factory's function stands, found without importing its module."""
    from importlib.util import find_spec  # noqa: PLC0415  # only for this

    module, _, attribute = factory.target.partition(":")
    try:
        spec = find_spec(module)
        path = Path(spec.origin).resolve() if spec is not None and spec.origin else None
        lines = path.read_text(encoding="utf-8").split("\n") if path is not None else []
    except (ImportError, OSError, ValueError, UnicodeDecodeError):
        return None
    if path is None:
        return None
    starts = (f"def {attribute}(", f"class {attribute}(", f"class {attribute}:", f"{attribute} =")
    return path, next((line for line, text in enumerate(lines) if text.startswith(starts)), 0)
