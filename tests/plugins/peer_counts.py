"""What torchvision's and timm's networks cost, counted by torch on their modules, and the script that wrote it down.

`peer_counts.txt` has a line per network: library and name, height and width of the image, trainable parameters, and
multiply-adds. The latter are half of the operations that torch's `FlopCounterMode` counts in one forward pass in
evaluation: convolutions and matrix products, those of attention too. To write it again, where both are installed:

    python -m tests.plugins.peer_counts

Written with torchvision 0.28.0, timm 1.0.31 and torch 2.13.0. Networks without their auxiliary heads.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from striate.host.catalogue import HostCatalogue
from striate.loading import open_network
from striate.model import Model, build_model
from striate_dsl.parser import ParseResult
from tests.engine.loading.published_state_dicts import NETWORKS

TABLE = Path(__file__).with_name("peer_counts.txt")


CATALOGUE = HostCatalogue()


@cache
def opened(file: str) -> ParseResult:
    """A file of the zoo."""
    return open_network(f"zoo.{file}", CATALOGUE)


def built(file: str, model: str, setting: str) -> Model:
    """A network of the zoo, with one parameter set as in `act=relu6`."""
    return build_model(opened(file), model, dict([setting.split("=", 1)] if setting else []), CATALOGUE)


def image_of(model: Model) -> tuple[int, int]:
    """The height and width that a network takes."""
    _, height, width = (int(str(size)) for size in model.graph.inputs[0].value.type.shape)
    return height, width


def cases() -> Iterator[tuple[str, str, str, str]]:
    """The file, the model, what is set, and the peer's name; auxiliary heads are left out."""
    for (file, setting), rows in NETWORKS.items():
        if not setting.startswith("aux"):
            yield from ((file, model, setting, name) for model, *names in rows for name in names)


@cache
def counts() -> dict[str, tuple[tuple[int, int], int, int]]:
    """Image, parameters and multiply-adds of every peer."""
    found = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        library, name, height, width, parameters, macs = line.split()
        found[f"{library} {name}"] = ((int(height), int(width)), int(parameters), int(macs))
    return found


def _network(library: str, name: str) -> Any:
    """Build a peer; numbers are of no interest, and RegNet of torchvision computes its widths with tensors."""
    if library == "timm":
        return import_module("timm").create_model(name)
    heads = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = getattr(import_module("torchvision.models"), name)(weights=None, **heads)
    if heads:
        network.aux_logits, network.aux1, network.aux2, network.AuxLogits = False, None, None, None
    return network


def _counted(library: str, name: str, size: tuple[int, int]) -> tuple[int, int]:
    """Return parameters and multiply-adds of a peer, on the meta device: nothing is computed."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    network = _network(library, name).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, 3, *size, device="meta"))
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return sum(item.numel() for item in network.parameters()), flops // 2


def main() -> None:
    """Write the table."""
    lines = []
    for file, model, setting, name in cases():
        size = image_of(built(file, model, setting))
        library, network = name.split()
        lines.append(" ".join(map(str, (name, *size, *_counted(library, network, size)))))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
