"""Short texts for lints: where a finding must be is marked in the text itself."""

from __future__ import annotations

from dataclasses import dataclass

from striate.checking import check_source
from striate_dsl.diagnostics import Diagnostic, Severity
from striate_dsl.source import Source

MARK = "§"

RECIPE = "train Net { data = digits(); loss = cross_entropy; optimizer = sgd(lr = 0.1); epochs = 1 }\n"


def model(body: str, *, size: str = "8 x 32 x 32", before: str = "", after: str = "") -> str:
    """Return a whole file around the body of a model."""
    lines = "".join(f"  {line}\n" for line in body.split("\n"))
    return f"{before}model Net {{\n  input image: {size}\n{lines}  output y\n}}\n{after}"


@dataclass(frozen=True)
class Fault:
    """A text that a lint complains about at the mark, and what its repair makes of the text (None: no repair)."""

    code: str
    text: str
    words: str
    grade: str | None = None
    repaired: str | None = None

    @property
    def plain(self) -> str:
        return self.text.replace(MARK, "")

    @property
    def place(self) -> tuple[int, int]:
        before = self.text[: self.text.index(MARK)]
        return before.count("\n") + 1, len(before) - before.rfind("\n")


def findings(text: str) -> list[Diagnostic]:
    """Return what a check says of a text that must have no errors."""
    found = check_source(Source("net.cnn", text)).diagnostics
    assert not [item for item in found if item.severity is Severity.ERROR], [item.message for item in found]
    return found


def codes(text: str) -> list[str]:
    """Return the codes of the findings of a text that must have no errors."""
    return [item.code for item in findings(text)]
