"""The lines of one body, of the model or of a block: which values need names there, and how steps share lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from striate.importing.steps import Branching, Item, Step

WIDTH = 100
"""Characters up to which layers are written behind each other in one line."""

_BREAKS = frozenset({"conv", "deconv", "dense", "maxpool", "avgpool"})
"""Layers that begin a line of their own."""


def needed_names(items: Sequence[Item], inflow: int | None, standing: Iterable[int]) -> set[int]:
    """Return the values that a body refers to by name.

    Args:
        items: what the body is made of.
        inflow: the value that flows in.
        standing: values that are named whatever the body does with them.
    """
    asked = set(standing)
    _follow(items, inflow, asked)
    return asked


def _follow(items: Sequence[Item], current: int | None, asked: set[int]) -> None:
    for item in items:
        if isinstance(item, Branching):
            if item.start != current:
                asked.add(item.start)
            for branch in item.branches:
                _follow(branch, item.start, asked)
            current = item.step.outputs[0]
            continue
        if item.inputs[0] != current:
            asked.add(item.inputs[0])
        asked.update(item.inputs[1:])
        current = item.outputs[0]


def in_text_order(items: Sequence[Item]) -> Iterator[Step]:
    """Yield the steps in the order in which the text calls them; a merge layer stands before its body."""
    for item in items:
        if isinstance(item, Branching):
            yield item.step
            for branch in item.branches:
                yield from in_text_order(branch)
        else:
            yield item


@dataclass(slots=True)
class _Lines:
    """Lines that are being written, and the value that flows at their end."""

    current: int | None
    lines: list[str] = field(default_factory=list)

    def add(self, step: str, *, flowing: bool, fresh: bool) -> None:
        """Add a step to the line that flows, or as a line of its own."""
        joined = f"{self.lines[-1]} -> {step}" if self.lines else step
        if flowing and not fresh and self.lines and len(joined) <= WIDTH:
            self.lines[-1] = joined
        else:
            self.lines.append(step)


class BodyText:
    """The text of one body.

    Args:
        items: what it is made of.
        inflow: the value that flows in.
        called: the names of values that are there from the start.
        words: names that stand for something in the body beside those of its steps.
        known: whether a word is the name of a layer.
        name_all: whether every step is named.

    Attributes:
        called: the names of all values that have one in the body.
        words: all names that stand for something in it.
        last: the value that flows at its end.
    """

    def __init__(
        self,
        items: Sequence[Item],
        inflow: int | None,
        called: Mapping[int, str],
        words: Iterable[str],
        known: Callable[[str], bool],
        *,
        name_all: bool,
    ) -> None:
        self._items, self._inflow, self._known = items, inflow, known
        self.called, self.words = dict(called), set(words)
        self._written: set[int] = set()
        self.last = inflow
        for item in items:
            self.last = (item.step if isinstance(item, Branching) else item).outputs[0]
        self._name(name_all=name_all)

    def _name(self, *, name_all: bool) -> None:
        """Give a name to every step: the one wished for, or the one that the language gives by itself."""
        steps = list(in_text_order(self._items))
        asked = {step.wish for step in steps if step.wish}
        counts: Counter[str] = Counter()
        for step in steps:
            counts[step.base] += 1
            number = counts[step.base]
            automatic = f"{step.base}_{number}" if step.base[-1].isdigit() else f"{step.base}{number}"
            while automatic in asked and automatic != step.wish:
                automatic += "_"
            name = step.wish or automatic
            self.called[step.outputs[0]] = name
            self.words.add(name)
            if step.count > 1:
                self.called[step.outputs[0]] = self._free(f"{name.replace('.', '_')}_out")
            if name_all or name != automatic:
                self._written.add(id(step))
            for index, value in enumerate(step.outputs[1:], start=2):
                self.called[value] = f"{name.replace('.', '_')}_part{index}"
                self.words.add(self.called[value])

    def name_inflow(self, wish: str) -> str:
        """Give the value that flows in a name, for bodies that refer to it; returns the name."""
        assert self._inflow is not None, "bodies of blocks have an inflow"
        self.called[self._inflow] = self._free(wish)
        return self.called[self._inflow]

    def _free(self, wish: str) -> str:
        """Return a name that nothing else has, and take it."""
        while wish in self.words or self._known(wish):
            wish += "_"
        self.words.add(wish)
        return wish

    def lines(self, asked: set[int]) -> list[str]:
        """Return the lines; `asked` are the values to be named."""
        lines = _Lines(self._inflow)
        self._write(self._items, lines, asked)
        return lines.lines

    def _write(self, items: Sequence[Item], lines: _Lines, asked: set[int]) -> None:
        for item in items:
            if isinstance(item, Branching):
                self._branching(item, lines, asked)
                continue
            lead = "" if item.inputs[0] == lines.current else f"{self.called[item.inputs[0]]} -> "
            call = f"{lead}{self._call(item)}{self._behind(item, asked)}"
            if item.count > 1:
                self._rounds(item, lines, asked)
            else:
                fresh = bool(lead) or item.callee in _BREAKS
                before = lines.lines[-1] if lines.lines else ""
                lines.add(call, flowing=not lead, fresh=fresh or before.startswith(("repeat ", "in as ")))
            lines.current = item.outputs[0]

    def _rounds(self, item: Step, lines: _Lines, asked: set[int]) -> None:
        """Write a loop: where it begins, if that does not flow, and a name for what it gives, if one is needed."""
        if item.inputs[0] != lines.current:
            lines.lines.append(self.called[item.inputs[0]])
        lines.lines.append(f"repeat {item.count} {{ {self._call(item)}{self._behind(item, asked)} }}")
        if item.outputs[0] in asked:
            lines.lines.append(f"in as {self.called[item.outputs[0]]}")

    def _branching(self, item: Branching, lines: _Lines, asked: set[int]) -> None:
        step = item.step
        lead = "" if item.start == lines.current else f"{self.called[item.start]} -> "
        lines.lines.append(f"{lead}{self._call(step, merged=False)} {{")
        for branch in item.branches:
            inner = _Lines(item.start)
            self._write(branch, inner, asked)
            written = inner.lines or ["in"]
            if len(written) > 1:
                written = ["{", *(f"  {line}" for line in written), "}"]
            lines.lines += [f"  {line}" for line in written]
        lines.lines.append(f"}}{self._behind(step, asked)}")
        lines.current = step.outputs[0]

    def _call(self, step: Step, *, merged: bool = True) -> str:
        texts = [self.called[number] for number in step.inputs[1:]] if step.merge and merged else []
        for index, (name, text) in enumerate(step.arguments):
            shown = self.called[step.named[name]] if name in step.named else text
            texts.append(shown if index < step.required and not step.merge else f"{name} = {shown}")
        if texts:
            return f"{step.callee}({', '.join(texts)})"
        return f"{step.callee}()" if step.callee in self.words and self._known(step.callee) else step.callee

    def _behind(self, step: Step, asked: set[int]) -> str:
        if len(step.outputs) > 1:
            return f" as ({', '.join(self.called[number] for number in step.outputs)})"
        if step.count > 1:
            return f" as {step.wish}" if id(step) in self._written else ""
        named = id(step) in self._written or step.outputs[0] in asked
        return f" as {self.called[step.outputs[0]]}" if named else ""
