"""What the sections of a file may hold, documented: for editors. The rules are those of recipe and contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from striate.elaborate.contract import contract_entries
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
from striate.ops.arguments import Argument

PartRecord = type[
    DataRecord
    | LossRecord
    | OptimizerRecord
    | WrapperRecord
    | ScheduleRecord
    | AverageRecord
    | InitializerRecord
    | AugmentationRecord
    | RegularizerRecord
    | MetricRecord
]


@dataclass(frozen=True, slots=True)
class Part:
    """A setting whose value a plugin provides: its key, what it is, the kind of its records, whether it is a list."""

    name: str
    summary: str
    record: PartRecord
    is_list: bool = False


PARTS = (
    Part("data", "The images and their classes.", DataRecord),
    Part("loss", "What training makes small.", LossRecord),
    Part("optimizer", "How the weights follow the gradients.", OptimizerRecord),
    Part("wrap", "What works around the optimizer, from the inside out.", WrapperRecord, is_list=True),
    Part("schedule", "How the learning rate changes over the epochs; without one it stays.", ScheduleRecord),
    Part("average", "The average of the weights that is measured and saved instead of them.", AverageRecord),
    Part(
        "init",
        "How weights start; the last one that means a weight decides, and the layer where none does.",
        InitializerRecord,
        is_list=True,
    ),
    Part("augment", "What happens to the training images, in this order.", AugmentationRecord, is_list=True),
    Part("regularize", "What keeps the weights small or in order.", RegularizerRecord, is_list=True),
    Part(
        "metrics",
        "What is measured on held-out images; the first one says which epoch is best.",
        MetricRecord,
        is_list=True,
    ),
)
"""The settings of a recipe that plugins provide the values of."""

_TITLES = {
    "train": "a recipe for training",
    "export": "the contract of an ONNX file",
    "input": "how image files become numbers",
    "profile": "overrides, taken with `--profile`",
    "search": "settings that may change, with the values to try",
}


def parts_of(section: str) -> Mapping[str, Part]:
    """Return the settings of a kind of section that plugins provide the values of, by key."""
    return {part.name: part for part in PARTS} if section == "train" else {}


def scalars_of(section: str) -> Mapping[str, Argument]:
    """Return the other settings of a kind of section (train, export, input), by key."""
    if section == "train":
        from striate.train.groups import GROUPS
        from striate.train.recipe import SCALARS

        return {item.name: item for item in (*SCALARS, GROUPS)}
    if section == "export":
        from striate.onnx.contract import ENTRIES

        return ENTRIES
    return {item.name: item for item in contract_entries(3)} if section == "input" else {}


def title_of(section: str) -> str:
    """Return in a few words what a kind of section is."""
    return _TITLES.get(section, "")
