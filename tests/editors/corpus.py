"""The texts on which highlighters are tried: all files and examples of the repository, and random ones."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

from tests.dsl.written import Writer

FOLDERS = ("benchmarks", "examples", "plugins", "tests")
CORNERS = """\
requires detection >= 1.0rc1; use "blocks.cnn" as b   # "no text"
use zoo.resnet as r
block Unit(width = 8, act = relu,
           # between
           out) {
  conv(width, 3, in = 2, pad = half) -> bn -> act
  head.conv; output(3); input(in.channels) -> model
  let shared = Unit(8, if = 3); shared.train -> x.if
}
model Net(classes = 10) {
  input image: 3xHxW where H % 32 == 0 and W >= 64 {
    color = rgb; range = 0..1; if = 3; input = 2; deep.model { as = 1 }
  }
  input other: 1 x (2 * 8) x 8
  conv(6, 5) ->
    input -> relu
    -> tanh
  if classes { relu } else if in.channels != 3 { tanh }
  else { relu }
  repeat i in 0..in.rank { conv(1_000, 3) -> drop(1e-4) as skip2 }
  for (a, b) in [(64, 3), (128, 4),] { add { identity; { relu } } }
  head boxes.ssd(skip2, classes = 5M // 300k)
  assert params <= 26M and not false, "too big: {params} # \\"no\\" comment"   # allow W0102, W0103
  output image, other
}
train Net as long { data = digits(train = true); loss.kind = "a" ; schedule { model = 2 } }
profile quick { train.epochs = 1 }
model Wide = Net(classes = 4 if true else 3)
"""
"""What the files of the repository have no need to write."""


def fences(text: str) -> list[str]:
    """Return the examples of a page, without their fences."""
    return re.findall(r"```cnn[^\n]*\n(.*?)```", text, re.DOTALL)


def files(root: Path) -> dict[str, str]:
    """Return every `.cnn` file of the repository, by its path, but those that are wrong on purpose."""
    faulty = root / "tests" / "faults"
    found = (path for folder in FOLDERS for path in (root / folder).rglob("*.cnn"))
    broken = (faulty, root / "tests" / "fuzz")
    paths = sorted(path for path in found if not any(path.is_relative_to(folder) for folder in broken))
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def examples(root: Path) -> dict[str, str]:
    """Return the examples of the language's page."""
    text = (root / "docs" / "language.md").read_text(encoding="utf-8")
    return {f"docs/language.md, example {number}": found for number, found in enumerate(fences(text), 1)}


def random_files(number: int) -> dict[str, str]:
    """Return legal files written at random, untidily: the same ones in every run."""
    return {f"seed {seed}": Writer(Random(seed)).file() for seed in range(number)}


def texts(root: Path) -> dict[str, str]:
    """Return all of them."""
    return {**files(root), **examples(root), "corners": CORNERS, **random_files(150)}
