"""The pages of what plugins provide for recipes, heads and `use`: written form, arguments, and what the kind adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from striate.analysis.costs import graph_macs
from striate.elaborate import elaborate, visible_models
from striate.elaborate.linked import LinkedFile
from striate.host.catalogue import HostCatalogue
from striate.host.records import (
    AugmentationRecord,
    DataRecord,
    FileRecord,
    HeadRecord,
    InitializerRecord,
    LossRecord,
    MetricRecord,
    OptimizerRecord,
    RegularizerRecord,
    ScheduleRecord,
    TaskRecord,
)
from striate.host.training_records import AverageRecord, WrapperRecord
from striate.host.work_records import (
    BEFORE_FOLDING,
    BackendRecord,
    CommandRecord,
    ExplainerRecord,
    ExporterRecord,
    ImporterRecord,
    PassRecord,
)
from striate.ops.arguments import Argument
from striate.project.linking import parse_linked
from striate.reference.arguments import argument_table
from striate.reference.loss_page import loss_parts, written_call
from striate.reference.network_table import network_table
from striate.reference.page import Code, Page, Paragraph, Part, Table
from striate.view.wording import Wording
from striate_dsl.parser import parse
from striate_dsl.source import Source
from striate_dsl.syntax import Block, Model


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of record: its name, that of several, and how a record's arguments are written in a file."""

    one: str
    several: str
    form: str


KINDS: Mapping[type, RecordKind] = {
    DataRecord: RecordKind("data set", "Data sets", "data = {}"),
    LossRecord: RecordKind("loss", "Losses", "loss = {}"),
    OptimizerRecord: RecordKind("optimizer", "Optimizers", "optimizer = {}"),
    WrapperRecord: RecordKind("wrapper of optimizers", "Wrappers of optimizers", "wrap = {}"),
    ScheduleRecord: RecordKind("schedule", "Schedules", "schedule = {}"),
    AverageRecord: RecordKind("average of weights", "Averages of weights", "average = {}"),
    InitializerRecord: RecordKind("initialiser", "Initialisers", "init = {}"),
    AugmentationRecord: RecordKind("augmentation", "Augmentations", "augment = [{}]"),
    RegularizerRecord: RecordKind("regulariser", "Regularisers", "regularize = [{}]"),
    MetricRecord: RecordKind("metric", "Metrics", "metrics = [{}]"),
    HeadRecord: RecordKind("head", "Heads", "head {}"),
    TaskRecord: RecordKind("task", "Tasks", ""),
    FileRecord: RecordKind("file", "Networks and blocks", "use {}"),
    PassRecord: RecordKind("pass", "Passes", "striate export net.cnn --pass {}"),
    BackendRecord: RecordKind("back end", "Back ends", "striate predict … --backend {}"),
    ExporterRecord: RecordKind("exporter", "Formats that are written", "striate export net.cnn --format {}"),
    ImporterRecord: RecordKind("importer", "Formats that are read", "striate import FILE --importer {}"),
    ExplainerRecord: RecordKind("explainer", "Explainers", "striate attribute … --method {}"),
    CommandRecord: RecordKind("command", "Commands", "striate {}"),
}
"""The kinds in the order of the collection's page; layers have pages of their own."""


def record_page(kind: type, record: Any, owner: str, catalogue: HostCatalogue) -> Page:
    """Return the page of a plugin's record."""
    words = KINDS[kind]
    parts: list[Part] = [Paragraph(record.summary)]
    arguments: tuple[Argument, ...] = getattr(record, "arguments", ())
    if isinstance(record, LossRecord):
        parts.append(written_call(record))
    elif words.form:
        parts.append(Code(words.form.format(record.name + _brackets(record)), "text"))
    if arguments:
        parts.append(argument_table(arguments))
    if formula := getattr(record, "formula", ""):
        parts.append(Code(formula, "text"))
    parts += _ADDED.get(kind, _nothing)(record, catalogue)
    if reference := getattr(record, "reference", ""):
        parts.append(Paragraph(f"Reference: {reference}."))
    return Page(record.name, f"{words.one}, from {owner}", tuple(parts))


def _brackets(record: Any) -> str:
    """Return the arguments of a record between brackets; those of a head are the parameters of its block."""
    if isinstance(record, HeadRecord):
        file = parse(Source(record.source, record.block)).file
        blocks = [item for item in file.definitions if isinstance(item, Block)] if file else []
        shown = [item.span.text for block in blocks for item in block.parameters]
    else:
        shown = [item.signature for item in getattr(record, "arguments", ())]
    return f"({', '.join(shown)})" if shown else ""


