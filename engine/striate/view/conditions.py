"""What a summary is made for: sizes, batch, precision, evaluation or training, a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from striate.analysis.devices import DEVICES, Device
from striate.analysis.precision import FP32, OPTIMIZERS, PRECISIONS, OptimizerCost, Precision
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Known = TypeVar("Known")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a summary is made for.

    Attributes:
        sizes: sizes that are put in for the symbols.
        batch: the number of images.
        precision: the numbers that values, and in evaluation weights, are held in.
        optimizer: what trains the network; None for evaluation.
        device: the device that bounds are given for; None for none.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    batch: int = 1
    precision: Precision = FP32
    optimizer: OptimizerCost | None = None
    device: Device | None = None


def conditions(
    sizes: Mapping[str, int], batch: int, precision: str, optimizer: str | None, device: str | None
) -> Conditions:
    """Return the conditions of these names.

    Raises:
        DiagnosticError: a name is not known, nothing is trained in the precision, or the device has no units for it.
    """
    number = _known("precision", precision, PRECISIONS)
    trained = None if optimizer is None else _known("optimizer", optimizer, OPTIMIZERS)
    target = None if device is None else _known("device", device, DEVICES)
    if trained is not None and not number.trains:
        names = ", ".join(each.name for each in PRECISIONS.values() if each.trains)
        raise DiagnosticError(Diagnostic("E0230", f"no network is trained in {precision}", help=f"choose {names}"))
    if target is not None and precision not in target.peak:
        help_text = f"it has units for {', '.join(target.peak)}"
        raise DiagnosticError(Diagnostic("E0230", f"{device} has no units for {precision}", help=help_text))
    return Conditions(sizes, batch, number, trained, target)


def _known(what: str, name: str, table: Mapping[str, Known]) -> Known:
    if name not in table:
        raise DiagnosticError(Diagnostic("E0230", f"there is no {what} {name}", help=f"there are {', '.join(table)}"))
    return table[name]
