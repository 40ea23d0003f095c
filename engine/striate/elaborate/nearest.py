"""The input sizes nearest to those written that every layer takes, proposed where a size does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from striate.dims.domain import Domain
from striate.dims.sizes import SizeSet
from striate.elaborate.model_statements import ModelStatements, open_name
from striate.graph import format_shape
from striate.graph.model import TensorType
from striate_dsl.diagnostics import Diagnostic, Edit, Fix
from striate_dsl.syntax import Input, Number

if TYPE_CHECKING:
    from striate.dims import Dim

SIZE_CODES = frozenset({"E0202", "E0203"})
"""Findings that another input size might repair."""

MOST_INPUTS = 4
"""Sizes that are looked for together: two for each of them are tried in every combination."""


class NearestSizes:
    """Proposes sizes for the inputs of a model, given which sizes would be legal if none were fixed."""

    def __init__(self, statements: ModelStatements, domain: Domain | None) -> None:
        self._inputs = list(zip(statements.declared, statements.written, strict=True))
        self._symbols = statements.symbols
        self._given = statements.sizes
        self._sizes = _nearest(self._wanted(), domain) if domain is not None else None

    def proposed(self, finding: Diagnostic) -> Diagnostic:
        """Return a finding with the nearest input size as a further repair, if it is about sizes and there is one."""
        if finding.code not in SIZE_CODES or not self._sizes:
            return finding
        fix = self._fix(self._sizes)
        return replace(finding, fixes=(*finding.fixes, fix), help=finding.help or fix.title)

    def _wanted(self) -> dict[str, int]:
        """Return the sizes written, by the symbols that stand for them when they are left open."""
        wanted = dict(self._given)
        for statement, kind in self._inputs:
            for axis, size in enumerate(kind.shape[1:]):
                if isinstance(size, int):
                    wanted[open_name(statement.name.text, axis)] = size
        return wanted

    def _fix(self, sizes: Mapping[str, int]) -> Fix:
        if self._given:
            text = ", ".join(f"{name} = {sizes[name]}" for name in self._given)
            return Fix(f"{text} is the nearest size that all layers take", ())
        edits: list[Edit] = []
        texts: list[str] = []
        editable = True
        for statement, kind in self._inputs:
            found = list(_changes(statement, kind, sizes))
            if not found:
                continue
            shape = list(kind.shape)
            for axis, size in found:
                shape[axis] = size
                written = statement.sizes[axis]
                editable = editable and isinstance(written, Number)
                edits.append(Edit(written.span, str(size)))
            texts.append(f"{statement.name.text}: {format_shape(TensorType(tuple(shape)))}")
        title = f"input {', '.join(texts)} is the nearest size that all layers take"
        return Fix(title, tuple(edits), "unsafe") if editable else Fix(title, ())


def _changes(statement: Input, kind: TensorType, sizes: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Yield the axes of an input that get another size, with the size."""
    for axis, size in enumerate(kind.shape[1:]):
        better: Dim = sizes.get(open_name(statement.name.text, axis), size)
        if isinstance(better, int) and better != size:
            yield axis + 1, better


def _nearest(wanted: Mapping[str, int], domain: Domain) -> dict[str, int] | None:
    """Return the legal sizes with the least sum of changes among the neighbours of those wanted."""
    names = [name for name in domain.symbols if name in wanted]
    if not names or len(names) > MOST_INPUTS or set(domain.symbols) - wanted.keys():
        return None
    choices = [sorted(_neighbours(domain[name], wanted[name])) for name in names]
    legal = [sizes for numbers in product(*choices) if domain.contains(sizes := dict(zip(names, numbers, strict=True)))]
    # Of two as near, the larger: a border of padding loses nothing.
    best = min(
        legal,
        key=lambda sizes: (sum(abs(sizes[name] - wanted[name]) for name in names), -sum(sizes.values())),
        default=None,
    )
    return None if best is None or best == {name: wanted[name] for name in names} else {**wanted, **best}


def _neighbours(sizes: SizeSet, wanted: int) -> set[int]:
    """Return the legal sizes below and above, as far as they are of the same order: 1 x 1 is no repair for 32 x 32."""
    return {size for size in sizes.nearest(wanted) if size is not None and wanted <= 2 * size and size <= 4 * wanted}
