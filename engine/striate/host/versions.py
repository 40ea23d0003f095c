"""The order of version numbers of Python distributions, after PEP 440: `1.0rc1` < `1.0` < `1.0.post1` < `1.1`.

Only what `requires` needs: no local parts (`+cu126`), which have no say in what a file needs.
"""

from __future__ import annotations

import re

_FORM = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<kind>a|b|c|rc|alpha|beta|pre|preview)[-_.]?(?P<pre>\d*))?"
    r"(?P<post>-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?P<dev>[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.ASCII,
)
_KINDS = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_LONGEST = 100

Order = tuple[int, tuple[int, ...], tuple[int, int], int, int, int]


def version_order(text: str) -> Order | None:
    """Return what versions are compared by, or None for a text that is no version."""
    found = _FORM.fullmatch(text.strip().lower()) if len(text) <= _LONGEST else None
    if found is None:
        return None
    release = [int(part) for part in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    post, dev = _number(found["post"]), _number(found["dev"])
    if found["kind"]:
        stage = (_KINDS[found["kind"]], int(found["pre"] or 0))
    else:  # a development version of a release comes before its pre-releases, a release after them
        stage = (-1, 0) if dev is not None and post is None else (3, 0)
    last = int(dev is None)  # a development version comes before what it leads to
    return int(found["epoch"] or 0), tuple(release), stage, -1 if post is None else post, last, dev or 0


def _number(part: str | None) -> int | None:
    """Return the number in a part such as `.post2`, 0 where it has none, None where the part is missing."""
    return None if part is None else int(re.sub(r"\D", "", part) or 0)


def fulfils(installed: str, operator: str, wanted: str) -> bool:
    """Return whether `installed OPERATOR wanted` holds, for `== != < <= > >=`.

    A version that cannot be read is equal to itself, and otherwise neither before nor after another.
    """
    first, second = version_order(installed), version_order(wanted)
    if first is None or second is None:
        return (installed == wanted) is (operator != "!=") and operator in ("==", "!=", "<=", ">=")
    answers = {
        "==": first == second,
        "!=": first != second,
        "<": first < second,
        "<=": first <= second,
        ">": first > second,
        ">=": first >= second,
    }
    return answers[operator]


_COMPARISON = re.compile(r"(==|!=|<=|>=|<|>)\s*(\S+)")


def parse_window(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the comparisons of a window such as `>=1.0, <2`, each an operator and a version; None if it is none.

    An empty text is a window without bounds.
    """
    found = [_COMPARISON.fullmatch(part.strip()) for part in text.split(",")] if text.strip() else []
    if any(part is None or version_order(part[2]) is None for part in found):
        return None
    return tuple((part[1], part[2]) for part in found if part is not None)
