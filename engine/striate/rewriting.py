"""Passes of plugins over a network that is exported: run where it was asked for, and held to what a pass may do.

A pass must give a well-formed network with the same inputs and outputs that computes the same. What breaks that is told
with the pass and its plugin, before a file is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.host.provided import Provided, demand_provided, shown
from striate.host.work_records import AFTER_FOLDING, BEFORE_FOLDING, PassRecord
from striate.passes.network import Network, problems_of, snapshot
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from striate.host.catalogue import HostCatalogue

MOST_TOLD = 6
"""Broken terms that a message lists."""


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of plugins that an export is to run, in order, and how exactly they must compute the same.

    Attributes:
        chosen: the passes.
        tolerance: how far outputs may move, as a share of an output's largest entry; None to run nothing.
    """

    chosen: Sequence[Provided[PassRecord]] = ()
    tolerance: float | None = None

    @property
    def words(self) -> str:
        """What was run, for people; empty without passes."""
        named = ", ".join(f"{item.record.name} ({item.owner})" for item in self.chosen)
        return f"rewritten by {named}" if named else ""

    def before_folding(self, network: Network) -> Network:
        """Return the network as the passes of this point leave it; raises like `run`."""
        return self.run(network, BEFORE_FOLDING)

    def after_folding(self, network: Network) -> Network:
        """Return the network as the passes of this point leave it; raises like `run`."""
        return self.run(network, AFTER_FOLDING)

    def run(self, network: Network, point: str) -> Network:
        """Run the passes of a point one after the other.

        Raises:
            DiagnosticError: E0720, a pass raised something; E0721, it returned no network or one that is not well
                formed; E0723, that one computes something else.
        """
        for item in self.chosen:
            if item.record.point == point:
                network = _run(item, network, self.tolerance)
        return network


def choose_passes(names: Iterable[str], catalogue: HostCatalogue, tolerance: float | None) -> Passes:
    """Return the passes of some names.

    Raises:
        DiagnosticError: E0722, nobody provides one; E0702, several do.
    """
    return Passes([demand_provided(catalogue, PassRecord, name) for name in names], tolerance)


def _run(item: Provided[PassRecord], before: Network, tolerance: float | None) -> Network:
    unchanged = snapshot(before)
    with item.blamed():
        after: Network = item.record.rewrite(before)
    item.demand(isinstance(after, Network), f"returned {shown(after)} where a Network is due")
    with item.blamed():
        found = list(problems_of(before, after, unchanged))
    more = f"\n  and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    told = "".join(f"\n  {problem}" for problem in found[:MOST_TOLD])
    item.demand(not found, f"broke the network:{told}{more}")
    if tolerance is not None and after is not before:
        _hold_to_values(item, before, after, tolerance)
    return after


def _hold_to_values(item: Provided[PassRecord], before: Network, after: Network, tolerance: float) -> None:
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.reference import ArrayReference
    from striate.onnx.comparison import compare, is_finite
    from striate.onnx.trials import trials_for

    old, new = (
        ArrayReference(load_arrays(Program(each.graph, each.lookup), dict(each.arrays))) for each in (before, after)
    )
    for trial in trials_for(before.graph, before.domain):
        expected, actual = old.outputs(trial.inputs), new.outputs(trial.inputs)
        for name, values in expected.items():
            if not is_finite(values):
                continue  # told of when the file is compared, with the layer that makes them
            difference = compare(values, actual[name])
            if not difference.relative <= tolerance:
                raise DiagnosticError(
                    Diagnostic(
                        "E0723",
                        f"with {item}, {before.graph.name} computes something else",
                        notes=(f"{trial.words}: output {name} differs by up to {difference}",),
                        help=f"leave the pass {item.name} out, and tell its author",
                    )
                )
