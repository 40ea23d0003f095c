"""The kinds of things that plugins provide: what manifests, hooks and messages call them, and their records' type."""

from __future__ import annotations

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
from striate.ops.record import OpRecord


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its word in the plural, as manifests and hooks have it, that in messages, the type of its records."""

    plural: str
    singular: str
    record: type

    @property
    def hook(self) -> str:
        """The hook by which plugins provide it, e.g. `striate_layers`."""
        return f"striate_{self.plural}"


KINDS = (
    Kind("layers", "layer", OpRecord),
    Kind("files", "file", FileRecord),
    Kind("heads", "task head", HeadRecord),
    Kind("tasks", "task", TaskRecord),
    Kind("data_sets", "data set", DataRecord),
    Kind("losses", "loss", LossRecord),
    Kind("optimizers", "optimizer", OptimizerRecord),
    Kind("schedules", "schedule", ScheduleRecord),
    Kind("initializers", "initialiser", InitializerRecord),
    Kind("regularizers", "regulariser", RegularizerRecord),
    Kind("augmentations", "augmentation", AugmentationRecord),
    Kind("metrics", "metric", MetricRecord),
)

PLURALS = tuple(kind.plural for kind in KINDS)
PLURAL_OF = {kind.record: kind.plural for kind in KINDS}
"""The plural word by the type of the records."""
