"""Plugins' records as recipes name them: which kind a setting takes, and the arguments of a record or layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from striate.editor.server.names import Sight, called
from striate.editor.server.scanner import scan
from striate.editor.server.words import CallSite, Definition, Role, Word
from striate.host.catalogue import HostCatalogue
from striate.host.kinds import KINDS
from striate.host.records import HeadRecord
from striate.ops.arguments import Argument
from striate.settings import Part, parts_of


def part_of(setting: str) -> Part | None:
    """Return the part of a recipe that a setting gives, e.g. of `optimizer` or of a profile's `train.optimizer`."""
    return parts_of("train").get(setting.removeprefix("train."))


def record_of(catalogue: HostCatalogue, setting: str, name: str) -> tuple[type, Any] | tuple[None, None]:
    """Return the record that a name stands for as the value of a setting, and its kind."""
    part = part_of(setting)
    record = None if part is None else catalogue.find(part.record, name)
    return (None, None) if part is None or record is None else (part.record, record)


def things_of(catalogue: HostCatalogue, whole: str, word: Word) -> Iterator[tuple[type, Any]]:
    """Yield the records that a plugin has under a whole name such as `acme.focal`, with their types.

    Where a word stands for it, only those that can be meant there: a loss as the value of `loss`, a head behind `head`.
    """
    found = catalogue.provided(whole)
    part = part_of(word.setting) if word.setting else None
    wanted = part.record if part is not None else HeadRecord if word.role is Role.HEAD else None
    for kind in KINDS:
        if found is not None and kind.plural in found.kinds and wanted in (None, kind.record):
            record: Any = catalogue.find(kind.record, whole)
            if record is not None:
                yield kind.record, record


def arguments_of(catalogue: HostCatalogue, callee: Word, name: str) -> tuple[Argument, ...]:
    """Return the arguments of a layer, or of a record in a recipe; heads are blocks and have none of this kind."""
    if part_of(callee.setting) is not None:
        _, record = record_of(catalogue, callee.setting, name)
    else:
        record = catalogue.layer(name)
    return record.arguments if record is not None else ()


def argument_of(catalogue: HostCatalogue, callee: Word, owner: str, name: str) -> Argument | None:
    """Return one argument of a layer or record."""
    return next((item for item in arguments_of(catalogue, callee, owner) if item.name == name), None)


def head_network(catalogue: HostCatalogue, name: str) -> tuple[Sight, Definition] | None:
    """Return the block that a task head consists of: its parameters are the head's arguments."""
    record = catalogue.find(HeadRecord, name)
    if record is None:
        return None
    sight = Sight(record.source, scan(record.block))
    block = next((item for item in sight.scan.definitions if item.kind == "block"), None)
    return None if block is None else (sight, block)


def called_network(catalogue: HostCatalogue, call: CallSite, sight: Sight) -> tuple[Sight, Definition] | str | None:
    """Return the block or model that a call is of, a task head's included, or the name of its layer or record."""
    if call.callee.role is Role.HEAD:
        return head_network(catalogue, sight.renamed.get(call.callee.text, call.callee.text))
    if call.callee.before is not None and call.callee.before.role is Role.HEAD:
        return head_network(catalogue, call.callee.dotted)
    return called(call, sight)
