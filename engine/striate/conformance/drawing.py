"""Calls of a layer to try: its samples, changed samples, and calls drawn from nothing but its argument schema.

Everything is drawn from a seed, so that a failure shows again. A failing call is made smaller as long as it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from striate.conformance.layer_call import Configuration, Shapes, infer
from striate.conformance.values import legal_value, plain_kind
from striate.ops.arguments import ArgumentError
from striate.ops.problems import LayerError
from striate.ops.record import OpRecord
from striate.ops.shape_arguments import NamedValue

LARGEST = 9
"""The largest size along an axis that is drawn: larger than most kernels, small enough for numeric gradients."""

MOST_STEPS = 150
"""How many smaller calls are tried when a failing one is made smaller."""


def samples_of(record: OpRecord) -> list[Configuration]:
    """Return the samples that the record says are legal."""
    return [Configuration(record, item.arguments, item.inputs) for item in record.samples if item.fails is None]


def is_legal(call: Configuration) -> bool:
    """Whether the record's own rules take a call."""
    try:
        infer(call.record, call.arguments, call.shapes)
    except (LayerError, ArgumentError, KeyError):
        return False
    return True


class Drawing:
    """Draws calls of one layer.

    Args:
        record: the layer.
        seed: where all drawing begins.
    """

    def __init__(self, record: OpRecord, seed: int) -> None:
        self.record = record
        self._random = Random(f"{seed}/{record.name}")
        self._samples = samples_of(record)
        self._seen = {
            argument.name: [item.arguments[argument.name] for item in self._samples if argument.name in item.arguments]
            for argument in record.arguments
        }

    def any_call(self) -> Configuration:
        """Return a call that may be legal or not: a sample changed in one or two places, or one made from nothing."""
        if self._samples and self._random.random() < 0.65:
            call = self._random.choice(self._samples)
            for _ in range(self._random.randint(1, 2)):
                call = self._changed(call)
            return call
        return self._new()

    def legal_calls(self, number: int) -> list[Configuration]:
        """Return up to so many legal calls that differ from each other and from the samples."""
        found: dict[str, Configuration] = {}
        known = {str(item) for item in self._samples}
        for _ in range(number * 12):
            call = self._repaired(self.any_call())
            if len(found) >= number:
                break
            if call is not None and str(call) not in known:
                found.setdefault(str(call), call)
        return list(found.values())

    def calls_with(self, argument: str, tries: int = 30) -> Configuration | None:
        """Return a legal call in which an argument is not what it is by default; None where none was found."""
        known = next(item for item in self.record.arguments if item.name == argument)
        for _ in range(tries):
            call = self.any_call()
            axes = max(len(call.shapes[0]) - 1, 1)
            value = legal_value(known, self._random, axes, self._seen[argument])
            if not known.required and value == known.default:
                continue
            call = Configuration(self.record, {**call.arguments, argument: value}, call.shapes)
            if is_legal(call):
                return call
        return None

    # ------------------------------------------------------------------------------------------- one call

    def _new(self) -> Configuration:
        first = self._shape()
        axes = max(len(first) - 1, 1)
        written: dict[str, Any] = {}
        others: list[tuple[int, ...]] = []
        for argument in self.record.arguments:
            if not argument.required and self._random.random() < 0.5:
                continue
            if isinstance(plain_kind(argument.kind), NamedValue):
                others.append(self._random.choice([first, self._shape()]))
                written[argument.name] = len(others)
            else:
                written[argument.name] = legal_value(argument, self._random, axes, self._seen[argument.name])
        if self.record.merge:
            others = [self._nearly(first) for _ in range(self._random.randint(0, 2))]
        return Configuration(self.record, written, (first, *others))

    def _shape(self) -> tuple[int, ...]:
        """Sizes of one value: mostly images that need not be square."""
        size, channels = self._random.randint, self._random.randint(1, 8)
        rank = self._random.choice([1, 2, 3, 3, 3, 4])
        return (channels, *(size(1, 4 if rank == 4 else LARGEST) for _ in range(rank - 1)))

    def _nearly(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return a shape, or, as often, one that differs along an axis."""
        if self._random.random() < 0.5:
            return shape
        axis = self._random.randrange(len(shape))
        return (*shape[:axis], self._random.randint(1, LARGEST), *shape[axis + 1 :])

    def _changed(self, call: Configuration) -> Configuration:
        """Return a call with another value of an argument, or other sizes."""
        arguments = [item for item in self.record.arguments if not isinstance(plain_kind(item.kind), NamedValue)]
        if arguments and self._random.random() < 0.6:
            argument = self._random.choice(arguments)
            written = dict(call.arguments)
            if argument.name in written and not argument.required and self._random.random() < 0.3:
                del written[argument.name]
            else:
                axes = max(len(call.shapes[0]) - 1, 1)
                written[argument.name] = legal_value(argument, self._random, axes, self._seen[argument.name])
            return Configuration(self.record, written, call.shapes)
        place = self._random.randrange(len(call.shapes))
        shape = call.shapes[place]
        axis = self._random.randrange(len(shape))
        old, new = shape[axis], self._random.randint(1, LARGEST)
        shapes = [list(item) for item in call.shapes]
        together = self._random.random() < 0.7
        for other, sizes in enumerate(shapes):
            fits = together and axis < len(sizes) and sizes[axis] == old
            if other == place or fits:
                sizes[axis] = new
        return Configuration(self.record, call.arguments, tuple(map(tuple, shapes)))

    def _repaired(self, call: Configuration) -> Configuration | None:
        """Return a legal call near this one: what is refused is taken back, then sizes are made equal."""
        written, shapes = dict(call.arguments), call.shapes
        required = {item.name for item in self.record.arguments if item.required}
        for _ in range(len(written) + 3):
            try:
                infer(self.record, written, shapes)
            except LayerError as error:
                problem = error.problem
                if problem.argument in written and problem.argument not in required:
                    del written[problem.argument]
                elif problem.before == "flatten":
                    shapes = tuple(shape[:1] for shape in shapes)
                elif len(shapes) > 1 and problem.code in ("E0203", "E0212"):
                    shapes = (shapes[0],) * len(shapes)
                else:
                    shapes = tuple((*shape[:1], *(LARGEST for _ in shape[1:])) for shape in shapes)
            except (ArgumentError, KeyError):
                return None
            else:
                return Configuration(self.record, written, shapes)
        return None


# ----------------------------------------------------------------------------------------------- smaller ones


def smallest(call: Configuration, fails: Callable[[Configuration], bool]) -> Configuration:
    """Return the smallest call found near a failing one that fails too."""
    steps = MOST_STEPS
    found = True
    while found and steps > 0:
        found = False
        for smaller in _smaller(call):
            steps -= 1
            if fails(smaller):
                call, found = smaller, True
                break
            if steps <= 0:
                break
    return call


def _smaller(call: Configuration) -> Iterator[Configuration]:
    """Yield calls that are a step smaller: without an argument, with a smaller number, with a smaller size."""
    record, written = call.record, call.arguments
    optional = {item.name for item in record.arguments if not item.required}
    for name in written:
        if name in optional and not _names_a_value(record, name):
            yield Configuration(record, {key: value for key, value in written.items() if key != name}, call.shapes)
    for shapes in _smaller_shapes(call.shapes):
        yield Configuration(record, written, shapes)
    for name, value in written.items():
        if _names_a_value(record, name):
            continue
        for simpler in _simpler(value):
            yield Configuration(record, {**written, name: simpler}, call.shapes)


def _names_a_value(record: OpRecord, name: str) -> bool:
    return any(item.name == name for item in record.value_arguments)


def _smaller_shapes(shapes: Shapes) -> Iterator[Shapes]:
    """Yield sizes with one extent made smaller, wherever it stands: what must be equal stays so."""
    for extent in sorted({size for shape in shapes for size in shape}, reverse=True):
        for less in dict.fromkeys((1, extent // 2, extent - 1)):
            if 1 <= less < extent:
                yield tuple(tuple(less if size == extent else size for size in shape) for shape in shapes)
    for place, shape in enumerate(shapes):
        for axis, size in enumerate(shape):
            for less in dict.fromkeys((1, size // 2, size - 1)):
                if 1 <= less < size:
                    changed = (*shape[:axis], less, *shape[axis + 1 :])
                    yield (*shapes[:place], changed, *shapes[place + 1 :])


def _simpler(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        yield from dict.fromkeys(less for less in (0, 1, value // 2, value - 1) if abs(less) < abs(value))
    elif isinstance(value, float):
        yield from (less for less in (0.0, 1.0, round(value)) if less != value)
    elif isinstance(value, (tuple, list)) and value:
        if isinstance(value, tuple) and len(set(value)) == 1:
            yield value[0]
        for place, item in enumerate(value):
            for less in _simpler(item):
                yield type(value)((*value[:place], less, *value[place + 1 :]))


def non_default(record: OpRecord, call: Configuration) -> Mapping[str, Any]:
    """Return what a call writes that is not as it is by default."""
    defaults = {item.name: item.default for item in record.arguments}
    return {name: value for name, value in call.arguments.items() if value != defaults.get(name)}


def distinct(calls: Sequence[Configuration]) -> list[Configuration]:
    """Return calls without repetitions."""
    return list({str(call): call for call in calls}.values())
