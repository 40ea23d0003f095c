"""Runs the LALR(1) tables over tokens. Knows neither the language nor what an error means.

Lark's own loop does the same, but hashes a rule object per reduction; this one is about three times as fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from striate_dsl.grammar_tables import Tables
from striate_dsl.lexer import Token

_Action = Callable[..., Any] | None


class Automaton:
    """A parse in progress: `run` feeds tokens until one does not fit; the caller may then `rewind` and go on."""

    def __init__(self, tables: Tables, builder: object) -> None:
        self._states = tables.states
        self._rules: list[tuple[str, int, _Action]] = [
            (made, size, getattr(builder, method) if method else None) for made, size, method in tables.rules
        ]
        self._stack = [0]
        self._values: list[Any] = []
        self._marks = [1]

    @property
    def result(self) -> Any:
        """What the start rule made; valid after `run` has taken the last token."""
        return self._values[0]

    def run(self, tokens: list[Token], position: int = 0) -> int:
        """Feed `tokens` from `position` on; return the position of the first that does not fit, or their number."""
        states, rules, stack, values, marks = self._states, self._rules, self._stack, self._values, self._marks
        row = states[stack[-1]]
        for at in range(position, len(tokens)):
            token = tokens[at]
            kind = token.kind
            while True:
                action = row.get(kind)
                if action is None:
                    return at
                if action >= 0:
                    break
                made, size, method = rules[~action]
                if method is None:
                    stack.pop()
                elif size:
                    value = method(*values[-size:])
                    del stack[-size:]
                    del values[-size:]
                    values.append(value)
                else:
                    values.append(method())
                target = states[stack[-1]][made]
                stack.append(target)
                row = states[target]
            stack.append(action)
            values.append(token)
            row = states[action]
            if kind in _MARKING:
                self._mark(kind, marks, len(stack))
        return len(tokens)

    @staticmethod
    def _mark(kind: str, marks: list[int], size: int) -> None:
        """Note how high the stack is where a statement begins, so that `rewind` can drop the statement."""
        if kind == "NEWLINE":
            marks[-1] = size
        elif kind == "LBRACE":
            marks.append(size)
        elif len(marks) > 1:
            marks.pop()

    def rewind(self) -> int:
        """Drop what was read of the statement in progress; return how many braces are open."""
        size = self._marks[-1]
        del self._stack[size:]
        del self._values[size - 1 :]
        return len(self._marks) - 1

    def expected(self) -> Mapping[str, int]:
        """Return the kinds (and rules) that the state on top knows."""
        return self._states[self._stack[-1]]


_MARKING = frozenset({"NEWLINE", "LBRACE", "RBRACE"})
