"""Every published state dict goes onto its network of the zoo by names alone, and has as many parameters."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from striate.host.catalogue import HostCatalogue
from striate.importing.known_names import conventions_of
from striate.importing.name_map import read_name_map
from striate.importing.state_choice import choose
from striate.importing.state_refusal import refusal
from striate.loading import open_network
from striate.model import Model, build_model
from striate.runtime.stored_tensor import StateFile, StoredTensor
from tests.engine.loading.published_state_dicts import NETWORKS, Shapes, parameters, published

CATALOGUE = HostCatalogue()
CASES = [
    pytest.param(file, model, setting, name, id=f"{name}-{setting}")
    for (file, setting), rows in NETWORKS.items()
    for model, *names in rows
    for name in names
]


@cache
def opened(file: str):
    """A file of the zoo, and the names that its networks have elsewhere."""
    parsed = open_network(f"zoo.{file}", CATALOGUE)
    assert parsed.file is not None
    return parsed, conventions_of(parsed.file, CATALOGUE)


@cache
def network(file: str, model: str, setting: str) -> Model:
    return build_model(opened(file)[0], model, dict([setting.split("=", 1)] if setting else []), CATALOGUE)


def never():
    raise AssertionError("names are matched without numbers")


def state_of(shapes: Shapes, prefix: str = "") -> StateFile:
    """A file with tensors of these sizes that holds no numbers."""
    tensors = {f"{prefix}{name}": StoredTensor(shape, never, "float32") for name, shape in shapes.items()}
    return StateFile(Path("weights.pth"), "a file of torch.save", tensors, (), {})


@pytest.mark.parametrize(("file", "model", "setting", "name"), CASES)
def test_all_tensors_have_their_place(file, model, setting, name):
    built, state = network(file, model, setting), state_of(published()[name], "state_dict.module.")
    choice = choose(state, built.graph, opened(file)[1])
    match = choice.match
    assert [row for row in match.rows if row.status not in ("matched", "renamed")] == []
    assert match.how == "names"
    assert match.convention is not None
    assert name.split()[0] in match.convention.about
    assert refusal(state, built.graph, choice, partial=False) is None
    heads = sum(parameters({key: published()[name][key]}) for key in match.spare)
    assert built.parameters == parameters(published()[name]) - heads
    assert (heads > 0) == (name.split()[1] in ("googlenet", "inception_v3") and name[:2] == "to" and not setting)


def test_every_network_of_the_zoo_with_published_weights_is_here():
    zoo = files("striate_plugins") / "zoo"
    maps = {item.name.removesuffix(".names.toml") for item in zoo.iterdir() if item.name.endswith(".names.toml")}
    assert maps == {file for file, _ in NETWORKS}
    for (file, setting), rows in NETWORKS.items():
        assert opened(file)[1], file
        for model, *_ in rows:
            assert network(file, model, setting).name == model


@pytest.mark.parametrize("file", sorted({file for file, _ in NETWORKS}))
def test_every_line_of_a_map_is_used(file):
    text = (files("striate_plugins") / "zoo" / f"{file}.names.toml").read_text(encoding="utf-8")
    used: set[str] = set()
    for (of, setting), rows in NETWORKS.items():
        for model, *_ in rows if of == file else ():
            for convention in read_name_map(text, file):
                used |= {
                    f"{convention.name} {item.rule.ours}"
                    for item in convention.named(network(file, model, setting).graph.weights).values()
                }
    written = {f"{item.name} {rule.ours}" for item in read_name_map(text, file) for rule in item.rules}
    assert written - used == set()


def test_older_names_of_densenet():
    shapes = {
        name.replace("norm1.", "norm.1.")
        .replace("norm2.", "norm.2.")
        .replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2."): shape
        for name, shape in published()["torchvision densenet121"].items()
    }
    assert shapes.keys() != published()["torchvision densenet121"].keys()
    built = network("densenet", "DenseNet121", "")
    assert choose(state_of(shapes), built.graph, opened("densenet")[1]).match.complete


@pytest.mark.parametrize(
    ("file", "model", "name"),
    [
        ("mobilenet_v3", "MobileNetV3Small", "timm mobilenetv3_small_100"),
        ("efficientnet", "EfficientNetB5", "timm efficientnet_b5"),
    ],
)
def test_weights_that_need_another_eps_are_refused(file, model, name):
    built, state = network(file, model, ""), state_of(published()[name])
    choice = choose(state, built.graph, opened(file)[1])
    found = refusal(state, built.graph, choice, partial=True)
    assert choice.match.complete
    assert found is not None
    assert (found.code, found.help) == ("E0664", "pass --set eps=1e-05")


@pytest.mark.parametrize(
    ("setting", "now"), [("", "mish"), ("act=leaky_relu(0.1)", "leaky_relu(0.1)"), ("act=leaky_relu(slope = 0.1)", "")]
)
def test_weights_that_need_another_activation_are_refused(setting, now):
    built, state = network("cspdarknet", "CSPDarknet53", setting), state_of(published()["timm cspdarknet53"])
    found = refusal(state, built.graph, choose(state, built.graph, opened("cspdarknet")[1]), partial=False)
    assert found is not None
    assert found.help == "pass --set act=leaky_relu"
    assert f"CSPDarknet53 has act = {now or 'leaky_relu(slope = 0.1)'}" in found.message


AUTHORS = (
    ("stem.", "downsample_layers.0."),
    (".blocks.", "."),
    ("conv_dw", "dwconv"),
    ("mlp.fc1", "pwconv1"),
    ("mlp.fc2", "pwconv2"),
    ("head.norm", "norm"),
    ("head.fc", "head"),
)


def by_authors(name: str) -> str:
    """The name that ConvNeXt's authors give a tensor of timm's."""
    for theirs, authors in AUTHORS:
        name = name.replace(theirs, authors)
    stage, down, rest = name.removeprefix("stages.").partition(".downsample.")
    return f"downsample_layers.{stage}.{rest}" if down else name


def test_the_names_of_convnexts_authors():
    shapes = {by_authors(name): shape for name, shape in published()["timm convnext_tiny"].items()}
    built = network("convnext", "ConvNeXtTiny", "")
    match = choose(state_of(shapes), built.graph, opened("convnext")[1]).match
    assert match.complete
    assert match.convention is not None
    assert match.convention.name == "facebook"
