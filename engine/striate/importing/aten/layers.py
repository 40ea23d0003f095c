"""Convolution, pooling, normalisation, products and attention of ATen."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from striate.importing.aten.walk import Given, Rule, Walk, flowing, numbers, tensor
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored


def _conv(walk: Walk, given: Given) -> Any:
    value, weight = tensor(given["input"]), given["weight"]
    if not isinstance(weight, Stored):
        raise UnsupportedError("its weight is computed from the input")
    count = weight.array.ndim - 2
    if walk.rank(value) != count + 2:
        raise UnsupportedError("its input has no batch axis")
    stride, dilation = numbers(given["stride"], count), numbers(given["dilation"], count)
    attributes: dict[str, Any] = {"strides": stride, "dilations": dilation, "group": given["groups"]}
    if given.get("transposed", False) or ("output_padding" in given and "transposed" not in given):
        extra = numbers(given["output_padding"], count)
        pads = numbers(given["padding"], count) * 2
        return walk.onnx("ConvTranspose", value, weight, given["bias"], pads=pads, output_padding=extra, **attributes)
    if isinstance(given["padding"], str):
        attributes |= _named_padding(given["padding"], weight.array.shape[2:], dilation)
    else:
        attributes["pads"] = numbers(given["padding"], count) * 2
    return walk.onnx("Conv", value, weight, given["bias"], **attributes)


def _named_padding(name: str, kernel: tuple[int, ...], dilation: list[int]) -> Mapping[str, Any]:
    """Return torch's `same` and `valid`: as many rows as the kernel takes away, the odd one behind."""
    if name == "valid":
        return {"auto_pad": "VALID"}
    spans = [apart * (size - 1) for size, apart in zip(kernel, dilation, strict=True)]
    return {"pads": [*(span // 2 for span in spans), *(span - span // 2 for span in spans)]}


def _batch_norm(walk: Walk, given: Given) -> Any:
    value = tensor(given["input"])
    if given.get("training", False) or given["running_mean"] is None:
        raise UnsupportedError("it normalises by the batch at hand: call .eval() first, or keep running statistics")
    channels = given["running_mean"].array.shape[0]
    weight = given["weight"] or Stored((), np.ones(channels, np.float32))
    bias = given["bias"] or Stored((), np.zeros(channels, np.float32))
    keep = 1 - given["momentum"]
    made = walk.onnx(
        "BatchNormalization",
        *(value, weight, bias, given["running_mean"], given["running_var"]),
        epsilon=given["eps"],
        momentum=keep,
    )
    return [made, None, None]


def _only_batch_norm(walk: Walk, given: Given) -> Any:
    return _batch_norm(walk, given)[0]


def _layer_norm(walk: Walk, given: Given) -> Any:
    count = len(given["normalized_shape"])
    value = tensor(given["input"])
    axis = walk.rank(value) - count
    weight = given["weight"] or Stored((), np.ones(tuple(given["normalized_shape"]), np.float32))
    return walk.onnx("LayerNormalization", value, weight, given["bias"], axis=axis, epsilon=given["eps"])


def _rms_norm(walk: Walk, given: Given) -> Any:
    value = tensor(given["input"])
    eps = given["eps"]
    if eps is None:
        eps = float(np.finfo(np.float32).eps)
    weight = given["weight"] or Stored((), np.ones(tuple(given["normalized_shape"]), np.float32))
    axis = walk.rank(value) - len(given["normalized_shape"])
    return walk.onnx("RMSNormalization", value, weight, axis=axis, epsilon=eps)


def _group_norm(walk: Walk, given: Given) -> Any:
    value = tensor(given["input"])
    weights = _affine(given)
    return walk.layer("groupnorm", value, weights, groups=given["num_groups"], eps=given["eps"], affine=bool(weights))


def _instance_norm(walk: Walk, given: Given) -> Any:
    value = tensor(given["input"])
    if not given["use_input_stats"]:
        raise UnsupportedError("it normalises by running statistics")
    weights = _affine(given)
    return walk.layer("instancenorm", value, weights, eps=given["eps"], affine=bool(weights))


def _affine(given: Given) -> dict[str, Stored]:
    weight, bias = given["weight"], given["bias"]
    if weight is None and bias is None:
        return {}
    if weight is None or bias is None:
        raise UnsupportedError("it has a scale without an offset, or the other way round")
    return {"weight": _float(weight), "bias": _float(bias)}


def _float(stored: Stored) -> Stored:
    return Stored(stored.names, stored.array.astype(np.float32))


def _pool(name: str, count: int) -> Rule:
    def rule(walk: Walk, given: Given) -> Any:
        value = flowing(given)
        if walk.rank(value) != count + 2:
            raise UnsupportedError("its input has no batch axis")
        kernel = numbers(given["kernel_size"], count)
        arguments: dict[str, Any] = {
            "kernel": tuple(kernel),
            "stride": tuple(numbers(given["stride"], count) if given["stride"] else kernel),
            "pad": tuple(side for pad in numbers(given["padding"], count) for side in (pad, pad)),
            "ceil": bool(given["ceil_mode"]),
        }
        if name == "maxpool":
            arguments["dilation"] = tuple(numbers(given["dilation"], count))
        else:
            if given.get("divisor_override") is not None:
                raise UnsupportedError("it divides by a number of its own")
            arguments["count_include_pad"] = bool(given["count_include_pad"]) and any(arguments["pad"])
        return walk.layer(name, value, **arguments)

    return rule


def _first(rule: Rule) -> Rule:
    """Return a rule that gives a tuple whose first value is that of another; the second is not read."""
    return lambda walk, given: [rule(walk, given), None]


def _adaptive(kind: str) -> Rule:
    def rule(walk: Walk, given: Given) -> Any:
        value = flowing(given)
        wanted = given["output_size"]
        sizes = numbers(wanted, len(value.sizes) - 1)
        if all(size == 1 for size in sizes):
            return walk.layer(f"global_{kind}", value)
        if len(sizes) != len(value.sizes) - 1:
            raise UnsupportedError("its input has no batch axis")
        return walk.layer(f"adaptive_{kind}", value, size=tuple(sizes))

    return rule


def _linear(walk: Walk, given: Given) -> Any:
    value, weight, bias = given["input"], given["weight"], given["bias"]
    if not isinstance(weight, Stored):
        raise UnsupportedError("its weight is computed from the input")
    image, features = tensor(value), weight.array.shape[0]
    arguments = {"bias": bias is not None}
    offsets = {"bias": _float(bias)} if bias is not None else {}
    rank = len(image.sizes)
    if image.flat:
        raise UnsupportedError("its input is one number per image")
    if rank == 1:
        return walk.layer("dense", image, {"weight": _float(weight)} | offsets, features=features, **arguments)
    # A convolution of one pixel is the same for each token; features are channels there.
    kernel = Stored(weight.names, weight.array.astype(np.float32).reshape(*weight.array.shape, *[1] * (rank - 1)))
    turned = walk.onnx("Transpose", image, perm=[0, rank, *range(1, rank)])
    made = walk.layer("conv", turned, {"weight": kernel} | offsets, channels=features, kernel=1, **arguments)
    return walk.onnx("Transpose", made, perm=[0, *range(2, rank + 1), 1])


def _addmm(walk: Walk, given: Given) -> Any:
    matrix = given["mat2"]
    if given["beta"] != 1 or given["alpha"] != 1 or not isinstance(matrix, Stored):
        raise UnsupportedError("its factors are not 1, or its matrix is computed from the input")
    turned = Stored(matrix.names, np.ascontiguousarray(matrix.array.T))
    return _linear(walk, {"input": given["mat1"], "weight": turned, "bias": given["self"]})


def _matmul(walk: Walk, given: Given) -> Any:
    left, right = given["self"], given["other"] if "other" in given else given["mat2"]
    return walk.onnx("MatMul", left, right)


def _attention(walk: Walk, given: Given) -> Any:
    """Dot products of queries and keys, their shares, and the values by these (Vaswani et al., 2017, section 3.2.1)."""
    query, key, value = (tensor(given[name], name) for name in ("query", "key", "value"))
    if given["attn_mask"] is not None or given["is_causal"]:
        raise UnsupportedError("it has a mask")
    if given.get("enable_gqa"):
        raise UnsupportedError("its heads share keys")
    features = query.sizes[-1]
    scale = given["scale"]
    if scale is None:
        if not isinstance(features, int):
            raise UnsupportedError("its number of features is open")
        scale = 1 / sqrt(features)
    rank = walk.rank(key)
    order = [*range(rank - 2), rank - 1, rank - 2]
    scores = walk.onnx("MatMul", query, walk.onnx("Transpose", key, perm=order))
    shares = walk.onnx("Softmax", walk.onnx("Mul", scores, Stored((), np.asarray(scale, np.float32))), axis=-1)
    return walk.onnx("MatMul", shares, value)


_MAX = {count: _pool("maxpool", count) for count in (1, 2, 3)}

RULES: Mapping[str, Rule] = {
    **{f"conv{count}d{name}": _conv for count in (1, 2, 3) for name in (".default", ".padding")},
    **{f"conv_transpose{name}": _conv for name in ("1d.default", "2d.input", "3d.input")},
    "convolution.default": _conv,
    "batch_norm.default": _only_batch_norm,
    "_native_batch_norm_legit_no_training.default": _batch_norm,
    "layer_norm.default": _layer_norm,
    "rms_norm.default": _rms_norm,
    "group_norm.default": _group_norm,
    "instance_norm.default": _instance_norm,
    **{f"max_pool{count}d.default": _MAX[count] for count in (1, 2, 3)},
    **{f"max_pool{count}d_with_indices.default": _first(_MAX[count]) for count in (2, 3)},
    **{f"avg_pool{count}d.default": _pool("avgpool", count) for count in (1, 2, 3)},
    **{f"adaptive_avg_pool{count}d.default": _adaptive("avgpool") for count in (1, 2, 3)},
    **{f"_adaptive_avg_pool{count}d.default": _adaptive("avgpool") for count in (2, 3)},
    **{f"adaptive_max_pool{count}d.default": _first(_adaptive("maxpool")) for count in (1, 2, 3)},
    "linear.default": _linear,
    "addmm.default": _addmm,
    "matmul.default": _matmul,
    "mm.default": _matmul,
    "bmm.default": _matmul,
    "scaled_dot_product_attention.default": _attention,
}
