"""How sums and floors read: "H", "H + 1", "ceil(H/2)", "2*floor(H/2)", "64*H*W".

Works on texts alone, without knowing what a size is. Terms are ordered by their text, so the same size always reads
the same. Nothing is parsed back from these texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

LONGEST = 240
"""Characters after which what stands inside a floor or a maximum is shown as an ellipsis."""

Product: TypeAlias = "list[tuple[str, int]]"
"""Factors as text, each with its power."""


def sum_text(terms: Iterable[tuple[Product, int]], constant: int) -> str:
    """A sum of products with coefficients: terms of high degree first, what is added before what is taken away."""
    signed = sorted((factor < 0, -_degree(product), _term_text(product, abs(factor))) for product, factor in terms)
    parts = [(negative, text) for negative, _, text in signed]
    if constant:
        place = len(parts) if constant < 0 else sum(not negative for negative, _ in parts)
        parts.insert(place, (constant < 0, str(abs(constant))))
    first_negative, text = parts[0]
    pieces = [f"-{text}" if first_negative else text]
    pieces += [f" - {text}" if negative else f" + {text}" for negative, text in parts[1:]]
    return "".join(pieces)


def floor_text(terms: list[tuple[Product, int]], constant: int, divisor: int) -> str:
    """`floor(sum/divisor)`, or `ceil(...)` where the constant does nothing but round up."""
    rounds_up = constant == divisor - 1
    constant = 0 if rounds_up else constant
    inside = _shortened(sum_text(terms, constant))
    if constant or len(terms) > 1:
        inside = f"({inside})"
    return f"{'ceil' if rounds_up else 'floor'}({inside}/{divisor})"


def positive_text(terms: list[tuple[Product, int]], constant: int) -> str:
    """`max(sum, 0)`."""
    return f"max({_shortened(sum_text(terms, constant))}, 0)"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else "..."


def _degree(product: Product) -> int:
    return sum(power for _, power in product)


def _term_text(product: Product, factor: int) -> str:
    shown = [text if power == 1 else f"{text}^{power}" for text, power in sorted(product)]
    return "*".join([str(factor), *shown] if factor != 1 else shown)
