"""Every limit on what a text may ask for: its default, and the environment variable that changes it.

A text of a stranger ends within seconds and within some hundred megabytes because of these. docs/limits.md lists them
and says what each is for; whoever refuses a text because of a limit names it (`Limit.advice`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.literals import number


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: what it counts, its default, and up to where it can be raised (None: as far as memory goes)."""

    variable: str
    counts: str
    default: int
    highest: int | None = None

    @property
    def value(self) -> int:
        """The limit that holds: the environment variable's, or the default.

        Raises:
            DiagnosticError: E0345, the variable's value is no number that the limit can have.
        """
        written = os.environ.get(self.variable)
        return self.default if written is None or not written.strip() else self._read(written.strip())

    @property
    def advice(self) -> str:
        """What to do where the text is meant to be like that: the end of a `help`."""
        return f"if it is meant, raise the limit: {self.variable}={self._twice()} (docs/limits.md)"

    def _twice(self) -> int:
        doubled = 2 * self.value
        return doubled if self.highest is None else min(doubled, self.highest)

    def _read(self, written: str) -> int:
        known = written[:1].isdigit() and written.isascii() and len(written) <= _LONGEST
        try:
            value = number(written) if known else None
        except ValueError:
            value = None
        if not isinstance(value, int) or value < 1 or (self.highest is not None and value > self.highest):
            raise DiagnosticError(self._refused(written))
        return value

    def _refused(self, written: str) -> Diagnostic:
        most = "" if self.highest is None else f" up to {self.highest:,}"
        return Diagnostic(
            "E0345",
            f"{self.variable} must be a whole number from 1{most}, not {written[:_LONGEST]}",
            notes=(f"it limits {self.counts}",),
            help=f"write e.g. {self.variable}={self.default}, or 2M for two million, or leave it unset",
        )


_LONGEST = 40

FILE_SIZE = Limit("STRIATE_MAX_FILE_SIZE", "the bytes of a file, and of all files it uses together", 16 * 1024 * 1024)
TOKENS = Limit("STRIATE_MAX_TOKENS", "words, numbers, signs and lines of a file and of those it uses", 1_000_000)
WORD = Limit("STRIATE_MAX_WORD", "the characters of a name or number", 256)
NESTING = Limit("STRIATE_MAX_NESTING", "brackets, braces and operators within each other", 200, highest=500)
FILES = Limit("STRIATE_MAX_FILES", "the files that a file uses, directly or not", 200)
USE_DEPTH = Limit("STRIATE_MAX_USE_DEPTH", "files that use files that use files", 50, highest=200)
DEFINITIONS = Limit("STRIATE_MAX_DEFINITIONS", "blocks, models, variants, sections and `use` lines", 1_000)
LAYERS = Limit("STRIATE_MAX_LAYERS", "the layers that all models of a file have together", 200_000)
STEPS = Limit(
    "STRIATE_MAX_STEPS", "the steps that make no layer: rounds, uses of blocks, statements, long lists", 100_000
)
BLOCK_DEPTH = Limit("STRIATE_MAX_BLOCK_DEPTH", "blocks that use blocks that use blocks", 100, highest=300)
PAIRS = Limit("STRIATE_MAX_PAIRS", "the pairs of a recipe and a profile that are checked", 2_000)
LIST = Limit("STRIATE_MAX_LIST", "the entries of a list, those of lists in it included", 100_000)
OPEN_SIZES = Limit("STRIATE_MAX_OPEN_SIZES", "the sizes that the inputs of a model leave open", 64)
CONDITIONS = Limit("STRIATE_MAX_CONDITIONS", "the conditions that tie open sizes to each other", 1_000)
SIZE_TERMS = Limit("STRIATE_MAX_SIZE_TERMS", "the terms and roundings of one size", 64)
FINDINGS = Limit("STRIATE_MAX_FINDINGS", "the errors, and the warnings, that are told of a file", 50)
REPAIRS = Limit("STRIATE_MAX_REPAIRS", "how often --fix checks what it has written", 60)

LIMITS = (
    FILE_SIZE,
    TOKENS,
    WORD,
    NESTING,
    FILES,
    USE_DEPTH,
    DEFINITIONS,
    LAYERS,
    STEPS,
    BLOCK_DEPTH,
    PAIRS,
    LIST,
    OPEN_SIZES,
    CONDITIONS,
    SIZE_TERMS,
    FINDINGS,
    REPAIRS,
)
"""All of them, in the order in which a text meets them."""
