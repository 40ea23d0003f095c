"""The lines below a summary table: every total in words, with what is counted and what is not."""

from __future__ import annotations

from textwrap import wrap

from striate.dims import Dim
from striate.view.lines import Line, clipped
from striate.view.rows import Totals
from striate.view.wording import Wording, extent_text

_LABELS = 17
"""Columns of the labels, blanks behind them included."""


def totals_lines(totals: Totals, wording: Wording, width: int, *, folded: bool) -> list[Line]:
    """Return the totals as lines of at most `width` columns."""
    rows = totals_texts(totals, wording, folded=folded)
    lines: list[Line] = []
    for label, text in rows:
        pieces = wrap(text, max(width - _LABELS, 12), break_on_hyphens=False)
        for index, piece in enumerate(pieces):
            lines.append([((label if index == 0 else "").ljust(_LABELS), "bold"), (piece, "")])
    return [clipped(line, width) for line in lines]


def totals_texts(totals: Totals, wording: Wording, *, folded: bool) -> list[tuple[str, str]]:
    """Return label and text of every total; `folded` adds what `3 x` means in the table above."""
    images = "one image" if totals.batch == 1 else f"a batch of {totals.batch}"
    rows = [("parameters", f"{totals.parameters:,}, all trainable")]
    if totals.trainable != totals.parameters:
        rows = [("parameters", f"{totals.parameters:,}, of which {totals.trainable:,} trainable")]
    if totals.statistics:
        text = "running means and variances, not counted as parameters (torch does the same, Keras counts them)"
        rows.append(("statistics", f"{totals.statistics:,} {text}"))
    rows.append(("MACs", f"{_count(totals.macs, wording)} for {images}"))
    weights, activations = wording.memory(totals.weight_memory), wording.memory(totals.memory)
    rows.append(("memory", f"{weights} of weights, {activations} of layer outputs for {images}, in float32"))
    if totals.peak_memory is not None:
        peak = wording.memory(totals.peak_memory)
        rows.append(("peak memory", f"{peak} of inputs and values at once in evaluation"))
    rows.append(("receptive field", _field(totals)))
    rows.extend(("input sizes", sentence) for sentence in totals.domain)
    if folded:
        rows.append(("n x", "alike instances in a row; numbers are for all of them, the lines below it for one"))
    return rows


def _count(count: Dim, wording: Wording) -> str:
    text = wording.count(count, full=True)
    is_long = isinstance(count, int) and count >= 1_000_000
    return f"{text} ({wording.count(count, full=False)})" if is_long else text


def _field(totals: Totals) -> str:
    if totals.receptive_field != "all":
        return f"{extent_text(totals.receptive_field, spaced=True)} pixels of the input"
    if totals.local_field is None:
        return "the whole input"
    extent, layer = totals.local_field
    return f"the whole input; {extent_text(extent, spaced=True)} pixels at {layer}, the last layer that sees less"
