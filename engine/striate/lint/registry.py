"""The table of lints, and the run of all of them over a file."""

from __future__ import annotations

from striate.lint import (
    channels,
    dead,
    dense,
    dilation,
    extent,
    logits,
    norm,
    padding,
    reach,
    repeats,
    sampling,
    torch_order,
    unused,
)
from striate.lint.record import Lint
from striate.lint.subject import Subject
from striate_dsl.diagnostics import Diagnostic

_FAMILIES = (
    norm,
    logits,
    sampling,
    dilation,
    padding,
    unused,
    dead,
    repeats,
    dense,
    extent,
    channels,
    reach,
    torch_order,
)

LINTS: tuple[Lint, ...] = tuple(sorted((item for family in _FAMILIES for item in family.LINTS), key=lambda x: x.code))
"""Every lint, by code. W0100 (an allowance that silences nothing) is none."""


def lint(subject: Subject) -> list[Diagnostic]:
    """Return what all lints find, in the order of the text; a used file is linted when it is checked."""
    source = subject.file.span.source
    everything = (item for each in LINTS for item in each.diagnostics(subject))
    found = [item for item in everything if item.span is None or item.span.source is source]
    return sorted(found, key=lambda item: (item.span.start if item.span else 0, item.code))
