"""Darknet's cfg files as networks of the language: the sections in order, everything that cannot be read listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from striate.importing.building import Builder
from striate.importing.darknet import heads, layers, routing
from striate.importing.darknet.sections import Section, left_over, misread, read_sections
from striate.importing.darknet.state import Head, State, UnknownInputError
from striate.importing.darknet.training import WITHOUT_EFFECT
from striate.importing.darknet.weights import WeightStream
from striate.importing.findings import UnsupportedError, shown, without_counterpart
from striate.importing.kinds import Lookup, Reading
from striate.importing.naming import model_name
from striate.importing.network import Entrance, Network, Value
from striate.importing.structure import name_by_structure
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.limits import FINDINGS

PIXELS: Mapping[str, object] = {"color": "rgb", "range": (0.0, 1.0)}
"""What Darknet makes of a colour image before the first layer sees it, and so what weights are trained on."""

READERS: Mapping[str, Callable[[State, Section], Value]] = {
    "convolutional": layers.convolutional,
    "conv": layers.convolutional,
    "batchnorm": layers.batchnorm,
    "connected": layers.connected,
    "conn": layers.connected,
    "local": layers.local,
    "maxpool": layers.maxpool,
    "max": layers.maxpool,
    "local_avgpool": layers.local_avgpool,
    "local_avg": layers.local_avgpool,
    "avgpool": layers.avgpool,
    "avg": layers.avgpool,
    "softmax": layers.softmax,
    "soft": layers.softmax,
    "activation": layers.activation,
    "logistic": layers.logistic,
    "l2norm": layers.l2norm,
    "dropout": layers.dropout,
    "crop": layers.crop,
    "upsample": layers.upsample,
    "reorg": layers.reorg,
    "reorg3d": layers.reorg3d,
    "empty": layers.empty,
    "silence": layers.empty,
    "route": routing.route,
    "shortcut": routing.shortcut,
    "scale_channels": routing.scale_channels,
    "sam": routing.sam,
}
"""Sections that compute something."""

ENDS: Mapping[str, Callable[[State, Section], None]] = {
    "yolo": heads.yolo,
    "Gaussian_yolo": heads.gaussian_yolo,
    "region": heads.region,
    "detection": heads.detection,
    "cost": heads.cost,
    "contrastive": heads.contrastive,
}
"""Sections that decode, or compare in training."""

NEVER: Mapping[str, str] = {
    "normalization": "Darknet's sums leave out the channel in the middle of the first window, so it is no lrn",
    "lrn": "Darknet's sums leave out the channel in the middle of the first window, so it is no lrn",
    "gru": "its reset gate stands before the product, in the language's gru (as in torch's) behind it",
    "lstm": "Darknet's two branches store the gates in different orders, and a file does not say in which",
    "rnn": "the language has no layer for it",
    "crnn": "the language has no layer for it",
    "conv_lstm": "it has two biases for each gate, batch norms and bounds that the language's convlstm lacks",
    "history": "it keeps earlier images, and a network here has no memory between images",
    "implicit": "a vector that depends on no input is no layer here",
    "deconvolutional": "Darknet cannot load weights for it",
    "deconv": "Darknet cannot load weights for it",
    "iseg": "the language has no layer for what it decodes",
}
"""Sections that Darknet knows, and why they cannot be read."""

_READ = "docs/import-descriptions.md lists the sections that are read"


def read(path: Path, lookup: Lookup, *, weights: Path | None = None, partial: bool = False) -> Reading:
    """Read a cfg file.

    Args:
        path: the file.
        lookup: from a layer's name to its record.
        weights: the weights that belong to it.
        partial: whether these may be those of the first layers only.

    Raises:
        DiagnosticError: E0653, E0654, it cannot be read; E0655, with every section that has no counterpart; E0656, the
            weights belong to something else.
    """
    net, *sections = read_sections(path)
    network = Network(lookup)
    build = Builder(network)
    stream = WeightStream.opened(weights, partial=partial)
    value = build.entrance(_input_size(net))
    contract = PIXELS if weights is not None and len(value.sizes) == 3 and value.sizes[0] == 3 else {}
    network.inputs.append(Entrance("image" if len(value.sizes) == 3 else "features", value, contract))
    state = State(build, stream, value)
    _convert(path, state, sections)
    stream.finish()
    _finish(state, sections)
    name_by_structure(network)
    notes = [*_on_training(net), *state.notes, *_on_weights(stream), *left_over(sections, WITHOUT_EFFECT)]
    counts = Counter(section.kind for section in sections)
    return Reading(
        network,
        model_name("", path.stem),
        _origin(stream),
        dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        _details(stream),
        notes=tuple(notes),
    )


def _input_size(net: Section) -> tuple[int, ...]:
    """Return the size of the input; the rest of [net] is about training."""
    height, width, channels = (net.whole(key, 0, 0) for key in ("height", "width", "channels"))
    if height and width and channels:
        return channels, height, width
    inputs = net.whole("inputs", 0, 0)
    if not inputs or height or width or channels:
        raise misread("[net] needs width, height and channels, or inputs", net.span, help_="write e.g. width = 416")
    return (inputs,)


def _convert(path: Path, state: State, sections: list[Section]) -> None:
    """Read the sections in order, and refuse them all together if any cannot be."""
    refusals: list[str] = []
    wrong: list[Diagnostic] = []
    for section in sections:
        before = len(state.build.network.layers)
        state.sections.append(section)
        try:
            state.current = _read(state, section)
        except UnknownInputError:
            state.current = None
        except UnsupportedError as error:
            refusals.append(f"layer {section.index}, {section}: {error}")
            state.current = None
        except DiagnosticError as error:
            wrong += error.diagnostics
            state.current = None
        if state.current is None:
            del state.build.network.layers[before:]
            state.closed = ""
        state.outputs.append(state.current)
        if len(wrong) >= FINDINGS.value:
            break
    if refusals:
        wrong.append(without_counterpart("E0655", str(path), refusals, "section", _READ))
    if wrong:
        raise DiagnosticError(*wrong)


def _read(state: State, section: Section) -> Value | None:
    """Read one section and return its output; heads and losses pass on what flows in."""
    if section.kind in ENDS:
        ENDS[section.kind](state, section)
        return state.current
    reader = READERS.get(section.kind)
    if reader is None:
        raise UnsupportedError(NEVER.get(section.kind, "Darknet knows no such section"))
    value = reader(state, section)
    state.closed = ""
    return value


def _finish(state: State, sections: list[Section]) -> None:
    """Make the heads the outputs of the network; without any, the last value that is computed."""
    found = list(state.heads)
    if not found:
        assert state.current is not None, "what cannot be read is refused"
        kinds = [section.kind for section in sections if section.kind not in ENDS]
        name = "probabilities" if kinds[-1:] in (["softmax"], ["soft"], ["logistic"]) else "features"
        found = [Head(name, state.current, ())]
    if len(found) == 1 and found[0].name.startswith("region"):
        found = [Head("region", found[0].value, found[0].remarks)]
    if len({head.value.number for head in found} & {state.build.network.inputs[0].value.number}):
        raise misread("the network computes nothing: its output is its input", sections[0].span)
    for head in found:
        state.build.network.outputs.append((head.name, head.value))
        state.build.network.remarks[head.name] = head.remarks


def _origin(stream: WeightStream) -> str:
    if stream.header is None:
        return "Darknet cfg, without weights"
    header = stream.header
    version = f"{header.major}.{header.minor}.{header.revision}"
    return f"Darknet cfg, weights of version {version}, trained on {header.seen:,} images"


def _on_training(net: Section) -> list[str]:
    """Say which options of the first section are about training, and left to a recipe."""
    left = [key for key in net.options if key not in net.asked]
    more = f" and {len(left) - 6} more" if len(left) > 6 else ""
    return [f"[net]: left to a recipe are {', '.join(map(shown, left[:6]))}{more}"] if left else []


def _on_weights(stream: WeightStream) -> list[str]:
    if not stream.missing:
        return []
    names = ", ".join(str(section.index) for section in stream.missing[:12])
    more = ", …" if len(stream.missing) > 12 else ""
    return [
        f"weights of {len(stream.loaded)} layers are in the file, those of {len(stream.missing)} start as in training: "
        f"layers {names}{more}"
    ]


def _details(stream: WeightStream) -> dict[str, object]:
    if stream.header is None:
        return {"format": "darknet"}
    return {
        "format": "darknet",
        "version": f"{stream.header.major}.{stream.header.minor}.{stream.header.revision}",
        "images_seen": stream.header.seen,
        "layers_loaded": [section.index for section in stream.loaded],
        "layers_missing": [section.index for section in stream.missing],
    }
