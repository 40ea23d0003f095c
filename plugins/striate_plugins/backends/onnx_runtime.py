"""A network in ONNX Runtime, on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnxruntime

from striate.factories import Network, onnx_bytes

Arrays = Mapping[str, np.ndarray[Any, np.dtype[Any]]]

_ERRORS_ONLY = 3
"""ONNX Runtime's log severity: its warnings are about its own optimisations."""


def onnx_runtime(network: Network) -> Callable[[Arrays], Arrays]:
    """Return the network as a function of its inputs, run by an ONNX Runtime session.

    The session keeps the weights; the ONNX file exists in memory only, so networks from 2 GiB on do not fit.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    session = onnxruntime.InferenceSession(onnx_bytes(network), options, providers=["CPUExecutionProvider"])
    known = {item.name for item in session.get_inputs()}  # an input that nothing reads is not there any more
    names = [item.name for item in session.get_outputs()]

    def run(inputs: Arrays) -> Arrays:
        given = {name: np.asarray(values, dtype=np.float32) for name, values in inputs.items() if name in known}
        return dict(zip(names, session.run(names, given), strict=True))

    return run
