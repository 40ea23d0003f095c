"""Sizes that are put in for the open ones: whether a network takes them, and which it would take instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from striate.dims.domain import Domain


def checked_sizes(domain: Domain | None, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes in the order of the network's symbols.

    Raises:
        DiagnosticError: a symbol is unknown or missing, or the network does not take these sizes together.
    """
    if not sizes:
        return {}
    symbols = domain.symbols if domain is not None else ()
    unknown = [name for name in sizes if name not in symbols]
    missing = [name for name in symbols if name not in sizes]
    if unknown:
        raise DiagnosticError(_unknown(unknown[0], symbols))
    if missing:
        raise DiagnosticError(
            Diagnostic(
                "E0220",
                f"{_listed(missing)} {'has' if len(missing) == 1 else 'have'} no size",
                help=f"sizes are given for all open ones together: {_assigned({name: '…' for name in symbols})}",
            )
        )
    assert domain is not None, "a network without a domain has no symbols"
    if not domain.contains(sizes):
        raise DiagnosticError(_illegal(domain, sizes))
    return {name: sizes[name] for name in symbols}


def _unknown(name: str, symbols: tuple[str, ...]) -> Diagnostic:
    if not symbols:
        return Diagnostic("E0220", f"{name} is no open size: the network's input sizes are fixed in its file")
    return Diagnostic("E0220", f"{name} is no open size of the network", help=f"open are {_listed(symbols)}")


def _illegal(domain: Domain, sizes: Mapping[str, int]) -> Diagnostic:
    nearest: dict[str, int] = {}
    choices = []
    for name in domain.symbols:
        below, above = domain[name].nearest(sizes[name])
        legal = [size for size in dict.fromkeys((below, above)) if size is not None]
        nearest[name] = min(legal, key=lambda size: abs(size - sizes[name]), default=sizes[name])
        if sizes[name] not in legal and legal:
            choices.append(f"{name} = {' or '.join(map(str, legal))}")
    if not choices or not domain.contains(nearest):
        smallest = domain.smallest()
        choices = [f"the smallest are {_assigned(smallest)}"] if smallest else []
    help_text = f"the nearest that it takes: {', '.join(choices)}" if choices else None
    return Diagnostic(
        "E0220",
        f"the network does not take {_assigned(sizes)}",
        notes=tuple(domain.sentences()),
        help=help_text,
    )


def _assigned(sizes: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
