"""Calls that are mostly legal, for layers whose arguments and sizes must fit each other to be so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

Drawn = tuple[dict[str, Any], tuple[tuple[int, ...], ...]]
Draw = st.DrawFn

NAMES: Mapping[int, tuple[str, ...]] = {
    1: ("channels",),
    2: ("channels", "length"),
    3: ("channels", "height", "width"),
    4: ("channels", "depth", "height", "width"),
}


def shape(draw: Draw, ranks: tuple[int, ...] = (1, 2, 3, 3, 3, 4), largest: int = 9) -> tuple[int, ...]:
    rank = draw(st.sampled_from(ranks))
    return tuple(draw(st.integers(1, min(largest, 5) if rank == 4 else largest)) for _ in range(rank))


def axis(draw: Draw, rank: int) -> int:
    return draw(st.integers(0, rank - 1))


def name_of(draw: Draw, rank: int, place: int) -> str:
    return "last" if place == rank - 1 and draw(st.booleans()) else NAMES[rank][place]


def names(draw: Draw, rank: int) -> Any:
    several = st.lists(st.sampled_from(NAMES[rank]), min_size=1, max_size=rank, unique=True)
    grouped = ["all", "last", *(["space"] if rank > 1 else [])]
    return draw(st.one_of(several, st.sampled_from(grouped)))


def divisors(number: int) -> list[int]:
    return [each for each in range(1, number + 1) if number % each == 0]


def reshape(draw: Draw) -> Drawn:
    value = shape(draw)
    kept = [place for place in range(len(value)) if draw(st.integers(0, 3)) == 0]
    rest = math.prod(size for place, size in enumerate(value) if place not in kept)
    part = draw(st.sampled_from(divisors(rest)))
    sizes: list[Any] = [part, "auto" if draw(st.booleans()) else rest // part, *(NAMES[len(value)][p] for p in kept)]
    return {"sizes": draw(st.permutations(sizes))}, (value,)


def unflatten(draw: Draw) -> Drawn:
    value = shape(draw, (1, 2, 3))
    place = axis(draw, len(value))
    part = draw(st.sampled_from(divisors(value[place])))
    rest = "auto" if draw(st.booleans()) else value[place] // part
    return {"sizes": draw(st.permutations([part, rest])), "axis": name_of(draw, len(value), place)}, (value,)


def permute(draw: Draw) -> Drawn:
    value = shape(draw)
    return {"order": draw(st.permutations(NAMES[len(value)]))}, (value,)


def transpose(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 4))
    first, second, *_ = draw(st.permutations(range(len(value))))
    return {"first": NAMES[len(value)][first], "second": name_of(draw, len(value), second)}, (value,)


def flatten(draw: Draw) -> Drawn:
    value = shape(draw)
    return {"from": name_of(draw, len(value), axis(draw, len(value)))}, (value,)


def pad(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 4))
    mode = draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
    most = {"reflect": lambda size: size - 1, "circular": lambda size: size}.get(mode, lambda size: 4)
    sides = tuple(draw(st.integers(0, most(size))) for size in value[1:] for _ in range(2))
    return {"sides": sides, "mode": mode, **({"value": 1.5} if mode == "constant" else {})}, (value,)


def like_or_size(draw: Draw, value: tuple[int, ...], wanted: tuple[int, ...]) -> Drawn:
    if draw(st.booleans()):
        return {"size": wanted}, (value,)
    return {"like": 1}, (value, (draw(st.integers(1, 3)), *wanted))


def crop(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 4))
    wanted = tuple(draw(st.integers(1, size)) for size in value[1:])
    if draw(st.booleans()):
        return like_or_size(draw, value, wanted)
    before = [draw(st.integers(0, size - left)) for size, left in zip(value[1:], wanted, strict=True)]
    cuts = zip(value[1:], wanted, before, strict=True)
    return {"sides": tuple(side for size, left, cut in cuts for side in (cut, size - left - cut))}, (value,)


def expand(draw: Draw) -> Drawn:
    wanted = shape(draw, (1, 2, 2, 3))
    value = (draw(st.integers(1, 4)), *(draw(st.sampled_from([1, 1, size])) for size in wanted))
    return like_or_size(draw, value, wanted)


def sliced(draw: Draw) -> Drawn:
    value = shape(draw)
    place = axis(draw, len(value))
    size = value[place]
    start = draw(st.integers(0, size - 1))
    stop = draw(st.integers(start + 1, size))
    written: dict[str, Any] = {"axis": name_of(draw, len(value), place), "step": draw(st.integers(1, 4))}
    written["start"] = start - size if draw(st.booleans()) else start
    written["stop"] = None if stop == size else stop - size if draw(st.booleans()) else stop
    return written, (value,)


def select(draw: Draw) -> Drawn:
    value = shape(draw)
    place = axis(draw, len(value))
    places = draw(st.lists(st.integers(0, value[place] - 1), min_size=1, max_size=5))
    return {"places": places, "axis": name_of(draw, len(value), place)}, (value,)


def split(draw: Draw) -> Drawn:
    value = shape(draw)
    place = axis(draw, len(value))
    written = {"axis": name_of(draw, len(value), place)}
    parts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    if draw(st.booleans()):
        size, sizes = len(parts) * parts[0], len(parts)
        if sizes < 2:
            size, sizes = 2 * parts[0], 2
        return {"parts": sizes, **written}, ((*value[:place], size, *value[place + 1 :]),)
    auto = draw(st.integers(0, len(parts)))
    listed = [*parts[:auto], "auto", *parts[auto + 1 :]] if auto < len(parts) else parts
    return {"parts": listed, **written}, ((*value[:place], sum(parts), *value[place + 1 :]),)


def chunk(draw: Draw) -> Drawn:
    value = shape(draw)
    place = axis(draw, len(value))
    parts = draw(st.integers(2, 4))
    each = draw(st.integers(1, 4))
    size = each * (parts - 1) + draw(st.integers(1, each))
    return {"parts": parts, "axis": name_of(draw, len(value), place)}, ((*value[:place], size, *value[place + 1 :]),)


def roll(draw: Draw) -> Drawn:
    value = shape(draw)
    place = axis(draw, len(value))
    return {"shift": draw(st.integers(-value[place], value[place])), "axis": NAMES[len(value)][place]}, (value,)


def flip(draw: Draw) -> Drawn:
    value = shape(draw)
    return {"axis": names(draw, len(value))}, (value,)


def tile(draw: Draw) -> Drawn:
    value = shape(draw, largest=4)
    return {"times": draw(st.integers(1, 3)), "axis": names(draw, len(value))}, (value,)


COORDINATES: Mapping[str, tuple[str | None, ...]] = {
    "nearest": (None, "asymmetric", "half_pixel"),
    "linear": (None, "half_pixel", "align_corners", "asymmetric"),
    "bicubic": (None, "half_pixel", "align_corners"),
    "area": (None,),
}


def how(draw: Draw, rank: int) -> dict[str, Any]:
    mode = draw(st.sampled_from([mode for mode in COORDINATES if rank == 3 or mode != "bicubic"]))
    written = "bilinear" if mode == "linear" and rank == 3 and draw(st.booleans()) else mode
    return {"mode": written, "coordinates": draw(st.sampled_from(COORDINATES[mode]))}


def upsample(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 3, 4), largest=7)
    factor = st.one_of(st.integers(1, 3), st.sampled_from([0.5, 1.5, 0.75, 1.1, 2.5, 1 / 3, 0.29]))
    scale = tuple(draw(factor) for _ in value[1:])
    scale = tuple(each if int(size * each) > 0 else 2 for size, each in zip(value[1:], scale, strict=True))
    return {"scale": draw(st.sampled_from([scale, 2])), **how(draw, len(value))}, (value,)


def resize(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 3, 4), largest=7)
    written, shapes = like_or_size(draw, value, tuple(draw(st.integers(1, 9)) for _ in value[1:]))
    return {**written, **how(draw, len(value))}, shapes


def to_space(draw: Draw) -> Drawn:
    block = draw(st.integers(2, 3))
    channels, height, width = shape(draw, (3,), largest=4)
    return {"block": block}, ((channels * block**2, height, width),)


def to_depth(draw: Draw) -> Drawn:
    block = draw(st.integers(2, 3))
    channels, height, width = shape(draw, (3,), largest=4)
    return {"block": block}, ((channels, height * block, width * block),)


def ordered(inner: Callable[[Draw], Drawn]) -> Callable[[Draw], Drawn]:
    def drawn(draw: Draw) -> Drawn:
        written, shapes = inner(draw)
        return {**written, "order": draw(st.sampled_from(["DCR", "CRD"]))}, shapes

    return drawn


def channel_shuffle(draw: Draw) -> Drawn:
    value = shape(draw, largest=4)
    groups = draw(st.integers(1, 4))
    return {"groups": groups}, ((value[0] * groups, *value[1:]),)


def grid_sample(draw: Draw) -> Drawn:
    value, grid = shape(draw, (3,), largest=6), shape(draw, (3,), largest=6)
    written = {
        "grid": 1,
        "mode": draw(st.sampled_from(["bilinear", "nearest", "bicubic"])),
        "outside": draw(st.sampled_from(["zeros", "border", "reflection"])),
        "align_corners": draw(st.booleans()),
    }
    return written, (value, (2, *grid[1:]))


def affine_grid(draw: Draw) -> Drawn:
    written, shapes = like_or_size(draw, (6,), shape(draw, (2,)))
    return {**written, "align_corners": draw(st.booleans())}, shapes


def max_unpool(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 4), largest=5)
    wanted = tuple(draw(st.integers(1, 6)) for _ in value[1:])
    if draw(st.booleans()):
        return {"indices": 1, "size": wanted}, (value, value)
    return {"indices": 1, "like": 2}, (value, value, (draw(st.integers(1, 3)), *wanted))


def gather(draw: Draw) -> Drawn:
    value = shape(draw)
    place = axis(draw, len(value))
    sizes = [draw(st.sampled_from([1, size])) for size in value]
    sizes[place] = draw(st.integers(1, 9))
    return {"indices": 1, "axis": name_of(draw, len(value), place)}, (value, tuple(sizes))


def scatter(draw: Draw) -> Drawn:
    value = shape(draw)
    place = axis(draw, len(value))
    count = draw(st.integers(1, value[place]))
    values = (*value[:place], count, *value[place + 1 :])
    sizes = tuple(size if at == place else draw(st.sampled_from([1, size])) for at, size in enumerate(values))
    way = draw(st.sampled_from(["replace", "add", "mul", "maximum", "minimum"]))
    written = {"indices": 1, "values": 2, "axis": name_of(draw, len(value), place), "combine": way}
    return written, (value, sizes, values)


def topk(draw: Draw) -> Drawn:
    value = shape(draw)
    place = axis(draw, len(value))
    written = {"k": draw(st.integers(1, value[place])), "largest": draw(st.booleans())}
    return {**written, "axis": name_of(draw, len(value), place)}, (value,)


def one_hot(draw: Draw) -> Drawn:
    value = list(shape(draw))
    place = axis(draw, len(value))
    value[place] = 1
    return {"classes": draw(st.integers(1, 5)), "axis": name_of(draw, len(value), place)}, (tuple(value),)


def fractional(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 4), largest=12)
    kernel = tuple(draw(st.integers(1, min(3, size))) for size in value[1:])
    if draw(st.booleans()):
        return {"kernel": 1, "ratio": draw(st.sampled_from([1, 0.75, 0.7071]))}, ((value[0], *(9 for _ in kernel)),)
    spans = zip(value[1:], kernel, strict=True)
    return {"kernel": kernel, "size": tuple(draw(st.integers(1, size - extent + 1)) for size, extent in spans)}, (
        value,
    )


def regions(draw: Draw) -> Drawn:
    value, each = shape(draw, (3,), largest=8), draw(st.integers(1, 4))
    size = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    scale = draw(st.sampled_from([1.0, 0.5, 0.25, 2.0]))
    return {"rois": 1, "size": size, "spatial_scale": scale}, (value, (each, draw(st.sampled_from([4, 5]))))


def aligned(draw: Draw) -> Drawn:
    written, shapes = regions(draw)
    return {**written, "aligned": draw(st.booleans()), "sampling_ratio": draw(st.integers(0, 3))}, shapes


def scores(draw: Draw) -> Drawn:
    written, (value, rois) = regions(draw)
    return written, ((math.prod(written["size"]) * draw(st.integers(1, 2)), *value[1:]), rois)


def adaptive(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 4), largest=9)
    return {"size": tuple(draw(st.integers(1, 6)) for _ in value[1:])}, (value,)


def reduction(draw: Draw) -> Drawn:
    value = shape(draw)
    written = {"axis": names(draw, len(value))}
    everything = written["axis"] == "all" or len(value) == 1 or len(written["axis"]) == len(value)
    return {**written, **({} if everything else {"keep": draw(st.booleans())})}, (value,)


def argmax(draw: Draw) -> Drawn:
    value = shape(draw)
    keep = len(value) == 1 or draw(st.booleans())
    return {"axis": name_of(draw, len(value), axis(draw, len(value))), "keep": keep}, (value,)


def concat(draw: Draw) -> Drawn:
    value = shape(draw)
    place = axis(draw, len(value))
    more = [draw(st.integers(1, 5)) for _ in range(draw(st.integers(1, 2)))]
    others = [(*value[:place], size, *value[place + 1 :]) for size in more]
    return {"axis": name_of(draw, len(value), place)}, (value, *others)


def several(draw: Draw) -> Drawn:
    value = shape(draw)
    return {}, (value,) * draw(st.integers(2, 3))


def quotient(draw: Draw) -> Drawn:
    value = shape(draw)
    return {}, (value, tuple(draw(st.sampled_from([1, size])) for size in value))


def choice(draw: Draw) -> Drawn:
    value = shape(draw)
    gates = (tuple(draw(st.sampled_from([1, size])) for size in value) for _ in range(2))
    return {}, (value, *gates)


def broadcast(draw: Draw) -> Drawn:
    wanted = shape(draw)
    value = tuple(draw(st.sampled_from([1, size])) for size in wanted)
    if draw(st.booleans()):
        return {"like": 1}, (value, wanted)
    return {"sizes": list(wanted)}, (value,)


def two(draw: Draw) -> Drawn:
    return {}, (shape(draw),) * 2


def matmul(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 4), largest=6)
    return {}, (value, (*value[:-2], value[-1], draw(st.integers(1, 6))))


def recurrent(draw: Draw) -> Drawn:
    written = {
        "hidden": draw(st.integers(1, 4)),
        "layers": draw(st.integers(1, 2)),
        "bidirectional": draw(st.booleans()),
        "output": draw(st.sampled_from(["sequence", "last"])),
        "bias": draw(st.booleans()),
        "axis": draw(st.sampled_from(["channels", "last"])),
    }
    states = written["layers"] * (2 if written["bidirectional"] else 1)
    start = draw(st.sampled_from([None, (states, written["hidden"]), (states * written["hidden"],)]))
    given = {} if start is None else {"state": 1}
    return {**written, **given}, (shape(draw, (2,), largest=6), *([start] if start else []))


def attention(draw: Draw) -> Drawn:
    heads, axis = draw(st.integers(1, 3)), draw(st.sampled_from(["channels", "last"]))
    written = {"heads": heads, "axis": axis, "bias": draw(st.booleans()), "causal": draw(st.booleans())}
    space = shape(draw, (1, 1, 2), largest=4)
    values, queries = [tokens(space, heads * draw(st.integers(1, 3)), axis)], math.prod(space)
    for name in ["keys", "values"][: draw(st.integers(0, 2))]:
        written[name] = len(values)
        seen = shape(draw, (1, 2), largest=4) if name == "keys" else (math.prod(space),)
        values.append(tokens(seen, draw(st.integers(1, 4)), axis))
        queries, space = (math.prod(space) if name == "keys" else queries), seen
    if draw(st.booleans()):
        written["mask"] = len(values)
        values.append(draw(st.sampled_from([(math.prod(space),), (queries, math.prod(space))])))
    return written, tuple(values)


def window_attention(draw: Draw) -> Drawn:
    heads, axis = draw(st.integers(1, 2)), draw(st.sampled_from(["channels", "last"]))
    sides = [draw(st.integers(1, 3)) for _ in range(2)]
    written = {
        "heads": heads,
        "window": tuple(sides),
        "shift": tuple(draw(st.integers(0, side - 1)) for side in sides),
        "bias": draw(st.booleans()),
        "position_bias": draw(st.booleans()),
        "axis": axis,
    }
    space = tuple(side * draw(st.integers(1, 3)) for side in sides)
    return written, (tokens(space, heads * draw(st.integers(1, 2)), axis),)


def nonlocal_block(draw: Draw) -> Drawn:
    form = draw(st.sampled_from(["embedded", "gaussian", "dot", "concatenation"]))
    return {"form": form, "reduction": draw(st.integers(1, 3))}, (shape(draw, (2, 3, 4), largest=4),)


def graphconv(draw: Draw) -> Drawn:
    axis, space = draw(st.sampled_from(["channels", "last"])), shape(draw, (1, 2), largest=3)
    written = {
        "channels": draw(st.integers(1, 4)),
        "adjacency": 1,
        "normalise": draw(st.sampled_from(["symmetric", "rows", "none"])),
        "self_loops": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "axis": axis,
    }
    return written, (tokens(space, draw(st.integers(1, 4)), axis), (math.prod(space),) * 2)


def convlstm(draw: Draw) -> Drawn:
    written = {
        "hidden": draw(st.integers(1, 3)),
        "kernel": draw(st.sampled_from([1, 3, (1, 3), (3, 5)])),
        "output": draw(st.sampled_from(["sequence", "last"])),
        "bias": draw(st.booleans()),
        "peepholes": draw(st.booleans()),
    }
    value = shape(draw, (4,), largest=4)
    given = draw(st.sampled_from([(), ("state",), ("cell",), ("state", "cell")]))
    starts = {name: place for place, name in enumerate(given, start=1)}
    return {**written, **starts}, (value, *((written["hidden"], *value[2:]) for _ in given))


def sliding(draw: Draw, space: tuple[int, ...]) -> dict[str, Any]:
    """Kernel, stride, padding and dilation that fit."""
    kernel = tuple(draw(st.integers(1, min(3, size))) for size in space)
    pads = tuple(draw(st.integers(0, 2)) for _ in range(2 * len(space)))
    given = {"kernel": kernel, "stride": draw(st.integers(1, 2)), "pad": draw(st.sampled_from([pads, "same", "half"]))}
    most = min((size - 1) // (side - 1) if side > 1 else 2 for size, side in zip(space, kernel, strict=True))
    return {**given, "dilation": draw(st.integers(1, max(min(most, 2), 1)))}


def filling(draw: Draw) -> dict[str, Any]:
    return {"fill": draw(st.sampled_from(FILLS))} if draw(st.booleans()) else {}


def table_conv(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 4), largest=6)
    maps = st.lists(st.integers(0, value[0] - 1), min_size=1, max_size=3, unique=True)
    table = draw(st.lists(maps, min_size=1, max_size=4))
    return {"table": table, **sliding(draw, value[1:]), **filling(draw), "bias": draw(st.booleans())}, (value,)


def local_conv(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 4), largest=5)
    written = {"channels": draw(st.integers(1, 3)), **sliding(draw, value[1:]), **filling(draw)}
    return {**written, "bias": draw(st.booleans())}, (value,)


def deform_conv(draw: Draw) -> Drawn:
    groups, moved = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    _, *space = shape(draw, (3,), largest=5)
    written = {"channels": groups * draw(st.integers(1, 2)), "groups": groups, "offset_groups": moved}
    written.update(sliding(draw, tuple(space)), bias=draw(st.booleans()))
    if draw(st.booleans()):
        return written, ((groups * moved, *space),)
    kernel = written["kernel"]
    written.update(stride=1, pad=0, dilation=1, offsets=1)
    made = tuple(size - extent + 1 for size, extent in zip(space, kernel, strict=True))
    entries, weighed = moved * math.prod(kernel), draw(st.booleans())
    values = [(groups * moved, *space), (2 * entries, *made), *([(entries, *made)] if weighed else [])]
    return {**written, **({"modulation": 2} if weighed else {})}, tuple(values)


def partial_conv(draw: Draw) -> Drawn:
    value = shape(draw, (2, 3, 3, 4), largest=6)
    written = {"channels": draw(st.integers(1, 3)), "mask": 1, **sliding(draw, value[1:]), "bias": draw(st.booleans())}
    return written, (value, (draw(st.sampled_from([1, value[0]])), *value[1:]))


FILLS = ["zeros", "reflect", "replicate", "circular", -1.5]


def image_filter(draw: Draw) -> Drawn:
    value = shape(draw, (3,), largest=7)
    fill = draw(st.sampled_from(FILLS if min(value[1:]) > 1 else ["zeros", "replicate"]))
    return {"fill": fill}, (value,)


def window_filter(draw: Draw) -> Drawn:
    _, ((_, *space),) = written, shapes = image_filter(draw)
    odd = [draw(st.sampled_from([side for side in (1, 3, 5) if side // 2 < size])) for size in space]
    return {"kernel": tuple(odd), **written}, shapes


def bilateral(draw: Draw) -> Drawn:
    written, shapes = window_filter(draw)
    sigma = st.floats(0.5, 3)
    return {"sigma_color": draw(sigma), "sigma_space": draw(sigma), **written}, shapes


def tokens(space: tuple[int, ...], features: int, axis: str) -> tuple[int, ...]:
    return (features, *space) if axis == "channels" else (*space, features)


@st.composite
def _call(draw: Draw, drawn: Callable[[Draw], Drawn]) -> Drawn:
    return drawn(draw)


LIKELY: Mapping[str, st.SearchStrategy[Drawn]] = {
    name: _call(drawn)
    for name, drawn in {
        "reshape": reshape,
        "unflatten": unflatten,
        "permute": permute,
        "transpose": transpose,
        "flatten": flatten,
        "pad": pad,
        "crop": crop,
        "expand": expand,
        "slice": sliced,
        "select": select,
        "split": split,
        "chunk": chunk,
        "roll": roll,
        "flip": flip,
        "tile": tile,
        "upsample": upsample,
        "resize": resize,
        "pixel_shuffle": to_space,
        "pixel_unshuffle": to_depth,
        "depth_to_space": ordered(to_space),
        "space_to_depth": ordered(to_depth),
        "channel_shuffle": channel_shuffle,
        "grid_sample": grid_sample,
        "affine_grid": affine_grid,
        "max_unpool": max_unpool,
        "roi_pool": regions,
        "roi_align": aligned,
        "psroi_pool": scores,
        "fractional_maxpool": fractional,
        "gather": gather,
        "scatter": scatter,
        "topk": topk,
        "one_hot": one_hot,
        **dict.fromkeys(["adaptive_avgpool", "adaptive_maxpool"], adaptive),
        **dict.fromkeys(["reduce_mean", "reduce_sum", "reduce_max", "reduce_min", "reduce_std"], reduction),
        **dict.fromkeys(["reduce_prod", "reduce_logsumexp"], reduction),
        **dict.fromkeys(["argmax", "argmin"], argmax),
        "concat": concat,
        **dict.fromkeys(["maximum", "minimum", "average", "stack"], several),
        **dict.fromkeys(["sub", "dot", "cosine_similarity", "l2_distance"], two),
        **dict.fromkeys(["div", "pow", "fmod", "mod"], quotient),
        **dict.fromkeys(["greater", "greater_equal", "less", "less_equal", "equal"], quotient),
        **dict.fromkeys(["logical_and", "logical_or", "logical_xor"], quotient),
        "where": choice,
        "broadcast": broadcast,
        "parameter": lambda draw: ({"sizes": list(shape(draw))}, (shape(draw),)),
        "matmul": matmul,
        **dict.fromkeys(["lstm", "gru"], recurrent),
        "attention": attention,
        "window_attention": window_attention,
        "nonlocal": nonlocal_block,
        "graphconv": graphconv,
        "convlstm": convlstm,
        **dict.fromkeys(["sobel", "prewitt", "laplacian", "sharpen", "emboss"], image_filter),
        **dict.fromkeys(["box_blur", "gaussian_blur", "median_blur"], window_filter),
        "bilateral": bilateral,
        "local_conv": local_conv,
        "deform_conv": deform_conv,
        "table_conv": table_conv,
        "partial_conv": partial_conv,
    }.items()
}
"""Strategies by layer: arguments as written, and input sizes."""
