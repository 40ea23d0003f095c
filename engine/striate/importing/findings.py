"""Why a file, or a node of it, is not imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from striate_dsl.diagnostics import Diagnostic, DiagnosticError

MOST_SHOWN = 200
"""Nodes that are listed one by one; of more, their number is told."""

_LONGEST = 80


class UnsupportedError(Exception):
    """A node that has no counterpart in the language; the message says why, without the node's name."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A node that cannot be imported: its name, its operator and the reason, in words."""

    node: str
    operator: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operator} {shown(self.node)}: {self.reason}" if self.node else f"{self.operator}: {self.reason}"


def shown(text: str) -> str:
    """Return a text of a stranger's file as a message quotes it: printable, and not too long."""
    plain = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[: _LONGEST + 1])
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…"


def unreadable(path: Path, reason: str, help_: str | None = None) -> DiagnosticError:
    """Return the error for a file that is no ONNX file, or cannot be read as one."""
    return DiagnosticError(Diagnostic("E0610", f"cannot read {path} as an ONNX file: {reason}", help=help_))


def broken(reason: str, *notes: str) -> DiagnosticError:
    """Return the error for a file whose content contradicts itself or ONNX's rules."""
    return DiagnosticError(
        Diagnostic(
            "E0611",
            f"the ONNX file is damaged or not valid: {reason}",
            notes=notes,
            help="write it again with the program it is from; onnx.checker.check_model names what breaks the rules",
        )
    )


def refused(name: str, refusals: Sequence[Refusal]) -> DiagnosticError:
    """Return the error that lists everything that cannot be imported."""
    read = "docs/import.md lists the operators that are read"
    return DiagnosticError(without_counterpart("E0612", name, [str(item) for item in refusals], "node", read))


def without_counterpart(code: str, name: str, reasons: Sequence[str], what: str, read: str) -> Diagnostic:
    """Return the finding that lists what of a file has no counterpart in the language.

    Args:
        code: the finding's code.
        name: the file or network.
        reasons: a line for each thing.
        what: what one of them is called: a node, a section, a row.
        read: where it says what is read.
    """
    notes = list(reasons[:MOST_SHOWN])
    if len(reasons) > MOST_SHOWN:
        notes.append(f"and {len(reasons) - MOST_SHOWN:,} more")
    number = f"one {what}" if len(reasons) == 1 else f"{len(reasons):,} {what}s"
    return Diagnostic(
        code,
        f"{shown(name)} cannot be imported: {number} without a counterpart in the language",
        notes=tuple(notes),
        help=f"nothing was written; {read}",
    )
