"""The lines below a summary table: every total in words, with what is counted and what is not."""

from __future__ import annotations

from textwrap import wrap

from striate.analysis.precision import FP32
from striate.analysis.roofline import Roofline
from striate.analysis.training import TrainingMemory
from striate.analysis.training_time import TrainingTime
from striate.dims import Dim
from striate.view.lines import Line, clipped
from striate.view.numbers import short_number
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
    rows += _arithmetic(totals, images)
    weights, activations = wording.memory(totals.weight_memory), wording.memory(totals.memory)
    precision = totals.conditions.precision
    if totals.conditions.optimizer is not None and precision is not FP32:
        weights += " of weights in float32"
    else:
        weights += " of weights"
    rows.append(("memory", f"{weights}, {activations} of layer outputs for {images}, in {precision.in_words}"))
    if totals.training is not None:
        rows.append(("training", _training(totals, totals.training, wording)))
    elif totals.peak_memory is not None:
        peak = wording.memory(totals.peak_memory)
        rows.append(("peak memory", f"{peak} of inputs and values at once in evaluation"))
    rows.append(("receptive field", _field(totals)))
    if totals.roofline is not None:
        rows += _bounds(totals, totals.roofline, wording)
    rows.extend(("input sizes", sentence) for sentence in totals.domain)
    if folded:
        rows.append(("n x", "alike instances in a row; numbers are for all of them, the lines below it for one"))
    return rows


def _arithmetic(totals: Totals, images: str) -> list[tuple[str, str]]:
    flops, moved = totals.flops, totals.moved
    if not isinstance(flops, int) or not isinstance(moved, int) or not moved:
        return []
    short, traffic = short_number(flops), short_number(moved, "B")
    text = f"{short} for {images}, {traffic} read and written layer by layer: {flops / moved:.1f} per byte"
    return [("FLOPs", text)]


def _training(totals: Totals, found: TrainingMemory, wording: Wording) -> str:
    assert totals.conditions.optimizer is not None, "there is no training without an optimizer"
    phase, layer = found.peak_at
    where = f"in the {phase} pass at {layer}" if layer else "while the optimizer steps"
    parts = [
        f"{wording.memory(found.weights)} of weights",
        f"{wording.memory(found.gradients)} of gradients",
        f"{wording.memory(found.state)} of the optimizer's state",
        f"{wording.memory(sum(found.kept.values()))} kept for the backward pass",
    ]
    whole = f"{wording.memory(found.peak)} at once {where}"
    return f"{whole}; {', '.join(parts)} ({totals.conditions.optimizer.name})"


def _bounds(totals: Totals, found: Roofline, wording: Wording) -> list[tuple[str, str]]:
    """Return the lines about a device; its numbers are what its maker says, and its times bounds, not measurements."""
    device = found.device
    layerwise, fused = short_number(found.seconds * 1e3), short_number(found.fused * 1e3)
    pass_ = "a forward pass" if totals.conditions.optimizer is not None else "an evaluation"
    rows = [("device", f"{device.title}, by {device.source}")]
    rows.append(
        (
            "lower bound",
            f"{layerwise} ms for {pass_} layer by layer, {fused} ms however layers are fused; bounds, not measurements",
        )
    )
    shares = (
        f"{found.count(limit)} layers by {limit} ({100 * found.share(limit):.0f} % of the time)"
        for limit in ("bandwidth", "arithmetic")
    )
    rows.append(("bound", f"{', '.join(shares)}; equal at {found.ridge:.0f} FLOPs per byte"))
    if totals.training_time is not None:
        rows.append(("training step", _step(totals.training_time)))
    if totals.largest_batch is not None:
        needed = wording.memory(totals.needed_memory or 0)
        fitting = f"a batch of {totals.largest_batch} does" if totals.largest_batch else "nor does a single image"
        rows.append(("does not fit", f"needs {needed}, {device.name} has {wording.memory(device.memory)}; {fitting}"))
    return rows


def _step(found: TrainingTime) -> str:
    backward = sum(bound.seconds for bound in found.backward.values())
    times = (found.seconds, found.forward, backward, found.update, found.fused)
    whole, *parts, fused = (f"{short_number(seconds * 1e3)} ms" for seconds in times)
    passes = ", ".join(f"{time} {name}" for time, name in zip(parts, ("forward", "backward", "update"), strict=True))
    return f"{whole} at least layer by layer ({passes}), {fused} however layers are fused"


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
