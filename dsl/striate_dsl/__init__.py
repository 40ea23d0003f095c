"""The text front end of striate: read, parse and report on `.cnn` files. Knows no torch, no networkx and no engine."""

from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Edit, Fix, Label, Severity
from striate_dsl.parser import ParseResult, parse
from striate_dsl.source import Source, Span

__all__ = [
    "Diagnostic",
    "DiagnosticError",
    "Diagnostics",
    "Edit",
    "Fix",
    "Label",
    "ParseResult",
    "Severity",
    "Source",
    "Span",
    "parse",
]
