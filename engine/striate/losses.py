"""Losses by name, for training loops of one's own: what a recipe cannot say, such as detectors and adversaries.

>>> import striate
>>> focal = striate.loss("focal", gamma=1.5)
>>> focal(scores, classes)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.elaborate.faults import suggestion
from striate.host.catalogue import HostCatalogue
from striate.host.loss_traits import SIZES
from striate.host.records import LossRecord
from striate.ops.arguments import ArgumentError
from striate.train.parts import listed_names  # noqa: TID253 - of this room only what needs no torch
from striate_dsl.diagnostics import Diagnostic, DiagnosticError


def loss(name: str, **arguments: Any) -> Callable[..., Any]:
    """Return a loss of an installed plugin, by the name and with the arguments that a recipe writes.

    Args:
        name: its name, with the plugin's before a dot where two plugins have one of that name.
        arguments: its arguments; a loss with weights of its own (`arcface`) takes their sizes `features` and `classes`
            too, and is a `torch.nn.Module` whose parameters are to be trained.

    Returns:
        A function that gives a scalar tensor. As a rule it takes outputs and targets; the loss's page says what, and
        `striate explain NAME` prints it.

    Raises:
        DiagnosticError: E0405, no plugin provides the loss; E0402 to E0404, an argument is unknown, wrong or missing;
            E0702, several plugins provide it.
    """
    record = _find(name)
    settled, findings = _settled(record, arguments)
    for size in record.sizes:
        value = arguments.get(size)
        if isinstance(value, int) and value > 0:
            settled[size] = value
        else:
            help_text = f'write striate.loss("{name}", {size}=…); it must be a whole number of at least 1'
            findings.append(Diagnostic("E0404", f"{name} needs {size}, a size of its own weights", help=help_text))
    if findings:
        raise DiagnosticError(*findings)
    made: Callable[..., Any] = record.factory(**settled)
    return made


def _find(name: str) -> LossRecord:
    catalogue = HostCatalogue()
    record = catalogue.find(LossRecord, name)
    if record is None:
        known = catalogue.names(LossRecord)
        where = catalogue.whereabouts("losses", name)
        raise DiagnosticError(
            Diagnostic(
                "E0405",
                f"there is no loss {name}",
                notes=(listed_names(name, known), *where.notes),
                help=where.help or suggestion(name, known),
            )
        )
    return record


def _settled(record: LossRecord, given: dict[str, Any]) -> tuple[dict[str, Any], list[Diagnostic]]:
    """Return the arguments of a loss, converted and with defaults, and what is wrong with them."""
    known = {argument.name: argument for argument in record.arguments}
    findings = [
        Diagnostic(
            "E0402",
            f"{record.name} has no argument {name}",
            notes=(f"its arguments: {', '.join(item.signature for item in record.arguments) or 'none'}",),
            help=suggestion(name, list(known)),
        )
        for name in given
        if name not in known and not (name in SIZES and name in record.sizes)
    ]
    settled: dict[str, Any] = {}
    for name, argument in known.items():
        if name not in given and argument.required:
            help_text = f"it must be {argument.kind.describe()}"
            findings.append(Diagnostic("E0404", f"{record.name} needs {name}", help=help_text))
            continue
        try:
            settled[name] = argument.kind.convert(given.get(name, argument.default))
        except ArgumentError as error:
            findings.append(Diagnostic("E0403", f"{record.name}: {name} {error}"))
    return settled, findings
