"""One network of each family computes what torchvision's or timm's does with the same weights, taken through its map.

Names, sizes and counts say nothing of strides, slopes, the eps of norms or the order of branches; the logits do.
"""

from __future__ import annotations

from importlib.resources import files

import pytest
import torch

from striate.loading import choose_weights, write_weights_onto
from striate.model import load
from tests.engine.loading.peer_outputs import SIZES, image, numbers, outputs, shares
from tests.engine.loading.published_state_dicts import NETWORKS, published

PLACES = {
    name: (file, model, setting)
    for (file, setting), rows in NETWORKS.items()
    for model, *names in rows
    for name in names
    if not setting.startswith("aux")
}
NATIVE = (224, 256, 299)
"""Sides of the images in the zoo's files."""


@pytest.fixture
def network(tmp_path, monkeypatch):
    """Copies a file of the zoo with its name map, for images of another size; returns the file's name."""
    monkeypatch.chdir(tmp_path)

    def copy(file: str, size: int) -> str:
        for name in (f"{file}.cnn", f"{file}.names.toml"):
            text = (files("striate_plugins") / "zoo" / name).read_text(encoding="utf-8")
            for side in NATIVE:
                text = text.replace(f"3 x {side} x {side}", f"3 x {size} x {size}")
            (tmp_path / name).write_text(text.replace("size = 224", f"size = {size}"), encoding="utf-8")
        return f"{file}.cnn"

    return copy


def computed(file: str, model: str, setting: str, name: str, size: int, edits: dict[str, float] | None = None):
    """The logits of the zoo's network with weights made of the peer's names; `edits` adds to some of them."""
    state = {key: torch.from_numpy(numbers(key, shape)) for key, shape in published()[name].items()}
    for key, more in (edits or {}).items():
        state[key] += more
    torch.save(state, "weights.pth")
    parameters = dict([setting.split("=", 1)] if setting else [])
    report = choose_weights("weights.pth", file, model, parameters=parameters)
    assert write_weights_onto(report, "loaded.safetensors") == ()
    settings = {key: float(value) if key == "slope" else value for key, value in parameters.items()}
    program = load(file, model, **settings).to_torch(weights="loaded.safetensors").double().eval()
    with torch.no_grad():
        return shares(program(image(size)))


@pytest.mark.parametrize("name", SIZES)
def test_the_logits_are_the_peers(name, network):
    file, model, setting = PLACES[name]
    size, largest, first = outputs()[name]
    assert size == SIZES[name]
    found, shown = computed(network(file, size), model, setting, name, size)
    assert found == pytest.approx(largest, rel=1e-7)
    assert shown == pytest.approx(first, abs=1e-8)


def test_every_family_with_published_weights_is_here():
    """But those that tests/engine/loading/test_published_networks.py compares with modules of its own."""
    elsewhere = {"resnet", "densenet", "googlenet_bn", "mobilenet_v2", "vgg"}
    same_code = {"efficientnet_v2"}
    """Of the blocks of EfficientNet, with more of them than a test has time for."""
    assert {PLACES[name][0] for name in SIZES} == {file for file, _ in NETWORKS} - elsewhere - same_code


def test_a_weight_that_differs_would_be_noticed(network):
    name = "timm mobilenetv1_100"
    file, model, setting = PLACES[name]
    size, _, first = outputs()[name]
    _, shown = computed(network(file, size), model, setting, name, size, {"blocks.3.0.bn2.weight": 0.01})
    assert max(abs(one - other) for one, other in zip(shown, first, strict=True)) > 1e-4
