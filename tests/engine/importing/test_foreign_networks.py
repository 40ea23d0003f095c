"""Networks written by hand in torch and exported by torch: the imported network computes what torch does."""

import io
import warnings

import numpy as np
import onnx
import pytest
import torch

from tests.engine.importing import foreign
from tests.engine.importing.written import imported, layers, runs

IMAGE = (3, 32, 32)
OPEN = (foreign.ResNet, foreign.MobileNet, foreign.ChannelsLast, foreign.UNet, foreign.Shuffled)
"""Networks that take images of any size."""

NETWORKS = {
    **dict.fromkeys(OPEN, IMAGE),
    foreign.VisionTransformer: IMAGE,
    foreign.FusedVisionTransformer: IMAGE,
    foreign.TorchAttention: IMAGE,
    foreign.ShiftedWindows: IMAGE,
    foreign.Detector: IMAGE,
    foreign.Reader: (1, 8, 20),
    foreign.GatedReader: (1, 8, 20),
    foreign.Last: (7, 8),
}


def exported(network: torch.nn.Module, sizes: tuple[int, ...], axes: dict[int, str], images: int) -> onnx.ModelProto:
    """Return the file that torch's exporter makes of a network."""
    place = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given, how = (torch.randn(images, *sizes),), {"image": axes} if axes else None
        torch.onnx.export(
            network, given, place, dynamo=False, input_names=["image"], dynamic_axes=how, opset_version=17
        )
    return onnx.load_from_string(place.getvalue())


def made(kind: type[torch.nn.Module]) -> torch.nn.Module:
    torch.manual_seed(0)
    network = kind().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return network


def agrees(network: torch.nn.Module, model: onnx.ModelProto, shape: tuple[int, ...]) -> list[str]:
    """Hold an imported network against torch on random images; returns its layers."""
    found = imported(model)
    image = torch.randn(shape)
    with torch.inference_mode():
        wanted = network(image).numpy()
    (mine,) = runs(found, {"image": image.numpy()})
    np.testing.assert_allclose(mine.reshape(wanted.shape), wanted, rtol=1e-3, atol=1e-4 * abs(wanted).max())
    return layers(found)


@pytest.mark.parametrize("kind", NETWORKS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("images", [1, 2, None])
def test_networks_with_a_fixed_and_an_open_batch(kind, images):
    network, sizes = made(kind), NETWORKS[kind]
    model = exported(network, sizes, {} if images else {0: "images"}, images or 2)
    agrees(network, model, (images or 3, *sizes))


@pytest.mark.parametrize("kind", OPEN, ids=lambda kind: kind.__name__)
def test_networks_for_images_of_any_size(kind):
    network = made(kind)
    model = exported(network, IMAGE, {0: "images", 2: "height", 3: "width"}, 2)
    agrees(network, model, (2, 3, 64, 96))


def test_norms_of_groups_are_put_together_again():
    network = made(foreign.UNet)
    for axes in ({}, {0: "images", 2: "height", 3: "width"}):
        found = agrees(network, exported(network, IMAGE, axes, 2), (2, *IMAGE))
        assert found.count("groupnorm") == 1 and not {"mul", "add", "instancenorm"} & set(found)


def test_layers_are_put_together_again():
    network = made(foreign.Last)
    assert agrees(network, exported(network, (7, 8), {0: "images"}, 2), (3, 7, 8))[0] == "lstm"
    network = made(foreign.Reader)
    assert agrees(network, exported(network, (1, 8, 20), {0: "images"}, 2), (3, 1, 8, 20)).count("lstm") == 2
