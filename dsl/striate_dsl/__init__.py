"""The text front end of striate: read, parse and report on `.cnn` files. Knows no torch, no networkx and no engine.

The syntax tree's classes are in `striate_dsl.syntax`.
"""

from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Edit, Fix, Label, Severity
from striate_dsl.names import nearest
from striate_dsl.parser import ParseResult, parse
from striate_dsl.reading import read_source
from striate_dsl.render import render_text, to_json
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
    "nearest",
    "parse",
    "read_source",
    "render_text",
    "to_json",
]
