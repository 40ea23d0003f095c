"""The pixel contract in numbers."""

from __future__ import annotations

import pytest
import torch

from striate.host.catalogue import HostCatalogue
from striate.model import load_source
from striate.train.pixels import Pixels
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source


def pixels(contract: str, channels: int = 3) -> Pixels:
    text = f"model Net {{\n input image: {channels} x 2 x 2 {{ {contract} }}\n relu\n output y\n}}\n"
    return Pixels(load_source(Source("net.cnn", text), "Net", {}, HostCatalogue()).graph.inputs[0])


IMAGE = torch.tensor([0.1, 0.5, 0.9]).reshape(1, 3, 1, 1).expand(2, 3, 2, 2)


@pytest.mark.parametrize(
    ("contract", "expected"),
    [
        ("", [0.1, 0.5, 0.9]),
        ("color = rgb", [0.1, 0.5, 0.9]),
        ("color = bgr", [0.9, 0.5, 0.1]),
        ("range = 0..255", [25.5, 127.5, 229.5]),
        ("range = (-1, 1)", [-0.8, 0.0, 0.8]),
        ("mean = 0.5", [-0.4, 0.0, 0.4]),
        ("std = 0.5", [0.2, 1.0, 1.8]),
        ("mean = [0.1, 0.2, 0.3]; std = [1, 2, 3]", [0.0, 0.15, 0.2]),
        # The mean is in the units of the range and in the order of the contract's colours.
        ("color = bgr; range = 0..255; mean = [9.5, 7.5, 5.5]", [220.0, 120.0, 20.0]),
    ],
)
def test_contracts(contract, expected):
    result = pixels(contract)(IMAGE)
    assert result.shape == IMAGE.shape
    torch.testing.assert_close(result[1, :, 1, 0], torch.tensor(expected), atol=1e-5, rtol=1e-5)


def test_the_way_of_resizing():
    assert pixels("resize = nearest").resize == "nearest"
    assert pixels("").resize == "bilinear"


@pytest.mark.parametrize(("color", "channels"), [("rgb", 1), ("bgr", 1), ("grey", 3), ("rgb", 4)])
def test_colours_that_do_not_go_with_the_channels(color, channels):
    with pytest.raises(DiagnosticError, match=f"color = {color} needs"):
        pixels(f"color = {color}", channels)
