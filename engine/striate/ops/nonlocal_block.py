"""The non-local block: each pixel gets a sum over all pixels, weighted by how much they have to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.graph import Initializer
from striate.ops.arguments import Argument, Choice, Integer, OneOf
from striate.ops.decomposition import Decomposition
from striate.ops.moves import sees_everything
from striate.ops.problems import Check
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.sizes import entries, known_channels, pixels, same_type, with_space
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.tokens import from_tokens, onnx_from_tokens, onnx_linear, onnx_tokens, to_tokens
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_FORMS = ("embedded", "gaussian", "dot", "concatenation")
_FLOAT = 1
_DEVIATION = 0.01


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    with_space(inputs)
    known_channels(inputs)
    return same_type(inputs)


def _inner(attributes: Attributes, inputs: Types) -> int:
    return max(known_channels(inputs) // int(attributes["reduction"]), 1)


def _embeddings(attributes: Attributes) -> tuple[str, ...]:
    return ("g",) if attributes["form"] == "gaussian" else ("theta", "phi", "g")


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    channels, inner = known_channels(inputs), _inner(attributes, inputs)
    start, zeros = Initializer("normal", {"deviation": _DEVIATION}), Initializer("zeros")
    specs = []
    for name in _embeddings(attributes):
        specs += [WeightSpec(f"{name}_weight", (inner, channels), start), WeightSpec(f"{name}_bias", (inner,), zeros)]
    if attributes["form"] == "concatenation":
        specs.append(WeightSpec("pair_weight", (2 * inner,), start))
    # From zero, so that a block put into a trained network changes nothing at first.
    return (*specs, WeightSpec("out_weight", (channels, inner), zeros), WeightSpec("out_bias", (channels,), zeros))


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    channels, inner, count = known_channels(inputs), _inner(attributes, inputs), pixels(inputs[0])
    projections = count * channels * inner * (len(_embeddings(attributes)) + 1)
    if attributes["form"] == "concatenation":
        return projections + 2 * count * inner + count * count * inner
    if attributes["form"] == "dot":
        return projections + 2 * count * inner * inner
    compared = channels if attributes["form"] == "gaussian" else inner
    return projections + count * count * (compared + inner)


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    # A bias for every projection and the sum at the end; for each pair a softmax and a scale, a sum and a relu, or
    # nothing, and then a division for each of the pixels.
    inner, count = _inner(attributes, inputs), pixels(inputs[0])
    each = {"embedded": 6, "gaussian": 6, "concatenation": 2, "dot": 0}[attributes["form"]]
    divided = count * inner if attributes["form"] in ("concatenation", "dot") else 0
    projected = count * inner * len(_embeddings(attributes)) + entries(inputs[0]) * 2
    return count * count * each + divided + projected


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """The input as tokens at three places, the projections and what is mixed of them; a number for each pair."""
    inner, count = _inner(attributes, inputs), pixels(inputs[0])
    pairs = inner * inner if attributes["form"] == "dot" else count * count
    return Kept(numbers=pairs + count * inner * (len(_embeddings(attributes)) + 1) + entries(inputs[0]) * 3)


def _torch(call: TorchCall) -> Tensor:
    weights, form, functional = call.weights, call.attributes["form"], call.torch.nn.functional
    rows = to_tokens(call.inputs[0], "channels")
    made = [
        functional.linear(rows, weights[f"{name}_weight"], weights[f"{name}_bias"])
        for name in _embeddings(call.attributes)
    ]
    queries, keys, values = made if len(made) == 3 else (rows, rows, made[0])
    if form in ("embedded", "gaussian"):
        mixed = functional.scaled_dot_product_attention(queries, keys, values, scale=1.0)
    elif form == "dot":
        # Without a softmax between them the products may be taken in the order that needs no matrix of all pairs.
        mixed = queries @ (keys.transpose(1, 2) @ values) / rows.shape[1]
    else:
        left, right = weights["pair_weight"].chunk(2)
        pairs = functional.relu((queries @ left)[:, :, None] + (keys @ right)[:, None])
        mixed = pairs @ values / rows.shape[1]
    out = rows + functional.linear(mixed, weights["out_weight"], weights["out_bias"])
    return from_tokens(out, call.inputs[0].shape, "channels")


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, weights, form = Decomposition(call, sink), call.weights, call.attributes["form"]
    rows = onnx_tokens(write, call.inputs[0], call.input_types[0], "channels")
    made = [
        onnx_linear(write, rows, weights[f"{name}_weight"], weights[f"{name}_bias"])
        for name in _embeddings(call.attributes)
    ]
    queries, keys, values = made if len(made) == 3 else (rows, rows, made[0])
    if form == "concatenation":
        total = write("MatMul", _onnx_pairs(write, call, queries, keys), values)
    elif form == "dot":
        total = write("MatMul", queries, write("MatMul", write("Transpose", keys, perm=[0, 2, 1]), values))
    else:
        shares = write("MatMul", queries, write("Transpose", keys, perm=[0, 2, 1]))
        total = write("MatMul", write("Softmax", shares, axis=-1), values)
    averaged = form in ("concatenation", "dot")
    mixed = write("Div", total, _onnx_count(write, call, rows)) if averaged else total
    out = write("Add", rows, onnx_linear(write, mixed, weights["out_weight"], weights["out_bias"]))
    onnx_from_tokens(write, out, call.inputs[0], call.output_types[0], "channels")


def _onnx_pairs(write: Decomposition, call: OnnxCall, queries: str, keys: str) -> str:
    inner = _inner(call.attributes, tuple(call.input_types))
    parts = write.parts("Split", 2, call.weights["pair_weight"], write.sizes([inner, inner]), axis=0)
    left, right = (
        write("MatMul", value, write("Unsqueeze", part, write.sizes([1])))
        for value, part in zip((queries, keys), parts, strict=True)
    )
    return write("Relu", write("Add", left, write("Transpose", right, perm=[0, 2, 1])))


def _onnx_count(write: Decomposition, call: OnnxCall, rows: str) -> str:
    count = pixels(call.input_types[0])
    return write.number(count) if isinstance(count, int) else write("Cast", write.size_of(rows, 1), to=_FLOAT)


NONLOCAL = OpRecord(
    name="nonlocal",
    work=Work(_operations, _keeps),
    role="weights",
    summary="Non-local block: out = in + W y with y_i = sum over j of f(x_i, x_j) g(x_j), over all pixels j; f is a "
    "softmax of products, a product over the number of pixels, or a trained function of both.",
    arguments=(
        Argument(
            "form",
            OneOf(_FORMS),
            "How pixels are compared: softmax of theta(x_i) . phi(x_j) (embedded), softmax of x_i . x_j (gaussian), "
            "theta(x_i) . phi(x_j) / N (dot), or relu(w . [theta(x_i), phi(x_j)]) / N (concatenation).",
            Choice("embedded"),
        ),
        Argument(
            "reduction",
            Integer(),
            "By what the channels are divided for theta, phi and g (rounded down, 1 at least).",
            2,
        ),
    ),
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=sees_everything,
    torch=_torch,
    onnx=_onnx,
    samples=(
        *(Sample({"form": form}, ((6, 5, 3),)) for form in _FORMS),
        Sample({"reduction": 4}, ((2, 9),)),
        Sample({"form": "concatenation", "reduction": 1}, ((3, 2, 4, 3),)),
        Sample({}, ((10,),), fails="needs pixels beside the channels, but gets 10"),
        Sample({"form": "cosine"}, ((6, 5, 3),), fails="form must be one of embedded, gaussian, dot, concatenation"),
        Sample({"reduction": 0}, ((6, 5, 3),), fails="reduction must be a whole number of at least 1"),
    ),
    reference="Wang, Girshick, Gupta and He, Non-local neural networks, 2018, equations 1 to 6",
)

RECORDS = (NONLOCAL,)
