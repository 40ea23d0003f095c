"""Runs the LALR(1) tables over tokens. Knows neither the language nor what an error means.

Lark's own loop does the same, but hashes a rule object per reduction; this one is about three times as fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate_dsl.lexer import Token
from striate_dsl.tables import Tables

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

    def statement(self) -> tuple[int, str]:
        """Return the place of the first token of the statement in progress, and what kind of statements stand there.

        The kind is `file` for definitions, `body` for statements and `settings`.
        """
        size, start = self._marks[-1]
        row = self._states[self._stack[size - 1]]
        return start, "file" if "BLOCK" in row else "body" if "REPEAT" in row else "settings"

    def accepted(self) -> frozenset[str]:
        """Return the kinds of token that would fit now."""
        row = self._states[self._stack[-1]]
        return frozenset(kind for kind in row if kind.isupper() and self._fits(kind))

    def _fits(self, kind: str) -> bool:
        """Whether the reductions that the kind asks for end in a state that takes it."""
        stack = list(self._stack)
        while True:
            action = self._states[stack[-1]].get(kind)
            if action is None or action >= 0:
                return action is not None
            made, size, _ = self._rules[~action]
            if size:
                del stack[-size:]
            stack.append(self._states[stack[-1]][made])


_MARKING = frozenset({"NEWLINE", "LBRACE", "RBRACE"})
