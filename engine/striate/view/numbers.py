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
    for power, prefix in enumerate(_PREFIXES):
        value = number / 1000**power
        whole = len(str(int(abs(value))))
        is_exact = power == 0 and value == int(value)
        text = f"{value:.{0 if is_exact else max(0, 3 - whole)}f}"
        if abs(float(text)) < 1000:
            break
    return text, prefix
