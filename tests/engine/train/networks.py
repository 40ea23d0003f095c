"""Small networks with recipes, for the tests of training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from striate.host.catalogue import HostCatalogue
from striate.model import Model, load_source
from striate.train.overrides import read_overrides
from striate.train.recipe import KEYS, Recipe, read_recipe
from striate.train.sections import choose_section
from striate_dsl.parser import parse
from striate_dsl.source import Source

TINY = """model Net(classes = 10) {
  input image: 1 x 8 x 8
  conv(4, 3, bias = false) -> bn -> relu -> conv(8, 3) -> relu -> flatten -> dropout(0.2) -> dense(classes)
  output logits
}
train Net {
  data = digits(limit = 120)
  loss = cross_entropy
  optimizer = adam(lr = 0.01)
  schedule = cosine(warmup = 1)
  metrics = [accuracy]
  epochs = 2
  batch = 32
  seed = 5
}
"""
"""Batch norm and dropout, so that statistics and chance take part; 120 images of 8 x 8."""


def child_environment() -> dict[str, str]:
    """Return an environment in which a new process finds the tests, wherever it is started."""
    root = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}


def load_with_recipe(
    text: str = TINY, settings: Mapping[str, str] | None = None, model: str = "Net", name: str = "net.cnn"
) -> tuple[Model, Recipe]:
    """Load a model of a text and its recipe, with overrides by key."""
    source = Source(name, text)
    file = parse(source).file
    assert file is not None
    overrides = read_overrides(settings or {}, file, model, KEYS)
    catalogue = HostCatalogue()
    loaded = load_source(source, model, overrides.model, catalogue)
    return loaded, read_recipe(file, choose_section(file, model), model, catalogue, overrides.recipe)
