"""The kinds of things that plugins provide: what manifests, hooks and messages call them, and their records' type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
    TORCH,
    BackendRecord,
    CommandRecord,
    ExplainerRecord,
    ExporterRecord,
    ImporterRecord,
    PassRecord,
)
from striate.ops.record import OpRecord


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of things.

    Attributes:
        plural: its word in the plural, as manifests and hooks have it.
        singular: its word in messages.
        record: the type of its records.
        reserved: names that striate itself has, and that no plugin may give to another thing of this kind.
    """

    plural: str
    singular: str
    record: type
    reserved: frozenset[str] = frozenset()

    @property
    def hook(self) -> str:
        """The hook by which plugins provide it, e.g. `striate_layers`."""
        return f"striate_{self.plural}"


COMMANDS = frozenset(
    {
        "attribute",
        "check",
        "compile",
        "diff",
        "eval",
        "expand",
        "explain",
        "export",
        "fmt",
        "import",
        "lsp",
        "plugins",
        "predict",
        "search",
        "summary",
        "train",
    }
)
"""The commands of striate itself, which the command line lists with the modules that they are in."""

KINDS = (
    Kind("layers", "layer", OpRecord),
    Kind("files", "file", FileRecord),
    Kind("heads", "task head", HeadRecord),
    Kind("tasks", "task", TaskRecord),
    Kind("data_sets", "data set", DataRecord),
    Kind("losses", "loss", LossRecord),
    Kind("optimizers", "optimizer", OptimizerRecord),
    Kind("wrappers", "wrapper of optimizers", WrapperRecord),
    Kind("schedules", "schedule", ScheduleRecord),
    Kind("averages", "average of weights", AverageRecord),
    Kind("initializers", "initialiser", InitializerRecord),
    Kind("regularizers", "regulariser", RegularizerRecord),
    Kind("augmentations", "augmentation", AugmentationRecord),
    Kind("metrics", "metric", MetricRecord),
    Kind("passes", "pass", PassRecord),
    Kind("backends", "back end", BackendRecord, frozenset({TORCH})),
    Kind("exporters", "exporter", ExporterRecord, frozenset({"onnx", "openvino", "pt2", "torchscript"})),
    Kind("importers", "importer", ImporterRecord),
    Kind("explainers", "explainer", ExplainerRecord),
    Kind("commands", "command", CommandRecord, COMMANDS),
)

PLURALS = tuple(kind.plural for kind in KINDS)
PLURAL_OF = {kind.record: kind.plural for kind in KINDS}
"""The plural word by the type of the records."""

KIND_OF = {kind.record: kind for kind in KINDS}
"""The kind by the type of the records."""


def reserved_name(provides: Mapping[str, Iterable[str]]) -> str | None:
    """Return what is wrong with names by kind where one is a name of striate itself, as a sentence; None otherwise."""
    for kind in KINDS:
        for name in provides.get(kind.plural, ()):
            if name in kind.reserved:
                return f"it provides the {kind.singular} {name}, and striate itself has one of that name"
    return None
