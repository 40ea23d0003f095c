"""Everything that can be looked up by name, by kind: codes, layers, what plugins provide, words of the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from striate.codes import catalogue as code_pages
from striate.host.catalogue import HostCatalogue
from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate.reference.layer_page import layer_page
from striate.reference.page import Page
from striate.reference.record_pages import KINDS, record_page
from striate.reference.statements import statement_page, statement_texts


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to look up: its name, a line about it, and its page, which is made when it is asked for."""

    name: str
    summary: str
    page: Callable[[], Page]


def topics(catalogue: HostCatalogue) -> dict[str, list[Topic]]:
    """Return all topics but the codes by the name of their kind; one name may stand under several kinds."""
    found = {"Layers": [_layer_topic(record, "built in") for record in BUILTIN.values()]}
    found["Layers"] += [_layer_topic(record, owner) for owner, record in catalogue.of(OpRecord).values()]
    for kind, words in KINDS.items():
        found[words.several] = [
            Topic(name, record.summary, partial(record_page, kind, record, owner, catalogue))
            for name, (owner, record) in sorted(catalogue.of(kind).items())
        ]
    found["Words of the language"] = [
        Topic(word, _first_sentence(text), partial(statement_page, word)) for word, text in statement_texts().items()
    ]
    return found


def find(name: str, known: Mapping[str, Sequence[Topic]]) -> list[Topic]:
    """Return the topics of a name, of every kind."""
    return [topic for group in known.values() for topic in group if topic.name == name]


def names(known: Mapping[str, Sequence[Topic]]) -> list[str]:
    """Return the names of all topics and all codes, each once."""
    return list(dict.fromkeys([*(topic.name for group in known.values() for topic in group), *code_pages()]))


def _layer_topic(record: OpRecord, owner: str) -> Topic:
    return Topic(record.name, record.summary, partial(layer_page, record, owner))


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    return paragraph.split(". ")[0].rstrip(".") + "."
