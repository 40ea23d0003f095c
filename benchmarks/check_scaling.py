"""Whether a check costs as much per layer in large files as in small ones: generated files of up to 100,000 layers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from arguments import Choices, parse
from measure import compare, striate
from report import Row, start

FIGURES = ("median_s", "min_s", "max_s", "peak_MB", "runs")
LAYERS = (1_000, 10_000, 100_000)


def plain(layers: int) -> str:
    """Return a network with every layer written out, four to a line."""
    unit = "  conv({0}, 3, pad = 1, bias = false) -> bn -> relu -> conv({0}, 1)\n"
    lines = "".join(unit.format(16 + 8 * (number % 3)) for number in range(layers // 4))
    return f"model Plain {{\n  input image: 3 x 64 x 64\n{lines}  output out\n}}\n"


def residual(layers: int) -> str:
    """Return a network of residual blocks in loops: little text, as many layers."""
    return f"""
    block Unit(width) {{
      add {{
        conv(width, 3, pad = 1, bias = false) -> bn -> relu
        identity
      }}
    }}
    model Residual {{
      input image: 16 x 64 x 64
      repeat {layers // 5} {{ Unit(16) }}
      output out
    }}
    """


def open_sizes(layers: int) -> str:
    """Return a plain network whose height and width are left open."""
    return plain(layers).replace("3 x 64 x 64", "3 x H x W").replace("Plain", "Open")


SHAPES: dict[str, Callable[[int], str]] = {
    "written out": plain,
    "residual blocks in a loop": residual,
    "written out, open sizes": open_sizes,
}


def run(choices: Choices) -> None:
    """Measure, print, and save if asked to."""
    report = start("check-scaling", "Checking generated networks of growing size")
    sizes = LAYERS[:2] if choices.quick else LAYERS
    with TemporaryDirectory() as folder:
        for title, text in SHAPES.items():
            commands = [("python -c pass", [sys.executable, "-c", "pass"])]
            kilobytes = []
            for layers in sizes:
                path = Path(folder) / f"{layers}.cnn"
                path.write_text(text(layers), encoding="utf-8")
                kilobytes.append(round(path.stat().st_size / 1000, 1))
                commands.append((f"{layers:,}", striate("check", str(path))))
            _, *measured = compare(commands, choices.runs)
            rows = [
                {"layers": layers, "text_kB": size, **{key: each.row()[key] for key in FIGURES}}
                for layers, each, size in zip(sizes, measured, kilobytes, strict=True)
            ]
            report.add(title, _with_slopes(rows), *_linearity(rows))
    report.finish(save=choices.save)


def _with_slopes(rows: list[Row]) -> list[Row]:
    """Add what one layer more costs, in microseconds, between each size and the one before it."""
    rows[0]["us_per_further_layer"] = None
    for before, row in pairwise(rows):
        row["us_per_further_layer"] = (row["median_s"] - before["median_s"]) / (row["layers"] - before["layers"]) * 1e6
    return rows


def _linearity(rows: list[Row]) -> list[str]:
    slopes = [row["us_per_further_layer"] for row in rows[1:]]
    if len(slopes) < 2:
        return []
    ratio = slopes[-1] / slopes[0]
    return [
        f"One layer more costs {slopes[0]:.0f} us up to {rows[1]['layers']:,} layers and {slopes[-1]:.0f} us up to "
        f"{rows[-1]['layers']:,}: a factor of {ratio:.2f} (1 is linear)."
    ]


if __name__ == "__main__":
    run(parse(__doc__ or ""))
