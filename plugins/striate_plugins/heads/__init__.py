"""Task heads: the last layers of a network as a block in the language, with the task that reads their output."""

from importlib.resources import files

from striate.plugin import HeadRecord


def _head(name: str, summary: str, task: str) -> HeadRecord:
    block = (files(__name__) / f"{name}.cnn").read_text(encoding="utf-8")
    return HeadRecord(name, summary, block, f"striate_plugins/heads/{name}.cnn", ("logits",), task)


HEADS = (
    _head("classification", "One class per image, from the mean of every channel.", "classification"),
    _head("segmentation", "One class per pixel.", "segmentation"),
)
