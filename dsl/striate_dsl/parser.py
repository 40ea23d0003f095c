"""Text to syntax tree: `parse` is the one entry; it never raises because of what the text says.

lexer, languages, odd_signs, brackets, indented, braces, layout, nesting; then automaton with tree.Builder, and
recovery where that stops.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from striate_dsl import amounts, braces, brackets, indented, nesting, odd_signs
from striate_dsl.automaton import Automaton
from striate_dsl.collection import collection_paused
from striate_dsl.complaints import nothing_defined
from striate_dsl.diagnostics import Diagnostic, Diagnostics, Severity
from striate_dsl.languages import other_language
from striate_dsl.layout import Layout
from striate_dsl.lexer import Token, tokenize
from striate_dsl.limits import DEFINITIONS, FINDINGS, TOKENS
from striate_dsl.source import Source
from striate_dsl.syntax import File
from striate_dsl.tables import tables
from striate_dsl.tree import Builder


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much text may still be read: what is left of `limits.TOKENS` and `limits.DEFINITIONS` behind other files."""

    tokens: int
    definitions: int


@dataclass(frozen=True, slots=True)
class ParseResult:
    """The tree of a file (None where the text has an error) and everything there is to say about the text.

    `partial` holds the definitions in which nothing is wrong, also where others are faulty: for editors, and for those
    who want to check the rest. What it lacks must not be reported as missing.

    `mended` holds in addition the definitions as their safe fixes make them; it is `whole` where nothing had to be
    left out, so that the mistakes of syntax hide no others. `tokens` says how much text it was.
    """

    file: File | None
    diagnostics: Diagnostics
    partial: File | None = None
    mended: File | None = None
    whole: bool = False
    tokens: int = 0


@collection_paused()
def parse(source: Source, allowance: Allowance | None = None) -> ParseResult:
    """Parse the text of a `.cnn` file; all its independent errors (up to `limits.FINDINGS`) are in the result.

    Never raises because of what the text says.
    """
    return _Parse(source, allowance or Allowance(TOKENS.value, DEFINITIONS.value), FINDINGS.value).result()


class _Parse:
    """One text on its way to a tree."""

    def __init__(self, source: Source, allowance: Allowance, most: int) -> None:
        self._source = source
        self._allowance = allowance
        self._most = most
        self._findings = Diagnostics()
        self._size = 0

    def result(self) -> ParseResult:
        source, findings = self._source, self._findings
        tokens = self._prepared()
        if tokens is None or len(findings) >= self._most:
            return self._sorted(None)
        if len(tokens) == 1:
            if not findings:
                findings.add(nothing_defined(source))
            return self._sorted(None)
        automaton = Automaton(tables(), Builder(source, findings, self._most))
        before = tuple(findings)
        at, cuts = automaton.run(tokens), list[int]()
        if at < len(tokens):
            from striate_dsl.recovery import Recovery  # noqa: PLC0415  # costs start-up time, and most texts are sound

            recovery = Recovery(source, tokens, automaton, findings, before, self._most)
            at, cuts = recovery.run(at), recovery.cuts
        tree: File | None = automaton.result if at == len(tokens) else None
        many = amounts.too_many_definitions(tree.definitions, self._allowance.definitions) if tree else None
        if many is not None:
            findings.add(many)
            tree = None
        return self._sorted(tree, cuts)

    def _prepared(self) -> list[Token] | None:
        """Return the tokens as the grammar wants them, or None where that is hopeless."""
        source, findings = self._source, self._findings
        most = self._allowance.tokens
        much = amounts.too_many_lines(source, most)
        raw, odd = tokenize(source.text, most=most) if much is None else ([], False)
        self._size = len(raw) - 1
        much = much or amounts.too_much(source, raw, most) or other_language(source, raw)
        if much is not None:
            findings.add(much)
            return None
        known = odd_signs.repair(source, raw, findings, self._most) if odd else raw
        paired = brackets.repair(source, known, findings, self._most) if known is not None else None
        braced = indented.repair(source, paired, findings) if paired is not None else None
        whole = braces.repair(source, braced, findings) if braced is not None else None
        if whole is None:
            return None
        arranged = Layout(whole).arrange()
        if odd:
            odd_signs.repair_numbers(source, arranged, findings, self._most)
        deep = nesting.too_deep(source, arranged) or amounts.too_long_list(source, arranged)
        if deep is None:
            return arranged
        findings.add(deep)
        return None

    def _sorted(self, tree: File | None, cuts: Sequence[int] = ()) -> ParseResult:
        """Sort the findings by place and drop the definitions with errors from the partial trees."""
        findings, size = self._findings, self._size
        if not findings.items:
            return ParseResult(tree, findings, tree, tree, whole=True, tokens=size)
        findings.items[:] = sorted(findings.items, key=_start)[: self._most]
        if not findings.has_errors:
            return ParseResult(tree, findings, tree, tree, whole=True, tokens=size)
        if tree is None:
            return ParseResult(None, findings, tokens=size)
        places = [found.span.start for found in findings if found.span is not None]
        lost = [*cuts, *(item.span.start for item in findings if item.span is not None and not _is_mended(item))]
        return ParseResult(None, findings, _without(tree, places), _without(tree, lost), whole=not lost, tokens=size)


def _is_mended(finding: Diagnostic) -> bool:
    """Whether the tree was made as if the finding had been repaired: there is no doubt about what was meant."""
    return finding.severity is not Severity.ERROR or any(fix.grade == "safe" for fix in finding.fixes)


def _without(tree: File, places: Iterable[int]) -> File:
    """Return a file without the definitions in which one of the places lies."""
    kept = [node for node in tree.definitions if not any(node.span.start <= at <= node.span.end for at in places)]
    return File(tree.span, tuple(kept))


def _start(found: Diagnostic) -> int:
    return found.span.start if found.span else 0
