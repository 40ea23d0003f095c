"""The domain that `check` prints is the set of sizes that torch computes: every height from 1 to 200, both ways."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.dims import Dim, evaluate
from striate.elaborate import Elaboration, elaborate
from striate.host.catalogue import HostCatalogue
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.engine.dims.random_networks import CHANNELS, Piece, chained, flows, layers
from tests.engine.dims.structure_networks import pieces

HEIGHTS = range(1, 201)
WIDTH = 48
CATALOGUE = HostCatalogue()


def elaborated(text: str, **sizes: int) -> Elaboration:
    """Return the model of a text; the text must be right but for its sizes."""
    file = parse(Source("net.cnn", text)).file
    assert file is not None, text
    return elaborate(file, "Net", CATALOGUE, sizes=sizes)


def network(piece: Piece, size: str) -> str:
    return f"model Net {{\n  input image: {CHANNELS} x {size}\n  {piece.text}\n  output features\n}}\n"


@given(flows())
@settings(max_examples=60, deadline=None)
def test_the_domain_is_what_torch_accepts(piece):
    built = elaborated(network(piece, f"H x {WIDTH}"))
    assert {item.code for item in built.diagnostics} <= {"E0202", "E0203"}, piece.text
    accepted = {height for height in HEIGHTS if piece.accepts(height, WIDTH)}
    if built.domain is None:
        assert not accepted, piece.text
    else:
        assert {height for height in HEIGHTS if built.domain.contains({"H": height})} == accepted, piece.text
        if built.domain.exact and built.domain.symbols:
            assert {height for height in HEIGHTS if height in built.domain["H"]} == accepted, piece.text


@given(flows())
@settings(max_examples=25, deadline=None)
def test_a_size_asked_about_is_accepted_or_refused_as_torch_does(piece):
    text = network(piece, "H x W")
    for height in (1, 2, 7, 16, 33, 48, 95):
        built = elaborated(text, H=height, W=WIDTH)
        assert (built.graph is not None) == piece.accepts(height, WIDTH), (piece.text, height, built.diagnostics)


@given(flows())
@settings(max_examples=60, deadline=None)
def test_the_input_size_proposed_is_the_nearest_that_torch_accepts(piece):
    """From half the size written to four times it; beyond, nothing is proposed."""
    height = 13
    built = elaborated(network(piece, f"{height} x {WIDTH}"))
    if built.graph is not None:
        return
    titles = [fix.title for item in built.diagnostics for fix in item.fixes if fix.title.startswith("input image")]
    near = [size for size in range(-(-height // 2), 4 * height + 1) if piece.accepts(size, WIDTH)]
    if titles:
        shape = titles[0].split(":")[1].split(" is ")[0].split(" x ")
        assert piece.accepts(int(shape[1]), int(shape[2])), (piece.text, titles)
        if near and int(shape[2]) == WIDTH:
            best = min(abs(size - height) for size in near)
            assert abs(int(shape[1]) - height) == best, (piece.text, titles, near[:5])
    else:
        assert not near, piece.text


SMALL = range(1, 65)


def chains() -> st.SearchStrategy[Piece]:
    """Return chains of layers that move, resize and cut, with convolutions and pools between them."""
    return st.lists(st.one_of(pieces, pieces, layers), min_size=1, max_size=4).map(chained)


@given(chains())
@settings(max_examples=120, deadline=None)
def test_layers_that_move_entries_accept_what_torch_accepts(piece):
    built = elaborated(network(piece, f"H x {WIDTH}"))
    codes = {item.code for item in built.diagnostics}
    assert codes <= {"E0202", "E0203", "E0206", "E0216"}, (piece.text, codes)
    accepted = {height for height in SMALL if piece.accepts(height, WIDTH)}
    if built.domain is None:
        assert not accepted, piece.text
        return
    assert {height for height in SMALL if built.domain.contains({"H": height})} == accepted, piece.text
    for height in accepted:
        values = torch.empty(1, CHANNELS, height, WIDTH, device="meta")
        made = tuple(evaluate(size, {"H": height}) for size in output_size(built))
        assert made == tuple(piece.function(values).shape[1:]), (piece.text, height)


def output_size(built: Elaboration) -> tuple[Dim, ...]:
    assert built.graph is not None
    return built.graph.types[built.graph.outputs["features"]].shape
