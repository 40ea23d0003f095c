"""Which ONNX versions striate writes: operator sets, and the file format (IR version) that goes with each.

Both are always written out. The defaults of the onnx package are its newest, which the newest runtimes refuse.
"""

from __future__ import annotations

from collections.abc import Mapping

from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Edit, Fix
from striate_dsl.source import Span

IR_VERSIONS: Mapping[int, int] = {13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}
"""Legal operator sets, each with the IR version of the onnx release that brought it (onnx `VERSION_TABLE`)."""

LOWEST, HIGHEST = min(IR_VERSIONS), max(IR_VERSIONS)

DEFAULT_OPSET = 17
"""Of 2022, with IR 8: read by ONNX Runtime since 1.12, and by the converters of the large vendors."""


def check_opset(opset: int, span: Span | None = None) -> int:
    """Return the operator set if it can be written.

    Raises:
        DiagnosticError: it cannot; `span` is where it was asked for in a file.
    """
    if opset in IR_VERSIONS:
        return opset
    near = min(max(opset, LOWEST), HIGHEST)
    raise DiagnosticError(
        Diagnostic(
            "E0601",
            f"opset {opset} cannot be written",
            span,
            notes=(f"striate writes opset {LOWEST} to {HIGHEST}",),
            help=f"use {near}; most runtimes read {DEFAULT_OPSET}, the default",
            fixes=(Fix(f"write {near}", (Edit(span, str(near)),), "unsafe"),) if span else (),
        )
    )
