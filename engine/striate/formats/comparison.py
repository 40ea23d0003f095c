"""Compares a file that its runtime loaded back with the network in torch, on every trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from striate.formats.subject import Arrays, Converted, RefusedError, Runner
from striate.graph import Graph
from striate.onnx.comparison import Difference, compare, is_finite, other_classes
from striate.onnx.divergence import not_finite
from striate.onnx.trials import Trial
from striate.onnx.verify import Reference, Verification
from striate_dsl.diagnostics import DiagnosticError


@dataclass(frozen=True, slots=True)
class Failure:
    """The first trial at which a file is not the network: the input in words, and what was wrong."""

    trial: str
    problem: str


def compare_file(
    converted: Converted, graph: Graph, reference: Reference, trials: Sequence[Trial], tolerance: float
) -> Verification | Failure:
    """Run the file and torch on the same inputs.

    Args:
        converted: the file, loaded back.
        graph: the network that was written.
        reference: the network in torch.
        trials: the inputs to compare on.
        tolerance: the largest difference allowed, as a share of an output's largest entry.

    Raises:
        DiagnosticError: E0608, torch itself gives values that are not finite.
    """
    worst, tipped = Difference(0.0, 0.0), 0
    for trial in trials:
        expected = reference.outputs(trial.inputs)
        if not all(is_finite(values) for values in expected.values()):
            raise DiagnosticError(not_finite(graph, reference.values(trial.inputs), trial))
        actual = outcome(converted.runner, trial)
        if isinstance(actual, Failure):
            return actual
        for name, values in expected.items():
            difference = compare(values, actual[name])
            if not difference.relative <= tolerance:
                return Failure(trial.words, f"output {name} differs by up to {difference}")
            worst = worst.or_larger(difference)
            tipped += other_classes(values, actual[name])
    return Verification(converted.runtime, tuple(trial.words for trial in trials), worst, tipped)


def outcome(runner: Callable[[Arrays], Arrays], trial: Trial) -> Arrays | Failure:
    """Return what a file gives on an input, or what its runtime says where it does not take it."""
    try:
        return runner(trial.inputs)
    except Exception as error:
        return Failure(trial.words, first_line(error))


def tried(runner: Runner) -> Runner:
    """Return a runner that raises RefusedError where its runtime raises anything."""

    def run(inputs: Arrays) -> Arrays:
        try:
            return runner(inputs)
        except Exception as error:
            raise RefusedError(str(error)) from error

    return run


def first_line(error: BaseException | str) -> str:
    """Return the first line of a message that says something, at a length that can be read."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
