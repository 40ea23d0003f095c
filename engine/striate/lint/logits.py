"""What stands between the last weights and a loss that works on scores: probabilities made twice, scores cut off."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.lint.record import Finding, Lint
from striate.lint.sites import remove_step
from striate.lint.subject import Loss, Network, Subject, Use
from striate.ops.record import Role
from striate_dsl.diagnostics import Fix, Label


def _passes_on(network: Network, node: Node) -> bool:
    return node.op == "flatten" or network.record(node).inference == "same"


def _last_function(network: Network) -> Node | None:
    """Return the node that gives the one output its values; layers that only pass entries on are passed over."""
    if len(network.outputs) != 1:
        return None
    (value,) = network.outputs
    node = network.producers.get(value)
    while node is not None and _passes_on(network, node):
        node = network.producers.get(node.inputs[0])
    return node


def _last_before_loss(subject: Subject, role: Role) -> Iterator[tuple[Node, Use, Loss]]:
    """Yield the last layers that have this role and are read by a loss that applies a function itself."""
    seen = set()
    for network in subject.networks:
        node = _last_function(network)
        if node is None or network.record(node).role != role or node.origin.span.source is not subject.file.span.source:
            continue
        for loss in network.losses:
            if loss.applies and node.origin.span not in seen:
                seen.add(node.origin.span)
                yield node, Use(network, node), loss


def _removed(subject: Subject, node: Node) -> Fix | None:
    site = subject.sites.find(node.origin.span, node.op)
    edit = remove_step(site) if site else None
    return Fix(f"remove {node.op}", (edit,), "unsafe") if edit else None


def _applied_twice(subject: Subject) -> Iterator[Finding]:
    for node, use, loss in _last_before_loss(subject, "probabilities"):
        yield Finding(
            node.origin.span,
            f"{loss.name} applies {loss.applies} itself, so {node.op} must not come before it",
            labels=(Label(loss.span, f"this loss takes scores, not what {node.op} gives"),),
            notes=use.notes,
            help=f"remove {node.op}: prediction applies it where probabilities are wanted",
            fix=_removed(subject, node),
        )


def _scores_cut(subject: Subject) -> Iterator[Finding]:
    for node, use, loss in _last_before_loss(subject, "activation"):
        yield Finding(
            node.origin.span,
            f"{node.op} behind the last weights bounds the scores that {loss.name} reads",
            labels=(Label(loss.span, "this loss takes scores from minus to plus infinity"),),
            notes=use.notes,
            help=f"remove {node.op}",
            fix=_removed(subject, node),
        )


LINTS = (
    Lint(
        "W0103",
        "softmax or sigmoid before a loss that applies it",
        "a softmax of a softmax gives every class almost the same probability: gradients are small and the loss "
        "cannot come near 0",
        "Goodfellow, Bengio and Courville, Deep learning, 2016, section 6.2.2.3",
        _applied_twice,
    ),
    Lint(
        "W0117",
        "activation after the logits",
        "scores that cannot be negative, or not large, keep the probabilities away from 0 and 1, and where an "
        "activation is flat no gradient comes back",
        "Goodfellow, Bengio and Courville, Deep learning, 2016, section 6.2.2",
        _scores_cut,
    ),
)
