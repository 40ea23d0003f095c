"""Makes the parser's tables from grammar.lark with Lark; `python -m striate_dsl.grammar_tables` writes _tables.py.

The committed tables spare every start of the program the import of Lark and the building (about 90 ms together). They
are plain literals, numbered in an order that does not depend on Lark's, and carry the fingerprint of their grammar.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from pprint import pformat
from typing import Any

from lark import Lark
from lark.lexer import Lexer

from striate_dsl.lexer import END
from striate_dsl.tables import Tables, fingerprint, grammar_text

START = "file"


class _NoLexer(Lexer):
    """Stands in for a lexer: only the automaton is wanted."""

    def __init__(self, _configuration: object) -> None:
        self._tokens: tuple[Any, ...] = ()

    def lex(self, _lexer_state: object, _parser_state: object) -> Iterator[Any]:
        return iter(self._tokens)


def build(grammar: str) -> Tables:
    """Let Lark analyse the grammar and return its automaton, renumbered from the start state on."""
    lark = Lark(grammar, parser="lalr", lexer=_NoLexer, start=START, maybe_placeholders=False)
    frontend: Any = lark.parser
    return _renumber(frontend.parser._parse_table)


def _renumber(table: Any) -> Tables:
    """Number states and rules in the order in which they are reached, symbols sorted: the same on every machine."""
    order = [table.start_states[START]]
    numbers = {order[0]: 0}
    rules: dict[Any, int] = {}
    rows: list[dict[str, int]] = []
    for state in order:  # grows while it is walked
        row: dict[str, int] = {}
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
        '"""The LALR(1) tables of grammar.lark; made by `python -m striate_dsl.grammar_tables`, not by hand."""\n'
        f'GRAMMAR = "{fingerprint(grammar)}"\n'
        f"SYMBOLS: tuple[str, ...] = (\n {pformat(symbols, width=118, compact=True)[1:-1]},\n)\n"
        f"RULES: tuple[tuple[str, int, str], ...] = (\n"
        f" {pformat(tables.rules, width=118, compact=True)[1:-1]},\n)\n"
        f"STATES: tuple[tuple[int, ...], ...] = (\n{packed}\n)\n"
    )


def main() -> int:
    """Write _tables.py beside this module."""
    grammar = grammar_text()
    target = Path(__file__).parent / "_tables.py"
    target.write_text(module_text(build(grammar), grammar), encoding="utf-8")
    sys.stdout.write(f"wrote {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
