"""How the call around a place is written, and which of its arguments that place is in."""

from __future__ import annotations

from dataclasses import dataclass

from striate.editor.server import describe
from striate.editor.server.documents import Document, Library
from striate.editor.server.names import parameters
from striate.editor.server.recipes import arguments_of, called_network
from striate.editor.server.words import CallSite
from striate.ops.record import OpRecord
from striate_dsl.diagnostics import DiagnosticError


@dataclass(frozen=True, slots=True)
class Signature:
    """A call as documented, its arguments as they stand in the label, their descriptions, and the one meant."""

    label: str
    text: str
    arguments: list[tuple[str, str]]
    active: int | None


def signature(library: Library, document: Document, offset: int) -> Signature | None:
    """Return the signature of the innermost call around an offset."""
    sight = library.sight(document)
    call = sight.scan.call_at(offset)
    if call is None:
        return None
    try:
        target = called_network(library.catalogue, call, sight)
        if isinstance(target, str):
            return _of_layer(library, call, target, offset)
    except DiagnosticError:  # two plugins provide the name
        return None
    if target is None:
        return None
    other, item = target
    names = parameters(other, item)
    written = [(name, "") for name in names]
    active = _active(call, names, offset)
    return Signature(
        describe.signature_of(other.scan.text, item), describe.remarks_on(other.scan.text, item), written, active
    )


def _of_layer(library: Library, call: CallSite, name: str, offset: int) -> Signature | None:
    arguments = arguments_of(library.catalogue, call.callee, name)
    record = None if call.callee.setting else library.catalogue.layer(name)
    if not arguments:
        return None
    label = f"{name}({', '.join(item.signature for item in arguments)})"
    summary = record.summary if isinstance(record, OpRecord) else ""
    described = [(item.signature, f"{item.summary} Takes {item.kind.describe()}.") for item in arguments]
    return Signature(label, summary, described, _active(call, [item.name for item in arguments], offset))


def _active(call: CallSite, names: list[str], offset: int) -> int | None:
    """Return the number of the argument that an offset is in: by its name if it is written, else by its position."""
    position = call.position(offset)
    key = next((word.text for word in call.named if call.position(word.start) == position), None)
    if key is not None:
        return names.index(key) if key in names else None
    return position if position < len(names) else None
