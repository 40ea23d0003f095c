"""What torchvision's and timm's networks compute with weights made of their names, and the script that wrote it down.

`peer_outputs.txt` has a line per network: library and name, height of the square image, the largest absolute logit, and
the first four logits as shares of it, in double precision. Weights and image follow from their names by `numbers`, so
the zoo's network can be given the same ones without its peer. To write it again, where both libraries are installed:

    python -m tests.engine.loading.peer_outputs

Written with torchvision 0.28.0, timm 1.0.31 and torch 2.13.0.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

TABLE = Path(__file__).with_name("peer_outputs.txt")
SHOWN = 4

SIZES = {
    "torchvision alexnet": 224,
    "torchvision squeezenet1_1": 96,
    "torchvision mnasnet0_5": 96,
    "torchvision mobilenet_v3_small": 96,
    "torchvision shufflenet_v2_x0_5": 96,
    "torchvision regnet_y_400mf": 96,
    "torchvision convnext_tiny": 96,
    "torchvision inception_v3": 107,
    "torchvision efficientnet_b0": 96,
    "timm inception_v4": 107,
    "timm inception_resnet_v2": 107,
    "timm resnetv2_50": 96,
    "timm seresnet18": 96,
    "timm seresnext50_32x4d": 96,
    "timm res2net50_26w_4s": 96,
    "timm legacy_xception": 107,
    "timm mobilenetv1_100": 96,
    "timm ghostnet_050": 96,
    "timm repvgg_a0": 96,
    "timm darknet53": 96,
    "timm cspdarknet53": 96,
    "timm vit_tiny_patch16_224": 224,
    "timm mobilevit_xxs": 256,
}
"""Networks, one of each family, and the side of the image: small where the network takes any."""


def numbers(name: str, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Numbers for a tensor that follow from its name alone, and keep values in range."""
    generator = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))
    if name.endswith("running_var"):
        return (generator.random(shape) + 0.5).astype(np.float32)
    drawn = generator.standard_normal(shape)
    if len(shape) > 1:
        fan = int(np.prod(shape[1:]))
        return (drawn * (2 / fan) ** 0.5).astype(np.float32)
    return ((1.0 if name.endswith("weight") else 0.0) + 0.1 * drawn).astype(np.float32)


def image(size: int) -> torch.Tensor:
    """The image, 1 x 3 x size x size."""
    return torch.from_numpy(numbers("image", (1, 3, size, size)) * (3 * size * size / 2) ** 0.5).double()


def shares(logits: torch.Tensor) -> tuple[float, list[float]]:
    """The largest absolute logit, and the first ones as shares of it."""
    largest = float(logits.abs().max())
    return largest, [float(value) / largest for value in logits.flatten()[:SHOWN]]


def outputs() -> dict[str, tuple[int, float, list[float]]]:
    """Size of the image, largest logit and first shares of every peer."""
    found = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        library, name, size, largest, *first = line.split()
        found[f"{library} {name}"] = (int(size), float(largest), [float(value) for value in first])
    return found


def _computed(library: str, name: str, size: int) -> torch.Tensor:
    """Return the logits of a peer."""
    if library == "timm":
        network = import_module("timm").create_model(name)
    else:
        heads = {"init_weights": False} if name == "inception_v3" else {}
        network = getattr(import_module("torchvision.models"), name)(weights=None, **heads)
    for key, tensor in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            tensor.copy_(torch.from_numpy(numbers(key, tuple(tensor.shape))))
    with torch.no_grad():
        return network.double().eval()(image(size))


def main() -> None:
    """Write the table."""
    lines = []
    for name, size in SIZES.items():
        library, network = name.split()
        largest, first = shares(_computed(library, network, size))
        lines.append(" ".join([name, str(size), f"{largest:.9e}", *(f"{value:.9f}" for value in first)]))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
