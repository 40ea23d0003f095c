"""Networks for the tests of views: those of the zoo, and texts that are hard to show."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from striate.model import Model, load_source
from striate.view import Summary, summarize
from striate_dsl.reading import read_source
from striate_dsl.source import Source

ZOO = files("striate_plugins") / "zoo"

BIG = 5_000
"""Layers of the largest network that is shown."""


def zoo_model(file: str, model: str | None = None, **overrides: str) -> Model:
    return load_source(read_source(ZOO / f"{file}.cnn"), model, overrides)


def model_of(text: str) -> Model:
    return load_source(Source("net.cnn", text))


def summary_of(model: Model, **options) -> Summary:
    return summarize(model.graph, model.catalogue.layer, model.domain, **options)


@cache
def hard_summary(kind: str) -> Summary:
    """One of the networks by which tables are tried."""
    if kind in ZOO_SUMMARIES:
        return summary_of(zoo_model(*ZOO_SUMMARIES[kind]))
    return summary_of(model_of(TEXTS[kind]()))


ZOO_SUMMARIES = {
    "resnet50": ("resnet", "ResNet50"),
    "googlenet": ("googlenet",),
    "siamese": ("siamese",),
    "densenet": ("densenet", "DenseNet121"),
}


def _open() -> str:
    return """
    block Double(out) { repeat 2 { conv(out, 3, pad = 1, bias = false) -> bn -> relu } }
    model Open {
      input image: 3 x H x W
      Double(8) as e1 -> maxpool(2) -> Double(16) -> deconv(8, 2, stride = 2) -> concat(e1) -> Double(8)
      output mask
    }
    """


def _ragged() -> str:
    """Open sizes whose domain lets no floor vanish."""
    return """
    model Ragged {
      input image: 3 x H x W
      conv(8, 3, stride = 2) -> relu -> conv(16, 5, stride = 3) -> maxpool(3, stride = 2, ceil = true)
      conv(4, 3, stride = 2, pad = same) -> global_avgpool -> flatten -> dense(10)
      output logits
    }
    """


def _deep() -> str:
    blocks = ["block Level0 { conv(2, 1) }"]
    blocks += [f"block Level{number} {{ Level{number - 1} -> relu }}" for number in range(1, 60)]
    return "\n".join([*blocks, "model Deep { input image: 1 x 4 x 4", "Level59", "output out }"])


def _long_names() -> str:
    long = "a_name_that_goes_on_and_on_" * 5
    return f"""
    block {long}block(out) {{ conv(out, 3, pad = 1) as {long}conv -> relu as {long}relu }}
    model Names {{
      input {long}image: 1 x 8 x 8
      repeat 3 {{ {long}block(4) as {long}unit }}
      output out
    }}
    """


def _big() -> str:
    calls = "\n".join(f"Unit({8 + number % 3})" for number in range(BIG // 5))
    return f"""
    block Unit(out) {{ conv(out, 3, pad = 1) -> bn -> relu -> conv(out, 1) -> relu }}
    model Big {{
      input image: 3 x 32 x 32
      {calls}
      output out
    }}
    """


def _huge() -> str:
    """Numbers with many digits."""
    return """
    model Huge {
      input image: 4096 x 30000 x 30000
      conv(65536, 11) -> conv(65536, 7) -> relu
      output out
    }
    """


TEXTS = {
    "open": _open,
    "ragged": _ragged,
    "deep": _deep,
    "long names": _long_names,
    "big": _big,
    "huge": _huge,
}
HARD = (*ZOO_SUMMARIES, *TEXTS)
