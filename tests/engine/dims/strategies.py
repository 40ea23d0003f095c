"""Random sizes and chains of layers, described so that the same description runs on symbols and on plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from striate.dims import AtLeast, Constraint, Dim, Divisible, Equal, ceil_div
from striate.dims.extremes import positive_part

NAMES = ("H", "W", "D")

Tree = tuple[Any, ...]
"""("size", name), ("number", n) or an operation followed by its operands."""


def trees(names: tuple[str, ...] = NAMES, products: bool = True, positives: bool = True) -> st.SearchStrategy[Tree]:
    leaves = st.one_of(
        st.tuples(st.just("size"), st.sampled_from(names)), st.tuples(st.just("number"), st.integers(-9, 9))
    )

    def grown(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        divisors = st.integers(1, 6)
        kinds: list[st.SearchStrategy[Any]] = [
            st.tuples(st.sampled_from(("+", "-")), inner, inner),
            st.tuples(st.just("scaled"), inner, st.integers(-5, 5)),
            st.tuples(st.sampled_from(("floor", "ceil", "remainder")), inner, divisors),
        ]
        kinds += [st.tuples(st.just("*"), inner, inner)] if products else []
        kinds += [st.tuples(st.just("positive"), inner)] if positives else []
        return st.one_of(kinds)

    return st.recursive(leaves, grown, max_leaves=10)


def built(tree: Tree, sizes: dict[str, Any]) -> Any:
    """The tree worked out with numbers or symbols, whatever `sizes` holds."""
    kind = tree[0]
    if kind in ("size", "number"):
        return sizes[tree[1]] if kind == "size" else tree[1]
    first = built(tree[1], sizes)
    if kind == "positive":
        return positive_part(first)
    second = tree[2] if isinstance(tree[2], int) else built(tree[2], sizes)
    operations = {
        "+": lambda: first + second,
        "-": lambda: first - second,
        "*": lambda: first * second,
        "scaled": lambda: second * first,
        "floor": lambda: first // second,
        "ceil": lambda: ceil_div(first, second),
        "remainder": lambda: first % second,
    }
    return operations[kind]()


def mirrored(tree: Tree) -> Tree:
    """The same value with the operands of sums and products exchanged."""
    if tree[0] in ("size", "number"):
        return tree
    operands = [mirrored(each) if isinstance(each, tuple) else each for each in tree[1:]]
    return (tree[0], *reversed(operands)) if tree[0] in ("+", "*") else (tree[0], *operands)


@dataclass(frozen=True)
class Conv:
    kernel: int
    stride: int
    padding: int
    dilation: int

    def apply(self, passed: list[Dim], asked: list[Constraint]) -> Dim:
        room = passed[-1] + 2 * self.padding - self.dilation * (self.kernel - 1)
        asked.append(AtLeast(room, 1))
        return (room - 1) // self.stride + 1


@dataclass(frozen=True)
class CeilPool:
    kernel: int
    stride: int

    def apply(self, passed: list[Dim], asked: list[Constraint]) -> Dim:
        asked.append(AtLeast(passed[-1] - self.kernel, 0))
        return ceil_div(passed[-1] - self.kernel, self.stride) + 1


@dataclass(frozen=True)
class Deconv:
    kernel: int
    stride: int
    padding: int

    def apply(self, passed: list[Dim], asked: list[Constraint]) -> Dim:
        out = (passed[-1] - 1) * self.stride - 2 * self.padding + self.kernel
        asked.append(AtLeast(out, 1))
        return out


@dataclass(frozen=True)
class EqualTo:
    """A merge with an earlier value, counted from the end; `padding` is added to one side."""

    back: int
    padding: int

    def apply(self, passed: list[Dim], asked: list[Constraint]) -> Dim:
        other = passed[-min(self.back, len(passed))]
        asked.append(Equal(passed[-1] + self.padding, other))
        return other


@dataclass(frozen=True)
class Limits:
    """Explicit demands on the present size: a lower bound, perhaps an upper bound, a divisor."""

    least: int
    most: int | None
    by: int

    def apply(self, passed: list[Dim], asked: list[Constraint]) -> Dim:
        asked += [AtLeast(passed[-1], self.least), Divisible(passed[-1], self.by)]
        asked += [] if self.most is None else [AtLeast(self.most, passed[-1])]
        return passed[-1]


@dataclass(frozen=True)
class Cropped:
    """The size that is left after cropping to an earlier value, and a demand on the difference."""

    back: int

    def apply(self, passed: list[Dim], asked: list[Constraint]) -> Dim:
        other = passed[-min(self.back, len(passed))]
        asked.append(AtLeast(passed[-1] + positive_part(other - passed[-1]), 2))
        return passed[-1] - positive_part(passed[-1] - other)


Layer = Conv | CeilPool | Deconv | EqualTo | Limits | Cropped

_small = st.integers(1, 4)
layers: st.SearchStrategy[Layer] = st.one_of(
    st.builds(Conv, _small, st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)),
    st.builds(CeilPool, _small, st.integers(1, 3)),
    st.builds(Deconv, _small, st.integers(1, 3), st.integers(0, 1)),
    st.builds(EqualTo, st.integers(2, 6), st.integers(-2, 2)),
    st.builds(Limits, st.integers(1, 9), st.one_of(st.none(), st.integers(5, 200)), st.sampled_from((1, 1, 2, 3, 4))),
    st.builds(Cropped, st.integers(2, 4)),
)
chains = st.lists(layers, min_size=1, max_size=7)


def constraints_of(chain: list[Layer], start: Dim) -> list[Constraint]:
    """What the layers ask, one after the other, of an input of size `start`."""
    passed: list[Dim] = [start]
    asked: list[Constraint] = []
    for layer in chain:
        passed.append(layer.apply(passed, asked))
    return asked


def legal_numbers(chain: list[Layer], most: int) -> list[int]:
    """The input sizes up to `most` that the layers accept, by trying each with plain numbers."""
    return [size for size in range(1, most + 1) if all(c.holds({}) for c in constraints_of(chain, size))]
