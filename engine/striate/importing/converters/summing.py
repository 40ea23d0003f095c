"""Einsum, taken apart: diagonals, sums over what one term has alone, and products of matrices."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from striate.importing.call import Call
from striate.importing.converters.axes import axes_argument
from striate.importing.converters.shaping import permuted, reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value
from striate.ops.arguments import Choice
from striate.ops.sizes import product

_DOTS = "..."

Letters = list[str]
Term = tuple[Value, Letters]
"""A value, and a letter for each of its axes as the language has them."""


def _einsum(call: Call) -> Value:
    call.demand_float()
    sides, wanted = _equation(call)
    if call.batched:
        sides, wanted = _of_one_image(call, sides, wanted)
    terms = [_term(call, place, letters) for place, letters in enumerate(sides)]
    made, letters = _summed(call, terms[0], {*wanted, *(letter for _, each in terms[1:] for letter in each)})
    for place, term in enumerate(terms[1:], start=1):
        later = {*wanted, *(letter for _, each in terms[place + 1 :] for letter in each)}
        made, letters = _product(call, (made, letters), _summed(call, term, {*later, *letters}), later)
    if sorted(letters) != sorted(wanted):
        raise UnsupportedError("its result has an axis that none of its inputs has, or one twice")
    order = [letters.index(letter) for letter in wanted]
    if order != sorted(order):
        made = permuted(call, made, order)
    return made if wanted else reshaped(call, made, [])


def _equation(call: Call) -> tuple[list[Letters], Letters]:
    """Return the letters of each input and of the result; axes behind dots are numbers."""
    written = call.node.attribute("equation", "").replace(" ", "")
    left, arrow, right = written.partition("->")
    terms = left.split(",")
    if len(terms) != len(call.given) or any(item is None for item in call.given):
        raise UnsupportedError("its equation has not as many terms as it has inputs")
    ranks = [call.rank(item) if isinstance(item, Value) else item.array.ndim for item in call.given if item is not None]
    sides = [_letters(term, rank) for term, rank in zip(terms, ranks, strict=True)]
    dots = max(([each for each in side if each.isdigit()] for side in sides), key=len)
    if arrow:
        named = right.replace(_DOTS, "")
        at = right.find(_DOTS)
        result = [*right[:at], *dots, *right[at + len(_DOTS) :]] if at >= 0 else list(named)
        return sides, result
    every = [letter for side in sides for letter in side if not letter.isdigit()]
    return sides, [*dots, *sorted(letter for letter in set(every) if every.count(letter) == 1)]


def _letters(term: str, rank: int) -> Letters:
    """Return a letter for each axis of a term."""
    at = term.find(_DOTS)
    hidden = rank - len(term.replace(_DOTS, ""))
    if hidden < 0 or (at < 0 and hidden) or term.count(_DOTS) > 1:
        raise UnsupportedError(f"its equation does not name the {rank} axes of an input")
    return [*term[:at], *map(str, range(hidden)), *term[at + len(_DOTS) :]] if at >= 0 else list(term)


def _of_one_image(call: Call, sides: list[Letters], wanted: Letters) -> tuple[list[Letters], Letters]:
    """Return the letters without that of the batch.

    Raises:
        UnsupportedError: the batch is not the first axis of all values, or is summed over, moved or taken twice.
    """
    batch = next(side[0] for side, item in zip(sides, call.given, strict=True) if isinstance(item, Value))
    places = [int(isinstance(item, Value)) for item in call.given] + [1]
    for side, count in zip([*sides, wanted], places, strict=True):
        if side.count(batch) != count or side[:count] != [batch][:count]:
            raise UnsupportedError("it works along the batch axis, across the images")
    return [side[count:] for side, count in zip(sides, places, strict=False)], wanted[1:]


def _term(call: Call, place: int, letters: Letters) -> Term:
    item = call.given[place]
    if isinstance(item, Stored):
        return _diagonal(call, call.parameter(call.weight(place)), letters)
    return _diagonal(call, call.value(place), letters)


def _diagonal(call: Call, value: Value, letters: Letters) -> Term:
    """Return a term in which no letter stands twice: of axes with the same letter the diagonal."""
    twice = next((letter for letter in letters if letters.count(letter) > 1), None)
    if twice is None:
        return value, letters
    first, second = [place for place, letter in enumerate(letters) if letter == twice][:2]
    size = value.sizes[first]
    if not isinstance(size, int) or value.sizes[second] != size:
        raise UnsupportedError("it takes the diagonal of sizes that are open, or not the same")
    rest = [place for place in range(len(letters)) if place not in (first, second)]
    turned = permuted(call, value, [first, second, *rest])
    rows = reshaped(call, turned, [size * size, *turned.sizes[2:]])
    made = call.layer("select", rows, places=[place * (size + 1) for place in range(size)], axis=Choice("channels"))
    return _diagonal(call, made, [twice, *(letters[place] for place in rest)])


def _summed(call: Call, term: Term, needed: Collection[str]) -> Term:
    """Return a term without the letters that nothing else has."""
    value, letters = term
    alone = [place for place, letter in enumerate(letters) if letter not in needed]
    if not alone:
        return term
    left = [letter for letter in letters if letter in needed]
    axis = axes_argument(len(letters), alone)
    made = call.layer("reduce_sum", value, axis=axis, keep=not left)
    return (made if left else reshaped(call, made, [1])), left


def _product(call: Call, first: Term, second: Term, needed: Collection[str]) -> Term:
    """Return the product of two terms, summed over the letters that both have and nothing else needs."""
    left, right = first[1], second[1]
    both = [letter for letter in left if letter in right and letter in needed]
    inner = [letter for letter in left if letter in right and letter not in needed]
    rows = [letter for letter in left if letter not in right]
    columns = [letter for letter in right if letter not in left]
    one, other = _arranged(call, first, [*both, *rows, *inner]), _arranged(call, second, [*both, *inner, *columns])
    count = len(both)
    across, down = one.sizes[count : count + len(rows)], other.sizes[count + len(inner) :]
    shared = one.sizes[:count]
    letters = [*both, *rows, *columns]
    if not inner:
        other = reshaped(call, other, [*shared, *[1] * len(rows), *down] or [1])
        one = reshaped(call, one, [*shared, *across, *[1] * len(columns)] or [1])
        return call.layer("mul", [one, other]), letters
    length = product(one.sizes[count + len(rows) :])
    made = call.layer(
        "matmul",
        [
            reshaped(call, one, [*shared, product(across), length]),
            reshaped(call, other, [*shared, length, product(down)]),
        ],
    )
    return reshaped(call, made, [*shared, *across, *down] or [1]), letters


def _arranged(call: Call, term: Term, wanted: Sequence[str]) -> Value:
    value, letters = term
    order = [letters.index(letter) for letter in wanted]
    return value if order == sorted(order) else permuted(call, value, order)


CONVERTERS = {"Einsum": _einsum}
