"""Models for these tests: from short texts, and from the zoo at sizes that run quickly."""

from __future__ import annotations

import textwrap
from importlib.resources import files

from striate.model import Model, load_source
from striate_dsl.source import Source

RESIDUAL = """\
block Unit(width) {
  add {
    conv(width, 3, pad = 1, bias = false) -> bn(eps = 1e-5) -> relu
    identity
  }
}

model Small(classes = 5) {
  input image: 3 x 8 x 8
  conv(4, 3, pad = 1) -> relu
  repeat 3 { Unit(4) }
  global_avgpool -> flatten -> dropout(0.5) -> dense(classes)
  output logits
}
"""
"""A small network with blocks, a merge, batch norm and dropout."""


def from_text(text: str, model: str | None = None, **overrides: str) -> Model:
    """Build a model of a text, as if it stood in `net.cnn`."""
    return load_source(Source("net.cnn", textwrap.dedent(text)), model, overrides)


def from_body(body: str, inputs: str = "input image: 3 x 8 x 8", outputs: str = "output y", before: str = "") -> Model:
    """Build a model from the lines of its flow."""
    return from_text(f"{before}\nmodel Net {{\n{inputs}\n{body}\n{outputs}\n}}\n")


def from_zoo(name: str, model: str | None = None, edits: dict[str, str] | None = None, **overrides: str) -> Model:
    """Build a model of the zoo; `edits` replaces parts of its text, e.g. the size of the input."""
    text = files("striate_plugins").joinpath("zoo", f"{name}.cnn").read_text(encoding="utf-8")
    for old, new in (edits or {}).items():
        assert old in text, f"{name}.cnn no longer holds {old!r}"
        text = text.replace(old, new)
    return load_source(Source(f"{name}.cnn", text), model, overrides)
