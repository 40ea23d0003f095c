"""Makes the parser's tables from grammar.lark with Lark; `python -m striate_dsl.grammar_tables` writes them to _tables.py.

The committed tables spare every start of the program the import of Lark and the building (about 90 ms together). They are
plain literals, numbered in an order that does not depend on Lark's, and carry the hash of the grammar they were made from.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from typing import Any

from striate_dsl.lexer import END

START = "file"
_FOLDER = Path(__file__).parent

Rule = tuple[str, int, str]
"""What it makes, how many parts it takes off the stack, and the name of the method that builds the node ("" for none)."""


@dataclass(frozen=True, slots=True)
class Tables:
    """An LALR(1) automaton that starts in state 0.

    `states[s][symbol]` is the next state, or `~r` (below zero) where rule `r` has to be applied first.
    """

    rules: tuple[Rule, ...]
    states: tuple[Mapping[str, int], ...]


def grammar_text() -> str:
    """Return the text of grammar.lark."""
    return (_FOLDER / "grammar.lark").read_text(encoding="utf-8")


def fingerprint(grammar: str) -> str:
    """Return the hash under which tables are filed."""
    plain = grammar.replace("\r\n", "\n").encode()
    return f"{len(plain)}-{zlib.crc32(plain):08x}"


def load() -> Tables:
    """Return the tables of the grammar: the committed ones, or new ones where the grammar has changed since."""
    from striate_dsl import _tables  # noqa: PLC0415 - a large literal, only needed where a text is parsed

    grammar = grammar_text()
    if fingerprint(grammar) == _tables.GRAMMAR:
        return unpack(_tables.SYMBOLS, _tables.RULES, _tables.STATES)
    return build(grammar)


def unpack(symbols: tuple[str, ...], rules: tuple[Rule, ...], states: tuple[tuple[int, ...], ...]) -> Tables:
    """Return tables from their stored form: per state, symbol numbers and actions in turn."""
    rows = tuple({symbols[row[i]]: row[i + 1] for i in range(0, len(row), 2)} for row in states)
    return Tables(rules, rows)


def build(grammar: str) -> Tables:
    """Let Lark analyse the grammar and return its automaton, renumbered from the start state on."""
    from lark import Lark  # noqa: PLC0415 - takes 40 ms and is not needed with committed tables
    from lark.lexer import Lexer  # noqa: PLC0415

    class NoLexer(Lexer):
        """Stands in for a lexer: only the automaton is wanted."""

        def __init__(self, _configuration: object) -> None:
            self.tokens: tuple[Any, ...] = ()

        def lex(self, _lexer_state: object, _parser_state: object) -> Iterator[Any]:
            return iter(self.tokens)

    lark = Lark(grammar, parser="lalr", lexer=NoLexer, start=START, maybe_placeholders=False)
    table: Any = lark.parser.parser._parse_table  # type: ignore[attr-defined]
    return _renumber(table)


def _renumber(table: Any) -> Tables:
    """Number states and rules in the order in which they are reached, symbols sorted: the same on every machine."""
    order = [table.start_states[START]]
    numbers = {order[0]: 0}
    rules: dict[Any, int] = {}
    rows = []
    for state in order:  # grows while it is walked
        row = {}
        for symbol, (action, target) in sorted(table.states[state].items()):
            if action.name == "Shift":
                if target not in numbers:
                    numbers[target] = len(order)
                    order.append(target)
                row[symbol] = numbers[target]
            else:
                row[symbol] = ~rules.setdefault(target, len(rules))
        rows.append(row)
    accept = numbers[table.end_states[START]]
    rows[accept][END] = accept
    plain = tuple((str(rule.origin.name), len(rule.expansion), str(rule.alias or "")) for rule in rules)
    return Tables(plain, tuple(rows))


def module_text(tables: Tables, grammar: str) -> str:
    """Return the source of _tables.py."""
    symbols = tuple(sorted({symbol for row in tables.states for symbol in row}))
    number = {symbol: i for i, symbol in enumerate(symbols)}
    rows = [tuple(part for symbol, action in row.items() for part in (number[symbol], action)) for row in tables.states]
    packed = "\n".join("    " + repr(row).replace(" ", "") + "," for row in rows)
    return (
        "# ruff: noqa\n"
        "# fmt: off\n"
        '"""The LALR(1) tables of grammar.lark, made by `python -m striate_dsl.grammar_tables`; do not edit by hand."""\n'
        f"GRAMMAR = {fingerprint(grammar)!r}\n"
        f"SYMBOLS = (\n {pformat(symbols, width=118, compact=True)[1:-1]},\n)\n"
        f"RULES = (\n {pformat(tables.rules, width=118, compact=True)[1:-1]},\n)\n"
        f"STATES: tuple[tuple[int, ...], ...] = (\n{packed}\n)\n"
    )


def main() -> int:
    """Write _tables.py beside this module."""
    grammar = grammar_text()
    target = _FOLDER / "_tables.py"
    target.write_text(module_text(build(grammar), grammar), encoding="utf-8")
    sys.stdout.write(f"wrote {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
