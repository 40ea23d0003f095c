"""What is wrong with the dotted name of a `use` statement: it names nothing, or a file and another thing of plugins."""

from __future__ import annotations

from striate.host.catalogue import HostCatalogue, Provided
from striate.host.identity import qualifier
from striate.host.kinds import KINDS
from striate.host.records import FileRecord
from striate_dsl.diagnostics import Diagnostic, Edit, Fix
from striate_dsl.names import nearest
from striate_dsl.source import Span
from striate_dsl.syntax import Text, Use

_SHOWN = 12
"""Names that a note lists."""


def no_such_target(statement: Use, name: str, catalogue: HostCatalogue) -> Diagnostic:
    """Return the finding for a dotted name that no plugin has: of a file, or of a thing of the plugin named in it."""
    place = statement.span
    if not isinstance(statement.target, Text):
        place = statement.target[0].span.to(statement.target[-1].span)
    known = catalogue.names(FileRecord)
    first, _, rest = name.partition(".")
    owner = catalogue.plugin_of(name)
    own = [f"{first}.{item}" for item in catalogue.provides(owner)] if owner is not None else []
    near = nearest(name, [*known, *own])
    perhaps: dict[str, None] = {}
    for kind in KINDS:
        where = catalogue.whereabouts(kind.plural, name)
        if where.help:
            return Diagnostic("E0330", f"{name} cannot be used", place, notes=where.notes, help=where.help)
        perhaps |= dict.fromkeys(where.notes)
    family = [item for item in known if item.partition(".")[0] == first]
    listed = f"names of plugin {owner}" if own and not family else "files of plugins"
    shown = own if own and not family else family or known
    quoted = f'"{first}.cnn"'
    written = quoted if rest == "cnn" else near
    message = f"no installed plugin provides a file {name}"
    return Diagnostic(
        "E0330",
        f"plugin {owner} provides no {rest}" if owner is not None and not family else message,
        place,
        notes=(*perhaps, *([f"{listed}: {_some(shown)}"] if shown else [])),
        help=f"did you mean {written}?" if written else f"a file of the project is named in quotes: use {quoted}",
        fixes=(Fix(f"write {written}", (Edit(place, written),), "unsafe"),) if written else (),
    )


def file_and_thing(name: str, owner: str, thing: Provided, place: Span) -> Diagnostic:
    """Return the finding for a name that is a plugin's file, and a layer or the like of the plugin named in it."""
    words = " and ".join(kind.singular for kind in KINDS if kind.plural in thing.kinds)
    return Diagnostic(
        "E0702",
        f"{name} is a file of {owner}, and a {words} of {thing.owner}",
        place,
        help=f"the file: use {qualifier(owner)}.{name}; the {words}: write {name} where it is needed",
    )


def _some(names: list[str]) -> str:
    further = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {further} more" if further > 0 else "")
