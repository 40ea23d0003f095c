"""Which input places an output place of a resized axis is made from: coordinates, windows, exact whole-number places.

With `given` and `made` entries along an axis, output `o` lies at `(o + 1/2) * given / made - 1/2` (half_pixel), at
`o * given / made` (asymmetric), or at `o * (given - 1) / (made - 1)` (align_corners). Sizes decide, never a factor that
was rounded: torch's `recompute_scale_factor`, and ONNX's Resize with sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from striate.ops.moves import Move

COORDINATES = ("half_pixel", "align_corners", "asymmetric")

RANKS: Mapping[str, int] = {"bilinear": 3, "bicubic": 3, "trilinear": 4}
"""Modes that name a number of axes, and the rank of the values they are for."""

LEGAL: Mapping[str, tuple[str, ...]] = {
    "nearest": ("asymmetric", "half_pixel"),
    "linear": COORDINATES,
    "bicubic": ("half_pixel", "align_corners"),
    "area": (),
}
"""The coordinates that each kind of interpolation can have, its default first or half_pixel."""


def kind_of(mode: str) -> str:
    """Return the kind of interpolation: `bilinear` and `trilinear` are `linear` along each axis."""
    return "linear" if mode in ("bilinear", "trilinear") else mode


def default_coordinates(kind: str) -> str | None:
    """Return the coordinates of a kind where none are written."""
    return LEGAL[kind][0] if LEGAL[kind] else None


def known_move(kind: str, coordinates: str | None, given: int, made: int) -> Move:
    """Return what an output place sees along an axis of known sizes."""
    ratio = Fraction(given, made)
    if kind == "area":  # from floor(o * ratio) to ceil((o + 1) * ratio) - 1
        parts = ratio.denominator
        return Move(Fraction(1 - parts, parts), ratio - Fraction(1, parts), ratio)
    if coordinates == "align_corners":
        ratio = Fraction(given - 1, made - 1) if made > 1 else Fraction(0)
    offset = (ratio - 1) / 2 if coordinates == "half_pixel" else Fraction(0)
    return _around(kind, coordinates, ratio, offset)


def scaled_move(kind: str, coordinates: str | None, scale: Fraction) -> Move | None:
    """Return what an output place sees along an axis of open size that is made larger (or smaller) by a factor.

    The size made is rounded down, so that places lie up to one input step (the reciprocal of the factor) further on
    than the factor says; `align_corners` draws them together by less than one place.
    """
    ratio = 1 / scale
    if coordinates == "align_corners":
        if scale.denominator > 1:
            return None
        move = _around(kind, coordinates, ratio, Fraction(0))
        return Move(move.first - (1 - ratio), move.last, ratio)
    move = known_move(kind, coordinates, ratio.numerator, ratio.denominator)
    return move if scale.denominator == 1 else move.widened(ratio)


def _around(kind: str, coordinates: str | None, ratio: Fraction, offset: Fraction) -> Move:
    """Return the move of a place at `o * ratio + offset` that reaches so many places to either side."""
    if kind == "nearest":  # the place itself is rounded down; with half_pixel that is done half a place later
        here = offset + (Fraction(1, 2) if coordinates == "half_pixel" else 0)
        return Move(here - 1 + Fraction(1, ratio.denominator * here.denominator), here, ratio)
    step = Fraction(1, ratio.denominator * offset.denominator)
    reach = 2 if kind == "bicubic" else 1
    return Move(offset - reach + step, offset + reach - step, ratio)


def nearest_places(coordinates: str | None, given: int, made: int) -> list[int]:
    """Return the input place of each output place, worked out in whole numbers."""
    if coordinates == "half_pixel":
        return [(2 * place + 1) * given // (2 * made) for place in range(made)]
    return [place * given // made for place in range(made)]
