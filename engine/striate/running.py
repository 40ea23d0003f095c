"""Running a network by a back end: torch, or what a plugin provides, which must compute what torch does.

The one door by which whoever applies a network chooses what computes it: `Model.runner(backend=…)` and `--backend`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.exporting import rewritten, take_weights
from striate.host.provided import Provided, demand_provided
from striate.host.work_records import TORCH, BackendRecord
from striate.rewriting import Passes
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from striate.lower.torch.reference import ArrayReference
    from striate.model import Model
    from striate.onnx.trials import Trial
    from striate.onnx.verify import Verification
    from striate.passes.network import Network

    Arrays = Mapping[str, np.ndarray[Any, np.dtype[Any]]]


@dataclass(frozen=True, slots=True)
class Running:
    """A network that a back end runs: called with arrays by the inputs' names, it returns those by the outputs'.

    Arrays are float32 and have the batch axis in front (`N x C x H x W`).

    Attributes:
        backend: the back end's name.
        owner: the plugin that provides it; None for torch.
        run: the back end's function.
        verification: how it compared with torch; None for torch, and where that was not wanted.
    """

    backend: str
    owner: str | None
    run: Callable[[Arrays], Arrays]
    verification: Verification | None = None

    def __call__(self, inputs: Arrays) -> Arrays:
        """Compute the outputs.

        Raises:
            DiagnosticError: E0720, the plugin's code failed; E0721, it gave no array for an output.
        """
        return self.run(inputs)

    def __str__(self) -> str:
        return f"{self.backend} (plugin {self.owner})" if self.owner else self.backend


def run_model(
    model: Model, backend: str = TORCH, *, weights: str | Path | None = None, seed: int = 0, verify: bool = True
) -> Running:
    """Make a model ready to run.

    Args:
        model: the model.
        backend: `torch`, or the name of a plugin's back end.
        weights: a checkpoint; without one the weights are initialised from `seed`.
        seed: see `weights`.
        verify: compare with torch first, at batch 1 and 3 and, where sizes are open, at two sizes.

    Raises:
        DiagnosticError: the checkpoint has mistakes; E0722, there is no such back end; E0720 or E0721, it failed;
            E0723, it computes something else than torch.
    """
    found = None if backend == TORCH else demand_provided(model.catalogue, BackendRecord, backend)
    values = take_weights(model, weights, seed)
    _, network, _ = rewritten(model, values.arrays, Passes(), fold=False)
    if found is None:
        return Running(TORCH, None, _torch(network).outputs)
    with found.blamed():
        run = found.record.factory(network)
    found.demand(callable(run), "returned no function that runs the network")
    guarded = _guarded(found, run, tuple(network.graph.outputs))
    verification = _agreement(found, network, guarded, model) if verify else None
    return Running(backend, found.owner, guarded, verification)


def _torch(network: Network) -> ArrayReference:
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.reference import ArrayReference

    return ArrayReference(load_arrays(Program(network.graph, network.lookup), network.arrays))


def _guarded(
    found: Provided[BackendRecord], run: Callable[[Arrays], Any], outputs: tuple[str, ...]
) -> Callable[[Arrays], Arrays]:
    """Return a back end's function, which is blamed for what it raises and held to what it must return."""
    from striate.runtime.runner import checked_runner

    checked = checked_runner(run, outputs)

    def guarded(inputs: Arrays) -> Arrays:
        with found.blamed():
            return checked(inputs)

    return guarded


def _agreement(
    found: Provided[BackendRecord], network: Network, run: Callable[[Arrays], Arrays], model: Model
) -> Verification:
    from striate.onnx.comparison import Difference, compare, is_finite, other_classes
    from striate.onnx.divergence import not_finite
    from striate.onnx.trials import trials_for
    from striate.onnx.verify import Verification

    reference = _torch(network)
    trials = trials_for(network.graph, model.domain)
    worst, tipped = Difference(0.0, 0.0), 0
    for trial in trials:
        expected, actual = reference.outputs(trial.inputs), run(trial.inputs)
        if not all(is_finite(values) for values in expected.values()):
            raise DiagnosticError(not_finite(network.graph, reference.values(trial.inputs), trial))
        for name, values in expected.items():
            difference = compare(values, actual[name])
            if not difference.relative <= found.record.tolerance:
                raise DiagnosticError(
                    _other_values(found, model, trial, f"output {name} differs by up to {difference}")
                )
            worst = worst.or_larger(difference)
            tipped += other_classes(values, actual[name])
    return Verification(f"{found.name} (plugin {found.owner})", tuple(each.words for each in trials), worst, tipped)


def _other_values(found: Provided[BackendRecord], model: Model, trial: Trial, problem: str) -> Diagnostic:
    return Diagnostic(
        "E0723",
        f"{found} does not compute what torch does for {model.name}",
        notes=(f"{trial.words}: {problem}",),
        help=f"use torch: leave --backend {found.name} out, and tell the plugin's author",
    )
