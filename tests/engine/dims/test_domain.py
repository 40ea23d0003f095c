import json
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.dims import (
    AtLeast,
    Constraint,
    Dim,
    Divisible,
    Domain,
    Equal,
    Expr,
    evaluate,
    maximum,
    minimum,
    solve,
    symbol,
)
from tests.engine.dims.strategies import Conv, Layer, chains, constraints_of, legal_numbers

H, W, D = symbol("H"), symbol("W"), symbol("D")
MOST = 400


def unet(size: Dim, depth: int = 4) -> list[Constraint]:
    asked: list[Constraint] = []
    skips: list[Dim] = []
    for _ in range(depth):
        skips.append(size)
        size = size // 2
        asked.append(AtLeast(size, 1))
    for skip in reversed(skips):
        size = 2 * size
        asked.append(Equal(size, skip))
    return asked


@settings(max_examples=250, deadline=None)
@given(chains)
def test_one_symbol_against_trying_every_size(chain: list[Layer]) -> None:
    domain = solve(constraints_of(chain, H), ["H"])
    legal = legal_numbers(chain, MOST)
    assert domain.exact
    assert [size for size in range(1, MOST + 1) if domain["H"].contains(size)] == legal
    assert [size for size in range(1, MOST + 1) if domain.contains({"H": size})] == legal
    _agrees_with(domain, legal)


def _agrees_with(domain: Domain, legal: list[int]) -> None:
    if legal:
        assert domain.smallest() == {"H": legal[0]}
        assert not domain.is_empty()
    elif (smallest := domain.smallest()) is not None:
        assert smallest["H"] > MOST
        assert domain.contains(smallest)
    for wanted in (1, 2, 30, 47, 224, MOST):
        below, above = domain["H"].nearest(wanted)
        assert below == max((size for size in legal if size <= wanted), default=None)
        expected = min((size for size in legal if size >= wanted), default=None)
        assert above == expected or (expected is None and above is not None and above > MOST)


relations = st.builds(
    lambda kind, a, b, c, k: {
        "same": Equal(H, W),
        "sum": Equal(a * H + b * W, c + 4),
        "tie": Equal(a * H, b * W + c - 5),
        "floors": Equal(H // a, W // b),
        "difference": AtLeast(H - W, c - 6),
        "room": AtLeast(a * H + b * W, 3 * c),
        "product": Divisible(H * W, k),
        "area": AtLeast(200, H * W),
        "weighted": Divisible(a * H + W + c, k),
    }[kind],
    st.sampled_from(("same", "sum", "tie", "floors", "difference", "room", "product", "area", "weighted")),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 20),
    st.integers(2, 7),
)


@settings(max_examples=150, deadline=None)
@given(chains, chains, st.lists(relations, min_size=1, max_size=3))
def test_two_symbols_against_trying_every_pair(first: list[Layer], second: list[Layer], tied: list[Constraint]) -> None:
    constraints = [*constraints_of(first[:2], H), *constraints_of(second[:2], W), *tied]
    domain = solve(constraints, ["H", "W"])
    legal = [
        (h, w)
        for h, w in product(legal_numbers(first[:2], 40), legal_numbers(second[:2], 40))
        if all(constraint.holds({"H": h, "W": w}) for constraint in tied)
    ]
    for h, w in product(range(1, 41, 3), range(1, 41)):
        assert domain.contains({"H": h, "W": w}) == ((h, w) in legal)
    assert all(h in domain["H"] and w in domain["W"] for h, w in legal)
    smallest = domain.smallest()
    if smallest is not None:
        assert domain.contains(smallest)
    if legal:
        assert not domain.is_empty()
        assert smallest is not None
        assert sum(smallest.values()) <= min(map(sum, legal))


