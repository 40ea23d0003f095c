"""Checks of a layer's shape rule: against torch at known sizes, and at open sizes against itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from striate.conformance.drawing import smallest
from striate.conformance.layer_call import Configuration, LayerCall, infer
from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.subject import Subject, first_line
from striate.dims import Dim, evaluate, format_dim, symbol
from striate.graph import TensorType
from striate.ops.arguments import ArgumentError, convert_all
from striate.ops.problems import LayerError

BATCHES = (1, 3)
TRIED_SIZES = (1, 2, 3, 4, 5, 7, 8, 12)


def shape_rule(subject: Subject) -> str | None:
    """What the rule takes, torch computes to the very size, in evaluation and training, for batches of 1 and 3."""
    taken = subject.each(subject.calls, _same_size)
    refused, lenient = 0, ""
    for call in subject.any_calls:
        outcome = _ruled(call)
        if isinstance(outcome, CheckFailedError):
            least = smallest(call, lambda other: isinstance(_ruled(other), CheckFailedError))
            shown = _ruled(least)
            raise CheckFailedError(str(shown), str(least), outcome.repair)
        if outcome is None:
            taken += subject.each([call], _same_size)
        elif outcome:
            refused += 1
            lenient = lenient or _lenient(call, outcome)
    counted = f"{taken} legal and {refused} illegal calls"
    return f"{counted}; {lenient}" if lenient else counted


def _same_size(layer: LayerCall, call: Configuration) -> None:
    if layer.check.open:
        raise CheckFailedError("all sizes are known, and still the rule leaves a condition open")
    weights = layer.weights()
    for batch in BATCHES:
        for training in (False, True) if batch > 1 else (False,):  # statistics of a single number are none
            inputs = layer.tensors(call.shapes, batch)
            results = layer.results(inputs, {role: item.clone() for role, item in weights.items()}, training=training)
            _equal_sizes(layer, results, batch)


def _equal_sizes(layer: LayerCall, results: Sequence[Tensor], batch: int) -> None:
    found = [tuple(result.shape) for result in results]
    wanted = [tuple(size) for size in layer.sizes(batch)]
    if found != wanted:
        said, made = (" and ".join(" x ".join(map(str, size)) for size in sizes) for sizes in (wanted, found))
        raise CheckFailedError(f"the rule says {said}, torch gives {made} (the batch in front)")


def _ruled(call: Configuration) -> CheckFailedError | str | None:
    """Return None where the rule takes a call, its words where it refuses, a failure where it does neither."""
    try:
        infer(call.record, call.arguments, call.shapes)
    except LayerError as refusal:
        if not refusal.problem.message.strip():
            return CheckFailedError("the rule refuses without a word", repair="give the Problem a message")
        return refusal.problem.message
    except (ArgumentError, KeyError):
        return ""
    except Exception as error:  # a stranger's rule may raise anything
        repair = "refuse what the layer cannot do by LayerError(Problem(…)), or by check.at_least, equal, divisible"
        return CheckFailedError(f"the rule answers with {type(error).__name__}: {first_line(error)}", repair=repair)
    return None


def _lenient(call: Configuration, refusal: str) -> str:
    """Return a remark where torch computes what the rule refuses: it may well be meant."""
    record = call.record
    try:
        attributes = record.settle(convert_all(record.arguments, call.arguments), infer_types(call))
        layer = LayerCall(record, attributes, infer_types(call), (), None)  # type: ignore[arg-type]  # no rule was run
        results = layer.results(layer.tensors(call.shapes, 2), layer.weights())
    except Exception:  # refused by torch as well, in whatever way
        return ""
    if any(result.numel() == 0 or not bool(result.isfinite().all()) for result in results):
        return ""
    return f"torch computes what the rule refuses, which may be meant: {call} ({refusal})"


def infer_types(call: Configuration) -> tuple[Any, ...]:
    """Return the types of the inputs of a call."""
    return tuple(TensorType(shape) for shape in call.shapes)


def open_sizes(subject: Subject) -> str | None:
    """The rule on sizes left open says what it says on these sizes once they are known."""
    tried = refused = 0
    for call in subject.calls[:12]:
        if subject.layer.merge and any(1 in shape for shape in call.shapes):
            continue  # a size of 1 may mean that it is repeated, an open one never does
        opened, names = _opened(call)
        if not names:
            continue
        try:
            layer = infer(call.record, call.arguments, opened)
        except (LayerError, ArgumentError):
            refused += 1
            continue
        except Exception as error:
            shown = " x ".join(map(format_dim, opened[0]))
            raise CheckFailedError(
                f"the rule on open sizes answers with {type(error).__name__}: {first_line(error)}",
                f"{Configuration(call.record, call.arguments, opened)}" if opened else shown,  # type: ignore[arg-type]
                "compute with sizes by + - * // and ceil_div; compare them by check.at_least, equal, divisible",
            ) from None
        tried += 1
        for number, size in enumerate(TRIED_SIZES):
            _agrees(call, layer, opened, {name: size + (number + place) % 3 for place, name in enumerate(names)})
    if not tried:
        raise NotApplicableError(
            "it takes known sizes only" if refused else "no sample has a value with axes beside the channels"
        )
    return f"{tried} calls on open sizes" + (f", {refused} refused" if refused else "")


def _opened(call: Configuration) -> tuple[list[tuple[Dim, ...]], list[str]]:
    """Return the sizes with those behind the channels left open; equal ones at the same place have one symbol."""
    names: dict[tuple[int, int], str] = {}
    opened = []
    for shape in call.shapes:
        sizes: list[Dim] = list(shape[:1])
        for axis, size in enumerate(shape[1:]):
            name = names.setdefault((axis, size), f"S{len(names)}")
            sizes.append(symbol(name))
        opened.append(tuple(sizes))
    return opened, sorted(set(names.values()))


def _agrees(call: Configuration, layer: LayerCall, opened: list[tuple[Dim, ...]], sizes: Mapping[str, int]) -> None:
    shapes = tuple(tuple(evaluate(size, sizes) for size in shape) for shape in opened)
    known = Configuration(call.record, call.arguments, shapes)
    holds = all(condition.holds(sizes) for condition in layer.check.open)
    try:
        found = infer(call.record, call.arguments, shapes)
    except LayerError as refusal:
        if holds and not (call.record.merge and any(1 in shape for shape in shapes)):
            raise CheckFailedError(
                f"refused at these sizes ({refusal}), which no condition on open sizes excludes", str(known)
            ) from None
        return
    if not holds:
        if any(1 in shape for shape in shapes):  # a size of 1 may be repeated, an open one counts as larger
            return
        raise CheckFailedError("taken at these sizes, which a condition on open sizes excludes", str(known))
    wanted = [tuple(evaluate(size, sizes) for size in kind.shape) for kind in layer.outputs]
    made = [tuple(kind.shape) for kind in found.outputs]
    if wanted != made:
        raise CheckFailedError(f"the rule on open sizes gives {wanted}, on known ones {made}", str(known))


def rules(subject: Subject) -> str | None:
    """Rules change nothing that they are given, give the same again, and take the values that they settled on."""
    subject.each(subject.calls, _pure, most=30)
    return None


def _pure(layer: LayerCall, call: Configuration) -> None:
    record, attributes = layer.record, dict(layer.attributes)
    again = infer(record, call.arguments, call.shapes)
    if (again.attributes, again.outputs) != (layer.attributes, layer.outputs):
        raise CheckFailedError("the rules give something else the second time")
    record.weights(layer.attributes, layer.inputs)
    record.window(layer.attributes, layer.inputs)
    record.macs(layer.attributes, layer.inputs, layer.outputs)
    if dict(layer.attributes) != attributes:
        raise CheckFailedError("a rule changes the attributes that it is given")
    try:
        taken = record.settle(convert_all(record.arguments, layer.attributes), layer.inputs)
    except (ArgumentError, LayerError, KeyError) as error:
        raise CheckFailedError(
            f"the layer does not take the values that it settled on: {error}",
            repair="settle on values that the arguments take, or a network written out cannot be read again",
        ) from None
    if taken != dict(layer.attributes):
        raise CheckFailedError(f"settled values {attributes} are settled as {taken} the second time")
