"""Everything that can be looked up by name, by kind: codes, layers, what plugins provide, words of the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from striate.codes import catalogue as code_pages
from striate.host.catalogue import HostCatalogue
from striate.host.identity import FIRST_PARTY, qualifier
from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate.reference.layer_page import layer_page
from striate.reference.page import Page
from striate.reference.record_pages import KINDS, record_page
from striate.reference.statements import statement_page, statement_texts
from striate_dsl.diagnostics import DiagnosticError, Severity


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to look up.

    Attributes:
        name: its name, as a file writes it.
        summary: a line about it.
        page: makes its page, when that is asked for.
        whole: its name with its plugin before the dot; empty for what is in no plugin.
    """

    name: str
    summary: str
    page: Callable[[], Page]
    whole: str = ""


def topics(catalogue: HostCatalogue) -> dict[str, list[Topic]]:
    """Return all topics but the codes by the name of their kind; one name may stand under several kinds.

    No plugin that has a manifest is loaded for that, but striate's own.
    """
    found = {"Layers": [_layer_topic(record) for record in BUILTIN.values()]}
    found["Layers"] += _provided(catalogue, OpRecord, layer_page)
    for kind, words in KINDS.items():
        page = partial(_record_page, kind, catalogue)
        found[words.several] = _provided(catalogue, kind, page)
    found["Words of the language"] = [
        Topic(word, _first_sentence(text), partial(statement_page, word)) for word, text in statement_texts().items()
    ]
    return found


def _provided(catalogue: HostCatalogue, kind: type[Any], page: Callable[[Any, str], Page]) -> list[Topic]:
    """Return the plugins' topics of a kind; those of striate's own plugin with their summaries."""
    topics = []
    for name in catalogue.names(kind):
        for owner, way in catalogue.ways(kind, name).items():
            own: Any = catalogue.find(kind, way) if owner == FIRST_PARTY else None
            summary = f"Of plugin {owner}." if own is None else own.summary
            make = partial(_page, catalogue, kind, way, owner, page)
            topics.append(Topic(way, summary, make, f"{qualifier(owner)}.{name}"))
    return topics


def _page(catalogue: HostCatalogue, kind: type[Any], way: str, owner: str, page: Callable[[Any, str], Page]) -> Page:
    """Return the page of a plugin's record, which is loaded for it.

    Raises:
        DiagnosticError: W0701, the plugin cannot be loaded.
    """
    record = catalogue.find(kind, way)
    if record is None:
        ailing = (item for item in catalogue.warnings() if f"plugin {owner} " in item.message)
        raise DiagnosticError(*(replace(item, severity=Severity.ERROR) for item in ailing))
    return page(record, owner)


def _record_page(kind: type[Any], catalogue: HostCatalogue, record: Any, owner: str) -> Page:
    return record_page(kind, record, owner, catalogue)


def find(name: str, known: Mapping[str, Sequence[Topic]]) -> list[Topic]:
    """Return the topics of a name, of every kind; the name may say whose it is (`acme.focal`)."""
    return [topic for group in known.values() for topic in group if name in (topic.name, topic.whole)]


def names(known: Mapping[str, Sequence[Topic]]) -> list[str]:
    """Return the names of all topics and all codes, each once."""
    return list(dict.fromkeys([*(topic.name for group in known.values() for topic in group), *code_pages()]))


def _layer_topic(record: OpRecord) -> Topic:
    return Topic(record.name, record.summary, partial(layer_page, record, "built in"))


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    return paragraph.split(". ")[0].rstrip(".") + "."
