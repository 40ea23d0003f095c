"""The loss of a recipe: one that a plugin provides, or a weighted sum, `sum(dice, cross_entropy, weights = [1, 0.5])`.

No torch: mistakes are found before anything is loaded. `objective.py` makes a function of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.elaborate.values import CallValue
from striate.host.catalogue import HostCatalogue
from striate.host.records import Factory, LossRecord
from striate.ops.arguments import Argument, ArgumentError, Optional, Real, format_value, quote_value
from striate.train.parts import Part, Written, read_part, settle, written_arguments
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.source import Span
from striate_dsl.syntax import Expression

SUM = "sum"
"""What a recipe writes for a sum of losses."""


@dataclass(frozen=True, slots=True)
class LossTerm:
    """One loss and its factor."""

    part: Part[LossRecord]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class RecipeLoss:
    """What training makes small: the sum of terms, each with its factor. `span` is where the recipe says so."""

    terms: tuple[LossTerm, ...]
    span: Span

    @property
    def parts(self) -> tuple[Part[LossRecord], ...]:
        """The losses that plugins provide."""
        return tuple(term.part for term in self.terms)

    @property
    def own_weights(self) -> bool:
        """Whether a loss has weights of its own, which are no part of the network."""
        return any(part.record.sizes for part in self.parts)

    def __str__(self) -> str:
        if len(self.terms) == 1 and self.terms[0].weight == 1:
            return str(self.terms[0].part)
        weights = format_value([term.weight for term in self.terms])
        return f"{SUM}({', '.join(str(term.part) for term in self.terms)}, weights = {weights})"


@dataclass(frozen=True, slots=True)
class _Factors:
    """A list of numbers, one per loss."""

    def describe(self) -> str:
        return "a list with one number per loss"

    def convert(self, value: Any) -> tuple[float, ...]:
        if not isinstance(value, list | tuple):
            raise ArgumentError(f"must be {self.describe()}, not {quote_value(value)}")
        return tuple(Real().convert(item) for item in value)


_SUM_RECORD = LossRecord(
    SUM,
    "The sum of several losses, each with its weight.",
    Factory("striate.train.objective:Objective"),
    (Argument("weights", Optional(_Factors()), "The factor of each loss; none is 1 for all.", None),),
)
"""What the arguments of a sum are held to; the losses themselves stand before them."""


def read_loss(
    written: tuple[Any, Expression], further: Sequence[Written], catalogue: HostCatalogue, renamed: Mapping[str, str]
) -> RecipeLoss:
    """Resolve the loss of a recipe.

    Args:
        written: the value in the recipe and the syntax it comes from.
        further: arguments set apart from the call, by `loss.label_smoothing = …`.
        catalogue: where losses are found.
        renamed: the names that the file has for things of plugins, with their whole names.

    Raises:
        DiagnosticError: E0402 to E0405, all mistakes in the names and their arguments; E0403 too where a loss takes
            several tensors, which no recipe can give it.
    """
    value, expression = written
    if isinstance(value, CallValue) and value.name == SUM:
        return _read_sum(value, expression, further, catalogue, renamed)
    part = read_part(LossRecord, "loss", written, further, catalogue, renamed)
    if not part.record.in_recipes:
        raise DiagnosticError(_for_python(part))
    return RecipeLoss((LossTerm(part),), expression.span)


def _read_sum(
    value: CallValue,
    expression: Expression,
    further: Sequence[Written],
    catalogue: HostCatalogue,
    renamed: Mapping[str, str],
) -> RecipeLoss:
    given = written_arguments(value, expression)
    losses = [item for item in given if item.name is None]
    findings: list[Diagnostic] = []
    found: list[RecipeLoss | None] = []
    for item in losses:
        try:
            found.append(read_loss((item.value, item.expression), (), catalogue, renamed))
        except DiagnosticError as error:
            findings += error.diagnostics
    settled: dict[str, Any] = {}
    try:
        settled = settle(_SUM_RECORD, [item for item in given if item.name is not None], further, expression.span)
    except DiagnosticError as error:
        findings += error.diagnostics
    if not losses:
        findings.append(
            Diagnostic("E0404", "sum needs losses", expression.span, help="write sum(dice, cross_entropy), for example")
        )
    weights = settled.get("weights") or (1.0,) * len(losses)
    if len(weights) != len(losses):
        message = f"sum: weights has {len(weights)} entries for {len(losses)} losses"
        findings.append(Diagnostic("E0403", message, _place_of_weights(given, further, expression)))
    if findings:
        raise DiagnosticError(*findings)
    terms = [
        LossTerm(term.part, weight * term.weight)
        for loss, weight in zip(found, weights, strict=True)
        if loss is not None
        for term in loss.terms
    ]
    return RecipeLoss(tuple(terms), expression.span)


def _place_of_weights(given: Sequence[Written], further: Sequence[Written], expression: Expression) -> Span:
    named = [item for item in (*given, *further) if item.name == "weights"]
    return named[-1].expression.span if named else expression.span


def _for_python(part: Part[LossRecord]) -> Diagnostic:
    name = part.record.name
    return Diagnostic(
        "E0403",
        f"{name} takes several tensors, which a recipe cannot give it: training knows one output and one target",
        part.span,
        notes=(f"{name}: {part.record.formula}",) if part.record.formula else (),
        help=f'call it in a training loop of your own: striate.loss("{name}")',
    )
