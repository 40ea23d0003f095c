"""Strides that do not go with the kernel: outputs made of unequal numbers of taps, pixels that nothing looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import gcd
from typing import Any

from striate.graph import Node
from striate.lint.record import Finding, Lint
from striate.lint.sites import set_argument
from striate.lint.subject import Place, Subject
from striate.lint.windowed import WINDOWED
from striate.ops.geometry import axis_names, dilations, format_numbers, format_padding, row_names
from striate_dsl.diagnostics import Fix


def _taps(node: Node, axis: int) -> dict[int, int]:
    """Return how many positions between two strides get how many kernel entries, `{entries: positions}`.

    Entry t falls on position t * dilation mod stride: round and round on every gcd(dilation, stride)-th position.
    """
    kernel, stride = node.attributes["kernel"][axis], node.attributes["stride"][axis]
    met = stride // gcd(dilations(node.attributes)[axis], stride)
    rounds, further = divmod(kernel, met)
    found = {rounds + 1: further}
    for entries, positions in ((rounds, met - further), (0, stride - met)):
        found[entries] = found.get(entries, 0) + positions
    return {entries: positions for entries, positions in found.items() if positions}


def _axes(node: Node) -> range:
    return range(len(node.attributes["kernel"]))


def _rows(node: Node, axis: int) -> str:
    return f"{row_names(len(node.attributes['kernel']))[axis]}s"


def _checkerboard(subject: Subject) -> Iterator[Finding]:
    for place in subject.places("deconv"):
        for use in place.uses:
            axis = next((axis for axis in _axes(use.node) if len(_taps(use.node, axis)) > 1), None)
            if axis is None:
                continue
            kernel, stride = use.node.attributes["kernel"][axis], use.node.attributes["stride"][axis]
            yield Finding(
                place.span,
                f"kernel {kernel} is not divisible by stride {stride}: neighbouring output "
                f"{_rows(use.node, axis)} are made of {_counts(_taps(use.node, axis))} kernel entries",
                notes=use.notes,
                help=f"use a kernel of {_next_multiple(kernel, stride)}",
                fix=_divisible(subject, place),
            )
            break


def _counts(taps: Iterable[int]) -> str:
    few, many = min(taps), max(taps)
    return f"{few} or {many}"


def _next_multiple(kernel: int, stride: int) -> int:
    return -(-kernel // stride) * stride


def _divisible(subject: Subject, place: Place) -> Fix | None:
    """Return the repair that widens the kernel and keeps the output's size: less output padding, then more padding."""
    site = subject.sites.find(place.span, place.op)
    first = place.uses[0].node.attributes
    keys = ("kernel", "stride", "pad", "output_padding", "dilation")
    if site is None or any(use.node.attributes[key] != first[key] for use in place.uses for key in keys):
        return None
    if set(first["dilation"]) != {1}:
        return None
    edits = [set_argument(site.call, name, text) for name, text in _wider(first)]
    made = tuple(edit for edit in edits if edit is not None)
    title = ", ".join(f"{name} = {text}" for name, text in _wider(first))
    return Fix(title, made, "unsafe") if len(made) == len(edits) else None


def _wider(attributes: Any) -> list[tuple[str, str]]:
    kernel = tuple(map(_next_multiple, attributes["kernel"], attributes["stride"]))
    pads, extra = list(attributes["pad"]), list(attributes["output_padding"])
    for axis, _ in enumerate(kernel):
        added = kernel[axis] - attributes["kernel"][axis]
        less = min(extra[axis], added)
        extra[axis] -= less
        pads[2 * axis] += (added - less) // 2
        pads[2 * axis + 1] += added - less - (added - less) // 2
    changed = [("kernel", format_numbers(kernel))]
    if pads != list(attributes["pad"]):
        changed.append(("pad", format_padding(pads)))
    if extra != list(attributes["output_padding"]):
        changed.append(("output_padding", format_numbers(extra)))
    return changed


def _unseen_pixels(subject: Subject) -> Iterator[Finding]:
    """A pixel is lost only if no user of the value looks at it, so a strided shortcut beside a 3 x 3 is fine.

    Of several users that leave out the same pixels the first is named.
    """
    for place in subject.places(*WINDOWED):
        for use in place.uses:
            axis = next((axis for axis in _axes(use.node) if _skips(use.node, axis)), None)
            if axis is None:
                continue
            value = use.node.inputs[0]
            beside = use.network.users[value]
            if (
                beside[0] is not use.node
                or value in use.network.outputs
                or not all(_skips_alike(user, axis) for user in beside)
            ):
                continue
            kernel, stride = use.node.attributes["kernel"][axis], use.node.attributes["stride"][axis]
            yield Finding(
                place.span,
                f"stride {stride} is larger than the kernel {kernel}: {_share(use.node, axis)} of the input's "
                f"{_rows(use.node, axis)} are never looked at"
                if kernel < stride
                else f"with this dilation, stride {stride} never looks at {_share(use.node, axis)} of the "
                f"input's {axis_names(len(use.node.attributes['kernel']))[axis]}",
                notes=use.notes,
                help=f"use a kernel of at least {stride}, or pool before",
            )
            break


def _skips(node: Node, axis: int) -> bool:
    return 0 in _taps(node, axis)


def _skips_alike(node: Node, axis: int) -> bool:
    """Whether a node leaves out the same pixels: those between windows of one stride."""
    return node.op in WINDOWED and _skips(node, axis)


def _share(node: Node, axis: int) -> str:
    taps = _taps(node, axis)
    return f"{taps.get(0, 0)} of {sum(taps.values())}"


LINTS = (
    Lint(
        "W0104",
        "transposed kernel not divisible by stride",
        "some output pixels are sums of more kernel entries than their neighbours, which shows as a checkerboard",
        "Odena, Dumoulin and Olah, Deconvolution and checkerboard artifacts, Distill, 2016",
        _checkerboard,
    ),
    Lint(
        "W0105",
        "stride larger than kernel",
        "pixels between the windows have no influence on the result and get no gradient, and what is left is aliased",
        "Zhang, Making convolutional networks shift-invariant again, 2019",
        _unseen_pixels,
    ),
)
