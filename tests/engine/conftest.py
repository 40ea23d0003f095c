"""Building models from short texts."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from striate.elaborate import Elaboration, elaborate, model_names
from striate.graph import Graph
from striate.graph.verifier import verify
from striate.host.catalogue import HostCatalogue
from striate_dsl.parser import parse
from striate_dsl.source import Source

Build = Callable[..., Elaboration]
BuildGraph = Callable[..., Graph]


@pytest.fixture(scope="session")
def catalogue() -> HostCatalogue:
    return HostCatalogue()


@pytest.fixture
def build(catalogue: HostCatalogue) -> Build:
    """Elaborate the last model of a text; the text may have mistakes."""

    def run(text: str, model: str | None = None, **overrides: str) -> Elaboration:
        result = parse(Source("net.cnn", textwrap.dedent(text)))
        assert result.file is not None, [item.message for item in result.diagnostics]
        return elaborate(result.file, model or model_names(result.file)[-1], catalogue, overrides)

    return run


@pytest.fixture
def graph(build: Build) -> BuildGraph:
    """Elaborate a text without mistakes and check the graph's own rules."""

    def run(text: str, model: str | None = None, **overrides: str) -> Graph:
        built = build(text, model, **overrides)
        assert built.graph is not None, [(item.code, item.message, item.span) for item in built.diagnostics]
        verify(built.graph)
        return built.graph

    return run


@pytest.fixture
def flow(graph: BuildGraph) -> BuildGraph:
    """Elaborate the body of a model on a 3 x 16 x 16 image."""

    def run(body: str, size: str = "3 x 16 x 16", before: str = "") -> Graph:
        return graph(f"{before}\nmodel Net {{\ninput image: {size}\n{body}\noutput y\n}}\n")

    return run
