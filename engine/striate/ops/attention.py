"""Scaled dot-product attention with heads: of a value to itself, or to one or two named values."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from striate.dims import Dim, format_dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Flag, Integer, Optional, Real
from striate.ops.decomposition import Decomposition
from striate.ops.heads import check_heads, onnx_heads, onnx_heads_joined, torch_heads, torch_heads_joined
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.shape_arguments import NamedValue
from striate.ops.sizes import entries, same_type, with_space
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.tokens import (
    AXIS,
    features_of,
    from_tokens,
    onnx_from_tokens,
    onnx_linear,
    onnx_places,
    onnx_tokens,
    to_tokens,
    tokens_of,
)
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_PARTS = ("q_proj_weight", "k_proj_weight", "v_proj_weight")


def _places(attributes: Attributes) -> tuple[int, int]:
    """Return which inputs keys and values are made of: values are made of what keys are made of, unless named."""
    keys = attributes["keys"] or 0
    return keys, attributes["values"] or keys


def _sources(attributes: Attributes, inputs: Types) -> tuple[TensorType, TensorType]:
    keys, values = _places(attributes)
    return inputs[keys], inputs[values]


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    axis = attributes["axis"]
    keys, values = _sources(attributes, inputs)
    for value in (inputs[0], keys, values):
        with_space((value,))
    check.equal(tokens_of(keys, axis), tokens_of(values, axis), partial(_unlike, keys, values, axis))
    check_heads(attributes["heads"], features_of(inputs[0], axis))
    for value in (keys, values):
        features_of(value, axis)
    _check_mask(attributes, inputs, check)
    return same_type(inputs)


def _check_mask(attributes: Attributes, inputs: Types, check: Check) -> None:
    if attributes["mask"] is None:
        return
    mask, wanted = inputs[attributes["mask"]], _score_sizes(attributes, inputs)
    problem = partial(_unfit, mask, wanted)
    if mask.rank > len(wanted):
        raise LayerError(problem())
    for size, other in zip(mask.shape[::-1], wanted[::-1], strict=False):
        check.equal(size, other, problem)


def _score_sizes(attributes: Attributes, inputs: Types) -> tuple[Dim, Dim]:
    """Return how many queries and keys there are."""
    axis = attributes["axis"]
    return tokens_of(inputs[0], axis), tokens_of(_sources(attributes, inputs)[0], axis)


def _unfit(mask: TensorType, wanted: tuple[Dim, Dim]) -> Problem:
    queries, keys = map(format_dim, wanted)
    return Problem(
        f"needs a mask {queries} x {keys} (queries and keys) or {keys} (keys), but gets {format_shape(mask)}",
        code="E0203",
        argument="mask",
        help="give the mask an entry for each pair of a query and a key, or one for each key",
    )


def _unlike(keys: TensorType, values: TensorType, axis: str) -> Problem:
    counts = [format_dim(tokens_of(value, axis)) for value in (keys, values)]
    return Problem(
        f"there must be a value for each key, but there are {counts[0]} keys and {counts[1]} values",
        code="E0203",
        argument="values",
        notes=(f"keys are made of {format_shape(keys)}, values of {format_shape(values)}",),
    )


def _is_packed(attributes: Attributes, inputs: Types) -> bool:
    """Whether the three projections are of one size, so that torch keeps them in one weight."""
    axis = attributes["axis"]
    return len({features_of(value, axis) for value in (inputs[0], *_sources(attributes, inputs))}) == 1


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    axis = attributes["axis"]
    width = features_of(inputs[0], axis)
    if _is_packed(attributes, inputs):
        specs = [_projection("in_proj_weight", 3 * width, width)]
    else:
        given = [features_of(value, axis) for value in (inputs[0], *_sources(attributes, inputs))]
        specs = [_projection(role, width, each) for role, each in zip(_PARTS, given, strict=True)]
    zeros, bound = Initializer("zeros"), 1 / math.sqrt(width)
    specs += [WeightSpec("in_proj_bias", (3 * width,), zeros)] if attributes["bias"] else []
    specs += [WeightSpec("out_proj_weight", (width, width), Initializer("uniform", {"bound": bound}))]
    specs += [WeightSpec("out_proj_bias", (width,), zeros)] if attributes["bias"] else []
    return tuple(specs)


def _projection(role: str, out: int, given: int) -> WeightSpec:
    return WeightSpec(role, (out, given), Initializer("xavier_uniform", {"fan_in": given, "fan_out": out}))


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    axis = attributes["axis"]
    width, queries = features_of(inputs[0], axis), tokens_of(inputs[0], axis)
    keys, values = _sources(attributes, inputs)
    count = tokens_of(keys, axis)
    projections = 2 * queries * width + count * (features_of(keys, axis) + features_of(values, axis))
    return width * (projections + 2 * queries * count)


def _scores(attributes: Attributes, inputs: Types) -> Dim:
    """Return the entries of all heads' matrices of queries and keys."""
    keys, _ = _sources(attributes, inputs)
    return tokens_of(inputs[0], attributes["axis"]) * tokens_of(keys, attributes["axis"]) * int(attributes["heads"])


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # The scale and a softmax (5) for each score; a bias for queries, keys, values and outputs.
    keys, _ = _sources(attributes, inputs)
    width, axis = features_of(inputs[0], attributes["axis"]), attributes["axis"]
    biases = (tokens_of(inputs[0], axis) + tokens_of(keys, axis)) * width * 2 if attributes["bias"] else 0
    return _scores(attributes, inputs) * 6 + biases


