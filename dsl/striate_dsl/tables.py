"""The parser's tables, as committed in _tables.py or, where the grammar has changed since, made anew with Lark."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from striate_dsl import _tables

Rule = tuple[str, int, str]
"""What it makes, how many parts it takes off the stack, and the name of the method that builds the node, or ""."""


@dataclass(frozen=True, slots=True)
class Tables:
    """An LALR(1) automaton that starts in state 0.

    `states[s][symbol]` is the next state, or `~r` (below zero) where rule `r` has to be applied first.
    """

    rules: tuple[Rule, ...]
    states: tuple[Mapping[str, int], ...]


def grammar_text() -> str:
    """Return the text of grammar.lark."""
    return (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")


def fingerprint(grammar: str) -> str:
    """Return the length and checksum by which tables and grammar are matched; the kind of line ends does not count."""
    plain = grammar.replace("\r\n", "\n").encode()
    return f"{len(plain)}-{zlib.crc32(plain):08x}"


@cache
def tables() -> Tables:
    """Return the tables of the grammar beside this module."""
    grammar = grammar_text()
    if fingerprint(grammar) == _tables.GRAMMAR:
        return _unpack()
    from striate_dsl.grammar_tables import build  # noqa: PLC0415 - imports Lark, which current tables make unnecessary

    return build(grammar)


def _unpack() -> Tables:
    """The stored form: per state, numbers of symbols and actions in turn."""
    symbols = _tables.SYMBOLS
    rows = tuple({symbols[row[i]]: row[i + 1] for i in range(0, len(row), 2)} for row in _tables.STATES)
    return Tables(_tables.RULES, rows)
