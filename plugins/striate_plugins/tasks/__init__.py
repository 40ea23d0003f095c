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
    TaskRecord(
        "embedding",
        "One vector per image; scored by the class of the nearest other image.",
        Factory("striate_plugins.tasks.embedding:decode"),
        ("confusion",),
    ),
    TaskRecord(
        "reconstruction",
        "The image itself, for a network whose output has the size of its input.",
        Factory("striate_plugins.tasks.reconstruction:decode"),
    ),
)
