"""Text to syntax tree: `parse` is the one entry; it never raises because of what the text says.

lexer, odd_signs, brackets, braces, layout, nesting; then automaton with tree.Builder, and recovery where that stops.
"""

from __future__ import annotations

from dataclasses import dataclass

from striate_dsl import braces, brackets, nesting, odd_signs
from striate_dsl.automaton import Automaton
from striate_dsl.collection import collection_paused
from striate_dsl.complaints import nothing_defined
from striate_dsl.diagnostics import Diagnostics
from striate_dsl.layout import Layout
from striate_dsl.lexer import Token, tokenize
from striate_dsl.recovery import Recovery
from striate_dsl.source import Source
from striate_dsl.syntax import File
from striate_dsl.tables import tables
from striate_dsl.tree import Builder

MOST = 50
"""After so many errors the rest of the file is not read."""


@dataclass(frozen=True, slots=True)
class ParseResult:
    """The tree of a file (None where the text has an error) and everything there is to say about the text.

    `partial` holds the definitions in which nothing is wrong, also where others are faulty: for editors, and for those
    who want to check the rest. What it lacks must not be reported as missing.
    """

    file: File | None
    diagnostics: Diagnostics
    partial: File | None = None


@collection_paused()
def parse(source: Source) -> ParseResult:
    """Parse the text of a `.cnn` file; all its independent errors (up to `MOST`) are in the result."""
    findings = Diagnostics()
    tokens = _prepared(source, findings)
    if tokens is None or len(findings) >= MOST:
        return _result(source, None, findings)
    if len(tokens) == 1:
        if not findings:
            findings.add(nothing_defined(source))
        return _result(source, None, findings)
    automaton = Automaton(tables(), Builder(source, findings))
    complete = Recovery(source, tokens, automaton, findings, MOST).run()
    return _result(source, automaton.result if complete else None, findings)


def _prepared(source: Source, findings: Diagnostics) -> list[Token] | None:
    """Return the tokens as the grammar wants them, or None where that is hopeless."""
    raw, odd = tokenize(source.text)
    known = odd_signs.repair(source, raw, findings, MOST) if odd else raw
    paired = brackets.repair(source, known, findings, MOST) if known is not None else None
    whole = braces.repair(source, paired, findings) if paired is not None else None
    if whole is None:
        return None
    arranged = Layout(whole).arrange()
    if odd:
        odd_signs.repair_numbers(source, arranged, findings)
    deep = nesting.too_deep(source, arranged)
    if deep is None:
        return arranged
    findings.add(deep)
    return None


def _result(source: Source, tree: File | None, findings: Diagnostics) -> ParseResult:
    """Sort the findings by place and drop the definitions with errors from the partial tree."""
    if not findings.items:
        return ParseResult(tree, findings, tree)
    findings.items[:] = sorted(findings.items, key=lambda found: found.span.start if found.span else 0)[:MOST]
    if not findings.has_errors:
        return ParseResult(tree, findings, tree)
    if tree is None:
        return ParseResult(None, findings)
    places = [found.span.start for found in findings if found.span is not None]
    whole = [node for node in tree.definitions if not any(node.span.start <= at <= node.span.end for at in places)]
    return ParseResult(None, findings, File(tree.span, tuple(whole)))
