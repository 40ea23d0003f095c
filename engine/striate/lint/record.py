"""What one lint is, and what it finds. A lint is a record, so that its page, its tests and its output are one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from striate.lint.subject import Subject
from striate_dsl.diagnostics import Diagnostic, Fix, Label, Severity
from striate_dsl.source import Span


@dataclass(eq=False, slots=True)
class Finding:
    """One place that a lint complains about; the code and the reason are the lint's."""

    span: Span
    message: str
    label: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fix: Fix | None = None


@dataclass(eq=False, slots=True)
class Lint:
    """A lint.

    Attributes:
        code: `W01` and two digits, never used again for something else.
        name: what it looks for, in a few words.
        reason: why that is probably a mistake, in one sentence.
        reference: where the reason is from.
        find: yields findings, each place of the text at most once.
        severity: a warning, or a note where the network may well be meant so.
    """

    code: str
    name: str
    reason: str
    reference: str
    find: Callable[[Subject], Iterator[Finding]]
    severity: Severity = Severity.WARNING

    def diagnostics(self, subject: Subject) -> Iterator[Diagnostic]:
        """Yield what the lint finds, as findings like any other."""
        for found in self.find(subject):
            yield Diagnostic(
                self.code,
                found.message,
                found.span,
                found.label,
                severity=self.severity,
                labels=found.labels,
                notes=(*found.notes, self.reason, f"see {self.reference}"),
                help=found.help or (found.fix.title if found.fix else None),
                fixes=(found.fix,) if found.fix else (),
            )
