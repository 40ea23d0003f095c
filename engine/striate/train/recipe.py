"""The `train` section as a frozen, fully checked recipe. No torch: mistakes are found before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.elaborate.faults import Fault, meant, renaming, suggestion
from striate.elaborate.linked import renamed_in
from striate.elaborate.repairs.values import repairs_of_value
from striate.elaborate.settings import RecipeEnvironment, key_span, placed_settings
from striate.host.catalogue import HostCatalogue, NameClashError
from striate.host.records import (
    AugmentationRecord,
    DataRecord,
    InitializerRecord,
    LossRecord,
    MetricRecord,
    OptimizerRecord,
    RegularizerRecord,
    ScheduleRecord,
)
from striate.host.training_records import AverageRecord, WrapperRecord
from striate.ops.arguments import Argument, ArgumentError, Integer, OneOf, Optional, Pair, Real, format_value
from striate.train.groups import GROUP, GROUPS, NO_DECAY, WeightGroup
from striate.train.loss_terms import RecipeLoss, read_loss
from striate.train.parts import Part, Record, Written, read_call, read_part
from striate.train.sections import recipe_name, train_sections
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.limits import FINDINGS
from striate_dsl.source import Span
from striate_dsl.syntax import CallExpression, Expression, File, ListLiteral, Name, Section, Setting

LISTS = ("wrap", "init", "augment", "regularize", "metrics")
"""The settings that take several parts."""

PARTS = ("data", "loss", "optimizer", "schedule", "average", *LISTS)
"""The settings that plugins provide the values of."""

SCALARS = (
    Argument("epochs", Integer(), "How often the training images are gone through."),
    Argument("batch", Integer(), "Images per step.", 32),
    Argument("seed", Integer(0), "Where weights, order of the images and dropout start from.", 0),
    Argument("patience", Optional(Integer()), "Stop after so many epochs without a better score.", None),
    Argument("clip_norm", Optional(Real(1e-6)), "Scale gradients down to this Euclidean norm.", None),
    Argument("clip_value", Optional(Real(1e-6)), "Bound every entry of the gradients by this, before clip_norm.", None),
    Argument("accumulate", Optional(Integer()), "Batches per step: it takes the mean of their gradients.", None),
    Argument("no_decay", Optional(OneOf((NO_DECAY,))), "Weights without weight decay.", None),
    Argument("precision", OneOf(("float32", "bfloat16")), "Numbers in which forward and backward run.", "float32"),
    Argument("size", Optional(Pair()), "Height and width of the images, where the model leaves them open.", None),
)
"""The settings with a value of their own."""

_USUAL = {"loss": "cross_entropy", "optimizer": "adam"}
"""What a message proposes where a part is missing, if it is installed."""

KEYS = (*PARTS, GROUPS.name, *(argument.name for argument in SCALARS))


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        model: the model's name.
        name: the recipe's own name, `default` where it has none.
        data, loss, optimizer, schedule, metrics: what plugins provide; without a schedule the rate stays as it is.
        wrap: what works around the optimizer, from the inside out.
        average: the average of the weights that is measured and saved instead of them, or None.
        groups: weights that are trained otherwise than the rest; the first that holds a weight counts.
        init: how weights start; the last one that means a weight decides, and the layer where none does.
        augment: what happens to training images, in this order.
        regularize: what keeps weights small or in order.
        epochs, batch, seed: numbers that every run has.
        patience: epochs without a better score after which training stops, or None.
        clip_norm: the Euclidean norm to which gradients are scaled down, or None.
        clip_value: the bound of every entry of the gradients, or None.
        accumulate: batches per step, or None for one.
        no_decay: `biases_and_norms` if these have no weight decay, or None.
        precision: `float32`, or `bfloat16` for products and convolutions with weights kept in float32.
        size: height and width of the images, where the recipe says so.
        span: the section.
    """

    model: str
    name: str
    data: Part[DataRecord]
    loss: RecipeLoss
    optimizer: Part[OptimizerRecord]
    wrap: tuple[Part[WrapperRecord], ...]
    schedule: Part[ScheduleRecord] | None
    average: Part[AverageRecord] | None
    metrics: tuple[Part[MetricRecord], ...]
    groups: tuple[WeightGroup, ...]
    epochs: int
    batch: int
    seed: int
    patience: int | None
    clip_norm: float | None
    clip_value: float | None
    accumulate: int | None
    no_decay: str | None
    precision: str
    size: tuple[int, int] | None
    span: Span
    init: tuple[Part[InitializerRecord], ...] = ()
    augment: tuple[Part[AugmentationRecord], ...] = ()
    regularize: tuple[Part[RegularizerRecord], ...] = ()

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        """All parts that plugins provide."""
        perhaps = (self.schedule, self.average)
        given = tuple(part for part in perhaps if part is not None)
        lists = (part for key in LISTS for part in getattr(self, key))
        return (self.data, *self.loss.parts, self.optimizer, *given, *lists)

    @property
    def step_images(self) -> int:
        """Images per step."""
        return self.batch * (self.accumulate or 1)

    def settings(self) -> dict[str, str]:
        """Return all settings as the language writes them; two recipes with equal settings do the same."""
        written = {"data": str(self.data), "loss": str(self.loss), "optimizer": str(self.optimizer)}
        if self.schedule is not None:
            written["schedule"] = str(self.schedule)
        if self.average is not None:
            written["average"] = str(self.average)
        for key in LISTS:
            parts = getattr(self, key)
            if parts or key == "metrics":  # without the others, a recipe is what it was before there were any
                written[key] = _listed(parts)
        if self.groups:
            written[GROUPS.name] = _listed(self.groups)
        for argument in SCALARS:
            value = getattr(self, argument.name)
            if value is not None:
                written[argument.name] = value if isinstance(value, str) else format_value(value)
        return written


