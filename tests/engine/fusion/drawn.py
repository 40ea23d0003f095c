"""Random networks with what groups are made of: products, branches, gates, pools, concatenations."""

from __future__ import annotations

from hypothesis import strategies as st

from striate.graph import Graph
from tests.engine.passes.networks import Network

UNARY = ("relu", "bn", "sigmoid", "hardswish", "tanh", "identity")
CONVS = (
    {"channels": 4, "kernel": 3, "pad": 1},
    {"channels": 4, "kernel": 1},
    {"channels": 4, "kernel": 3, "pad": 1, "groups": 4},
    {"channels": 4, "kernel": 3, "pad": 2, "dilation": 2, "bias": False},
    {"channels": 4, "kernel": (1, 3), "pad": (0, 1), "groups": 2},
    {"channels": 4, "kernel": 3, "pad": "half", "fill": "reflect"},
    {"channels": 4, "kernel": 2, "pad": "same"},
)


@st.composite
def mixed_networks(draw: st.DrawFn, most: int = 12) -> Graph:
    """Draw a network of images of 4 x 6 x 5, wired at random, with one to three outputs."""
    network = Network()
    values = [network.input("image", 4, 6, 5)]
    for number in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(("conv", "conv", "unary", "unary", "add", "mul", "gate", "concat", "pool")))
        source = draw(st.sampled_from(values[-3:]))
        name = f"{kind}{number}"
        if kind == "conv":
            values.append(network.add(name, "conv", source, **draw(st.sampled_from(CONVS))))
        elif kind == "unary":
            values.append(network.add(name, draw(st.sampled_from(UNARY)), source))
        elif kind in ("add", "mul"):
            values.append(network.add(name, kind, source, draw(st.sampled_from(values))))
        elif kind == "gate":
            mean = network.add(f"{name}_mean", "global_avgpool", source)
            gate = network.add(f"{name}_conv", "conv", mean, channels=4, kernel=1)
            gate = network.add(f"{name}_sigmoid", "sigmoid", gate)
            values.append(network.add(name, "mul", source, gate))
        elif kind == "concat":
            both = network.add(f"{name}_both", "concat", source, draw(st.sampled_from(values)))
            values.append(network.add(name, "conv", both, channels=4, kernel=1))
        else:
            values.append(network.add(name, "maxpool", source, kernel=3, stride=1, pad=1))
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
    return network.graph(**{f"out{number}": value for number, value in enumerate([values[-1], *chosen])})
