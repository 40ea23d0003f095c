"""Distributions with plugins, as pip would have left them in a folder: a package beside its `.dist-info`."""

from __future__ import annotations

from pathlib import Path

GOOD = """\
from striate.plugin import {record}, Factory, hookimpl

@hookimpl
def striate_{kind}(context):
    return [{made}]
"""


def install(folder: Path, name: str, code: str, manifest: str | bytes | None = None, version: str = "1.0") -> None:
    """Put the distribution `striate-NAME` with the plugin NAME and its package `NAME_plugin` into a folder."""
    package, information = folder / f"{name}_plugin", folder / f"striate_{name}-{version}.dist-info"
    package.mkdir(parents=True)
    information.mkdir()
    (package / "__init__.py").write_text(code)
    if manifest is not None:
        content = manifest if isinstance(manifest, bytes) else manifest.encode()
        (package / "striate-plugin.toml").write_bytes(content)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: striate-{name}\nVersion: {version}\n")
    (information / "entry_points.txt").write_text(f"[striate.plugins]\n{name} = {name}_plugin\n")


def loss(name: str) -> str:
    """Return the code of a plugin with one loss."""
    made = f'LossRecord("{name}", "A loss", Factory("torch.nn:MSELoss"))'
    return GOOD.format(record="LossRecord", kind="losses", made=made)


LAYER = """\
from striate.plugin import OpRecord, hookimpl

def shape(attributes, inputs, check):
    return inputs

def torch(call):
    return call.inputs[0]

def onnx(call, sink):
    sink.node("Identity", call.inputs, call.outputs)

@hookimpl
def striate_layers(context):
    return [OpRecord("§", "Gives its input.", shape, torch, onnx)]
"""


def layer(name: str) -> str:
    """Return the code of a plugin with one layer that gives its input."""
    return LAYER.replace("§", name)
