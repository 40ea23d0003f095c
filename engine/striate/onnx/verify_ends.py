"""Compares a file with preprocessing and postprocessing, run by its runtime, with the same done in torch.

The network alone has been compared before (`verify.py`), so what differs here lies at one of its ends. Answers that are
indices may differ between scores that are as good as equal, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from striate.analysis.ends import Answer, Ends
from striate.onnx.comparison import Difference, compare
from striate.onnx.trials import Trial
from striate.onnx.verify import Verification
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, np.dtype[Any]]

CAMERA = (70, 53)
"""Height and width of images that are brought to the network's size: not its own, not square, most often larger."""


class Reference(Protocol):
    """The network with its ends in torch."""

    def scores(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the network's outputs by name."""

    def answers(self, scores: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the file's outputs by name."""


def camera_trials(trials: Sequence[Trial], ends: Ends, seed: int = 0) -> Iterator[Trial]:
    """Yield the trials of a network with images of 8 bits for the inputs that are prepared, in two sizes if resized."""
    generator = np.random.default_rng(seed)
    for index, trial in enumerate(trials):
        inputs: dict[str, Array] = dict(trial.inputs)
        words = trial.words
        for pixels in ends.pixels:
            batch, channels, *space = trial.inputs[pixels.name].shape
            if pixels.size is not None:
                space = [*CAMERA] if index % 2 else [each // 2 + 1 for each in pixels.size]
                words += f", {pixels.name} {space[0]} x {space[1]}"
            inputs[pixels.name] = generator.integers(0, 256, (batch, *space, channels), dtype="uint8")
        yield replace(trial, words=words, inputs=inputs)


def verify_ends(
    run: Callable[[Mapping[str, Array]], Mapping[str, Array]],
    runtime: str,
    ends: Ends,
    reference: Reference,
    trials: Sequence[Trial],
    tolerance: float,
) -> Verification:
    """Compare a file with the reference.

    Args:
        run: the file in its runtime, from inputs to outputs by name.
        runtime: the runtime and its version.
        ends: what it does beside the network.
        reference: the same in torch.
        trials: inputs of the file.
        tolerance: the largest difference allowed, as a share of an output's largest entry.

    Raises:
        DiagnosticError: the runtime refuses the inputs; E0643, the file gives something else.
    """
    answers = {name: answer for answer in ends.answers for name in answer.names}
    worst, tipped = Difference(0.0, 0.0), 0
    for trial in trials:
        scores, actual = reference.scores(trial.inputs), run(trial.inputs)
        for name, values in reference.answers(scores).items():
            if np.issubdtype(values.dtype, np.integer):
                answer = answers[name]
                tipped += _ties(scores[answer.output], answer, values, actual[name], trial, tolerance)
                continue
            difference = compare(values, actual[name])
            if not difference.relative <= tolerance:
                raise DiagnosticError(_differs(trial, f"output {name} differs by up to {difference}", ends))
            worst = worst.or_larger(difference)
    return Verification(runtime, tuple(trial.words for trial in trials), worst, tipped)


def _ties(scores: Array, answer: Answer, expected: Array, actual: Array, trial: Trial, tolerance: float) -> int:
    """Return at how many places other classes are named, all of them with the same score within the tolerance."""
    name = answer.names[-1]
    if expected.shape != actual.shape or actual.dtype != np.int64:
        found = f"output {name} is {actual.dtype} of {actual.shape}, not int64 of {expected.shape}"
        raise DiagnosticError(_differs(trial, found, Ends(answers=(answer,))))
    others = expected != actual
    if not others.any():
        return 0
    shape = expected.shape if answer.kind == "top" else (len(expected), 1, *expected.shape[1:])
    first, second = (
        np.take_along_axis(scores, each.reshape(shape), 1).reshape(each.shape) for each in (expected, actual)
    )
    apart = float(np.abs(first - second)[others].max()) / max(float(np.abs(scores).max()), 1e-3)
    if apart > tolerance:
        found = f"output {name} names another class at {int(others.sum()):,} places"
        raise DiagnosticError(_differs(trial, found, Ends(answers=(answer,))))
    return int(others.sum())


def _differs(trial: Trial, found: str, ends: Ends) -> Diagnostic:
    around = "preprocessing and postprocessing" if ends.words() else "blocks as functions"
    return Diagnostic(
        "E0643",
        f"with {around} the file computes something else than torch",
        notes=(f"{trial.words}: {found}", *filter(None, [ends.words()]), "the network alone computes the same"),
        help="no file was written. Another version of the runtime may do better: update it, or leave out what differs",
    )
