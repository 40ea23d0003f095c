"""Layers that normalisation undoes or that disturb it: a bias before it, dropout before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from striate.graph import Node
from striate.lint.record import Finding, Lint
from striate.lint.sites import argument, set_argument
from striate.lint.subject import Network, Place, Subject
from striate.ops.record import OpRecord
from striate_dsl.diagnostics import Edit, Fix
from striate_dsl.source import Span
from striate_dsl.syntax import Boolean, Call, step_end

_STRENGTHS = ("rate", "std")


def _is_product(record: OpRecord) -> bool:
    return record.role == "weights"


def _disturbs(record: OpRecord) -> bool:
    return record.role == "regularisation"


def _only_feeds_norm(network: Network, node: Node) -> bool:
    value = node.outputs[0].name
    users = network.users.get(value, ())
    return bool(users) and value not in network.outputs and all(network.record(user).removes_offset for user in users)


def _bias_before_norm(subject: Subject) -> Iterator[Finding]:
    """A bias is superfluous only if that holds for every use of the place, and of the weight that uses share."""
    products = list(subject.places_of(_is_product))
    places = [place for place in products if all("bias" in use.node.weights for use in place.uses)]
    needed: dict[int, set[str]] = defaultdict(set)
    for place in products:
        for use in place.uses:
            if "bias" in use.node.weights and not _only_feeds_norm(use.network, use.node):
                needed[id(use.network)].add(use.node.weights["bias"])
    for place in places:
        if any(use.node.weights["bias"] in needed[id(use.network)] for use in place.uses):
            continue
        yield Finding(
            place.span,
            f"the bias of {place.op} is subtracted again by the {_behind(place)} behind it",
            notes=place.uses[0].notes,
            help="write bias = false",
            fix=_without_bias(subject, place),
        )


def _behind(place: Place) -> str:
    """Return the name of the layer that follows."""
    use = place.uses[0]
    return use.network.users[use.node.outputs[0].name][0].op


def _without_bias(subject: Subject, place: Place) -> Fix | None:
    site = subject.sites.find(place.span, place.op)
    edit = set_argument(site.call, "bias", "false") if site else None
    if site is None or edit is None:
        return None
    given = argument(site.call, "bias")
    plain = given is None or isinstance(given.value, Boolean)
    return Fix("bias = false", (edit,), "safe" if plain else "unsafe")


def _dropout_before_norm(subject: Subject) -> Iterator[Finding]:
    for place in subject.places_of(_disturbs):
        for use in place.uses:
            users = use.network.users.get(use.node.outputs[0].name, ())
            norms = [user for user in users if _keeps_statistics(user)]
            if norms and all(use.node.attributes.get(name, 1) > 0 for name in _STRENGTHS):
                yield Finding(
                    place.span,
                    f"{place.op} directly before {norms[0].op}, which keeps statistics",
                    notes=use.notes,
                    help=f"put {place.op} behind the last {norms[0].op}",
                    fix=None if _norm_follows(use.network, users) else _swapped(subject, place, norms[0].op),
                )
                break


def _keeps_statistics(node: Node) -> bool:
    return "running_var" in node.weights


def _norm_follows(network: Network, norms: Sequence[Node]) -> bool:
    """Whether another one comes next, so that dropout would only move from one to the other."""
    return any(_keeps_statistics(user) for norm in norms for user in network.users.get(norm.outputs[0].name, ()))


def _swapped(subject: Subject, place: Place, norm: str) -> Fix | None:
    """Return the repair that exchanges two neighbouring steps of one line."""
    site = subject.sites.find(place.span, place.op)
    if site is None or site.index + 1 >= len(site.flow.steps):
        return None
    call, behind = site.call, site.flow.steps[site.index + 1]
    if not isinstance(behind, Call) or behind.callee.span.text != norm or call.alias or behind.alias:
        return None
    source = call.span.source
    edits = (
        Edit(Span(source, call.span.start, step_end(call)), behind.span.text),
        Edit(Span(source, behind.span.start, step_end(behind)), call.span.text),
    )
    return Fix(f"{behind.span.text} -> {call.span.text}", edits, "unsafe")


LINTS = (
    Lint(
        "W0102",
        "bias before batch norm",
        "batch and instance norm subtract the mean of every channel, and with it a constant added before: the bias is "
        "trained, stored and added for nothing",
        "Ioffe and Szegedy, Batch normalization, 2015, section 3.2",
        _bias_before_norm,
    ),
    Lint(
        "W0108",
        "dropout directly before batch norm",
        "dropout makes the variance in training larger than in evaluation, so the running variance that batch norm "
        "(or instance norm with running statistics) keeps is wrong when it is used",
        "Li, Chen, Hu and Yang, Understanding the disharmony between dropout and batch normalization by variance "
        "shift, 2019",
        _dropout_before_norm,
    ),
)
