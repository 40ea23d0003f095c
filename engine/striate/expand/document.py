"""The whole text of an expansion: what it comes from, what it requires, the model, its recipes and export contracts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from striate.expand.lines import Entry, Frame


@dataclass(frozen=True, slots=True)
class SettledSetting:
    """One setting by its dotted key: its text, where that is from, and its value in a form that is the same for all.

    `1e-3` and `0.001` are different texts of one value.
    """

    key: str
    text: str
    origin: str
    value: str


@dataclass(frozen=True, slots=True)
class SettledSection:
    """A recipe or export contract, with defaults filled in."""

    kind: str
    alias: str | None
    settings: Sequence[SettledSetting]

    @property
    def title(self) -> str:
        """What the section is called, whatever its model: `train`, or `train as long`."""
        return f"{self.kind} as {self.alias}" if self.alias else self.kind

    @property
    def values(self) -> dict[str, str]:
        """The values by key."""
        return {item.key: item.value for item in self.settings}

    def entries(self, model: str, *, comments: bool) -> list[Entry]:
        """Return the section as text for a model."""
        body = Frame(None)
        for item in self.settings:
            body.add(Entry(f"{item.key} = {item.text}", comment=item.origin if comments else ""))
        whole = Frame(None)
        name = f"{model} as {self.alias}" if self.alias else model
        whole.add_body(Entry(f"{self.kind} {name} {{"), body, Entry("}"))
        return whole.entries


def document(
    model: str, notes: Iterable[str], requirements: Iterable[str], body: Frame, sections: Iterable[list[Entry]]
) -> str:
    """Return the text of a file with one model.

    Args:
        model: its name.
        notes: comments at the top.
        requirements: lines such as `requires detection >= 1.0`.
        body: the model's statements.
        sections: recipes and export contracts.
    """
    whole = Frame(None)
    whole.add_body(Entry(f"model {model} {{"), body, Entry("}"))
    top = [Entry("", comment=note) for note in notes]
    lines = [Entry(line) for line in requirements]
    parts = [[*top, *lines], whole.entries] if lines else [[*top, *whole.entries]]
    return "\n".join(_joined(part) for part in (*parts, *sections))


def _joined(entries: list[Entry]) -> str:
    return "".join(f"{line}\n" for entry in entries for line in entry.lines())
