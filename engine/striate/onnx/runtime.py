"""The little of ONNX Runtime that verification needs: load a model, run it, and say in our words what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, np.dtype[np.float32]]

ERRORS_ONLY = 3
"""ONNX Runtime's log severity: its warnings are about its own optimisations."""


_NARROW = {"tensor(float16)": "float16", "tensor(uint8)": "uint8"}
"""ONNX Runtime's words for inputs that are not float32, and numpy's for the same."""


class OnnxSession:
    """A model, loaded into ONNX Runtime on the CPU.

    Args:
        content: the bytes of its file, or its path.
        as_written: compute every node as it stands; else ONNX Runtime joins nodes and leaves casts out.

    Raises:
        DiagnosticError: ONNX Runtime is not installed, or cannot load the model.
    """

    def __init__(self, content: bytes | str, *, as_written: bool = False) -> None:
        runtime = load_runtime()
        self.name = f"ONNX Runtime {runtime.__version__}"
        options = runtime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        if as_written:
            options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self._session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise _refused(f"{self.name} cannot load the file", error) from error
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name; inputs in a narrower type than float32 are rounded to it.

        Raises:
            DiagnosticError: the model cannot be run.
        """
        # An input that nothing reads is no longer known to the session.
        known = {item.name: _NARROW.get(item.type, "float32") for item in self._session.get_inputs()}
        given = {name: each.astype(known[name], copy=False) for name, each in inputs.items() if name in known}
        try:
            results = self._session.run(self._outputs, given)
        except Exception as error:
            raise _refused(f"{self.name} cannot run the file", error) from error
        return dict(zip(self._outputs, results, strict=True))


def load_runtime() -> ModuleType:
    """Import ONNX Runtime.

    Raises:
        DiagnosticError: it is not installed.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - an extra, and half a second to load
    except ImportError as error:
        raise DiagnosticError(
            Diagnostic(
                "E0603",
                "ONNX Runtime is not installed, so the file cannot be verified",
                help="pip install 'striate[runtimes]', or write the file unverified with --no-verify",
            )
        ) from error
    runtime: ModuleType = onnxruntime
    return runtime


def _refused(message: str, error: Exception) -> DiagnosticError:
    return DiagnosticError(
        Diagnostic(
            "E0606",
            message,
            notes=tuple(line.strip() for line in str(error).splitlines() if line.strip()),
            help="an older ONNX Runtime may not know this opset: choose a lower one with --opset, or update it",
        )
    )
