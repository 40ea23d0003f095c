"""The table of ResNet-50's layers: `striate summary` against building it in torch + torchinfo and in Keras."""

from __future__ import annotations

from pathlib import Path

import peer_tools
from arguments import Choices, parse
from measure import compare, striate
from report import start

NETWORK = Path(__file__).resolve().parent / "networks" / "resnet50.cnn"


def run(choices: Choices) -> None:
    """Measure, print, and save if asked to."""
    report = start("summary-vs-peers", "The layers of ResNet-50, whole processes")
    found = peer_tools.available()
    commands = [
        ("striate summary", striate("summary", str(NETWORK))),
        ("striate summary --format json", striate("summary", str(NETWORK), "--format", "json")),
    ]
    if {"torch", "torchinfo"} <= found.keys():
        commands.append(("torch + torchinfo", [str(peer_tools.PYTHON), str(peer_tools.PEERS / "resnet_torch.py")]))
    if {"torch", "keras"} <= found.keys():
        commands.append(("keras (torch backend)", [str(peer_tools.PYTHON), str(peer_tools.PEERS / "resnet_keras.py")]))
    measured = compare(commands, choices.runs)
    rows = [{**each.row(), "times_striate": each.median / measured[0].median} for each in measured]
    report.add(
        "Seconds from start to end",
        rows,
        "Every program builds the network and prints the table of its layers; the peers' programs are in "
        "benchmarks/peers. torch and Keras also allocate weights, which their tables need and striate's does not.",
        f"Peers: {', '.join(f'{name} {version}' for name, version in found.items()) or 'none'}.",
        *peer_tools.missing_note(found, "torchinfo", "keras"),
    )
    report.finish(save=choices.save)


if __name__ == "__main__":
    run(parse(__doc__ or ""))
