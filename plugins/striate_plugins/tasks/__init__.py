"""Tasks: how the outputs of a network become answers."""

from striate.plugin import Factory, TaskRecord

TASKS = (
    TaskRecord(
        "classification",
        "One class per image.",
        Factory("striate_plugins.tasks.classification:decode"),
        ("confusion",),
    ),
    TaskRecord(
        "segmentation", "One class per pixel.", Factory("striate_plugins.tasks.segmentation:decode"), ("confusion",)
    ),
)
