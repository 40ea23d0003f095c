import pytest
from hypothesis import given, settings

from striate.dims import Dim, ceil_div, evaluate, format_dim, symbol
from striate.dims.extremes import positive_part
from tests.engine.dims.strategies import NAMES, Tree, built, trees

H, W = symbol("H"), symbol("W")


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (7, "7"),
        (-7, "-7"),
        (H, "H"),
        (-H, "-H"),
        (H + 1, "H + 1"),
        (H - 1, "H - 1"),
        (1 - H, "1 - H"),
        (-H - 1, "-H - 1"),
        (64 * H * W, "64*H*W"),
        (W + H, "H + W"),
        (H - W, "H - W"),
        (W - H, "W - H"),
        (H * H, "H^2"),
        (H + 3 * H * W - 2, "3*H*W + H - 2"),
        (H // 2, "floor(H/2)"),
        (2 * (H // 2), "2*floor(H/2)"),
        (3 * H // 4, "floor(3*H/4)"),
        ((H + 1) // 4, "floor((H + 1)/4)"),
        ((H + W) // 3, "floor((H + W)/3)"),
        (ceil_div(H, 2), "ceil(H/2)"),
        (ceil_div(H + W, 8), "ceil((H + W)/8)"),
        (H % 4, "H - 4*floor(H/4)"),
        ((-H) // 2, "floor(H/2) - H"),
        ((2 * (H // 2) + 1) // 3, "floor((2*floor(H/2) + 1)/3)"),
        (positive_part(H - 7), "max(H - 7, 0)"),
        (H // 2 * (W // 2), "floor(H/2)*floor(W/2)"),
    ],
)
def test_sizes_read_like_this(dim: Dim, text: str) -> None:
    assert format_dim(dim) == text
    assert str(dim) == text


def test_representation_names_the_type() -> None:
    assert repr(H + 1) == "Expr(H + 1)"


def test_deep_nests_are_cut_short() -> None:
    dim: Dim = H
    for _ in range(400):
        dim = (2 * dim + 1) // 3
    assert len(format_dim(dim)) < 400
    assert format_dim(dim).startswith("floor((2*floor(")
    assert "..." in format_dim(dim)


@settings(max_examples=100, deadline=None)
@given(trees(positives=False))
def test_the_text_says_what_the_size_is(tree: Tree) -> None:
    dim = built(tree, {name: symbol(name) for name in NAMES})
    sizes = {"H": 37, "W": 41, "D": 13}
    text = format_dim(dim)
    if "..." in text:
        return
    assert eval(_as_python(text), {}, sizes) == evaluate(dim, sizes)


def _as_python(text: str) -> str:
    """Floors and ceilings are the only places of a slash, so exact division and rounding at the bracket will do."""
    exact = text.replace("^", "**").replace("/", "*__import__('fractions').Fraction(1, 1)/")
    return exact.replace("floor(", "__import__('math').floor(").replace("ceil(", "__import__('math').ceil(")
