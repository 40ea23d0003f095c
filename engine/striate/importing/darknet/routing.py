"""Sections that take the outputs of other layers: route, shortcut, scale_channels and sam."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.importing.darknet.activations import activated
from striate.importing.darknet.sections import Section, misread
from striate.importing.darknet.state import State, channels_of, size_of
from striate.importing.findings import UnsupportedError
from striate.importing.network import Array, Value
from striate.ops.arguments import Choice

_RELU_SUM = 1e-4
"""What Darknet adds to a sum of weights before it divides by it."""


def route(state: State, section: Section) -> Value:
    """Read [route]: the channels of several layers in a row; with groups, of each only one of so many equal parts."""
    numbers = section.wholes("layers")
    if not numbers:
        raise misread(f"{section} names no layers", section.span, help_="write e.g. layers = -1, 61")
    groups, part = section.whole("groups", 1, 1), section.whole("group_id", 0, 0)
    if part >= groups:
        raise misread(f"group_id = {part} of {section} is not below groups = {groups}", section.place("group_id"))
    values = [state.layer(section, "layers", number) for number in numbers]
    if len({len(value.sizes) for value in values}) > 1:
        values = [state.build.image(value) for value in values]
    for value in values[1:]:
        state.same_place(values[0], value, "its layers")
    if groups > 1:
        values = [_part(state, value, groups, part) for value in values]
    return values[0] if len(values) == 1 else state.build("concat", values)


def _part(state: State, value: Value, groups: int, part: int) -> Value:
    channels = channels_of(value)
    if channels % groups:
        raise UnsupportedError(f"{channels} channels cannot be split into {groups} groups")
    width = channels // groups
    stop: dict[str, Any] = {} if part == groups - 1 else {"stop": width * (part + 1)}
    start: dict[str, Any] = {"start": width * part} if part else {}
    return state.build("slice", value, axis=Choice("channels"), **start, **stop)


def shortcut(state: State, section: Section) -> Value:
    """Read [shortcut]: what flows in plus the outputs of layers, which may be weighted.

    Of a layer with more channels the first are added; one with fewer is added to the first channels. Of a layer twice
    as large every second pixel is added.
    """
    numbers = section.wholes("from")
    if not numbers:
        raise misread(f"{section} does not say from where", section.span, help_="write e.g. from = -3")
    for key in ("alpha", "beta"):
        state.demand(section, key, 1)
    value = state.flow()
    others = [state.layer(section, "from", number) for number in numbers]
    if len({len(each.sizes) for each in (value, *others)}) > 1:
        value, others = state.build.image(value), [state.build.image(other) for other in others]
    others = [_subsampled(state, value, other) for other in others]
    value, *others = _weighted(state, section, [value, *others])
    if any(channels_of(other) < channels_of(value) for other in others):
        for other in others:
            value = _added(state, value, other)
    else:
        value = state.build("add", [value, *(_first(state, other, channels_of(value)) for other in others)])
    return activated(state.build, value, section.word("activation", "linear"), anywhere=True)


def _subsampled(state: State, value: Value, other: Value) -> Value:
    """Return every second (third, …) pixel of a layer that is so much larger, as pjreddie's Darknet adds it."""
    if value.sizes[1:] == other.sizes[1:]:
        return other
    (_, height, width), (_, above, across) = size_of(value), size_of(other)
    step = across // width
    if step < 2 or (above, across) != (step * height, step * width):
        state.same_place(value, other, "what flows in and what is added")
    for axis in ("height", "width"):
        other = state.build("slice", other, axis=Choice(axis), step=step)
    return other


def _first(state: State, value: Value, channels: int) -> Value:
    """Return the first channels of a value."""
    if channels_of(value) == channels:
        return value
    return state.build("slice", value, axis=Choice("channels"), stop=channels)


def _added(state: State, value: Value, other: Value) -> Value:
    """Return a sum in which channels that the other value does not have stay as they are."""
    few = channels_of(other)
    if few >= channels_of(value):
        return state.build("add", [value, _first(state, other, channels_of(value))])
    rest = state.build("slice", value, axis=Choice("channels"), start=few)
    return state.build("concat", [state.build("add", [_first(state, value, few), other]), rest])


def _weighted(state: State, section: Section, values: list[Value]) -> list[Value]:
    """Return the terms of a shortcut, each with its weights: one number, or one for each channel."""
    kind = section.word("weights_type", "none")
    if kind == "none":
        return values
    if kind not in ("per_feature", "per_layer", "per_channel"):
        raise UnsupportedError(f"weights_type {kind} is none of per_feature, per_channel")
    channels = channels_of(values[0]) if kind == "per_channel" else 1
    if kind == "per_channel" and (len(values[0].sizes) != 3 or any(channels_of(each) != channels for each in values)):
        raise UnsupportedError("weights for every channel need layers of equally many channels")
    shape = (len(values), channels)
    held = state.weights.begin(section, len(values) * channels)
    weights = state.weights.take(*shape) if held else np.ones(shape, dtype=np.float32)
    shares = _shares(weights.astype(np.float64), section.word("weights_normalization", "none"))
    state.notes.append(f"{section}: its weights became numbers that are no longer trained")
    if kind != "per_channel":
        return [
            state.build("scale", value, factor=float(share[0])) for value, share in zip(values, shares, strict=True)
        ]
    return [_scaled(state, value, share) for value, share in zip(values, shares, strict=True)]


def _scaled(state: State, value: Value, share: Array) -> Value:
    """Return a value with a factor for every channel: a convolution of one pixel and one channel each."""
    channels = len(share)
    kernel = share.astype(np.float32).reshape(channels, 1, 1, 1)
    weights = {"weight": kernel}
    return state.build(
        "conv", value, weights, channels=channels, kernel=1, groups=channels, bias=False, init=Choice("ones")
    )


def _shares(weights: Array, normalisation: str) -> Array:
    """Return what Darknet multiplies the terms by, terms x channels."""
    if normalisation == "none":
        return weights
    if normalisation in ("relu", "avg_relu"):
        kept = np.maximum(weights, 0)
    elif normalisation == "softmax":
        kept = np.exp(weights - weights.max(axis=0))
    else:
        raise UnsupportedError(f"weights_normalization {normalisation} is none of none, relu, softmax")
    shares: Array = kept / (kept.sum(axis=0) + _RELU_SUM)
    return shares


def scale_channels(state: State, section: Section) -> Value:
    """Read [scale_channels]: a layer's channels times what flows in, C x 1 x 1 (1 x H x W with scale_wh)."""
    gate, value = state.image(), state.build.image(_from(state, section))
    wanted = (1, *value.sizes[1:]) if section.flag("scale_wh") else (value.sizes[0], 1, 1)
    if gate.sizes != wanted:
        raise UnsupportedError("what flows in does not fit the layer that it multiplies")
    return activated(state.build, state.build("mul", [value, gate]), section.word("activation", "linear"))


def sam(state: State, section: Section) -> Value:
    """Read [sam]: a layer times what flows in, entry by entry."""
    gate, value = state.image(), state.build.image(_from(state, section))
    if gate.sizes != value.sizes:
        raise UnsupportedError("what flows in does not have the size of the layer that it multiplies")
    return activated(state.build, state.build("mul", [value, gate]), section.word("activation", "linear"))


def _from(state: State, section: Section) -> Value:
    if "from" not in section.options:
        raise misread(f"{section} does not say from where", section.span, help_="write e.g. from = -4")
    return state.layer(section, "from", section.whole("from", 0))