def _nothing(record: Any, catalogue: HostCatalogue) -> Iterator[Part]:
    yield from ()


def _of_data(record: DataRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    yield Paragraph(f"For the task {record.task}.")


def _of_loss(record: LossRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    yield from loss_parts(record)


def _of_metric(record: MetricRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    better = "Higher" if record.higher_is_better else "Lower"
    yield Paragraph(f"{better} is better{'; shown in percent' if record.percent else ''}.")
    if record.tasks:
        yield Paragraph(f"For the task {' or '.join(record.tasks)}.")
    yield from _extra(record)


def _of_regularizer(record: RegularizerRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    if not record.after_step:
        yield Paragraph("Added to the loss, a sum over all weights that it is for.")


def _of_augmentation(record: AugmentationRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    yield from _extra(record)


def _extra(record: AugmentationRecord | MetricRecord) -> Iterator[Part]:
    if record.extra:
        yield Paragraph(f"Needs {record.extra}.")


def _of_head(record: HeadRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    yield Paragraph("It stands for this block:")
    yield Code(record.block)
    outputs = "output" if len(record.outputs) == 1 else "outputs"
    yield Paragraph(f"It gives the {outputs} {', '.join(record.outputs)}, which the task {record.task} decodes.")
    yield Paragraph(f"`{record.objects} = 96` says how large the objects are that it is to find, in pixels.")


def _of_task(record: TaskRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    heads = [name for name in catalogue.head_names() if (head := catalogue.head(name)) and head.task == record.name]
    if heads:
        yield Paragraph(f"Heads of this task: {', '.join(heads)}.")
    if record.report:
        yield Paragraph(f"`train` and `eval` draw: {', '.join(record.report)}.")


def _of_file(record: FileRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    parsed = parse_linked(Source("reference.cnn", f"use {record.name}\n"), catalogue)
    if parsed.file is None:
        return
    uses = parsed.file.uses if isinstance(parsed.file, LinkedFile) else ()
    written = {item.name.text for used in uses for item in used.file.definitions if isinstance(item, Model)}
    rows, tables = [], list[Part]()
    for name in visible_models(parsed.file):
        built = elaborate(parsed.file, name, catalogue)
        if built.graph is not None:
            macs = Wording.of(built.domain).count(graph_macs(built.graph, catalogue.lookup), full=True)
            sizes = "; ".join(" x ".join(map(str, item.value.type.shape)) for item in built.graph.inputs)
            rows.append((f"`{name}`", sizes, f"{built.graph.parameters:,}", macs))
            if name in written:
                tables += [Paragraph(f"`{name}`:"), network_table(built, built.graph, catalogue.lookup)]
    if rows:
        yield Table(("model", "input", "parameters", "MACs"), tuple(rows))
        yield from tables


def _of_pass(record: PassRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    where = (
        "the layers as they are written" if record.point == BEFORE_FOLDING else "what folding has left of the layers"
    )
    yield Paragraph(f"It rewrites {where}.")


def _of_backend(record: BackendRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    share = f"{record.tolerance:g} of an output's largest entry"
    yield Paragraph(f"Before the first answer it is compared with torch, and must agree to {share}.")


def _of_exporter(record: ExporterRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    beside = f", with files beside it that end in {', '.join(record.beside)}" if record.beside else ""
    yield Paragraph(f"Its file ends in {record.suffix}{beside}.")


def _of_importer(record: ImporterRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    trust = " Such a file can run code, so it is only read with --trust." if record.runs_code else ""
    yield Paragraph(f"It reads files that end in {', '.join(record.suffixes)}.{trust}")


def _of_explainer(record: ExplainerRecord, catalogue: HostCatalogue) -> Iterator[Part]:
    against = "Entries below 0 speak against the class." if record.signed else "No entry is below 0."
    yield Paragraph(against)


_ADDED: Mapping[type, Callable[[Any, HostCatalogue], Iterator[Part]]] = {
    DataRecord: _of_data,
    LossRecord: _of_loss,
    MetricRecord: _of_metric,
    RegularizerRecord: _of_regularizer,
    AugmentationRecord: _of_augmentation,
    HeadRecord: _of_head,
    TaskRecord: _of_task,
    FileRecord: _of_file,
    PassRecord: _of_pass,
    BackendRecord: _of_backend,
    ExporterRecord: _of_exporter,
    ImporterRecord: _of_importer,
    ExplainerRecord: _of_explainer,
}
"""What a kind of record says beside its arguments."""
