"""Arguments in PyTorch's order, where they happen to be legal here and mean something else."""

from __future__ import annotations

from collections.abc import Iterator

from striate.elaborate.repairs.habits import in_order_of_torch, without_first
from striate.graph import Node
from striate.lint.record import Finding, Lint
from striate.lint.subject import Subject


def _in_order_of_torch(subject: Subject) -> Iterator[Finding]:
    for place in subject.places("conv", "deconv"):
        site = subject.sites.find(place.span, place.op)
        if site is None or not all(
            in_order_of_torch(site.call, place.op, use.network.graph.types[use.node.inputs[0]].channels)
            for use in place.uses
        ):
            continue
        yield Finding(
            place.span,
            f"{site.call.span.text} is a {_window(place.uses[0].node)}",
            notes=place.uses[0].notes,
            fix=without_first(site.call),
        )


def _window(node: Node) -> str:
    kernel = " x ".join(map(str, node.attributes["kernel"]))
    strides = node.attributes["stride"]
    stride = f"{strides[0]}" if len(set(strides)) == 1 else " x ".join(map(str, strides))
    return f"{kernel} kernel with stride {stride}"


LINTS = (
    Lint(
        "W0121",
        "arguments in the order of PyTorch",
        "the first number is that of the channels that flow in, which is not written here: the numbers behind it are "
        "taken for something else",
        "PyTorch, torch.nn.Conv2d(in_channels, out_channels, kernel_size)",
        _in_order_of_torch,
    ),
)
