"""How a network is cut into kernels, and what that saves: the report of `striate compile`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.analysis.precision import PRECISIONS, Precision
from striate.dims import format_dim, is_known
from striate.fusion import MACHINES, Group, Level, Machine, Plan, Traffic, group_traffic, partition
from striate.passes import DropInferenceNoops, RemoveDeadNodes, run_passes
from striate.view.numbers import short_number
from striate.view.sizes import checked_sizes
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from striate.model import Model


@dataclass(frozen=True)
class CompileReport:
    """A network cut into groups.

    Attributes:
        name: the network's name.
        plan: the groups.
        traffic: what each group does for one image, by its name.
        machine: the processor that the groups were made for.
        precision: the numbers that values and weights are held in.
        batch: the number of images.
        sizes: the sizes that were put in for the symbols.
        layers: how many kernels run if every layer runs by itself.
    """

    name: str
    plan: Plan
    traffic: Mapping[str, Traffic]
    machine: Machine
    precision: Precision
    batch: int
    sizes: Mapping[str, int]
    layers: int

    @property
    def kernels(self) -> int:
        """How many kernels run."""
        return self.plan.kernels

    @property
    def moved(self) -> int:
        """Bytes of values to and from memory for the batch."""
        return sum(self.moved_by(group) for group in self.plan.groups)

    @property
    def alone(self) -> int:
        """The same if every layer runs by itself."""
        return sum(each.alone for each in self.traffic.values()) * self.precision.bytes * self.batch

    @property
    def weights(self) -> int:
        """Bytes of weights."""
        return sum(weight.size for weight in self.plan.graph.weights.values()) * self.precision.bytes

    @property
    def flops(self) -> int:
        """Floating-point operations for the batch."""
        return sum(each.flops for each in self.traffic.values()) * self.batch

    @property
    def seconds(self) -> float:
        """The least seconds of all kernels, one after the other; an estimate, not a measurement."""
        return sum(self.seconds_of(group) for group in self.plan.groups)

    def moved_by(self, group: Group) -> int:
        """Return the bytes of values that a group moves for the batch."""
        return self.traffic[group.name].moved * self.precision.bytes * self.batch

    def seconds_of(self, group: Group) -> float:
        """Return the least seconds of a group: its operations or its bytes, and the beginning of a kernel."""
        if group.kind in ("buffer", "view") and not self.moved_by(group):
            return 0.0
        each = self.traffic[group.name]
        memory = (self.moved_by(group) + each.weights * self.precision.bytes) / self.machine.bandwidth
        return max(each.flops * self.batch / self.machine.flops, memory) + self.machine.launch

    def columns_of(self, group: Group) -> tuple[int, int, int, float]:
        """Return bytes of a group's layers alone, bytes of the group, operations and least seconds."""
        each = self.traffic[group.name]
        alone = each.alone * self.precision.bytes * self.batch
        return alone, self.moved_by(group), each.flops * self.batch, self.seconds_of(group)

    def sentences(self) -> list[str]:
        """Return what the report comes to."""
        images = f"{self.batch} image{'s' * (self.batch != 1)}"
        at = "".join(f", {name} = {size}" for name, size in self.sizes.items())
        saved = f"{self.alone / self.moved:.2f} times less" if self.moved else "nothing"
        return [
            f"{self.name}, {images}, {self.precision.name}{at}: {self.kernels} kernels instead of {self.layers}",
            f"values moved: {short_number(self.moved, 'B')} instead of {short_number(self.alone, 'B')}, {saved}; "
            f"weights: {short_number(self.weights, 'B')}",
            f"{self.machine.name} needs at least {self.seconds * 1e3:.3g} ms for that, by an estimate that no machine "
            "has measured",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values; bytes and operations are those of the batch."""
        return {
            "model": self.name,
            "machine": self.machine.name,
            "precision": self.precision.name,
            "batch": self.batch,
            "sizes": dict(self.sizes),
            "kernels": {"layers": self.layers, "groups": self.kernels},
            "bytes": {"layers": self.alone, "groups": self.moved, "weights": self.weights},
            "flops": self.flops,
            "seconds_at_least": self.seconds,
            "groups": [self._group_to_json(group) for group in self.plan.groups],
            "slices": {name: [place.buffer, place.start] for name, place in self.plan.slices.items()},
        }

    def _group_to_json(self, group: Group) -> dict[str, Any]:
        each = self.traffic[group.name]
        return {
            "name": group.name,
            "kind": group.kind,
            "layers": [{"name": node.name, "op": node.op, "line": node.origin.span.line} for node in group.nodes],
            "reads": list(group.inputs),
            "writes": list(group.outputs),
            "bytes": {
                "layers": each.alone * self.precision.bytes * self.batch,
                "group": self.moved_by(group),
                "weights": each.weights * self.precision.bytes,
            },
            "flops": each.flops * self.batch,
            "seconds_at_least": self.seconds_of(group),
        }


def compile_report(
    model: Model,
    *,
    level: Level = "chains",
    machine: str = "h200",
    precision: str = "bf16",
    batch: int = 1,
    sizes: Mapping[str, int] | None = None,
) -> CompileReport:
    """Cut a network into groups for evaluation.

    Args:
        model: the network.
        level: how far layers are united.
        machine: the processor, one of `striate.fusion.MACHINES`.
        precision: what values and weights are held in: `fp32`, `fp16`, `bf16` or `int8`.
        batch: the number of images.
        sizes: sizes for the symbols of the network's inputs, all of them.

    Raises:
        DiagnosticError: the network has open sizes, or does not take those given.
    """
    given = checked_sizes(model.domain, sizes or {})
    lookup = model.catalogue.lookup
    graph = run_passes(model.graph, [DropInferenceNoops(lookup), RemoveDeadNodes()]).graph
    if not given:
        _demand_sizes(model)
    plan, single = (partition(graph, lookup, each, MACHINES[machine]) for each in (level, "layers"))
    traffic = group_traffic(plan, lookup, given)
    return CompileReport(
        model.name, plan, traffic, MACHINES[machine], PRECISIONS[precision], batch, given, single.kernels
    )


def _demand_sizes(model: Model) -> None:
    """Demand that nothing is open.

    Raises:
        DiagnosticError: E0230, it is.
    """
    shapes = [item.value.type.shape for item in model.graph.inputs]
    names = dict.fromkeys(format_dim(size) for shape in shapes for size in shape if not is_known(size))
    if names:
        written = ",".join(f"{name}=…" for name in names)
        message = f"bytes and operations of {model.name} cannot be given for open sizes"
        raise DiagnosticError(Diagnostic("E0230", message, help=f"put sizes in: --size {written}"))
