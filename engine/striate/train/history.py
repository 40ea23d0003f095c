"""The finished epochs as a table in CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from striate.train.run_state import EpochScore


def format_history(history: Sequence[EpochScore]) -> str:
    """Return one line per epoch: epoch, rate, losses, validation metrics, seconds."""
    names = list(history[0].metrics) if history else []
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    head = ["epoch", "learning_rate", "train_loss", "validation_loss"]
    table.writerow([*head, *(f"validation_{name}" for name in names), "seconds"])
    for score in history:
        losses = [f"{score.rate:.6g}", f"{score.train_loss:.6f}", f"{score.validation_loss:.6f}"]
        table.writerow(
            [score.epoch, *losses, *(f"{score.metrics[name]:.6f}" for name in names), f"{score.seconds:.2f}"]
        )
    return stream.getvalue()
