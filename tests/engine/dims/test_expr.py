import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.dims import Dim, Expr, ceil_div, evaluate, is_known, maximum, minimum, substitute, symbol, symbols_of
from striate.dims.bounds import bounds
from striate.dims.expr import Floor
from striate.dims.extremes import positive_part
from striate.dims.growth import direction, growth, repetition
from tests.engine.dims.strategies import NAMES, Tree, built, mirrored, trees

H, W = symbol("H"), symbol("W")
SYMBOLS: dict[str, Expr] = {name: symbol(name) for name in NAMES}
assignments = st.fixed_dictionaries({name: st.integers(1, 60) for name in NAMES})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (symbol("H"), H),
        ((2 * H) // 2, H),
        ((H + 4) // 2, H // 2 + 2),
        (H // 2 // 2, H // 4),
        (H * W, W * H),
        (ceil_div(H, 2), (H + 1) // 2),
        (H - H % 4, 4 * (H // 4)),
        (H - H, 0),
        ((H + W) * (H - W), H * H - W * W),
        ((6 * H + 3) // 4, H + (2 * H + 3) // 4),
        ((2 * H + 1) // 2, H),
        ((4 * H + 6) // 8, (2 * H + 3) // 4),
        ((H // 2 + H) // 2, 3 * H // 4),
        ((H // 3 + W // 3 + 1) // 2, (W // 3 + 1 + H // 3) // 2),
        ((H // 2 - 3) // 4, (H - 6) // 8),
        (ceil_div(ceil_div(H, 2), 2), ceil_div(H, 4)),
        ((-H) // 2, H // 2 - H),
        (0 * H, 0),
        (1 * H, H),
        (5 - H, -(H - 5)),
        (positive_part(3 * H - 6), 3 * positive_part(H - 2)),
        (positive_part(H - 2) - positive_part(2 - H), H - 2),
        (positive_part(7), 7),
        (positive_part(0 * H - 7), 0),
        (positive_part(-H), 0),
        (maximum(H, 3), maximum(3, H)),
        (maximum(H, W) + minimum(H, W), H + W),
        (maximum(H, H + 2), H + 2),
        (minimum(H, 2 * H), H),
        (minimum(5, 9), 5),
        (maximum(5, 9), 9),
        (H // 1, H),
        (H % 1, 0),
    ],
)
def test_different_ways_to_the_same_size_are_equal(left: Dim, right: Dim) -> None:
    assert left == right
    assert hash(left) == hash(right)
    assert is_known(left) == is_known(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [(2 * (H // 2), H), (H, W), (H, H + 1), (H // 2, H // 3), (H // 2, W // 2), (H * H, H), (H, "H")],
)
def test_different_sizes_are_not_equal(left: object, right: object) -> None:
    assert left != right


@settings(max_examples=200, deadline=None)
@given(trees(), assignments)
def test_canonical_form_never_changes_the_value(tree: Tree, sizes: dict[str, int]) -> None:
    dim = built(tree, SYMBOLS)
    assert evaluate(dim, sizes) == built(tree, sizes)


@settings(max_examples=100, deadline=None)
@given(trees())
def test_order_of_operands_does_not_matter(tree: Tree) -> None:
    dim, other = built(tree, SYMBOLS), built(mirrored(tree), SYMBOLS)
    assert dim == other
    assert hash(dim) == hash(other)
    assert str(dim) == str(other)


@settings(max_examples=100, deadline=None)
@given(trees())
def test_canonical_form(tree: Tree) -> None:
    dim = built(tree, SYMBOLS)
    if isinstance(dim, int):
        return
    assert symbols_of(dim), "without symbols it must be an int"
    assert all(dim.terms.values())
    for atom in dim.atoms():
        if isinstance(atom, Floor):
            assert all(0 < factor < atom.divisor for factor in atom.numerator.terms.values())
            assert 0 <= atom.numerator.constant < atom.divisor


@settings(max_examples=100, deadline=None)
@given(trees(), trees(), assignments)
def test_substitution_is_evaluation_in_two_steps(outer: Tree, inner: Tree, sizes: dict[str, int]) -> None:
    dim, value = built(outer, SYMBOLS), built(inner, SYMBOLS)
    expected = evaluate(dim, {**sizes, "H": evaluate(value, sizes)})
    assert evaluate(substitute(dim, {"H": value}), sizes) == expected


def test_substitution_replaces_all_symbols_at_once() -> None:
    assert substitute(H - 2 * W, {"H": W, "W": H}) == W - 2 * H
    assert substitute(H // 2, {"H": 9}) == 4
    assert substitute(7, {"H": 9}) == 7
    assert substitute(H, {"W": 9}) is H


@settings(max_examples=100, deadline=None)
@given(trees(), assignments)
def test_value_lies_within_bounds(tree: Tree, sizes: dict[str, int]) -> None:
    dim = built(tree, SYMBOLS)
    for ranges in (None, {name: (max(size - 3, 1), size + 2) for name, size in sizes.items()}):
        low, high = bounds(dim, ranges)
        assert low is None or low <= evaluate(dim, sizes)
        assert high is None or evaluate(dim, sizes) <= high


@settings(max_examples=150, deadline=None)
@given(trees(names=("H",), products=False), st.integers(0, 200))
def test_growth_describes_the_expression(tree: Tree, further: int) -> None:
    dim = built(tree, SYMBOLS)
    if isinstance(dim, int):
        return
    shape = growth(dim)
    if shape is None:
        return
    size = shape.settled + further
    value = evaluate(dim, {"H": size})
    assert shape.slope * size + shape.low <= shape.unit * value <= shape.slope * size + shape.high
    gained = evaluate(dim, {"H": size + shape.period}) - value
    assert gained * shape.unit == shape.slope * shape.period


@settings(max_examples=100, deadline=None)
@given(trees(names=("H",)), st.integers(1, 40))
def test_direction_and_repetition_describe_the_expression(tree: Tree, size: int) -> None:
    dim = built(tree, SYMBOLS)
    if isinstance(dim, int):
        return
    step = evaluate(dim, {"H": size + 1}) - evaluate(dim, {"H": size})
    assert step * direction(dim) >= 0
    period = repetition(dim)
    if period is not None:
        seven_later = evaluate(dim, {"H": size + 7 * period})
        assert (seven_later - evaluate(dim, {"H": size})) % 7 == 0


@settings(max_examples=50, deadline=None)
@given(trees())
def test_copies_are_equal(tree: Tree) -> None:
    dim = built(tree, SYMBOLS)
    assert pickle.loads(pickle.dumps(dim)) == dim
    assert copy.deepcopy(dim) == dim


@settings(max_examples=50, deadline=None)
@given(trees(), trees(), assignments)
def test_extremes(first: Tree, second: Tree, sizes: dict[str, int]) -> None:
    left, right = built(first, SYMBOLS), built(second, SYMBOLS)
    values = evaluate(left, sizes), evaluate(right, sizes)
    assert evaluate(maximum(left, right), sizes) == max(values)
    assert evaluate(minimum(left, right), sizes) == min(values)


def test_expressions_do_not_change() -> None:
    with pytest.raises(AttributeError, match="do not change"):
        H.constant = 3
    with pytest.raises(AttributeError):
        H.name = "W"  # type: ignore[attr-defined]


@pytest.mark.parametrize("divisor", [0, -2])
def test_only_positive_divisors(divisor: int) -> None:
    for divide in (
        lambda: H // divisor,
        lambda: H % divisor,
        lambda: ceil_div(H, divisor),
        lambda: ceil_div(8, divisor),
    ):
        with pytest.raises(ValueError, match="positive"):
            divide()


def test_other_operands_are_refused() -> None:
    for operation in (
        lambda: H + 1.5,
        lambda: 1.5 - H,
        lambda: H * "2",
        lambda: H // W,
        lambda: 8 // H,
        lambda: H % 2.0,
        lambda: H < 3,
        lambda: int(H),
    ):
        with pytest.raises(TypeError):
            operation()  # type: ignore[no-untyped-call]


def test_a_symbol_needs_a_name_and_a_size() -> None:
    with pytest.raises(ValueError, match="name"):
        symbol("")
    with pytest.raises(KeyError, match="W"):
        evaluate(H + W, {"H": 3})


def test_symbols() -> None:
    assert symbols_of(H // 2 * W + positive_part(symbol("D") - 3)) == {"H", "W", "D"}
    assert symbols_of(H - H + W) == {"W"}
    assert symbols_of(3) == frozenset()
