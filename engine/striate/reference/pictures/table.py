"""Which layer has which picture, and why some have none."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import TYPE_CHECKING, Any

from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate.reference.pictures.execution import results
from striate.reference.pictures.kinds import PLAIN, Arguments, Cells, Curve, Kind, Photo, Reach, Seen, calls_with
from striate.reference.pictures.values import mixed, turned

if TYPE_CHECKING:
    from torch import Tensor


def _tensor(numbers: Any) -> Tensor:
    """Return numbers as a batch of one."""
    import torch

    return torch.tensor([numbers], dtype=torch.float64)


def _holed() -> Tensor:
    """Return a mask of 6 x 6 pixels with a hole."""
    import torch

    mask = torch.ones(1, 1, 6, 6, dtype=torch.float64)
    mask[:, :, 1:5, 1:5] = 0
    return mask


def _turning_grid() -> Tensor:
    """Return what affine_grid makes of a turn by 30 degrees, for an image of 48 x 48."""
    return results(BUILTIN["affine_grid"], {"size": (48, 48)}, [turned(pi / 6, 1.1)])[0]


def _chain() -> Tensor:
    """Return the edges of six nodes in a row, with one from the first to the last but one."""
    import torch

    edges = torch.diag(torch.ones(5, dtype=torch.float64), 1)
    edges[0, 4] = 1
    return (edges + edges.T)[None]


def _row(shape: tuple[int, ...]) -> Tensor:
    """Return one row of an affine map as the six numbers of it: a turn by 30 degrees."""
    return turned(pi / 6, 1.0)


def _windowed(**more: object) -> tuple[Arguments, ...]:
    return tuple({"kernel": 3, **more, **each} for each in ({}, {"stride": 2}, {"dilation": 2}, {"pad": "half"}))


_ONES = {"weight": 1.0, "bias": 0.0}
_SEES = Seen(_windowed(channels=1), weights=_ONES)
_MIXED = Cells(start=mixed)
_STEPS = (2, 8)
_POOLS = ({"kernel": 2}, {"kernel": 3, "stride": 2}, {"kernel": 2, "stride": 1})
_WHOLE = Cells(start=mixed, shape=(2, 3, 4))
_MERGED = Cells(start=mixed, shape=(1, 3, 4), others=(("b", lambda: mixed((1, 4, 3)).reshape(1, 1, 3, 4)),))
_POSITIVE = Cells(shape=(1, 2, 4), others=(("b", lambda: _tensor([[[2, 3, 2, 3], [3, 2, 3, 2]]])),))
_TRUTHS = Cells(
    shape=(1, 2, 4),
    start=lambda shape: _tensor([[[0, 0, 1, 1], [2, 0, -1, 0]]]),
    others=(("b", lambda: _tensor([[[0, 1, 0, 1], [1, 0, 3, 0]]])),),
)
_REGION = (("rois", lambda: _tensor([[1.0, 1.0, 4.6, 4.0]])),)
_SLOPES = Photo(calls_with("direction", ("x", "y", "magnitude")), "grey")
_BLURS = calls_with("kernel", (3, 7))
_ALONG = calls_with("axis", ("channels", "width", "space"))
_TURNED = {
    "weight": 1.0,
    "bias": 0.0,
    "offset_weight": 0.0,
    # Down and across for each entry of a kernel of 3 x 3: further out, and turned a little; all weighed alike.
    "offset_bias": [
        *(move for down in (-1, 0, 1) for across in (-1, 0, 1) for move in (0.8 * down, 0.8 * across + 0.4 * down)),
        *[0.0] * 9,
    ],
}
_BRIGHT: Arguments = {"kernel": 7, "sigma_space": 2}
_ATTENDING = {"in_proj_weight": 0.1, "in_proj_bias": 0.0, "out_proj_weight": 0.5, "out_proj_bias": 0.0}

_CURVES: Mapping[str, Curve] = {
    **dict.fromkeys(("relu", "silu", "mish", "selu", "hardswish", "log_sigmoid", "softsign", "tanh"), Curve()),
    "relu6": Curve(low=-2, high=8, top=8),
    **dict.fromkeys(("sigmoid", "erf"), Curve(low=-6, high=6)),
    "hardsigmoid": Curve(calls_with("form", ("torch", "onnx"))),
    "leaky_relu": Curve(calls_with("slope", (0.01, 0.2))),
    "prelu": Curve(calls_with("start", (0.25, 0.5))),
    "rrelu": Curve(),
    "threshold": Curve(({}, {"at": 1, "below": -1})),
    "clip": Curve(({}, {"low": -2, "high": 1})),
    **dict.fromkeys(("elu", "celu"), Curve(calls_with("alpha", (1, 2)))),
    "swish": Curve(calls_with("beta", (0.5, 1, 3))),
    "gelu": Curve(calls_with("form", ("exact", "tanh"))),
    "softplus": Curve(calls_with("beta", (1, 3))),
    "step": Curve(({}, {"at": 1})),
    "linear": Curve(({"scale": 0.5, "shift": 1},)),
    **dict.fromkeys(("abs", "neg", "sign", "ceil", "floor", "round", "exp", "square", "sinh", "cosh"), Curve()),
    **dict.fromkeys(("sin", "cos", "tan"), Curve(low=-6, high=6)),
    **dict.fromkeys(("atan", "asinh", "reciprocal"), Curve(low=-4, high=4)),
    **dict.fromkeys(("asin", "acos", "atanh"), Curve(low=-0.999, high=0.999)),
    "acosh": Curve(low=1, high=5),
    "log": Curve(low=0.01, high=5),
    "sqrt": Curve(low=0, high=5),
    "power": Curve(calls_with("exponent", (0.5, 2, 3)), low=0, high=2),
    "gumbel_sigmoid": Curve(({"hard": False}, {}), low=-6, high=6),
}

_WINDOWS: Mapping[str, Kind] = {
    "conv": _SEES,
    "local_conv": _SEES,
    "deconv": Seen(
        tuple({"channels": 1, "kernel": 3, **each} for each in ({}, {"stride": 2}, {"dilation": 2}, {"pad": 1})),
        shape=(1, 5, 5),
        place=(3, 3),
        weights=_ONES,
    ),
    "deform_conv": Seen(({"channels": 1, "kernel": 3, "pad": 1},), place=(3, 3), weights=_TURNED),
    "partial_conv": Cells(
        ({"channels": 1, "kernel": 3, "mask": 1, "pad": 1},),
        shape=(1, 6, 6),
        others=(("mask", _holed),),
        weights={"weight": 1 / 9, "bias": 0.0},
    ),
    **dict.fromkeys(("maxpool", "avgpool", "minpool", "lppool", "mixed_pool"), Cells(_POOLS, (1, 5, 5), mixed)),
    **dict.fromkeys(("global_avgpool", "global_maxpool", "global_minpool", "global_lppool"), _WHOLE),
    **dict.fromkeys(("adaptive_avgpool", "adaptive_maxpool"), Cells(calls_with("size", (3, (2, 3))), (1, 5, 7), mixed)),
    "spp": Cells(({"bins": [2, 1]},), (1, 4, 5), mixed),
    "stochastic_pool": Cells(({"kernel": 2},), (1, 4, 4), mixed, training=True),
    "fractional_maxpool": Cells(({"kernel": 2, "ratio": 0.7},), (1, 7, 7), mixed),
    "max_unpool": Cells(
        ({"indices": 1, "size": 4},), (1, 2, 2), mixed, others=(("indices", lambda: _tensor([[[0, 3], [9, 14]]])),)
    ),
    "roi_pool": Cells(({"rois": 1, "size": 2},), (1, 6, 6), others=_REGION),
    "roi_align": Cells(({"rois": 1, "size": 2}, {"rois": 1, "size": 2, "aligned": True}), (1, 6, 6), others=_REGION),
    "psroi_pool": Cells(({"rois": 1, "size": 2},), (4, 5, 5), mixed, others=_REGION),
}

_IMAGES: Mapping[str, Kind] = {
    "sobel": _SLOPES,
    "prewitt": _SLOPES,
    "laplacian": Photo(calls_with("neighbours", ("four", "eight")), "grey"),
    "sharpen": Photo(calls_with("amount", (0.5, 2))),
    "emboss": Photo(),
    "box_blur": Photo(_BLURS),
    "gaussian_blur": Photo(_BLURS),
    "median_blur": Photo(_BLURS),
    "bilateral": Photo(calls_with("sigma_color", (0.1, 0.5), **_BRIGHT)),
    "grid_sample": Photo(calls_with("outside", ("zeros", "border", "reflection"), grid=1), more=(_turning_grid,)),
    "affine_grid": Cells(({"size": (4, 5)},), (6,), _row),
    "coordinates": Cells(calls_with("radius", (False, True)), (1, 3, 4)),
}

_MOVING: Mapping[str, Kind] = {
    "pad": Cells(calls_with("mode", ("constant", "reflect", "replicate", "circular"), sides=2), (1, 3, 4)),
    "crop": Cells(({"sides": 1}, {"sides": (0, 1, 2, 0)}, {"size": (2, 3)}), (1, 4, 6)),
    "expand": Cells(({"size": (3, 4)},), (2, 1, 1)),
    "flip": Cells(calls_with("axis", ("height", "width", "channels")), (2, 2, 3)),
    "roll": Cells(({"shift": 1, "axis": "width"}, {"shift": -1, "axis": "height"}), (1, 3, 4)),
    "tile": Cells(({"times": 2}, {"times": 2, "axis": "width"}), (1, 2, 3)),
    "slice": Cells(({"axis": "width", "start": 1, "step": 2}, {"axis": "height", "stop": -1}), (1, 3, 6)),
    "select": Cells(({"places": [2, 0]}, {"places": [3, 3, 0], "axis": "width"}), (3, 2, 4)),
    "split": Cells(({"parts": 2}, {"parts": [1, "auto"], "axis": "width"}), (2, 2, 4)),
    "chunk": Cells(({"parts": 2, "axis": "width"},), (1, 2, 5)),
    "concat": Cells(
        calls_with("axis", ("channels", "height", "width")), (1, 2, 3), others=(("b", lambda: -mixed((1, 2, 3))),)
    ),
    "stack": Cells(PLAIN, (2, 2, 3), others=(("b", lambda: -mixed((2, 2, 3))),)),
    "reshape": Cells(({"sizes": [1, 4, 3]}, {"sizes": [3, "auto"]}), (2, 2, 3)),
    "flatten": Cells(({}, {"from": "height"}), (2, 2, 3)),
    "unflatten": Cells(({"sizes": [2, 2]},), (4, 3)),
    "permute": Cells(
        ({"order": ["channels", "width", "height"]}, {"order": ["width", "height", "channels"]}), (2, 2, 3)
    ),
    "transpose": Cells(({}, {"first": "channels", "second": "width"}), (2, 2, 3)),
    "upsample": Cells(calls_with("mode", ("nearest", "bilinear", "bicubic", "area"), scale=2), (1, 2, 3), mixed),
    "resize": Cells(
        (
            *calls_with("mode", ("nearest", "linear", "bicubic"), size=(3, 6)),
            {"size": (3, 6), "coordinates": "align_corners"},
        ),
        (1, 2, 4),
        mixed,
    ),
    **dict.fromkeys(("pixel_shuffle",), Cells(({"block": 2},), (4, 2, 2))),
    "pixel_unshuffle": Cells(({"block": 2},), (1, 4, 4)),
    "depth_to_space": Cells(calls_with("order", ("DCR", "CRD"), block=2), (8, 1, 2)),
    "space_to_depth": Cells(calls_with("order", ("DCR", "CRD"), block=2), (2, 2, 4)),
    "channel_shuffle": Cells(({"groups": 2},), (6, 1, 2)),
    "broadcast": Cells(({"sizes": [2, 3, 4]},), (2, 1, 4)),
    "gather": Cells(
        ({"indices": 1, "axis": "last"},), (1, 2, 4), others=(("indices", lambda: _tensor([[[2, 0], [1, 1]]])),)
    ),
    "scatter": Cells(
        ({"indices": 1, "values": 2, "axis": "last"}, {"indices": 1, "values": 2, "axis": "last", "combine": "add"}),
        (1, 2, 4),
        others=(("indices", lambda: _tensor([[[2, 0], [1, 3]]])), ("values", lambda: _tensor([[[50, 60], [70, 80]]]))),
    ),
    "topk": Cells(({"k": 2}, {"k": 2, "largest": False}), (1, 3, 5), mixed),
    "one_hot": Cells(({"classes": 4},), (1, 5), lambda shape: _tensor([[0, 2, 1, 3, 2]])),
}

_ARITHMETIC: Mapping[str, Kind] = {
    **dict.fromkeys(("add", "sub", "mul", "maximum", "minimum", "average"), _MERGED),
    **dict.fromkeys(("div", "pow", "fmod", "mod"), _POSITIVE),
    **dict.fromkeys(("greater", "greater_equal", "less", "less_equal", "equal"), _POSITIVE),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), _TRUTHS),
    "logical_not": Cells(shape=(1, 2, 4), start=_TRUTHS.start),
    "where": Cells(
        shape=(1, 2, 4),
        start=_TRUTHS.start,
        others=(("a", lambda: mixed((1, 2, 4))), ("b", lambda: -10 - mixed((1, 2, 4)))),
    ),
    **dict.fromkeys(
        ("reduce_mean", "reduce_sum", "reduce_max", "reduce_min", "reduce_std"), Cells(_ALONG, (2, 2, 3), mixed)
    ),
    **dict.fromkeys(("reduce_prod", "reduce_logsumexp"), Cells(_ALONG[:2], (2, 2, 3), mixed)),
    **dict.fromkeys(("argmax", "argmin"), Cells(_ALONG[:2], (3, 2, 3), mixed)),
    "cumsum": Cells(({}, {"exclusive": True}, {"reverse": True}), (1, 2, 5)),
    "cumprod": Cells(({}, {"exclusive": True}, {"reverse": True}), (1, 1, 4)),
    **dict.fromkeys(("softmax", "log_softmax", "softmin"), Cells(_ALONG[:2], (3, 2, 3), mixed)),
    "gumbel_softmax": Cells(({}, {"hard": False}), (4, 1, 3), mixed, training=True),
    "maxout": Cells(({"pieces": 2},), (4, 2, 3), mixed),
    "glu": Cells(calls_with("gate", ("sigmoid", "relu")), (2, 2, 3), mixed),
}

_DISTURBING: Mapping[str, Kind] = {
    **dict.fromkeys(("dropout", "spatial_dropout", "droppath"), Cells(({"rate": 0.5},), (3, 4, 4), training=True)),
    "alpha_dropout": Cells(({"rate": 0.3},), (2, 4, 4), mixed, training=True),
    "concrete_dropout": Cells(({"rate": 0.4},), (2, 4, 4), training=True),
    "gaussian_noise": Cells(({"std": 2},), (1, 4, 4), mixed, training=True),
    "cutout": Cells(({"size": 3}, {"size": 2, "holes": 2}), (1, 7, 7), training=True),
}

_REACHING: Mapping[str, Kind] = {
    "attention": Reach(({"heads": 1}, {"heads": 1, "causal": True}), _STEPS),
    "window_attention": Reach(({"heads": 1, "window": 2}, {"heads": 1, "window": 2, "shift": 1}), (2, 4, 4)),
    "nonlocal": Reach(({},), (4, 6), weights={"out_weight": 1.0}),
    **dict.fromkeys(("lstm", "gru"), Reach(({"hidden": 2}, {"hidden": 2, "bidirectional": True}), _STEPS)),
    "convlstm": Reach(({"hidden": 1, "kernel": 3},), (1, 3, 1, 5)),
    "graphconv": Reach(({"channels": 2, "adjacency": 1},), (2, 6), others=(_chain,)),
}

PICTURES: Mapping[str, Kind] = {
    **_CURVES,
    **_WINDOWS,
    **_IMAGES,
    **_MOVING,
    **_ARITHMETIC,
    **_DISTURBING,
    **_REACHING,
}
"""The picture of each layer."""

_SCALED = "entries are shifted and scaled by numbers that the formula says; a picture shows other numbers only"

WITHOUT: Mapping[str, str] = {
    **dict.fromkeys(
        ("bn", "instancenorm", "layernorm", "rmsnorm", "groupnorm", "grn", "adain", "lrn", "l2norm"), _SCALED
    ),
    **dict.fromkeys(("scale", "offset"), "one trained number per channel is multiplied or added"),
    **dict.fromkeys(("dense", "dropconnect", "matmul"), "every output is a sum over every input"),
    **dict.fromkeys(("dot", "cosine_similarity", "l2_distance"), "one number for two vectors: the formula shows it"),
    "table_conv": "the table that its page lists is the picture",
    "parameter": "it gives a trained tensor, whatever flows in",
    "identity": "it changes nothing",
}
"""Layers without a picture, and why."""


def picture(record: OpRecord) -> str | None:
    """Return the picture of a layer as the text of an SVG file; None where it has none."""
    kind = PICTURES.get(record.name)
    return None if kind is None else kind.draw(record)
