import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.dims import AtLeast, Constraint, Dim, Divisible, Equal, Expr, symbol
from striate.dims.constraints import simplified
from striate.dims.extremes import positive_part
from tests.engine.dims.strategies import NAMES, built, trees

H, W = symbol("H"), symbol("W")
SYMBOLS: dict[str, Expr] = {name: symbol(name) for name in NAMES}


@pytest.mark.parametrize(
    ("constraint", "settled"),
    [
        (Equal(3, 3), True),
        (Equal(3, 4), False),
        (Equal(H, H), True),
        (Equal(H, H + 1), False),
        (Equal(H, W), None),
        (Equal(H, 224), None),
        (Equal(2 * (H // 2), H), None),
        (Equal(H // 2 + (H + 1) // 2, H), True),
        (Equal(2 * H, 2 * W + 1), False),
        (Equal(H * W, W * H), True),
        (Equal(H * W, 2 * W * (H // 2)), None),
        (Equal(H + W, 1), False),
        (AtLeast(5, 5), True),
        (AtLeast(4, 5), False),
        (AtLeast(H, 1), True),
        (AtLeast(H, 2), None),
        (AtLeast(0, H), False),
        (AtLeast(H // 2, 1), None),
        (AtLeast((H + 1) // 2, 1), True),
        (AtLeast(H - H // 2, 1), True),
        (AtLeast(H // 2 - H, 0), False),
        (AtLeast(H * W, 1), True),
        (AtLeast(H, W), None),
        (AtLeast(H - positive_part(H - 7), 1), True),
        (AtLeast(7, H - positive_part(H - 7)), True),
        (Divisible(64, 32), True),
        (Divisible(48, 32), False),
        (Divisible(64 * H, 32), True),
        (Divisible(2 * H + 1, 4), False),
        (Divisible(H, 32), None),
        (Divisible(H * H + H, 2), True),
        (Divisible(H * (H // 2), 2), None),
        (Divisible(H - H % 8, 8), True),
    ],
)
def test_decisions(constraint: Constraint, settled: bool | None) -> None:
    assert constraint.decide() is settled


def constraints_on(dims: st.SearchStrategy[Dim]) -> st.SearchStrategy[Constraint]:
    return st.one_of(
        st.builds(Equal, dims, dims),
        st.builds(AtLeast, dims, dims),
        st.builds(Divisible, dims, st.integers(1, 6)),
    )


random_constraints = constraints_on(trees().map(lambda tree: built(tree, SYMBOLS)))


@settings(max_examples=150, deadline=None)
@given(random_constraints, st.lists(st.tuples(*(st.integers(1, 50) for _ in NAMES)), min_size=5, max_size=5))
def test_decisions_hold_for_all_sizes(constraint: Constraint, tried: list[tuple[int, ...]]) -> None:
    settled = constraint.decide()
    for sizes in tried:
        assignment = dict(zip(NAMES, sizes, strict=True))
        assert settled in (None, constraint.holds(assignment))
        assert simplified(constraint).holds(assignment) == constraint.holds(assignment)


@settings(max_examples=100, deadline=None)
@given(constraints_on(trees(names=("H",), products=False).map(lambda tree: built(tree, SYMBOLS))))
def test_one_symbol_without_products_is_always_decided(constraint: Constraint) -> None:
    """Where both outcomes are missing among the first thousand sizes, the answer must be the one that is there."""
    outcomes = {constraint.holds({"H": size}) for size in range(1, 1001)}
    if constraint.decide() is None:
        assert len(outcomes) == 2 or not _settled_by(constraint, 1000)
    else:
        assert outcomes == {constraint.decide()}


def _settled_by(constraint: Constraint, size: int) -> bool:
    """Whether nothing new happens beyond `size`, judged by much larger sizes."""
    seen = {constraint.holds({"H": each}) for each in range(1, size + 1)}
    return seen >= {constraint.holds({"H": each}) for each in range(10**6, 10**6 + size)}


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Equal(2 * H + 2, 2 * W + 2), "H = W"),
        (Equal(W + 1, 2 * H), "2*H = W + 1"),
        (Equal(224, H), "H = 224"),
        (Equal(W, 2 * (W // 2)), "W is a multiple of 2"),
        (AtLeast(2 * H + 2 * W, 9), "H + W >= 5"),
        (AtLeast(H, W - 2), "H + 2 >= W"),
        (AtLeast(H - 2, W), "H >= W + 2"),
        (AtLeast(10, H + W), "10 >= H + W"),
        (Divisible(6 * H * W, 4), "H*W is a multiple of 2"),
    ],
)
def test_simplified_constraints_read_like_this(tree: Constraint, text: str) -> None:
    assert str(simplified(tree)) == text


def test_simplifying_keeps_what_is_settled_and_the_reason() -> None:
    settled = Equal(H, H, "a sum")
    assert simplified(settled) is settled
    assert simplified(Equal(2 * H, 2 * W, "a sum")).reason == "a sum"


def test_reasons_take_no_part_in_comparison() -> None:
    assert Equal(H, W, "line 3") == Equal(H, W, "line 4")
    assert len({AtLeast(H, 3, ["unhashable"]), AtLeast(H, 3), Divisible(H, 3)}) == 2


@pytest.mark.parametrize("by", [0, -4])
def test_divisors_are_positive(by: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Divisible(H, by)


def test_constraints_name_their_symbols_and_need_their_sizes() -> None:
    constraint = Equal(H // 2, W)
    assert constraint.symbols() == {"H", "W"}
    with pytest.raises(KeyError, match="W"):
        constraint.holds({"H": 3})
