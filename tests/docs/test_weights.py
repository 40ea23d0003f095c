"""What the page about weights shows is what the commands print, and its table names the zoo's maps."""

from __future__ import annotations

from importlib.resources import files

import torch

from tests.docs.consoles import sessions
from tests.engine.loading.published_networks import ResNet


def test_every_session_prints_what_the_page_shows(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(ResNet([2, 2, 2, 2], False).state_dict(), "resnet18.pth")
    found = sessions(repository / "docs" / "weights.md", tmp_path)
    assert len(found) == 2
    for session in found:
        assert session.printed() == session.shown, session.arguments


def test_every_map_of_the_zoo_is_named(repository):
    page = (repository / "docs" / "weights.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `zoo.")}
    zoo = files("striate_plugins") / "zoo"
    maps = (item.name for item in zoo.iterdir() if item.name.endswith(".names.toml"))
    assert rows == {f"zoo.{name.removesuffix('.names.toml')}" for name in maps}


def test_the_map_of_the_page_is_one(repository):
    from striate.importing.name_map import read_name_map

    page = (repository / "docs" / "weights.md").read_text(encoding="utf-8")
    (convention,) = read_name_map(page.partition("```toml\n")[2].partition("```")[0], "docs/weights.md")
    weights = [
        "dense1.bias",
        "stage1.2.unit1.conv3.weight",
        "head.factor.weight",
        "dense2.weight",
        "conv_bn4.conv1.weight",
    ]
    assert list(convention.named(weights)) == weights