def read_recipe(
    file: File, section: Section, model: str, catalogue: HostCatalogue, overrides: tuple[Setting, ...] = ()
) -> Recipe:
    """Read and check a recipe.

    Args:
        file: the file that it is in, which may have names of its own for things of plugins.
        section: the `train` section.
        model: the model that is trained.
        catalogue: where data sets, losses and so on are found.
        overrides: settings from outside, which win over those in the section.

    Raises:
        DiagnosticError: everything that is wrong with it, E0401 to E0405.
    """
    try:
        entries = dict(placed_settings(section.settings, RecipeEnvironment()))
        for key, entry in placed_settings(overrides, RecipeEnvironment()).items():
            entries = {old: value for old, value in entries.items() if not old.startswith(f"{key}.")}
            entries[key] = entry
    except Fault as error:
        raise DiagnosticError(error.diagnostic) from None
    return _Reader(section, model, catalogue, entries, renamed_in(file)).read()


def check_recipes(file: File, catalogue: HostCatalogue, overrides: tuple[Setting, ...] = ()) -> list[Diagnostic]:
    """Return what is wrong with the recipes of a file, with overrides for all of them."""
    findings: list[Diagnostic] = []
    for section in train_sections(file):
        try:
            read_recipe(file, section, section.name.text if section.name else "", catalogue, overrides)
        except DiagnosticError as error:
            findings += error.diagnostics
    return findings


