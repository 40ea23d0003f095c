"""Compares an imported network in torch with the ONNX file in ONNX Runtime, on random inputs.

Torch itself is not imported here: it comes in as a `Reference`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.onnx.comparison import Difference, compare
from striate.onnx.runtime import OnnxSession
from striate.onnx.trials import Trial
from striate.onnx.verify import Reference
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, np.dtype[np.float32]]

TOLERANCE = 1e-4
"""The largest difference allowed, as a share of an output's largest entry."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A comparison that went well: the runtime, the inputs that were tried in words, and the largest difference."""

    runtime: str
    trials: tuple[str, ...]
    difference: Difference


def compared(
    file: Path, reference: Reference, trials: Sequence[Trial], inputs: Mapping[str, str], outputs: Mapping[str, str]
) -> Agreement:
    """Compare a network with the ONNX file it was read from.

    Args:
        file: the ONNX file.
        reference: the network in torch.
        trials: the inputs to compare on, by the network's names.
        inputs: the names of the inputs in the file, by the network's.
        outputs: the same for the outputs.

    Raises:
        DiagnosticError: ONNX Runtime is missing or cannot run the file; E0607, the results differ.
    """
    session = OnnxSession(str(file))
    worst = Difference(0.0, 0.0)
    for trial in trials:
        expected = session.run({inputs[name]: values for name, values in trial.inputs.items()})
        actual = reference.outputs(trial.inputs)
        for ours, theirs in outputs.items():
            wanted = np.asarray(expected[theirs], dtype=np.float32)
            difference = compare(
                wanted, actual[ours].reshape(wanted.shape) if actual[ours].size == wanted.size else actual[ours]
            )
            if not difference.relative <= TOLERANCE:
                raise DiagnosticError(_other(ours, trial, difference))
            worst = worst.or_larger(difference)
    return Agreement(session.name, tuple(trial.words for trial in trials), worst)


def _other(output: str, trial: Trial, difference: Difference) -> Diagnostic:
    return Diagnostic(
        "E0607",
        "the imported network computes something else in torch than the ONNX file in ONNX Runtime",
        notes=(
            f"output {output}, {trial.words}: differs by up to {difference}; allowed is a relative {TOLERANCE:.0e}",
        ),
        help="nothing was written; this is a mistake in striate: report it with the ONNX file, if you can",
    )
