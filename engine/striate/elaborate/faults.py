"""How elaboration reports: faults that stop one statement, unknown values that stop it silently, and their making."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from striate.elaborate.elsewhere import known_elsewhere, word_of
from striate.graph import Frame
from striate_dsl.diagnostics import Diagnostic, Edit, Fix, Label
from striate_dsl.names import nearest
from striate_dsl.source import Span

MOST_UNKNOWN = 20
"""Unknown arguments of one call that are told."""


class Fault(Exception):  # noqa: N818  # the word of the whole room; it is caught, never shown
    """A mistake in the file: the statement at hand cannot be elaborated, the rest of the file can.

    Attributes:
        diagnostic: the mistake.
        further: mistakes of the same statement that have nothing to do with it.
    """

    def __init__(self, diagnostic: Diagnostic, further: tuple[Diagnostic, ...] = ()) -> None:
        self.diagnostic = diagnostic
        self.further = further
        super().__init__(diagnostic.message)


class UnknownValueError(Exception):
    """Something that could not be worked out is needed; its cause has been reported already."""


def fault(
    code: str,
    message: str,
    span: Span,
    *,
    label: str = "",
    labels: tuple[Label, ...] = (),
    notes: tuple[str, ...] = (),
    help: str | None = None,
    fixes: tuple[Fix, ...] = (),
) -> Fault:
    """Return a fault, to be raised."""
    return Fault(Diagnostic(code, message, span, label, labels=labels, notes=notes, help=help, fixes=fixes))


def unknown_arguments(
    callee: str, noun: str, given: Mapping[str, Span], known: Iterable[str], signature: str
) -> Fault | None:
    """Return the fault of all arguments that a layer, block or model does not have; None where it has them all.

    Args:
        callee: the layer, block or model.
        noun: what it calls its arguments.
        given: the arguments given by name, and where their names stand.
        known: the names it has.
        signature: how it is called.
    """
    names = dict.fromkeys(known)
    unknown = [item for item in given.items() if item[0] not in names][:MOST_UNKNOWN]
    if not unknown:
        return None
    free = [each for each in names if each not in given]
    first, *further = (
        Diagnostic(
            "E0208",
            f"{callee} has no {noun} {name}",
            span,
            notes=(signature,),
            help=suggestion(name, free),
            fixes=renaming(name, free, span),
        )
        for name, span in unknown
    )
    return Fault(first, tuple(further))


def trail_notes(trail: tuple[Frame, ...]) -> tuple[str, ...]:
    """Return a line per block instance around a place, innermost first."""
    return tuple(f"in block {frame.block}, used at {frame.span!r}" for frame in reversed(trail))


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """Return "did you mean …?" with the nearest known name, or None where none is near."""
    near = meant(name, known)
    return f"did you mean {near}?" if near else None


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was most likely meant: the other framework's, the nearest, or a word of it."""
    names = list(known)
    if name.islower() and any(item.lower() == name for item in names):
        return nearest(name, names)  # `Linear` is a class of PyTorch, whatever `linear` is here
    return known_elsewhere(name, names) or nearest(name, names) or word_of(name, names)


def renaming(name: str, known: Iterable[str], span: Span) -> tuple[Fix, ...]:
    """Return the repair that writes the nearest known name at a place where `name` itself stands, if there is one."""
    near = meant(name, known)
    if near is None or span.text != name:
        return ()
    return (Fix(f"write {near}", (Edit(span, near),), "unsafe"),)
