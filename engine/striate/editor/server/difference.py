"""What two versions of a text have in common at their beginning and end, and where a place of one is in the other."""

from __future__ import annotations


class Difference:
    """The stretch between two versions in which all changes lie; outside of it every place has its counterpart."""

    def __init__(self, old: str, new: str) -> None:
        self.prefix = _common(old, new, min(len(old), len(new)), from_end=False)
        rest = min(len(old), len(new)) - self.prefix
        self.suffix = _common(old, new, rest, from_end=True)
        self._old, self._new = len(old), len(new)

    def to_new(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where a stretch of the old text is in the new one, None where it was touched."""
        return _moved(start, end, self.prefix, self._old - self.suffix, self._new - self._old)

    def to_old(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where a stretch of the new text was in the old one, None where it was touched."""
        return _moved(start, end, self.prefix, self._new - self.suffix, self._old - self._new)


def _moved(start: int, end: int, prefix: int, suffix: int, shift: int) -> tuple[int, int] | None:
    if end <= prefix:
        return start, end
    return (start + shift, end + shift) if start >= suffix else None


def _common(old: str, new: str, most: int, *, from_end: bool) -> int:
    """Return how many characters agree, by halving: comparing slices is quicker than going character by character."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if from_end:
            same = old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]
        else:
            same = old[low:middle] == new[low:middle]
        low, high = (middle, high) if same else (low, middle - 1)
    return low
