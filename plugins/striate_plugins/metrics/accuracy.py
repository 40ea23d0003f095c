"""Accuracy, from torchmetrics."""

from __future__ import annotations

from torchmetrics.classification import MulticlassAccuracy


def accuracy(classes: int, top: int = 1) -> MulticlassAccuracy:
    """Return the share of images (or pixels) whose class is among the `top` highest scores.

    Raises:
        ValueError: there are fewer classes than that.
    """
    if top > classes:
        raise ValueError(f"top = {top} asks for more classes than there are ({classes})")
    return MulticlassAccuracy(num_classes=classes, top_k=top, average="micro")
