"""Shape rules on open sizes: worked out for given sizes they say what the rules say on these sizes at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.dims import Dim, evaluate, symbol, symbols_of
from striate.ops import BUILTIN, LayerError, OpRecord
from tests.engine.ops.configurations import LARGEST_SIZE, REGIONS, Layer, Shapes, any_call, infer

records = pytest.mark.parametrize("record", BUILTIN.values(), ids=lambda record: record.name)
FORMS = {
    "H": lambda size: size,
    "H//2 + 1": lambda size: size // 2 + 1,
    "2*H": lambda size: 2 * size,
    "ceil(H/3)": lambda size: (size + 2) // 3,
}
"""Sizes that layers before this one can have made of an open one."""


COMPARISONS = ("greater", "greater_equal", "less", "less_equal", "equal", "logical_and", "logical_or", "logical_xor")
REPEATING = ("mul", "div", "expand", "broadcast", "where", *COMPARISONS, "pow", "fmod", "mod", "gather", "scatter")
"""Layers that repeat a size of 1."""


KNOWN_NUMBERS = {
    "channel_shuffle": "channels can be dealt out to groups only where their number is known",
    "deform_conv": "with pad = same and a stride, the padding waits for the size",
    "convlstm": "ONNX has the steps written one by one",
    **dict.fromkeys(REGIONS, "a region is 4 or 5 numbers"),
}
"""Layers that refuse open sizes although their weights do not depend on them."""


@st.composite
def open_shapes(
    draw: st.DrawFn, record: OpRecord, known: Shapes
) -> tuple[tuple[tuple[Dim, ...], ...], list[Mapping[str, int]]]:
    """Input sizes with symbols, and sizes to try for the symbols. Sizes that are 1 stay so: they may mean a gate."""
    shapes: list[tuple[Dim, ...]] = []
    names: set[str] = set()
    for index, shape in enumerate(known):
        opened: list[Dim] = list(shape[:1]) if len(shape) > 1 else []
        for axis, size in enumerate(shape[len(opened) :]):
            name = "HWD"[axis] + ("" if draw(st.booleans()) else str(index))
            if (size == 1 and record.merge) or not draw(st.booleans()):
                opened.append(size)
            else:
                names.add(name)
                opened.append(FORMS[draw(st.sampled_from(list(FORMS)))](symbol(name)))
        shapes.append(tuple(opened))
    tried = st.fixed_dictionaries({name: st.integers(1, LARGEST_SIZE) for name in sorted(names)})
    return tuple(shapes), draw(st.lists(tried, min_size=5, max_size=5))


def at_sizes(shapes: tuple[tuple[Dim, ...], ...], sizes: Mapping[str, int]) -> list[tuple[int, ...]]:
    return [tuple(evaluate(size, sizes) for size in shape) for shape in shapes]


def inferred(record: OpRecord, written: Mapping[str, Any], shapes: Any) -> Layer | LayerError:
    try:
        return infer(record, written, shapes)
    except LayerError as refusal:
        return refusal


def _weights_depend_on_the_size(record: OpRecord, written: Mapping[str, Any], shapes: Any) -> bool:
    """Whether the number of weights is another for another size of the input, as far as enough sizes work to tell.

    Where only one entry of a form like ceil(H/3) fits, three sizes do.
    """
    names = {name for shape in shapes for size in shape for name in symbols_of(size)}
    counts = set()
    legal = 0
    for number in range(1, 200):
        layer = inferred(record, written, at_sizes(shapes, dict.fromkeys(names, number)))
        if isinstance(layer, Layer):
            legal += 1
            counts.add(tuple(spec.shape for spec in record.weights(layer.attributes, layer.inputs)))
    return len(counts) > 1 or legal <= 3


@records
@given(data=st.data())
def test_open_sizes_agree_with_known_ones(record: OpRecord, data: st.DataObject):
    written, known_sizes = data.draw(any_call(record))
    shapes, tried = data.draw(open_shapes(record, known_sizes))
    layer = inferred(record, written, shapes)
    if isinstance(layer, LayerError) and layer.problem.code == "E0207":
        assert record.penalty or record.name in KNOWN_NUMBERS or _weights_depend_on_the_size(record, written, shapes)
        return
    for sizes in tried:
        known_shapes = at_sizes(shapes, sizes)
        if record.name in REPEATING and 1 in sum(known_shapes, ()):
            continue  # an open size counts as larger than 1
        known = inferred(record, written, known_shapes)
        if isinstance(layer, LayerError):
            assert isinstance(known, LayerError), f"refused as open, but works at {sizes}"
        elif all(condition.holds(sizes) for condition in layer.check.open):
            assert isinstance(known, Layer), f"{known} at {sizes}, which no condition excludes"
            assert at_sizes(tuple(kind.shape for kind in layer.outputs), sizes) == [o.shape for o in known.outputs]
        else:
            assert isinstance(known, LayerError), f"works at {sizes}, which a condition excludes"


@records
@given(data=st.data())
def test_attributes_settled_for_open_sizes_compute_the_same(record: OpRecord, data: st.DataObject):
    """`pad = same` may have to wait for the size; the layer then works it out per tensor."""
    written, shapes = data.draw(any_call(record))
    if record.merge:
        return
    names = iter("HWDXYZABCEFG")
    opened = inferred(record, written, [(shape[0], *(symbol(next(names)) for _ in shape[1:])) for shape in shapes])
    known = inferred(record, written, shapes)
    if isinstance(opened, LayerError) or isinstance(known, LayerError):
        return
    weights, values = known.weights(), known.tensors(shapes, 2)
    torch.testing.assert_close(opened.results(values, weights), known.results(values, weights))


@records
def test_reasons_of_open_conditions_are_sentences(record: OpRecord):
    for sample in record.samples:
        shapes = [(shape[0], *map(symbol, "HWD"[: len(shape) - 1])) for shape in sample.inputs]
        try:
            layer = infer(record, sample.arguments, shapes)
        except (LayerError, ValueError):
            continue
        except Exception as refusal:
            assert "must be" in str(refusal)
            continue
        for condition in layer.check.open:
            assert callable(condition.reason)
            problem = condition.reason()
            assert problem.message
            assert problem.code.startswith("E02")


def test_a_kernel_asks_for_room():
    layer = infer(BUILTIN["conv"], {"channels": 4, "kernel": 5, "pad": 1}, [(3, symbol("H"), symbol("W"))])
    assert [str(condition) for condition in layer.check.open] == ["H - 3 >= 0", "W - 3 >= 0"]
    assert str(layer.outputs[0].shape[1]) == "H - 2"


def test_rounding_up_is_one_expression():
    layer = infer(BUILTIN["maxpool"], {"kernel": 3, "stride": 2, "ceil": True}, [(64, symbol("H"), symbol("W"))])
    assert str(layer.outputs[0].shape[1]) == "floor(H/2)"
    assert [str(condition) for condition in layer.check.open] == ["H - 2 >= 0", "W - 2 >= 0"]


def test_branches_keep_the_number():
    layer = infer(BUILTIN["add"], {}, [(8, symbol("H"), 7), (8, 9, symbol("W"))])
    assert layer.outputs[0].shape == (8, 9, 7)
    assert [str(condition) for condition in layer.check.open] == ["H = 9", "7 = W"]


def test_branches_that_can_never_fit_are_refused_at_once():
    with pytest.raises(LayerError, match=r"differ in height: H and H \+ 1"):
        infer(BUILTIN["add"], {}, [(8, symbol("H"), 7), (8, symbol("H") + 1, 7)])


def test_flatten_of_an_open_size_cannot_feed_a_dense_layer():
    flat = infer(BUILTIN["flatten"], {}, [(32, symbol("H"), symbol("W"))]).outputs[0]
    assert str(flat.shape[0]) == "32*H*W"
    with pytest.raises(LayerError, match=r"fixed number of channels, but gets 32\*H\*W") as refusal:
        infer(BUILTIN["dense"], {"features": 10}, [flat.shape])
    assert refusal.value.problem.code == "E0207"
    assert refusal.value.problem.help is not None
    assert "global_avgpool" in refusal.value.problem.help
