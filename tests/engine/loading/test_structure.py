"""Matching by order, kinds and sizes: one answer or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.importing.state_choice import choose
from striate.importing.state_matching import Match
from striate.importing.state_refusal import refusal
from striate.importing.state_structure import Doubt, match_structure
from striate.model import load_source
from striate.runtime.stored_tensor import StateFile, StoredTensor
from striate_dsl.source import Source
from tests.engine.loading.foreign_weights import NET
from tests.engine.loading.published_state_dicts import published


def never():
    raise AssertionError("numbers are not asked for")


def graph(text: str, model: str | None = None):
    return load_source(Source("net.cnn", text), model).graph


def body(lines: str):
    return graph(f"model Net {{\n  input image: 4 x 8 x 8\n{lines}\n  output y\n}}")


def tensors(shapes) -> dict[str, StoredTensor]:
    return {name: StoredTensor(shape, never, "float32") for name, shape in shapes.items()}


def answer(network, shapes) -> dict[str, str] | Doubt:
    """Our weights with their tensors, or why there is no answer."""
    found = match_structure(network, tensors(shapes), "")
    return {str(row.weight): str(row.key) for row in found.rows} if isinstance(found, Match) else found


def own(network) -> dict[str, tuple[int, ...]]:
    return {name: weight.shape for name, weight in network.weights.items()}


CHAIN = body("  repeat 3 { conv(4, 3, pad = 1) -> relu }")


def test_alike_layers_in_a_row_are_told_apart_by_order():
    shapes = {f"{name}.{leaf}": shape for name in "zyx" for leaf, shape in (("weight", (4, 4, 3, 3)), ("bias", (4,)))}
    found = answer(CHAIN, shapes)
    assert isinstance(found, dict)
    assert [found[f"conv1.{index}.weight"] for index in range(3)] == ["z.weight", "y.weight", "x.weight"]


def test_a_sorted_file_is_read_by_its_numbers():
    network = body("  repeat 12 { conv(4, 1, bias = false) }")
    shapes = dict.fromkeys(sorted(f"body.{index}.weight" for index in range(12)), (4, 4, 1, 1))
    found = answer(network, shapes)
    assert isinstance(found, dict)
    assert all(key == f"body.{weight.split('.')[1]}.weight" for weight, key in found.items())


@pytest.mark.parametrize("merge", ["concat", "add"])
def test_alike_layers_beside_each_other_have_no_answer(merge):
    network = body(f"  {merge} {{\n    conv(4, 1) as left\n    conv(4, 1) as right\n  }} -> relu")
    found = answer(network, own(network))
    assert isinstance(found, Doubt)
    assert found.reason == "left and right are alike, and neither runs before the other"
    assert (found.ours, found.theirs) == (("left", "right"), ("left", "right"))


def test_an_order_in_which_the_network_cannot_run_has_no_answer():
    network = body(
        "  conv(8, 1, bias = false) -> conv(4, 1, bias = false) -> conv(8, 3, bias = false) -> conv(4, 1, bias = false)"
    )
    shapes = {"a": (8, 4, 1, 1), "b": (4, 8, 1, 1), "d": (4, 8, 1, 1), "c": (8, 4, 3, 3)}
    found = answer(network, {f"{name}.weight": shape for name, shape in shapes.items()})
    assert isinstance(found, Doubt)
    assert "runs before" in found.reason
    assert not found.differs


def test_other_layers_are_another_network():
    found = answer(CHAIN, {f"{name}.weight": (4, 4, 3, 3) for name in "abc"})
    assert isinstance(found, Doubt)
    assert found.differs


def test_a_norm_belongs_to_the_layer_before_it():
    """The norms of the main path and of the shortcut are alike and run beside each other."""
    network = graph(NET)
    shapes = own(network)
    assert answer(network, shapes) == {name: name for name in network.weights}
    norm = {name: shapes[name] for name in shapes if name.startswith("unit2.bn3.")}
    apart = {name: shape for name, shape in shapes.items() if name not in norm} | norm
    found = answer(network, apart)
    assert isinstance(found, Doubt)
    assert found.reason == "unit2.bn2 and unit2.bn3 are alike, and neither runs before the other"


def test_a_shortcut_that_is_like_the_end_of_its_branch_has_no_answer(repository):
    """ResNet-50 begins with a unit whose last convolution and whose projection are of one size."""
    path = repository / "plugins" / "striate_plugins" / "zoo" / "resnet.cnn"
    found = answer(graph(path.read_text(encoding="utf-8"), "ResNet50"), published()["torchvision resnet50"])
    assert isinstance(found, Doubt)
    assert "layer1.0.conv3" in found.theirs
    assert "layer1.0.downsample.0" in found.theirs


@pytest.mark.parametrize(
    ("file", "model", "name"),
    [
        ("resnet", "ResNet18", "torchvision resnet18"),
        ("mobilenet_v2", "MobileNetV2", "timm mobilenetv2_100"),
        ("vgg", "VGG16_BN", "torchvision vgg16_bn"),
        ("densenet", "DenseNet121", "torchvision densenet121"),
    ],
)
def test_published_weights_need_no_map(repository, file, model, name):
    """What order and sizes say is what the map of the zoo says."""
    path = repository / "plugins" / "striate_plugins" / "zoo" / f"{file}.cnn"
    network = graph(path.read_text(encoding="utf-8"), model)
    from striate.importing.known_names import read_names

    state = StateFile(Path("w.pth"), "a file", tensors(published()[name]), (), {})
    by_names = choose(state, network, read_names(path.with_name(f"{file}.names.toml"))).match
    by_order = answer(network, published()[name])
    assert by_names.how == "names"
    assert by_order == {str(row.weight): str(row.key) for row in by_names.rows}


def test_parallel_branches_of_one_size_are_refused_with_candidates():
    network = body("  concat {\n    conv(4, 1) as left\n    conv(4, 1) as right\n  } -> relu")
    shapes = {
        f"{name}.{leaf}": shape for name in ("a", "b") for leaf, shape in (("weight", (4, 4, 1, 1)), ("bias", (4,)))
    }
    state = StateFile(Path("w.pth"), "a file", tensors(shapes), (), {})
    found = refusal(state, network, choose(state, network, ()), partial=True)
    assert found is not None
    assert found.code == "E0665"
    assert "in the network: left, right" in found.notes
    assert "in the file: a, b" in found.notes


@settings(max_examples=60, deadline=None)
@given(widths=st.lists(st.sampled_from([2, 4]), min_size=1, max_size=6), order=st.randoms(use_true_random=False))
def test_a_shuffled_chain_is_never_matched_wrongly(widths, order):
    """Layers of a chain: the answer for the right order is right, and for another order it is one that can run."""
    network = body("\n".join(f"  conv({width}, 1, bias = false)" for width in widths))
    names = list(network.weights)
    found = answer(network, own(network))
    assert found == {name: name for name in names}
    shuffled = order.sample(names, len(names))
    theirs = {f"t{index}.weight": network.weights[name].shape for index, name in enumerate(shuffled)}
    again = answer(network, theirs)
    if isinstance(again, dict) and len({network.weights[name].shape for name in names}) < len(names):
        assert [again[name] for name in names] == list(theirs)
