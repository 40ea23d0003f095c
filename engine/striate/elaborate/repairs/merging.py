"""Branches that do not fit together: where their sizes part, and which other arguments make them meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice

from striate.dims import Dim, format_dim, solve
from striate.elaborate.network import LayerCall, Network
from striate.elaborate.repairs.arguments import is_literal
from striate.elaborate.repairs.candidates import Candidate, window_candidates
from striate.elaborate.repairs.history import Branch, Change, History, parting_changes
from striate.elaborate.repairs.replay import Replay, Trial
from striate.elaborate.writing import argument_edit, written_argument
from striate.graph import Node
from striate.ops.problems import Check, LayerError, Problem
from striate_dsl.diagnostics import Edit, Fix, Label
from striate_dsl.edits import apply_edits
from striate_dsl.source import Source, Span
from striate_dsl.syntax import Call

MOST_FIXES = 3

_WIDTHS = ("channels", "features")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to add to the finding about a merge layer."""

    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    help: str | None = None


@dataclass(slots=True)
class _Merge:
    """A merge layer that cannot work, the two values that differ along an axis, and how they came to their sizes."""

    layer: LayerCall
    network: Network
    axis: int
    positions: tuple[int, int]
    branches: tuple[Branch, Branch]
    history: History
    replay: Replay = field(init=False)

    def __post_init__(self) -> None:
        self.replay = Replay(self.network, self.history)

    @property
    def values(self) -> list[str]:
        return [item.value.name for item in self.layer.incoming]

    def size(self, side: int) -> Dim:
        kind = self.layer.incoming[self.positions[side]].value.type
        assert kind is not None, "a layer with an unknown input is not checked"
        return kind.shape[self.axis]

    def common_size(self, trial: Trial) -> Dim | None:
        """Return the size that the branches have with other arguments, None where they still do not fit."""
        outcome = self.replay.outcome(trial, self.values)
        if outcome is None:
            return None
        check = Check(list(outcome.conditions))
        attributes = {item.name: item.kind.convert(item.default) for item in self.layer.record.arguments}
        attributes |= {name: given.value for name, given in self.layer.arguments.items()}
        try:
            merged = self.layer.record.shape(attributes, outcome.types, check)[0]
        except LayerError:
            return None
        return None if check.open and solve(check.open, ()).is_empty() else merged.shape[self.axis]


def explain_merge(layer: LayerCall, problem: Problem, network: Network) -> Explanation:
    """Return where two branches part and what makes them meet, for a problem that names the axis they differ in."""
    assert problem.position is not None and problem.axis is not None, "asked for merges that differ along an axis only"
    positions = (problem.other, problem.position)
    history = History(network)
    left, right = (layer.incoming[position].value.name for position in positions)
    branches = history.branches(left, right, problem.axis)
    if branches is None:
        return Explanation()
    merge = _Merge(layer, network, problem.axis, positions, branches, history)
    fixes = tuple(islice(_fixes(merge), MOST_FIXES))
    return Explanation(tuple(_labels(merge)), tuple(_stride_note(merge)), fixes, fixes[0].title if fixes else None)


# ---------------------------------------------------------------------------------------------- where they part


def _parting(merge: _Merge) -> tuple[Sequence[Change], Sequence[Change]]:
    if merge.axis == 0:
        return merge.branches[0].changes[-1:], merge.branches[1].changes[-1:]
    return parting_changes(*merge.branches)


def _labels(merge: _Merge) -> Iterator[Label]:
    for changes in _parting(merge):
        for change in changes:
            node, call = merge.network.nodes[change.index], merge.network.calls[change.index]
            record = merge.network.records[node.op]
            known = [item.name for item in record.arguments]
            if merge.axis == 0:
                names: tuple[str, ...] = _WIDTHS
                text = f"{format_dim(change.after)} channels are made here"
            else:
                names = ("stride",) if change.stride not in (None, 1) else ("kernel",)
                text = f"{format_dim(change.before)} -> {_outcome(merge, node, change)}"
            named = call.callee.span.text == record.name
            given = next((item for name in names if named and (item := written_argument(call, known, name))), None)
            yield Label(given.span if given else call.callee.span, text)


def _outcome(merge: _Merge, node: Node, change: Change) -> str:
    record = merge.network.records[node.op]
    formula = record.formula(node.attributes, merge.history.input_types(node), merge.axis - 1)
    return f"{formula} = {format_dim(change.after)}" if formula else format_dim(change.after)


