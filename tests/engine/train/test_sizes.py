"""The size that images are brought to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.host.catalogue import HostCatalogue
from striate.model import load_source
from striate.train.sizes import input_size
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source


def model(size: str, body: str = "conv(4, 3, pad = half)"):
    text = f"model Net {{\n input image: {size}\n {body}\n output y\n}}\n"
    return load_source(Source("net.cnn", text), "Net", {}, HostCatalogue())


def size_of(size: str, body: str = "conv(4, 3, pad = half)", wanted: tuple[int, int] | None = None):
    built = model(size, body)
    return input_size(built.graph, built.domain, wanted)


@pytest.mark.parametrize(
    ("size", "body", "wanted", "found"),
    [
        ("1 x 28 x 30", "relu", None, (1, 28, 30)),
        ("1 x 28 x 30", "relu", (28, 30), (1, 28, 30)),
        ("3 x H x W", "relu", None, (3, 32, 32)),
        ("3 x H x W where H % 20 == 0", "relu", None, (3, 40, 40)),
        ("3 x H x W where H % 20 == 0 and W % 30 == 0", "relu", None, (3, 60, 60)),
        ("3 x H x W where H <= 16 and W <= 20", "relu", None, (3, 1, 1)),
        ("3 x H x 48", "relu", None, (3, 32, 48)),
        ("3 x H x W where H == 2 * W", "relu", None, (3, 2, 1)),
        ("3 x 2*H x W", "relu", None, (3, 64, 32)),
        ("3 x H x W", "relu", (20, 24), (3, 20, 24)),
        ("3 x 2*H x W", "relu", (20, 24), (3, 20, 24)),
        ("3 x S x S", "relu", (24, 24), (3, 24, 24)),
        ("3 x H x W", "maxpool(3) -> maxpool(3) -> conv(4, 5)", None, (3, 45, 45)),
    ],
)
def test_sizes(size, body, wanted, found):
    assert size_of(size, body, wanted) == found


@pytest.mark.parametrize(
    ("size", "body", "wanted", "words"),
    [
        ("1 x 28 x 30", "relu", (28, 28), "does not take images of 28 x 28"),
        ("3 x 2*H x W", "relu", (21, 24), "does not take images of 21 x 24"),
        ("3 x S x S", "relu", (24, 32), "does not take images of 24 x 32"),
        ("3 x H x W where H % 32 == 0", "relu", (20, 24), "does not take images of 20 x 24"),
        ("C x 8 x 8", "relu", None, "leaves its channels open (C)"),
        ("12", "dense(3)", None, "takes 12, which is no image"),
    ],
)
def test_sizes_that_do_not_work(size, body, wanted, words):
    with pytest.raises(DiagnosticError) as caught:
        size_of(size, body, wanted)
    (finding,) = caught.value.diagnostics
    assert (finding.code, words in finding.message) == ("E0507", True), finding.message


def test_several_inputs():
    text = "model Net {\n input a: 1 x 8 x 8\n input b: 1 x 8 x 8\n a -> add(b)\n output y\n}\n"
    built = load_source(Source("net.cnn", text), "Net", {}, HostCatalogue())
    with pytest.raises(DiagnosticError, match=r"has 2 inputs \(a, b\)"):
        input_size(built.graph, built.domain)


@given(pools=st.integers(0, 5), kernel=st.integers(1, 9))
def test_the_size_is_always_legal(pools, kernel):
    built = model("3 x H x W", " -> ".join(["relu", *["maxpool(2)"] * pools, f"conv(2, {kernel})"]))
    _, height, width = input_size(built.graph, built.domain)
    assert built.domain.contains({"H": height, "W": width})
    assert min(height, width) >= 32
