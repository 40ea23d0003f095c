"""Text to syntax tree: `parse` is the one entry; it never raises because of what the text says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from striate_dsl import grammar_tables
from striate_dsl.automaton import Automaton
from striate_dsl.diagnostics import Diagnostics
from striate_dsl.layout import Layout
from striate_dsl.lexer import tokenize
from striate_dsl.source import Source
from striate_dsl.syntax import File
from striate_dsl.tree import Builder


@dataclass(frozen=True, slots=True)
class ParseResult:
    """The tree of a file (None where the text has an error) and everything there is to say about the text."""

    file: File | None
    diagnostics: Diagnostics


@cache
def _tables() -> grammar_tables.Tables:
    return grammar_tables.load()


def parse(source: Source) -> ParseResult:
    """Parse the text of a `.cnn` file."""
    findings = Diagnostics()
    tokens = Layout(tokenize(source.text)).arrange()
    automaton = Automaton(_tables(), Builder(source, findings))
    at = automaton.run(tokens)
    if at < len(tokens):
        raise RuntimeError(f"unexpected {tokens[at]} at {source.position(tokens[at].start)}")
    return ParseResult(None if findings.has_errors else automaton.result, findings)