def _stride_note(merge: _Merge) -> Iterator[str]:
    strides = [branch.stride for branch in merge.branches]
    if merge.axis > 0 and strides[0] != strides[1] and None not in strides:
        first, second = (_factor(stride) for stride in strides if stride is not None)
        yield f"since the branches part, one has a stride of {first}, the other of {second}"


def _factor(stride: Fraction) -> str:
    return str(stride.numerator) if stride.denominator == 1 else f"{stride.numerator}/{stride.denominator}"


# ---------------------------------------------------------------------------------------------- what makes them meet


def _fixes(merge: _Merge) -> Iterator[Fix]:
    """Yield repairs that were tried: a projection for a straight branch first, then other arguments."""
    yield from _projections(merge)
    if merge.axis == 0:
        yield from _widths(merge)
    else:
        yield from _added_strides(merge, named=True)
        yield from _windows(merge, usual=True)
        yield from _added_strides(merge, named=False)
        yield from _all_windows(merge)
        yield from _windows(merge, usual=False)


def _projections(merge: _Merge) -> Iterator[Fix]:
    """A branch that only passes its input on gets a 1x1 convolution with the width and stride of the other one.

    He et al., Deep residual learning, 2016, section 3.3, option B.
    """
    for side in (0, 1):
        span = merge.layer.incoming[merge.positions[side]].span
        wanted = merge.layer.incoming[merge.positions[1 - side]].value.type
        given = merge.layer.incoming[merge.positions[side]].value.type
        stride = merge.branches[1 - side].stride
        if span is None or span.text != "identity" or wanted is None or given is None or given.rank != 3:
            continue
        if stride is None and merge.axis == 0:
            stride = Fraction(1)
        if merge.axis == 0:
            stride = _spatial_stride(merge, 1 - side)
        if stride is None or stride.denominator != 1 or stride < 1 or not isinstance(wanted.channels, int):
            continue
        step = stride.numerator
        if any((size - 1) // step + 1 != other for size, other in zip(given.shape[1:], wanted.shape[1:], strict=True)):
            continue
        width = _written_as(merge, 1 - side, "channels") or str(wanted.channels)
        stepping = _written_as(merge, 1 - side, "stride") or str(step)
        named = stepping.isidentifier() or step > 1
        projection = f"conv({width}, 1{f', stride = {stepping}' if named else ''})"
        yield Fix(f"{projection} instead of identity, a projection shortcut", (Edit(span, projection),), "unsafe")


def _written_as(merge: _Merge, side: int, name: str) -> str | None:
    """Return the last text by which a branch gives an argument in the body of the merge, None where it gives none.

    A block is used for several widths: what is right for all of them is its parameter, not the number at hand.
    """
    for index in reversed(merge.branches[side].nodes):
        node, call = merge.network.nodes[index], merge.network.calls[index]
        if node.origin.trail == merge.layer.scope.trail and call.callee.span.text == node.op:
            known = [item.name for item in merge.network.records[node.op].arguments]
            given = written_argument(call, known, name)
            if given is not None:
                return given.value.span.text
    return None


def _spatial_stride(merge: _Merge, side: int) -> Fraction | None:
    left, right = (merge.values[position] for position in merge.positions)
    found = merge.history.branches(left, right, 1)
    return None if found is None else found[side].stride


def _widths(merge: _Merge) -> Iterator[Fix]:
    """The last layer of either branch that sets the channels gets the width of the other branch."""
    for side in (1, 0):
        wanted = merge.size(1 - side)
        for change in merge.branches[side].changes[-1:]:
            record = merge.network.records[merge.network.nodes[change.index].op]
            name = next((item.name for item in record.arguments if item.name in _WIDTHS), None)
            call = merge.network.calls[change.index]
            if name is None or not isinstance(wanted, int):
                continue
            size = merge.common_size(Trial((call,), ({name: wanted},)))
            if size is not None:
                yield _fix(merge, call, change.index, name, str(wanted), size)


def _added_strides(merge: _Merge, *, named: bool) -> Iterator[Fix]:
    """A branch that keeps its size gets the other one's stride, at the first of its layers that can have one.

    Where that stride is a parameter of the block, the repair is `named`: it is right for every use.
    """
    strides = [branch.stride for branch in merge.branches]
    for side in (1, 0):
        here, there = strides[side], strides[1 - side]
        factor = None if here is None or there is None else there / here
        if factor is None or factor.denominator != 1 or factor <= 1 or merge.branches[side].changes:
            continue
        for index in merge.branches[side].nodes:
            node, call = merge.network.nodes[index], merge.network.calls[index]
            if (
                "stride" not in node.attributes
                or set(node.attributes["stride"]) != {1}
                or "output_padding" in node.attributes
            ):
                continue
            size = merge.common_size(Trial((call,), ({"stride": factor.numerator},)))
            if size is not None:
                written = _written_as(merge, 1 - side, "stride") or ""
                same = written.isidentifier() and node.origin.trail == merge.layer.scope.trail
                if same == named:
                    yield _fix(merge, call, index, "stride", written if same else str(factor.numerator), size)
                break


def _windows(merge: _Merge, *, usual: bool) -> Iterator[Fix]:
    """Other arguments for the windows where the branches part; of each call, only the best of each argument.

    The `usual` ones are padding that keeps the size, and another stride where the strides differ.
    """
    differ = merge.branches[0].stride != merge.branches[1].stride
    tries: list[tuple[Candidate, int, Change]] = []
    for side, changes in enumerate(_parting(merge)):
        for change in changes:
            node = merge.network.nodes[change.index]
            record = merge.network.records[node.op]
            candidates = window_candidates(record, node, strides_differ=differ)
            # Where a row is lost or won, that layer is the one to change; of two alike, the later branch.
            bias = 1 if change.exact and not differ else 0
            tries += [
                (candidate, bias * 2 + (1 - side), change)
                for candidate in candidates
                if usual == (candidate.rank[1] == 0 or (differ and candidate.argument == "stride"))
            ]
    told: set[tuple[int, str]] = set()
    for candidate, _, change in sorted(tries, key=lambda each: (each[1] // 2, each[0].rank, each[1])):
        key = (change.index, candidate.argument)
        call = merge.network.calls[change.index]
        trial = Trial((call,), ({candidate.argument: candidate.value},))
        size = None if key in told else merge.common_size(trial)
        if size is not None:
            told.add(key)
            text = str(candidate.value).lower()
            yield _fix(merge, call, change.index, candidate.argument, text, size)


def _all_windows(merge: _Merge) -> Iterator[Fix]:
    """Padding that keeps the size for every window of stride 1 that loses rows, where one alone is not enough."""
    network = merge.network
    lossy = [change for branch in merge.branches for change in branch.changes if change.stride == 1]
    usual = {}
    for change in lossy:
        node = network.nodes[change.index]
        best = window_candidates(network.records[node.op], node, strides_differ=False)[:1]
        if best and best[0].argument == "pad" and best[0].rank[1] == 0:
            usual[id(network.calls[change.index])] = (change, best[0])
    if len(usual) < 2:
        return
    calls = tuple(network.calls[change.index] for change, _ in usual.values())
    size = merge.common_size(Trial(calls, tuple({"pad": best.value} for _, best in usual.values())))
    if size is None:
        return
    fixes = [
        _fix(merge, network.calls[change.index], change.index, "pad", str(best.value), size)
        for change, best in usual.values()
    ]
    lines = ", ".join(dict.fromkeys(str(call.span.line) for call in calls))
    title = f"with padding that keeps the size in {len(calls)} layers (line {lines}) {_meeting(merge, size)}"
    whole = all(fix.edits for fix in fixes)
    yield Fix(title, tuple(edit for fix in fixes for edit in fix.edits), "unsafe") if whole else Fix(title, ())


def _meeting(merge: _Merge, size: Dim) -> str:
    """Return what the repaired branches have in common, in words."""
    what = "the values have" if len(merge.layer.incoming) > 2 else "both branches have"
    if merge.axis == 0:
        return f"{what} {format_dim(size)} channels"
    return f"{what} {'height' if merge.axis == 1 else 'width'} {format_dim(size)}"


def _fix(merge: _Merge, call: Call, index: int, name: str, text: str, size: Dim) -> Fix:
    """Return the repair of one call; where the value is not written there as a number, it can only be described."""
    record = merge.network.records[merge.network.nodes[index].op]
    known = [item.name for item in record.arguments]
    title = f"with {name} = {text} {_meeting(merge, size)}"
    own = call.callee.span.text == record.name
    given = written_argument(call, known, name) if own else None
    edit = argument_edit(call, known, name, text) if own and (given is None or is_literal(given.value)) else None
    if edit is None:
        return Fix(f"{title}: {record.name} in line {call.span.line}", ())
    return Fix(f"{title}: {_edited(call, edit)}", (edit,), "unsafe")


def _edited(call: Call, edit: Edit) -> str:
    """Return the text of a call as it would be."""
    start = call.span.start
    moved = Source("", call.span.text)
    inside = Edit(Span(moved, edit.span.start - start, edit.span.end - start), edit.replacement)
    return " ".join(apply_edits(call.span.text, [inside]).split())
