"""Whole numbers as text: in full where there is room, with three significant digits where there is not."""

from __future__ import annotations

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def full_number(number: int) -> str:
    """Return a number with all its digits, e.g. `25,557,032`."""
    return f"{number:,}"


def short_number(number: float, unit: str = "", *, gap: str = " ") -> str:
    """Return a number with three significant digits, e.g. `25.6 M`, and `3.21 MB` with the unit `B` (1 MB = 10^6 B)."""
    text, prefix = _scaled(number)
    return f"{text}{gap}{prefix}{unit}" if prefix or unit else text


def _scaled(number: float) -> tuple[str, str]:
    """Return three significant digits and the prefix of the thousands that they stand for."""
    if number == int(number) and abs(number) < 1000:
        return str(int(number)), ""
    mantissa, _, exponent = f"{number:.2e}".partition("e")
    power = min(max(int(exponent) // 3, 0), len(_PREFIXES) - 1)
    before = int(exponent) - 3 * power
    return f"{float(mantissa) * 10**before:.{max(2 - before, 0)}f}", _PREFIXES[power]
