"""Giving another name to a value, parameter, block or model, everywhere at once; refused where it would break things.

What is broken is not guessed: the changed texts are checked, and one with a new mistake is not handed out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from striate.editor.server.documents import Document, Library
from striate.editor.server.names import Sight, Symbol, models_with, occurrences, symbol_of
from striate.editor.server.soundness import RefusedError, demand_same_networks
from striate.editor.server.words import Role, Word
from striate_dsl.diagnostics import Edit
from striate_dsl.lexer import FOREIGN_WORDS, RESERVED
from striate_dsl.source import Source, Span

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_APART = frozenset({Role.ARGUMENT, Role.SETTING, Role.ATTRIBUTE, Role.KEYWORD, Role.HEAD, Role.USED, Role.PLUGIN})
_RENAMED = frozenset({"local", "size", "output", "block", "model", "file", "renamed", "recipe", "profile"})


@dataclass(frozen=True, slots=True)
class Renaming:
    """The stretch that an editor marks, and the name that stands there."""

    start: int
    end: int
    name: str


def prepare(library: Library, document: Document, offset: int) -> Renaming:
    """Return the name at an offset if it can be changed.

    Raises:
        RefusedError: it is no name, or none of ours.
    """
    sight = library.sight(document)
    word, symbol = _named(sight, offset)
    _demand_ours(library, document, symbol)
    return Renaming(word.start, word.end, word.text)


def rename(library: Library, document: Document, offset: int, name: str) -> Mapping[Source, list[Edit]]:
    """Return the edits that change a name in all texts that mean it.

    Raises:
        RefusedError: the new name is no name, is taken, or some text would have a mistake that it has not now.
    """
    sight = library.sight(document)
    word, symbol = _named(sight, offset)
    _demand_ours(library, document, symbol)
    if name == word.text:
        return {}
    _demand_legal(name)
    texts = library.related(document)
    sources = {each.file: source for source, each in texts.items()}
    edits: dict[Source, list[Edit]] = defaultdict(list)
    for each, item in occurrences(symbol, texts.values()):
        _demand_free(each, item, symbol, name)
        source = sources[each.file]
        edits[source].append(Edit(Span(source, item.start, item.end), name))
    foreign = next((source for source in edits if library.texts.is_foreign(source)), None)
    if foreign is not None:
        raise RefusedError(f"{word.text} is also a name in {foreign.name}, which belongs to a plugin")
    demand_same_networks(library, texts, edits)
    return edits


def _named(sight: Sight, offset: int) -> tuple[Word, Symbol]:
    word = sight.scan.word_at(offset)
    symbol = symbol_of(word, sight) if word is not None and word.role is not Role.KEYWORD else None
    if word is None or symbol is None:
        raise RefusedError("there is no name here that could be changed")
    if symbol.kind not in _RENAMED:
        raise RefusedError(f"{word.text} is not given in this project: it cannot be renamed here")
    return word, symbol


def _demand_ours(library: Library, document: Document, symbol: Symbol) -> None:
    if symbol.file and symbol.file != document.source.name:
        owner = next((source for source in library.related(document) if source.name == symbol.file), None)
        if owner is None or library.texts.is_foreign(owner):
            raise RefusedError(f"{symbol.name} comes from {symbol.file}, which belongs to a plugin")


def _demand_legal(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise RefusedError(f"{name!r} is no name: letters a to z, digits and _, and no digit first")
    if name in RESERVED or name in FOREIGN_WORDS:
        raise RefusedError(f"{name} is a word of the language and cannot be a name")


def _demand_free(sight: Sight, word: Word, symbol: Symbol, name: str) -> None:
    """Refuse a name that already means something where the old one stands."""
    if word.role is Role.SETTING and len(list(models_with(symbol.name, sight))) > 1:
        raise RefusedError(f"a profile sets {symbol.name} for several models: rename it by hand")
    if symbol.kind in ("local", "size", "output"):
        words = word.home.words if word.home is not None and word.role is not Role.ARGUMENT else []
        taken = any(_means(item, name) for item in words)
    else:
        words = sight.scan.words
        taken = any(_means(item, name) for item in words) or sight.definition(name) is not None
    if taken:
        raise RefusedError(f"{name} already means something in {sight.file}")


def _means(word: Word, name: str) -> bool:
    """Whether a word is a use of a name, or gives it, and not part of something else."""
    return word.text == name and word.before is None and word.role not in _APART
