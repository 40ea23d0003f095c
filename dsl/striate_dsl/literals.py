"""The values of number and text literals; mistakes in how they are written are the business of `odd_signs.py`."""

from __future__ import annotations

import math
import re

LARGEST = 2**63 - 1
"""The largest whole number that a file may contain: more than any size or count needs, and what ONNX can store."""

ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
ESCAPE = re.compile(r"\\(.)")
_SUFFIXES = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_LONGEST = len(str(LARGEST))


def number(literal: str) -> int | float | None:
    """Return the value of a number as written, or None where it is larger than `LARGEST`.

    Whole numbers are int, also with a suffix (`1.5M` is 1,500,000); a fraction or an exponent makes a float.
    """
    digits = literal.replace("_", "")
    if digits.isdigit():
        return _whole(digits)
    factor = _SUFFIXES.get(digits[-1])
    if factor is None:
        value = float(digits)
        return value if math.isfinite(value) else None
    before, _, after = digits[:-1].partition(".")
    shifted = _whole(before + after)
    if shifted is None:
        return None
    divisor = int("1" + "0" * len(after))
    exact, rest = divmod(shifted * factor, divisor)
    if exact > LARGEST:
        return None
    return exact if rest == 0 else shifted * factor / divisor


def _whole(digits: str) -> int | None:
    significant = digits.lstrip("0") or "0"
    if len(significant) > _LONGEST:
        return None
    value = int(significant)
    return value if value <= LARGEST else None


def text(literal: str) -> str:
    r"""Return what a text in double quotes stands for: `\"`, `\\`, `\n` and `\t` are resolved, no others."""
    inner = literal[1:-1]
    return ESCAPE.sub(lambda match: ESCAPES.get(match[1], match[0]), inner) if "\\" in inner else inner
