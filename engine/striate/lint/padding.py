"""Padding that is not as symmetric as its name sounds: `half` of an even kernel, `same` with a stride."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.lint.record import Finding, Lint
from striate.lint.sites import argument
from striate.lint.subject import Place, Subject
from striate.lint.windowed import WINDOWED
from striate.ops.geometry import axis_names, extents
from striate_dsl.diagnostics import Edit, Fix, Severity
from striate_dsl.source import Span
from striate_dsl.syntax import Name


def _written(subject: Subject, place: Place, word: str) -> Span | None:
    """Return where a call says `pad = word`."""
    site = subject.sites.find(place.span, place.op)
    given = argument(site.call, "pad") if site else None
    named = given is not None and isinstance(given.value, Name) and given.value.text == word
    return given.value.span if given is not None and named else None


def _even_axis(node: Node) -> int | None:
    return next((axis for axis, span in enumerate(extents(node.attributes)) if span % 2 == 0), None)


def _even_half(subject: Subject) -> Iterator[Finding]:
    for place in subject.places(*WINDOWED, "deconv"):
        use = next((use for use in place.uses if _even_axis(use.node) is not None), None)
        where = _written(subject, place, "half") if use else None
        if use is None or where is None:
            continue
        axis = _even_axis(use.node) or 0
        kernel = extents(use.node.attributes)[axis]
        plain = place.op in WINDOWED and all(max(item.node.attributes["stride"]) == 1 for item in place.uses)
        yield Finding(
            where,
            f"half of an even kernel is no whole number: kernel {kernel} gets {(kernel - 1) // 2} on both sides, and "
            f"the {axis_names(len(use.node.attributes['kernel']))[axis]} changes by one",
            notes=use.notes,
            help="use an odd kernel" + (", or pad = same" if plain else ""),
            fix=Fix("pad = same", (Edit(where, "same"),), "unsafe") if plain else None,
        )


def _uneven(node: Node) -> bool:
    """Whether `same` adds more rows on one side than on the other, for the known size or for some open one."""
    padding = node.attributes["pad"]
    return padding == "same" or bool(padding[::2] != padding[1::2])


def _added(node: Node) -> str:
    return "zeros" if node.attributes.get("fill", "zeros") == "zeros" else "rows"


def _same_with_stride(subject: Subject) -> Iterator[Finding]:
    for place in subject.places(*WINDOWED):
        use = next((use for use in place.uses if max(use.node.attributes["stride"]) > 1 and _uneven(use.node)), None)
        where = _written(subject, place, "same") if use else None
        if use is None or where is None:
            continue
        yield Finding(
            where,
            f"same with stride {max(use.node.attributes['stride'])} adds {_added(use.node)} below and to the right "
            "only; torch's layers pad both sides alike",
            notes=use.notes,
            help="keep it for weights from TensorFlow; for weights from torch write pad = half with an odd kernel",
            fix=Fix("pad = half", (Edit(where, "half"),), "display"),
        )


LINTS = (
    Lint(
        "W0107",
        "even kernel with half",
        "an even kernel has no middle, so padding that is the same on both sides changes the size",
        "Wu et al., Convolution with even-sized kernels and symmetric padding, 2019",
        _even_half,
    ),
    Lint(
        "W0118",
        "same with a stride",
        "TensorFlow and torch place a strided window differently by up to half a stride, so weights trained in one "
        "give other results in the other",
        "TensorFlow documentation, tf.nn, notes on padding",
        _same_with_stride,
        severity=Severity.NOTE,
    ),
)
