"""How start-up grows with the number of installed plugins: checks with 0, 10 and 100 dummy plugins beside striate."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from arguments import Choices, parse
from measure import compare, striate
from report import Report, start

COUNTS = (0, 10, 100)
MOST_GROWTH_S = 0.005
"""What 100 plugins may add to a check that needs none of them: less than what two runs differ by."""

NET = """\
model Net {
  input image: 3 x 32 x 32
  conv(16, 3, pad = half) -> bn -> relu -> global_avgpool -> flatten -> dense(10)
  output logits
}
"""
CODE = """\
from striate.plugin import OpRecord, hookimpl

{guard}
def shape(attributes, inputs, check):
    return inputs

def torch(call):
    return call.inputs[0]

def onnx(call, sink):
    sink.node("Identity", call.inputs, call.outputs)

@hookimpl
def striate_layers(context):
    return [OpRecord("layer_{name}", "Gives its input.", shape, torch, onnx)]
"""
GUARD = 'raise SystemExit("{name} was imported, and nobody had asked for it")'
MANIFEST = """\
summary = "A layer that gives its input, number {name}"
api = ">=1.0, <2"

[provides]
layers = ["layer_{name}"]
losses = []

[extras]
timm = "dummy-{name}[timm]"
"""


def install(folder: Path, number: int) -> None:
    """Put a dummy plugin into a folder, as pip would; importing any but the first ends the program."""
    name = f"dummy{number}"
    package, information = folder / name, folder / f"striate_{name}-1.0.dist-info"
    package.mkdir()
    information.mkdir()
    guard = GUARD.format(name=name) if number else ""
    (package / "__init__.py").write_text(CODE.format(name=name, guard=guard))
    (package / "striate-plugin.toml").write_text(MANIFEST.format(name=name))
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: striate-{name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[striate.plugins]\n{name} = {name}\n")


def run(choices: Choices) -> None:
    """Measure, print, and save if asked to."""
    report = start("plugin-startup", "Start-up with 0, 10 and 100 plugins installed")
    with TemporaryDirectory() as place:
        folder = Path(place)
        files = {
            "no plugin is needed": NET,
            "a file of striate's own plugin": f"use std.blocks\n{NET.replace('relu', 'ConvNorm(16, 1)')}",
            "a layer of the first plugin": NET.replace("relu", "layer_dummy0"),
        }
        paths = {words: folder / f"net{number}.cnn" for number, words in enumerate(files)}
        for words, text in files.items():
            paths[words].write_text(text)
        for count in COUNTS:
            (folder / f"site{count}").mkdir()
            for number in range(count):
                install(folder / f"site{count}", number)
        for words, path in paths.items():
            _measure(report, choices, folder, f"striate check, {words}", ("check", str(path)))
        _measure(report, choices, folder, "striate plugins list", ("plugins", "list"))
    report.finish(save=choices.save)


def _measure(report: Report, choices: Choices, folder: Path, title: str, arguments: tuple[str, ...]) -> None:
    counts = [count for count in COUNTS if count or "first plugin" not in title]
    commands = [(f"{count} plugins", _command(folder / f"site{count}", folder, arguments)) for count in counts]
    measured = compare(commands, choices.runs)
    least, most = measured[0], measured[-1]
    growth = median(b - a for a, b in zip(least.seconds, most.seconds, strict=True))
    notes = [f"{counts[-1]} plugins instead of {counts[0]} add {growth * 1000:.1f} ms (median of the differences)."]
    if "no plugin is needed" in title:
        verdict = "met" if growth < MOST_GROWTH_S else "missed"
        notes.append(f"Goal: less than {MOST_GROWTH_S * 1000:.0f} ms: {verdict}.")
    report.add(title, [each.row() for each in measured], *notes)


def _command(site: Path, folder: Path, arguments: tuple[str, ...]) -> list[str]:
    """Return a command that sees the plugins of a folder and nobody's settings."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    env = shutil.which("env")
    if env is None:
        raise SystemExit("this benchmark sets variables with env, which is not here")
    return [env, f"PYTHONPATH={path}", f"STRIATE_CONFIG={folder / 'config'}", *striate(*arguments)]


if __name__ == "__main__":
    run(parse(__doc__ or ""))
