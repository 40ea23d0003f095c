"""Layers that do not fit the size of the map they work on: kernels on a single pixel, windows that leave rows out."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.lint.record import Finding, Lint
from striate.lint.sites import set_argument
from striate.lint.subject import Network, Place, Subject, Use
from striate.lint.windowed import POOLS, WINDOWED
from striate.ops.geometry import extents, row_names
from striate_dsl.diagnostics import Fix


def _on_one_pixel(network: Network, node: Node) -> bool:
    """Whether every axis along which the kernel is wider than 1 has one pixel, so that all else is padding."""
    sizes = network.input_shape(node)[1:]
    wide = [axis for axis, kernel in enumerate(node.attributes["kernel"]) if kernel > 1]
    return bool(wide) and all(sizes[axis] == 1 for axis in wide)


def _too_small_too_early(subject: Subject) -> Iterator[Finding]:
    seen = set()
    for network in subject.networks:
        behind: set[str] = set()
        for node in network.graph.nodes:
            if any(name in behind for name in node.inputs):
                behind.add(node.outputs[0].name)
                continue
            if node.op not in WINDOWED or not _on_one_pixel(network, node):
                continue
            behind.add(node.outputs[0].name)
            span = node.origin.span
            if span.source is subject.file.span.source and span not in seen:
                seen.add(span)
                yield _small(Use(network, node))


def _small(use: Use) -> Finding:
    kernel = " x ".join(map(str, use.node.attributes["kernel"]))
    sizes = use.network.input_shape(use.node)[1:]
    size = " x ".join(map(str, sizes))
    return Finding(
        use.node.origin.span,
        f"the map is down to {size} here: {_what_entries_meet(use.node, kernel, line=any(n != 1 for n in sizes))}",
        notes=use.notes,
        help="take out a stride or pooling layer before, use a larger input, or a kernel of 1",
    )


def _what_entries_meet(node: Node, kernel: str, *, line: bool) -> str:
    """Return what the entries of a kernel meet where there is one pixel along the axes on which it is wider."""
    if node.attributes.get("fill") in ("replicate", "circular"):
        entries = "every row or column of entries" if line else "every entry"
        return f"{entries} of the {kernel} kernel meets the same {'pixels' if line else 'pixel'}"
    if line:
        return f"of the {kernel} kernel only one row or column of entries meets a pixel, the rest meets padding"
    return f"of the {kernel} kernel one entry meets a pixel, the rest meets padding"


def _dropped(use: Use) -> tuple[int, int] | None:
    """Return the axis along which a pooling layer leaves rows out, and how many; None where it does not."""
    attributes = use.node.attributes
    if attributes["pad"] == "same" or attributes["ceil"]:
        return None
    for axis, _ in enumerate(attributes["kernel"]):
        size, out = use.network.input_shape(use.node)[1 + axis], use.node.outputs[0].type.shape[1 + axis]
        if not isinstance(size, int) or not isinstance(out, int):
            continue
        reached = (out - 1) * attributes["stride"][axis] + extents(attributes)[axis] - attributes["pad"][2 * axis]
        if reached < size:
            return axis, size - reached
    return None


def _rows_left_out(subject: Subject) -> Iterator[Finding]:
    for place in subject.places(*POOLS):
        use, dropped = next(((use, found) for use in place.uses if (found := _dropped(use))), (None, None))
        if use is None or dropped is None:
            continue
        axis, rows = dropped
        sizes = use.network.input_shape(use.node)[1:]
        whole = " x ".join(map(str, sizes))
        what = row_names(len(sizes))[axis] + ("s" if rows > 1 else "")
        yield Finding(
            place.span,
            f"the last {f'{rows} ' if rows > 1 else ''}{what} of {whole} {'are' if rows > 1 else 'is'} in no window",
            notes=use.notes,
            help="write ceil = true, or choose sizes that the stride divides",
            fix=_rounded_up(subject, place),
        )


def _rounded_up(subject: Subject, place: Place) -> Fix | None:
    site = subject.sites.find(place.span, place.op)
    edit = set_argument(site.call, "ceil", "true") if site else None
    return Fix("ceil = true", (edit,), "unsafe") if edit else None


LINTS = (
    Lint(
        "W0115",
        "feature map down to 1x1 too early",
        "a kernel on a single pixel is a 1x1 kernel that stores and multiplies weights which only ever meet zeros",
        "Richter et al., Should you go deeper? Optimizing convolutional neural network architectures without training "
        "by receptive field analysis, 2021",
        _too_small_too_early,
    ),
    Lint(
        "W0116",
        "pooling that leaves rows out",
        "rows and columns at the lower and right border have no influence on what follows, and get no gradient",
        "Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 2.4",
        _rows_left_out,
    ),
)