@pytest.mark.parametrize(
    ("constraints", "sentences"),
    [
        (unet(H) + unet(W), ["H and W: multiples of 16, at least 16"]),
        ([*unet(H), Equal(H, W)], ["H and W: multiples of 16, at least 16", "H = W"]),
        ([Divisible(H, 32), AtLeast(H, 40)], ["H: multiples of 32, at least 64", "W: any size"]),
        ([Divisible(H + 1, 2), AtLeast(H, 6)], ["H: odd, at least 7", "W: any size"]),
        ([AtLeast(H, 5), AtLeast(W, 5)], ["H and W: any, at least 5"]),
        ([Equal(H, 224), Equal(W, H)], ["H and W: 224 only"]),
        ([Divisible(H - 1, 4), AtLeast(H, 8)], ["H: 4k + 1, at least 9", "W: any size"]),
        ([Equal(H, 2 * W + 1)], ["H: odd, at least 3", "W: any size", "H = 2*W + 1"]),
        ([Divisible(H * W, 49)], ["H and W: any size", "H*W is a multiple of 49"]),
        ([Divisible(H * W, 4), Divisible(H, 4)], ["H: multiples of 4, at least 4", "W: any size"]),
        ([AtLeast(H * W, 9), AtLeast(H, 3), AtLeast(W, 3)], ["H and W: any, at least 3"]),
        ([Equal(H // 8, W // 8), Divisible(H, 8), Equal(W, 8)], ["H and W: 8 only"]),
        ([Equal(2 * (H // 2) * W, H * W), Equal(W, 2 * (W // 2) + 1)], ["H: even, at least 2", "W: odd, at least 1"]),
        ([Divisible(H + 2 * (H // 2), 4)], ["H: even, at least 2", "W: any size"]),
        ([Equal(maximum(2 * (H // 4) + 8, H), H)], ["H: any, at least 14", "W: any size"]),
        ([Equal(maximum(H, 10), H)], ["H: any, at least 10", "W: any size"]),
        (
            [AtLeast(9, maximum(H, 10) - H), Divisible(minimum(H, 20), 4)],
            ["H: multiples of 4, from 4 to 16; any, at least 20", "W: any size"],
        ),
        ([Equal(H * W, 2 * (H // 2) * W)], ["H: even, at least 2", "W: any size"]),
        ([Equal(2 * H, 2 * W), Equal(W, H)], ["H and W: any size", "H = W"]),
        ([Equal(H, W), Equal(H * W, 256)], ["H and W: 16 only"]),
        ([Equal(H, 7), Equal(H * W, 35)], ["H: 7 only", "W: 5 only"]),
        ([AtLeast(4 - H, 0), AtLeast(H, 5)], ["no sizes are legal: H >= 5 contradicts what is asked before it"]),
        ([AtLeast(H, 5), AtLeast(0, H)], ["no sizes are legal: 0 >= H never holds"]),
        ([], ["H and W: any size"]),
    ],
)
def test_domains_read_like_this(constraints: list[Constraint], sentences: list[str]) -> None:
    assert solve(constraints, ["H", "W"]).sentences() == sentences


def test_unet_answers() -> None:
    domain = solve(unet(H) + unet(W), ["H", "W"])
    assert domain["H"].nearest(225) == (224, 240)
    assert domain["H"].nearest(224) == (224, 224)
    assert domain["H"].nearest(3) == (None, 16)
    assert domain.smallest() == {"H": 16, "W": 16}
    assert domain.contains({"H": 32, "W": 48})
    assert not domain.contains({"H": 32, "W": 40})
    assert not domain.contains({"H": 0, "W": 16})


@pytest.mark.parametrize(
    ("constraints", "smallest"),
    [
        ([Equal(H, W + 100), Divisible(W, 7)], {"H": 107, "W": 7}),
        ([Equal(H + W, 107), AtLeast(W, 60)], {"H": 1, "W": 106}),
        ([Divisible(H * W, 49), AtLeast(H, 8)], {"H": 14, "W": 7}),
        ([Equal(H // 2, W // 3), AtLeast(W, 30)], {"H": 20, "W": 30}),
        ([Equal(H * W, 143), AtLeast(H, 2), AtLeast(W, 2)], {"H": 11, "W": 13}),
        ([Equal(H, W), Equal(W, D), AtLeast(H + W + D, 100)], {"H": 34, "W": 34, "D": 34}),
        ([AtLeast(H + W + D, 5), Divisible(H * W * D, 27)], {"H": 3, "W": 3, "D": 3}),
    ],
)
def test_smallest_honours_what_ties_symbols(constraints: list[Constraint], smallest: dict[str, int]) -> None:
    domain = solve(constraints, ["H", "W"] + (["D"] if "D" in smallest else []))
    found = domain.smallest()
    assert found is not None
    assert domain.contains(found)
    assert sum(found.values()) == sum(smallest.values())


@pytest.mark.parametrize(
    ("constraints", "guilty"),
    [
        ([AtLeast(H, 3), Divisible(H, 2), AtLeast(3, H), AtLeast(W, 9)], 2),
        ([Equal(3, 3), Equal(3, 4), Equal(5, 6)], 1),
        ([AtLeast(W, 2), Equal(2 * H, 2 * W + 1)], 1),
        ([AtLeast(9, H), AtLeast(9, W), Divisible(H, 5), Equal(H + W, 19)], 3),
        ([AtLeast(H, 9), Equal(H, W), AtLeast(8, W)], 2),
        ([AtLeast(5, H), AtLeast(5, W), Equal(H * W, 7)], 2),
    ],
)
def test_the_first_constraint_that_cannot_be_met_is_named(constraints: list[Constraint], guilty: int) -> None:
    domain = solve(constraints, ["H", "W"])
    assert domain.is_empty()
    assert domain.unsatisfiable is constraints[guilty]
    assert domain.smallest() is None
    assert domain["H"].is_empty()
    assert not domain.contains({"H": 4, "W": 4})


def test_too_large_a_period_is_admitted() -> None:
    constraint = Equal(H // 2**20 + H // 3**12, H // 5**9 + H // 7**7)
    domain = solve([constraint, AtLeast(H, 4)], ["H"])
    assert not domain.exact
    assert domain["H"].text() == "any, at least 4"
    assert domain.contains({"H": 4})
    assert not domain.contains({"H": 600_000})
    assert domain.joint
    assert domain.smallest() == {"H": 4}
    assert domain.sentences()[-1].startswith("not worked out in full")


@pytest.mark.parametrize("by", [2**40, 10**9 + 7])
def test_large_divisors_are_exact(by: int) -> None:
    domain = solve([Divisible(H, by), Divisible(H + 1, 3)], ["H"])
    smallest = domain["H"].smallest()
    assert domain.exact
    assert smallest is not None
    assert (smallest % by, smallest % 3) == (0, 2)
    assert domain["H"].progressions[0].step == 3 * by


def test_chain_of_divisions_needs_few_classes() -> None:
    """Each merge continues with the encoder's size, so each asks for one factor of two more than the one before."""
    encoder: list[Dim] = [H // 2**depth for depth in range(41)]
    merges = [Equal(larger, 2 * smaller) for larger, smaller in pairwise(encoder)]
    domain = solve([*merges, AtLeast(encoder[-1], 1)], ["H"])
    assert domain.exact
    assert domain["H"].text() == f"multiples of {2**40}, at least {2**40}"


def test_deep_unet_is_exact() -> None:
    assert solve(unet(H, 10), ["H"]).sentences() == ["H: multiples of 1024, at least 1024"]


def test_symbols_come_in_the_order_given_and_others_after_them() -> None:
    assert solve([Equal(W, D)], ["W", "H"]).symbols == ("W", "H", "D")
    assert solve([], []).smallest() == {}
    assert solve([], []).contains({})


def test_json() -> None:
    domain = solve([*unet(H, 1), Equal(H, W)], ["H", "W"])
    described = json.loads(json.dumps(domain.to_json()))
    assert described["joint"] == ["H = W"]
    assert described["smallest"] == {"H": 2, "W": 2}
    assert described["symbols"]["W"] == domain["W"].to_json()
    assert (described["exact"], described["unsatisfiable"]) == (True, None)
    assert solve([Equal(1, 2)], ["H"]).to_json()["unsatisfiable"] == "1 = 2"


@pytest.mark.parametrize(("layers", "stride", "smallest"), [(200, 1, 401), (40, 2, 2**41 - 1)], ids=["many", "halving"])
def test_deep_chains_stay_small(layers: int, stride: int, smallest: int) -> None:
    sizes: list[Dim] = [H]
    asked: list[Constraint] = []
    for _ in range(layers):
        sizes.append(Conv(kernel=3, stride=stride, padding=0, dilation=1).apply(sizes, asked))
    assert isinstance(sizes[-1], Expr)
    assert len(sizes[-1].terms) == 1
    assert len(sizes[-1].atoms()) <= 2
    domain = solve(asked, ["H"])
    assert domain["H"].text() == f"any, at least {smallest}"
    assert domain.exact


def test_nests_that_do_not_collapse_may_be_deep() -> None:
    size: Dim = H
    for _ in range(1000):
        size = (2 * size + 1) // 3
    assert isinstance(size, Expr)
    assert evaluate(size, {"H": 10}) >= 0
    assert solve([AtLeast(size, 0)], ["H"])["H"].is_everything()
    assert Equal(size, (2 * size + 1) // 3).decide() is None


ALONE = st.builds(
    lambda size, factor, divisor, bound, kind: [
        AtLeast(size * factor // divisor, bound),
        AtLeast(bound, size * factor // divisor),
        Divisible(size * factor + bound, divisor),
        Equal((size + bound) // divisor, factor),
    ][kind],
    st.sampled_from([symbol("H"), symbol("W")]),
    st.integers(1, 4),
    st.integers(1, 6),
    st.integers(0, 12),
    st.integers(0, 3),
)


@given(st.lists(ALONE, max_size=9))
@settings(max_examples=400)
def test_the_first_conflict_is_the_end_of_the_shortest_beginning_that_has_one(constraints):
    beginnings = [constraints[:number] for number in range(1, len(constraints) + 1)]
    shortest = next((each for each in beginnings if solve(each, ()).is_empty()), None)
    assert solve(constraints, ()).unsatisfiable == (shortest[-1] if shortest else None)
