"""How much text a network takes: lines and characters of LeNet-5, VGG-16 and ResNet-50, beside the peers' texts.

Counted are lines that are not blank and not comments; a comment behind code does not count either. The first number of
characters includes indentation but no line breaks, the second leaves out all blanks.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from arguments import Choices, parse
from report import start

import striate

NETWORKS = Path(__file__).resolve().parent / "networks"
PARAMETERS = {"lenet5": 61_706, "vgg16": 138_357_544, "resnet50": 25_557_032}

PEERS_MEASURED = (
    "The peers' figures were measured on 2026-11-20 on texts of our own, each checked for the same parameter counts "
    "(but neural-dsl's), with torch 2.13.0, keras 3.15.1, ultralytics 8.4.190, ludwig 0.11.0, neural-dsl 0.2.9, "
    "onnx 1.23.2, nnef 1.0.10."
)
PEERS = {
    "torch (Python)": ((10, 277, 230), (16, 525, 417), (26, 1096, 849)),
    "keras (Python)": ((11, 314, 268), (10, 431, 376), (21, 846, 683)),
    "ultralytics (YAML)": ((16, 380, 299), (43, 1346, 1055), (12, 374, 303)),
    "ludwig (YAML)": ((15, 438, 335), (27, 1221, 947), (7, 163, 135)),
    "neural-dsl": ((14, 442, 388), (22, 874, 767), None),
    "onnx text": ((19, 653, 487), (42, 1878, 1482), (185, 11318, 8782)),
    "nnef text": ((27, 1120, 859), (68, 2955, 2304), (331, 19116, 14780)),
}
REMARKS = (
    "ResNet-50 in ultralytics and ludwig names a ready-made layer or encoder; neural-dsl cannot express it.",
    "neural-dsl's texts parse, but the code generated from them is not the model.",
)


def count(text: str) -> tuple[int, int, int]:
    """Return lines, characters with indentation, and characters that are not blank."""
    lines = [line for line in (re.sub(r"#.*", "", line).rstrip() for line in text.splitlines()) if line]
    return len(lines), sum(map(len, lines)), sum(len(re.sub(r"\s", "", line)) for line in lines)


def run(choices: Choices) -> None:
    """Count, print, and save if asked to."""
    report = start("text-size", "Text needed for three networks")
    ours = []
    for name, wanted in PARAMETERS.items():
        path = NETWORKS / f"{name}.cnn"
        found = striate.load(path).parameters
        if found != wanted:
            sys.exit(f"{path} has {found:,} parameters instead of {wanted:,}: its length says nothing")
        ours.append(count(path.read_text(encoding="utf-8")))
    rows = [_row("striate", tuple(ours)), *(_row(name, counts) for name, counts in PEERS.items())]
    report.add(
        "Lines / characters / characters without blanks",
        rows,
        " ".join((__doc__ or "").split()),
        PEERS_MEASURED,
        *REMARKS,
    )
    report.finish(save=choices.save)


def _row(name: str, counts: tuple[tuple[int, int, int] | None, ...]) -> dict[str, str]:
    texts = ["not expressible" if each is None else " / ".join(map(str, each)) for each in counts]
    return {"text": name, **dict(zip(("LeNet-5", "VGG-16", "ResNet-50"), texts, strict=True))}


if __name__ == "__main__":
    run(parse(__doc__ or ""))
