"""Weights of a torch module, saved and loaded onto the zoo's network, give the same outputs in double precision."""

from __future__ import annotations

from importlib.resources import files

import pytest
import torch

from striate.loading import choose_weights, write_weights_onto
from striate.model import load
from tests.engine.loading.foreign_weights import same
from tests.engine.loading.published_networks import VGG, DenseNet, GoogLeNet, MobileNetV2, ResNet
from tests.engine.loading.published_state_dicts import published

NETWORKS = {
    "ResNet18": (lambda: ResNet([2, 2, 2, 2], False), "resnet", {}, "torchvision resnet18"),
    "ResNet50": (lambda: ResNet([3, 4, 6, 3], True), "resnet", {}, "torchvision resnet50"),
    "DenseNet121": (DenseNet, "densenet", {}, "torchvision densenet121"),
    "GoogLeNetBN": (GoogLeNet, "googlenet_bn", {"aux": "true"}, "torchvision googlenet"),
    "MobileNetV2": (MobileNetV2, "mobilenet_v2", {}, "torchvision mobilenet_v2"),
}
"""How to make the module, the file of the zoo, its parameters, and the published state dict."""


def randomised(module: torch.nn.Module) -> torch.nn.Module:
    """The module with weights that keep values in range, and statistics of which no two are alike."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("running_var"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            elif tensor.dim() > 1:
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * (2 / tensor[0].numel()) ** 0.5)
            elif tensor.is_floating_point():
                centre = 1.0 if name.endswith("weight") else 0.0
                tensor.copy_(centre + 0.1 * torch.randn(tensor.shape, generator=generator))
    return module.eval()


@pytest.fixture
def network(tmp_path, monkeypatch):
    """Copies a file of the zoo with its name map, for small images; returns the file's name."""
    monkeypatch.chdir(tmp_path)

    def copy(file: str, size: int = 64) -> str:
        zoo = files("striate_plugins") / "zoo"
        for name in (f"{file}.cnn", f"{file}.names.toml"):
            text = (zoo / name).read_text(encoding="utf-8")
            (tmp_path / name).write_text(text.replace("224 x 224", f"{size} x {size}"), encoding="utf-8")
        return f"{file}.cnn"

    return copy


def computed(file: str, model: str, parameters: dict[str, str], images: torch.Tensor):
    """What the network computes with what was written, in double precision."""
    settings = {name: value == "true" or int(value) for name, value in parameters.items()}
    program = load(file, model, **settings).to_torch(weights="loaded.safetensors").double().eval()
    with torch.no_grad():
        return program(images)


def onto(module: torch.nn.Module, file: str, model: str, parameters: dict[str, str]):
    """Load a module's weights; returns what the module computes, and what the network does."""
    torch.save(module.state_dict(), "weights.pth")
    report = choose_weights("weights.pth", file, model, parameters=parameters)
    assert write_weights_onto(report, "loaded.safetensors") == ()
    size = report.model.graph.inputs[0].value.type.shape[1]
    images = torch.randn(2, 3, int(str(size)), int(str(size)), generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        wanted = module.double()(images)
    return wanted, computed(file, model, parameters, images)


@pytest.mark.parametrize("model", NETWORKS)
def test_outputs_are_the_same(model, network):
    make, file, parameters, name = NETWORKS[model]
    module = randomised(make())
    shapes = {key: tuple(item.shape) for key, item in module.state_dict().items() if "num_batches" not in key}
    assert shapes == published()[name]
    wanted, found = onto(module, network(file), model, parameters)
    if isinstance(wanted, dict):
        assert wanted.keys() == found.keys()
        assert all(same(wanted[key], found[key]) < 1e-10 for key in wanted)
    else:
        assert same(wanted, found) < 1e-10


def test_googlenet_without_its_heads_leaves_them_out(network):
    wanted, found = onto(randomised(GoogLeNet()), network("googlenet_bn"), "GoogLeNetBN", {})
    assert same(wanted["logits"], found) < 1e-10


def test_dense_layers_that_were_convolutions(network):
    wanted, found = onto(randomised(VGG(16)), network("vgg", 224), "VGG11_BN", {"hidden": "16"})
    assert same(wanted, found) < 1e-10


def test_exchanged_layers_would_be_noticed(network):
    """The comparison can fail: two norms of one size, exchanged, change the outputs."""
    module = randomised(ResNet([2, 2, 2, 2], False))
    wanted, found = onto(module, network("resnet"), "ResNet18", {})
    assert same(wanted, found) < 1e-10
    state = module.float().state_dict()
    first, second = "layer1.0.bn1.weight", "layer1.1.bn2.weight"
    state[first], state[second] = state[second], state[first]
    torch.save(state, "weights.pth")
    write_weights_onto(choose_weights("weights.pth", "resnet.cnn", "ResNet18"), "loaded.safetensors")
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)).double()
    assert same(wanted, computed("resnet.cnn", "ResNet18", {}, images)) > 1e-3
