"""The heads as layers in a network."""

from __future__ import annotations

import pytest

from striate.host.catalogue import HostCatalogue
from striate.model import load_source
from striate_dsl.source import Source


@pytest.mark.parametrize(
    ("head", "shape", "parameters"),
    [("classification", (7,), 8 * 7 + 7), ("segmentation", (7, 16, 16), 8 * 7 + 7)],
)
def test_heads(head, shape, parameters):
    text = f"model Net {{ input image: 8 x 16 x 16\n relu\n head {head}(classes = 7) }}\n"
    graph = load_source(Source("net.cnn", text), "Net", {}, HostCatalogue()).graph
    assert list(graph.outputs) == ["logits"]
    assert graph.types[graph.outputs["logits"]].shape == shape
    assert graph.parameters == parameters
    assert [task.name for task in graph.tasks] == [head]
