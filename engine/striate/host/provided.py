"""A plugin's record as whoever runs it has it: with the plugin, which every complaint about its work names.

What a plugin's function raises is a finding (E0720), and so is what it returns against its hook's terms (E0721);
neither is ever a traceback for the user, and neither passes for a fault of striate's.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from striate.host.catalogue import HostCatalogue
from striate.host.kinds import KIND_OF
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.names import nearest

if TYPE_CHECKING:
    from striate.host.installed import Plugin

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Provided(Generic[Record]):
    """A record and the plugin that provides it.

    Attributes:
        record: the record.
        word: its kind in the singular, e.g. `pass`.
        name: the name that was asked for.
        owner: the plugin's name.
        plugin: what is known of the plugin.
    """

    record: Record
    word: str
    name: str
    owner: str
    plugin: Plugin | None = None

    def __str__(self) -> str:
        """Name it with its plugin, e.g. `the pass fold_gain of plugin acme`."""
        return f"the {self.word} {self.name} of plugin {self.owner}"

    @contextmanager
    def blamed(self, *through: type[Exception]) -> Iterator[None]:
        """Turn what the plugin's code raises in the block into a finding that names it.

        Args:
            through: exceptions that have a meaning of their own here and are let through, as findings are.

        Raises:
            DiagnosticError: E0720, the code raised something.
        """
        try:
            yield
        except Exception as error:
            if isinstance(error, (DiagnosticError, *through)):
                raise
            raise DiagnosticError(failure(str(self), self.plugin, error)) from error

    def demand(self, holds: bool, problem: str) -> None:
        """Demand that what the plugin's code returned keeps to the terms of its hook.

        Args:
            holds: whether it does.
            problem: what it returned, and what is due, as the sentence goes on behind the name.

        Raises:
            DiagnosticError: E0721, it does not.
        """
        if not holds:
            raise DiagnosticError(broken_terms(str(self), problem))


def find_provided(catalogue: HostCatalogue, kind: type[Record], name: str) -> Provided[Record] | None:
    """Return a plugin's record by name (`fold_gain`, or `acme.fold_gain` to say whose), None where nobody has it.

    Raises:
        NameClashError: several plugins provide it.
    """
    record = catalogue.find(kind, name)
    if record is None:
        return None
    owner = catalogue.owner(kind, name) or ""
    return Provided(record, KIND_OF[kind].singular, name, owner, catalogue.plugins.plugin(owner))


def demand_provided(catalogue: HostCatalogue, kind: type[Record], name: str) -> Provided[Record]:
    """Return a plugin's record by name.

    Raises:
        DiagnosticError: E0722, nobody provides it; the nearest name and what ails a plugin that would are told.
        NameClashError: several plugins provide it.
    """
    found = find_provided(catalogue, kind, name)
    if found is not None:
        return found
    words = KIND_OF[kind]
    known = sorted([*words.reserved, *catalogue.names(kind)])
    where, near = catalogue.whereabouts(words.plural, name), nearest(name, known)
    raise DiagnosticError(
        Diagnostic(
            "E0722",
            f"there is no {words.singular} {name}",
            notes=(f"there are: {', '.join(known)}" if known else "no installed plugin provides any", *where.notes),
            help=where.help or (f"did you mean {near}?" if near else None),
        )
    )


def failure(what: str, plugin: Plugin | None, error: BaseException) -> Diagnostic:
    """Return the finding about a plugin's code that raised something; the message begins with what failed."""
    package = (plugin.distribution or plugin.name) if plugin else None
    help_text = (
        f"tell the plugin's author, or get another version: pip install --upgrade {package}" if package else None
    )
    if plugin is not None and plugin.written:
        help_text = f"repair {plugin.written}, and trust it again"
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        extra = plugin.manifest.extras.get(missing) if plugin and plugin.manifest else None
        help_text = f"it needs {missing}: pip install '{extra or missing}'"
    return Diagnostic(
        "E0720", f"{what} failed: {type(error).__name__}: {_one_line(error)}", notes=_places(error), help=help_text
    )


def broken_terms(what: str, problem: str) -> Diagnostic:
    """Return the finding about a plugin's code that returned what its hook does not allow."""
    return Diagnostic(
        "E0721",
        f"{what} {problem}",
        help="tell the plugin's author: docs/hooks.md says what the hook may return",
    )


def _one_line(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception's own words are a stranger's code as well
        text = "(its message cannot be read)"
    return text if len(text) <= 300 else f"{text[:300]}…"


def _places(error: BaseException) -> tuple[str, ...]:
    """Return where the code raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    return (f"raised in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}",) if frames else ()


def shown(value: Any) -> str:
    """Return what a value is, for a message about one that should be something else."""
    return f"a {type(value).__name__}"
