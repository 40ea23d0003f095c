"""One thing that may be written, and how it is made from a record, a block or a word of the language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from striate.editor.server import describe
from striate.editor.server.names import Sight, parameters
from striate.editor.server.words import Definition, Role
from striate.ops.arguments import Argument, Flag, Kind, Optional, Padding
from striate.ops.record import OpRecord

DEFINITIONS = {
    "model": "model ${1:Name} {\n  input ${2:image}: ${3:3} x ${4:224} x ${5:224}\n  $0\n  output ${6:logits}\n}",
    "block": "block ${1:Name}(${2:out}) {\n  $0\n}",
    "use": "use $0",
    "requires": "requires ${1:plugin} >= ${2:1.0}",
    "train": "train ${1:Model} {\n  data      = ${2:digits()}\n  loss      = ${3:cross_entropy}\n"
    "  optimizer = ${4:sgd(lr = 0.05)}\n  epochs    = ${5:10}\n}",
    "export": "export ${1:Model} {\n  opset = ${2:17}\n}",
    "profile": "profile ${1:quick} {\n  train.epochs = ${2:1}\n}",
    "search": "search ${1:Model} {\n  train.batch = [${2:16, 32}]\n}",
    "language": "language 1",
}
"""Definitions as snippets."""

STATEMENTS = {
    "input": "input ${1:image}: ${2:3} x ${3:224} x ${4:224}",
    "output": "output ${1:logits}",
    "let": "let ${1:name} = $0",
    "head": "head $0",
    "repeat": "repeat ${1:2} { $0 }",
    "for": "for ${1:width} in [${2:64, 128}] {\n  $0\n}",
    "if": "if ${1:condition} {\n  $0\n}",
    "assert": "assert ${1:params < 10M}",
}
"""Statements as snippets."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something that may be written.

    Attributes:
        label: what is shown, and written where there is no snippet.
        kind: layer, block, model, value, argument, choice, keyword, snippet, setting, record, file, attribute or code.
        detail: a few words behind it.
        text: its description in Markdown.
        snippet: what is written, with places to fill in; `$0` is where the cursor goes.
        group: proposals of a lower group come first.
    """

    label: str
    kind: str
    detail: str = ""
    text: str = ""
    snippet: str | None = None
    group: int = 5


def layer(name: str, record: OpRecord) -> Proposal:
    """Return a layer under the name that it has in the file, with places for the arguments that must be written."""
    required = [argument.name for argument in record.arguments if argument.required]
    return Proposal(name, "layer", record.signature, record.summary, _call(name, required), 3)


def block(name: str, sight: Sight, definition: Definition) -> Proposal:
    """Return a block or model, with places for the parameters that have no default."""
    text = sight.scan.text
    head = describe.signature_of(text, definition)
    required = required_parameters(sight, definition) if definition.kind == "block" else []
    remarks = describe.remarks_on(text, definition)
    return Proposal(name, definition.kind, head, remarks, _call(name, required), 2)


def required_parameters(sight: Sight, definition: Definition) -> list[str]:
    """Return the parameters of a block that have no default."""
    text, bound = sight.scan.text, sight.bindings(definition)
    first = {
        name: next(item for item in bound[name] if item.role is Role.PARAMETER)
        for name in parameters(sight, definition)
    }
    return [name for name, word in first.items() if not text[word.end :].lstrip().startswith("=")]


def argument(item: Argument) -> Proposal:
    """Return an argument to be written by name."""
    group = 0 if item.required else 1
    return Proposal(item.name, "argument", item.kind.describe(), item.summary, f"{item.name} = $0", group)


def record(name: str, item: Any, owner: str | None) -> Proposal:
    """Return a plugin's record, under the name that it has in the file, as the value of a setting."""
    arguments: tuple[Argument, ...] = getattr(item, "arguments", ())
    required = [argument.name for argument in arguments if argument.required]
    named = ", ".join(f"{argument} = ${{{place}}}" for place, argument in enumerate(required, 1))
    return Proposal(name, "record", owner or "", describe.record_card(item), f"{name}({named})" if named else None, 1)


def choices(kind: Kind) -> Iterator[Proposal]:
    """Yield the plain names that an argument takes."""
    if isinstance(kind, Optional):
        yield Proposal("none", "choice", kind.describe(), group=0)
        yield from choices(kind.kind)
    names: Iterable[str] = getattr(kind, "choices", ())  # as a plugin's own kinds may have
    if isinstance(kind, Padding):
        names = ("half", "same", "valid")
    elif isinstance(kind, Flag):
        names = ("true", "false")
    for name in names:
        yield Proposal(name, "choice", kind.describe(), group=0)


def keywords(snippets: dict[str, str]) -> Iterator[Proposal]:
    """Yield definitions or statements as snippets."""
    for word, snippet in snippets.items():
        yield Proposal(word, "snippet", "", describe.KEYWORDS[word], snippet, 4)


def table(words: Iterable[tuple[str, str]], kind: str) -> Iterator[Proposal]:
    """Yield words with their descriptions."""
    for word, text in words:
        yield Proposal(word, kind, text=text)


def _call(name: str, required: list[str]) -> str | None:
    if not required:
        return None
    return f"{name}({', '.join(f'${{{place}:{word}}}' for place, word in enumerate(required, 1))})"
