"""ANSI colours, or none."""

from __future__ import annotations

_CODES = {"red": "1;31", "yellow": "1;33", "green": "1;32", "cyan": "1;36", "blue": "1;34"}


class Ink:
    """Paints text where colour is wanted, and leaves it alone where it is not."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def paint(self, colour: str, text: str) -> str:
        """Return `text` in a colour of the table above."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self._wanted and text else text

    def bold(self, text: str) -> str:
        """Return `text` in bold."""
        return f"\x1b[1m{text}\x1b[0m" if self._wanted and text else text
