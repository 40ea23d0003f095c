"""Sizes that are put in for the open ones: whether a network takes them, and which it would take instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from striate.dims.domain import Domain

FARTHEST = 128
"""How far from the sizes given legal ones are looked for where symbols depend on each other."""


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
                help=f"sizes are given for all open ones together: {_assigned(dict.fromkeys(symbols, '…'))}",
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
    return Diagnostic(
        "E0220",
        f"the network does not take {_assigned(sizes)}",
        notes=tuple(domain.sentences()),
        help=_one_by_one(domain, sizes) or _changed_alone(domain, sizes) or _smallest(domain),
    )


def _one_by_one(domain: Domain, sizes: Mapping[str, int]) -> str | None:
    """Name the legal neighbours of every illegal size, if those that are nearest are legal together."""
    nearest: dict[str, int] = {}
    choices = []
    for name in domain.symbols:
        legal = [size for size in dict.fromkeys(domain[name].nearest(sizes[name])) if size is not None]
        nearest[name] = min(legal, key=lambda size, name=name: abs(size - sizes[name]), default=sizes[name])  # type: ignore[misc]
        if sizes[name] not in legal:
            choices.append(f"{name} = {' or '.join(map(str, legal))}")
    is_enough = bool(choices) and domain.contains(nearest)
    return f"the nearest that it takes: {', '.join(choices)}" if is_enough else None


def _changed_alone(domain: Domain, sizes: Mapping[str, int]) -> str | None:
    """Name legal sizes that differ from those given in one symbol, for symbols that depend on each other."""
    found = []
    for name in domain.symbols:
        for distance in range(1, FARTHEST + 1):
            tried = [{**sizes, name: sizes[name] + step} for step in (-distance, distance)]
            legal = [each for each in tried if each[name] in domain[name] and _is_consistent(domain, each)]
            if legal:
                found.append(legal[0])
                break
    return f"the nearest that it takes: {' or '.join(map(_assigned, found))}" if found else None


def _is_consistent(domain: Domain, sizes: Mapping[str, int]) -> bool:
    """Return whether sizes are legal; what ties symbols together is asked first, for it is little."""
    return all(constraint.holds(sizes) for constraint in domain.joint) and domain.contains(sizes)


def _smallest(domain: Domain) -> str | None:
    smallest = domain.smallest()
    return f"the smallest that it takes: {_assigned(smallest)}" if smallest else None


def _assigned(sizes: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