def _projected(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Return the entries of queries, keys, values and of what is mixed of them."""
    axis, (keys, _) = attributes["axis"], _sources(attributes, inputs)
    return features_of(inputs[0], axis) * (tokens_of(inputs[0], axis) + tokens_of(keys, axis)) * 2


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """Queries, keys, values and what is mixed of them; with dropout the scores three times, without their sums."""
    axis, sources = attributes["axis"], (0, *_places(attributes))
    sums = tokens_of(inputs[0], axis) * int(attributes["heads"])
    numbers = _projected(attributes, inputs, outputs)
    numbers = numbers + (_scores(attributes, inputs) * 3 if attributes["dropout"] else sums)
    masked, marks = _mask_keeps(attributes, inputs)
    numbers = numbers + masked
    if axis == "last":
        return Kept(tuple(dict.fromkeys(sources)), numbers=numbers, marks=marks)
    read = sources[:1] if len(set(sources)) == 1 else sources  # of channels first a copy is made that has them last
    for place in read:
        numbers = numbers + entries(inputs[place])
    return Kept(numbers=numbers, marks=marks)


def _mask_keeps(attributes: Attributes, inputs: Types) -> tuple[Dim, Dim]:
    """Return the numbers and marks that a mask adds: itself as numbers, what is mixed before queries are put out."""
    if attributes["mask"] is None:
        return 0, 0
    queries, keys = _score_sizes(attributes, inputs)
    rows = queries if attributes["causal"] or inputs[attributes["mask"]].rank == 2 else 1
    mixed = queries * features_of(inputs[0], attributes["axis"])
    return (0 if attributes["dropout"] else rows * keys + mixed), rows


def _torch(call: TorchCall) -> Tensor:
    attributes, weights = call.attributes, call.weights
    axis, functional = attributes["axis"], call.torch.nn.functional
    rows = [call.inputs[place] for place in (0, *_places(attributes))]
    projected = _torch_projected(call, [to_tokens(value, axis) for value in rows])
    seen, some = (None, None) if attributes["mask"] is None else _torch_seen(call, rows[0], rows[1])
    mixed = functional.scaled_dot_product_attention(
        *(torch_heads(value, attributes["heads"]) for value in projected),
        attn_mask=seen,
        dropout_p=attributes["dropout"] if call.training else 0.0,
        is_causal=attributes["causal"] and seen is None,
    )
    mixed = mixed if some is None else mixed * some
    out = functional.linear(torch_heads_joined(mixed), weights["out_proj_weight"], weights.get("out_proj_bias"))
    return from_tokens(out, call.inputs[0].shape, axis)


def _torch_seen(call: TorchCall, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return which query sees which key, `N x 1 x queries x keys`, by mask and order, and which query sees any.

    A query that sees nothing is said to see everything, to be put out later: shares of nothing are no numbers.
    """
    attributes, axis = call.attributes, call.attributes["axis"]
    counts = [math.prod(value.shape[2:] if axis == "channels" else value.shape[1:-1]) for value in (queries, keys)]
    mask = call.inputs[attributes["mask"]]
    seen: Tensor = (mask > 0).reshape(len(mask), 1, -1, counts[1])
    if attributes["causal"]:
        seen = seen & call.torch.ones(counts, dtype=call.torch.bool, device=mask.device).tril()
    some = seen.any(-1, keepdim=True)
    return seen | ~some, some


def _torch_projected(call: TorchCall, rows: Sequence[Tensor]) -> Sequence[Tensor]:
    """Return queries, keys and values; three of one input by one product."""
    weights, functional, packed = call.weights, call.torch.nn.functional, call.weights.get("in_proj_weight")
    bias = weights.get("in_proj_bias")
    if packed is not None and _places(call.attributes) == (0, 0):
        together: Sequence[Tensor] = functional.linear(rows[0], packed, bias).chunk(3, -1)
        return together
    matrices = [weights[role] for role in _PARTS] if packed is None else packed.chunk(3)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return [functional.linear(*each) for each in zip(rows, matrices, biases, strict=True)]


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes, axis = Decomposition(call, sink), call.attributes, call.attributes["axis"]
    heads, width = attributes["heads"], features_of(call.input_types[0], axis)
    places = (0, *_places(attributes))
    rows = {
        place: onnx_tokens(write, call.inputs[place], call.input_types[place], axis) for place in dict.fromkeys(places)
    }
    projected = _onnx_projected(write, call, [rows[place] for place in places], width)
    queries, keys, values = (
        onnx_heads(write, value, heads, width, turned=part == 1) for part, value in enumerate(projected)
    )
    scaled = write("Mul", queries, write.number((width // heads) ** -0.5))
    scores = write("MatMul", scaled, keys)
    if attributes["causal"]:
        scores = _onnx_causal(write, scores, [rows[place] for place in places[:2]], call)
    seen = None if attributes["mask"] is None else _onnx_mask(write, call)
    if seen is not None:
        scores = write("Where", seen, scores, write.number(-math.inf))
    shares = write("Softmax", scores, axis=-1)
    if seen is not None:  # shares of nothing are no numbers
        shares = write("Where", _onnx_seen(write, scores), shares, write.number(0))
    mixed = write("MatMul", shares, values)
    joined = onnx_heads_joined(write, mixed, width)
    out = onnx_linear(write, joined, call.weights["out_proj_weight"], call.weights.get("out_proj_bias"))
    onnx_from_tokens(write, out, call.inputs[0], call.output_types[0], axis)


def _onnx_projected(write: Decomposition, call: OnnxCall, rows: Sequence[str], width: int) -> Sequence[str]:
    packed, bias = call.weights.get("in_proj_weight"), call.weights.get("in_proj_bias")
    thirds = write.sizes([width] * 3)
    if packed is not None and len(set(rows)) == 1:
        return write.parts("Split", 3, onnx_linear(write, rows[0], packed, bias), thirds, axis=2)
    matrices = (
        [call.weights[role] for role in _PARTS] if packed is None else write.parts("Split", 3, packed, thirds, axis=0)
    )
    biases = [None] * 3 if bias is None else write.parts("Split", 3, bias, thirds, axis=0)
    return [onnx_linear(write, *each) for each in zip(rows, matrices, biases, strict=True)]


def _onnx_mask(write: Decomposition, call: OnnxCall) -> str:
    """Write which query sees which key by the mask, `N x 1 x queries x keys`."""
    place = call.attributes["mask"]
    seen = write("Greater", call.inputs[place], write.number(0))
    return write("Unsqueeze", seen, write.sizes([1] if call.input_types[place].rank == 2 else [1, 2]))


def _onnx_seen(write: Decomposition, scores: str) -> str:
    """Write which scores take part."""
    return write("Greater", scores, write.number(-math.inf))


def _onnx_causal(write: Decomposition, scores: str, rows: Sequence[str], call: OnnxCall) -> str:
    """Write the scores with those of keys behind the query put out."""
    axis, places = call.attributes["axis"], (0, _places(call.attributes)[0])
    counts = [tokens_of(call.input_types[place], axis) for place in places]
    queries, keys = (onnx_places(write, name, count, 1) for name, count in zip(rows, counts, strict=True))
    seen = write("GreaterOrEqual", write("Unsqueeze", queries, write.sizes([1])), keys)
    return write("Where", seen, scores, write.number(-math.inf))


ATTENTION = OpRecord(
    name="attention",
    work=Work(_operations, _keeps, scratch=_projected),
    role="weights",
    summary="Attention with heads: each token gets out_proj(softmax(q k^T / sqrt(d)) v), where queries q, keys k and "
    "values v are projections with d features for each head; tokens are positions or pixels. Weights are named, "
    "ordered and started as those of torch's MultiheadAttention.",
    arguments=(
        Argument("heads", Integer(), "Number of heads, among which the features are dealt out; it must divide them."),
        Argument(
            "keys",
            Optional(NamedValue()),
            "The value that keys (and values) are made of; none is the value that flows in: self-attention.",
            None,
        ),
        Argument("values", Optional(NamedValue()), "The value that values are made of, if not that of the keys.", None),
        Argument("bias", Flag(), "Whether the four projections have a bias.", True),
        Argument("causal", Flag(), "Whether a token sees no key behind its own place.", False),
        Argument(
            "dropout",
            Real(0, 1, open_maximum=True),
            "Probability that a token does not see a key, in training.",
            0,
        ),
        AXIS,
        Argument(
            "mask",
            Optional(NamedValue()),
            "A named value that says what is seen: queries x keys, or one entry for each key; a key is seen where it "
            "is above 0. A query that sees no key gets zeros before the last projection.",
            None,
        ),
    ),
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=sees_everything,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({"heads": 2}, ((6, 5, 3),)),
        Sample({"heads": 3, "bias": False}, ((6, 9),)),
        Sample({"heads": 1, "axis": "last"}, ((7, 4),)),
        Sample({"heads": 2, "axis": "last", "causal": True}, ((5, 3, 4),)),
        Sample({"heads": 2, "causal": True, "dropout": 0.3}, ((4, 3, 2, 5),)),
        Sample({"heads": 2, "keys": 1}, ((6, 4, 3), (6, 8))),
        Sample({"heads": 2, "keys": 1, "axis": "last"}, ((9, 4), (5, 3))),
        Sample({"heads": 2, "keys": 1, "values": 2}, ((4, 5), (3, 4, 2), (5, 8))),
        Sample({"heads": 2, "keys": 1, "causal": True, "bias": False}, ((4, 5), (3, 7))),
        Sample({"heads": 2, "mask": 1}, ((6, 5), (5, 5))),
        Sample({"heads": 1, "keys": 1, "mask": 2, "axis": "last"}, ((5, 4), (7, 3), (7,))),
        Sample({"heads": 2, "causal": True, "mask": 1, "bias": False}, ((4, 2, 3), (6,))),
        Sample({"heads": 2, "mask": 1}, ((6, 5), (5, 4)), fails="needs a mask 5 x 5 (queries and keys) or 5 (keys)"),
        Sample({"heads": 2, "mask": 1}, ((6, 5), (2, 5, 5)), fails="but gets 2 x 5 x 5"),
        Sample({"heads": 4}, ((6, 5, 7),), fails="6 features cannot be dealt out to 4 heads"),
        Sample({"heads": 2}, ((6,),), fails="needs pixels beside the channels, but gets 6"),
        Sample(
            {"heads": 2, "keys": 1, "values": 2},
            ((4, 5), (3, 4, 2), (5, 7)),
            fails="there must be a value for each key, but there are 8 keys and 7 values",
        ),
        Sample({"heads": 0}, ((6, 5, 7),), fails="heads must be a whole number of at least 1"),
        Sample({"heads": 2, "axis": "first"}, ((6, 5, 7),), fails="axis must be one of channels, last"),
    ),
    reference="Vaswani et al., Attention is all you need, 2017, section 3.2",
)

RECORDS = (ATTENTION,)
