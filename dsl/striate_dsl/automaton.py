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
        self._marks = [(1, 0)]

    @property
    def result(self) -> Any:
        """What the start rule made; valid after `run` has taken the last token."""
        return self._values[0]

    def run(self, tokens: list[Token], position: int = 0) -> int:
        """Feed `tokens` from `position` on; return the position of the first that does not fit, or their number."""
        states, rules, stack, values = self._states, self._rules, self._stack, self._values
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
                self._mark(kind, at + 1)
        return len(tokens)

    def _mark(self, kind: str, following: int) -> None:
        """Note how high the stack is and which token follows where a statement begins."""
        if kind == "NEWLINE":
            self._marks[-1] = (len(self._stack), following)
        elif kind == "LBRACE":
            self._marks.append((len(self._stack), following))
        elif len(self._marks) > 1:
            self._marks.pop()

    def rewind(self) -> None:
        """Drop what was read of the statement in progress."""
        size, _ = self._marks[-1]
        del self._stack[size:]
        del self._values[size - 1 :]

    def statement(self) -> tuple[int, Mapping[str, int], str]:
        """Return where the statement in progress began, what fits now, and what kind of statement stands there.

        The kind is `file` for definitions, `body` for statements and `settings`.
        """
        size, start = self._marks[-1]
        row = self._states[self._stack[size - 1]]
        room = "file" if "BLOCK" in row else "body" if "ARROW" not in row and "REPEAT" in row else "settings"
        return start, self._states[self._stack[-1]], room


_MARKING = frozenset({"NEWLINE", "LBRACE", "RBRACE"})