class _Reader:
    """Reads one section and collects its mistakes."""

    def __init__(
        self,
        section: Section,
        model: str,
        catalogue: HostCatalogue,
        entries: Mapping[str, tuple[Any, Setting]],
        renamed: Mapping[str, str],
    ) -> None:
        self.section, self.model, self.catalogue, self.entries = section, model, catalogue, entries
        self.renamed = renamed
        self.findings: list[Diagnostic] = []
        self.meant: set[str] = set()
        """The settings that were meant by unknown ones: they are not missing."""

    def read(self) -> Recipe:
        self._check_keys()
        data = self._required("data", DataRecord, "data set")
        loss = self._loss()
        optimizer = self._required("optimizer", OptimizerRecord, "optimizer")
        wrap = self._list("wrap", WrapperRecord, "wrapper of optimizers")
        schedule = self._part("schedule", ScheduleRecord, "schedule")
        average = self._part("average", AverageRecord, "average of weights")
        init = self._list("init", InitializerRecord, "initialiser")
        augment = self._list("augment", AugmentationRecord, "augmentation")
        regularize = self._list("regularize", RegularizerRecord, "regulariser")
        metrics = self._list("metrics", MetricRecord, "metric")
        groups = self._groups()
        scalars = {argument.name: self._scalar(argument) for argument in SCALARS}
        if optimizer is not None and "weight_decay" not in optimizer.arguments:
            self._check_no_decay(optimizer, groups)
        if self.findings:
            raise DiagnosticError(*self.findings)
        if data is None or loss is None or optimizer is None:
            raise RuntimeError("a required part is missing without a finding")
        name = recipe_name(self.section)
        return Recipe(
            self.model,
            name,
            data,
            loss,
            optimizer,
            wrap,
            schedule,
            average,
            metrics,
            groups,
            **scalars,
            span=self.section.span,
            init=init,
            augment=augment,
            regularize=regularize,
        )

    def _check_keys(self) -> None:
        for key, (_, setting) in self.entries.items():
            first, dot, _ = key.partition(".")
            if first in KEYS and not (dot and (first not in PARTS or first in LISTS or first not in self.entries)):
                continue
            if len(self.findings) >= FINDINGS.value:
                break
            near = suggestion(key, KEYS)
            self.findings.append(
                Diagnostic(
                    "E0402",
                    f"a recipe has no setting {key}",
                    key_span(setting),
                    notes=(f"settings of a recipe: {', '.join(KEYS)}",),
                    help=near or self._place_of(key),
                    fixes=renaming(key, KEYS, key_span(setting)),
                )
            )
            self.meant.update(name for name in KEYS if near and name == meant(key, KEYS))

    def _place_of(self, key: str) -> str | None:
        """Say where a setting belongs that is an argument of the optimizer or of another part."""
        kinds: dict[str, type[OptimizerRecord | ScheduleRecord | AverageRecord | LossRecord]] = {
            "optimizer": OptimizerRecord,
            "schedule": ScheduleRecord,
            "average": AverageRecord,
            "loss": LossRecord,
        }
        for part, kind in kinds.items():
            name = _called(self.entries[part][1]) if part in self.entries else None
            record = self._unchecked(kind, name) if name else None
            if record is not None and key in {argument.name for argument in record.arguments}:
                return f"{key} is an argument of the {part}: {part} = {name}({key} = …)"
        return None

    def _unchecked(self, kind: type[Record], name: str) -> Record | None:
        """Return the record that a part names; None also where several may be meant, which reading the part tells."""
        try:
            return self.catalogue.find(kind, self.renamed.get(name, name))
        except NameClashError:
            return None

    def _required(self, key: str, kind: type[Record], what: str) -> Part[Record] | None:
        self._demand(key, kind)
        return self._part(key, kind, what)

    def _demand(self, key: str, kind: type) -> None:
        if key not in self.entries and key not in self.meant:
            known = self.catalogue.names(kind)
            usual = [name for name in known if name == _USUAL.get(key)] or known[:1]
            self.findings.append(self._missing(key, f"for example {key} = {usual[0]}" if usual else None))

    def _loss(self) -> RecipeLoss | None:
        self._demand("loss", LossRecord)
        if "loss" not in self.entries:
            return None
        value, setting = self.entries["loss"]
        try:
            return read_loss((value, _value(setting)), self._further("loss"), self.catalogue, self.renamed)
        except DiagnosticError as error:
            self.findings += error.diagnostics
            return None

    def _part(self, key: str, kind: type[Record], what: str) -> Part[Record] | None:
        if key not in self.entries:
            return None
        value, setting = self.entries[key]
        return self._read(kind, what, (value, _value(setting)), self._further(key))

    def _further(self, key: str) -> list[Written]:
        """Return the arguments of a part that are set apart from it, by `optimizer.lr = …`."""
        return [
            Written(name.partition(".")[2], item, key_span(place), _value(place))
            for name, (item, place) in self.entries.items()
            if name.startswith(f"{key}.")
        ]

    def _list(self, key: str, kind: type[Record], what: str) -> tuple[Part[Record], ...]:
        """Read a setting that takes several parts, in brackets, or one without them."""
        found = [self._read(kind, what, pair, ()) for pair in self._entries(key)]
        return tuple(part for part in found if part is not None)

    def _groups(self) -> tuple[WeightGroup, ...]:
        found = []
        for value, expression in self._entries(GROUPS.name):
            try:
                found.append(WeightGroup(**read_call(GROUP, (value, expression)), span=expression.span))
            except DiagnosticError as error:
                self.findings += error.diagnostics
        return tuple(found)

    def _entries(self, key: str) -> list[tuple[Any, Expression]]:
        """Return the entries of a setting that is a list, or the one thing that it is otherwise."""
        if key not in self.entries:
            return []
        value, setting = self.entries[key]
        expression = _value(setting)
        if isinstance(value, list) and isinstance(expression, ListLiteral):
            return list(zip(value, expression.items, strict=True))
        return [(value, expression)]

    def _check_no_decay(self, optimizer: Part[OptimizerRecord], groups: tuple[WeightGroup, ...]) -> None:
        """Say so where a recipe speaks of the weight decay of an optimizer that has none."""
        places = [group.span for group in groups if group.weight_decay is not None]
        places += [key_span(self.entries["no_decay"][1])] if "no_decay" in self.entries else []
        for place in places:
            message = f"{optimizer.record.name} has no weight decay"
            self.findings.append(Diagnostic("E0403", message, place, help="leave it out, or take another optimizer"))

    def _read(
        self, kind: type[Record], what: str, written: tuple[Any, Expression], further: Sequence[Written]
    ) -> Part[Record] | None:
        try:
            return read_part(kind, what, written, further, self.catalogue, self.renamed)
        except DiagnosticError as error:
            self.findings += error.diagnostics
            return None

    def _scalar(self, argument: Argument) -> Any:
        key = argument.name
        if key not in self.entries:
            if argument.required and key not in self.meant:
                self.findings.append(self._missing(key, f"for example {key} = 10"))
            return None if argument.required else argument.default
        value, setting = self.entries[key]
        try:
            return argument.kind.convert(value)
        except ArgumentError as error:
            fixes = repairs_of_value(argument, value, _value(setting))
            help = fixes[0].title if fixes else None
            self.findings.append(Diagnostic("E0403", f"{key} {error}", _value(setting).span, help=help, fixes=fixes))
            return None

    def _missing(self, key: str, help_text: str | None) -> Diagnostic:
        place = self.section.name.span if self.section.name else self.section.span
        return Diagnostic("E0404", f"the recipe does not say its {key}", place, help=help_text)


def _listed(items: Sequence[object]) -> str:
    return f"[{', '.join(map(str, items))}]"


def _called(setting: Setting) -> str | None:
    """Return the name of the part that a setting names, if it is a name or a call of one."""
    value = setting.value.function if isinstance(setting.value, CallExpression) else setting.value
    return value.text if isinstance(value, Name) else None


def _value(setting: Setting) -> Expression:
    if setting.value is None:
        raise RuntimeError("placed settings have values")
    return setting.value
