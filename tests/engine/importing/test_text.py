"""How an imported network reads: names, chains, branches, blocks, loops; the text is in form and free of findings."""

import pytest

from striate.checking import check_source
from striate.exporting import export_model
from striate.importer import import_onnx
from striate.model import load_source
from striate_dsl.formatter import format_source
from striate_dsl.source import Source
from tests.engine.importing.written import agree, imported, model, node, random


def body(found) -> list[str]:
    """Return the lines of the model between its input and its output."""
    lines = [line.strip() for line in found.text.splitlines()]
    return [line for line in lines if line and not line.startswith(("model", "input", "output", "}"))]


def test_names_come_from_nodes_then_from_weights_and_else_from_the_language():
    nodes = [
        node("Conv", ["x", "w"], ["a"], name="stem"),
        node("Conv", ["a", "layer1.0.conv.weight"], ["b"], name="node_conv2d_7"),
        node("Relu", ["b"], ["c"], name="Relu_12"),
        node("Conv", ["c", "onnx::Conv_99"], ["d"], name="/layer1/layer1.1/conv/Conv"),
        node("Relu", ["d"], ["y"], name="/layer1/layer1.1/relu_1/Relu"),
    ]
    stored = [random("w", 4, 4, 1, 1), random("layer1.0.conv.weight", 4, 4, 1, 1), random("onnx::Conv_99", 4, 4, 1, 1)]
    found = agree(model(nodes, {"x": ["N", 4, 3, 3]}, stored))
    names = [item.name for item in found.model.graph.nodes]
    assert names == ["stem", "layer1.0.conv", "relu1", "layer1.1.conv", "layer1.1.relu_1"]
    assert "layer1.0.conv.weight" in found.weights


def test_weights_that_two_layers_share_belong_to_an_instance():
    nodes = [
        node("Conv", ["x", "tower.weight"], ["a"], name="left.conv"),
        node("Conv", ["z", "tower.weight"], ["b"], name="right.conv"),
        node("Sub", ["a", "b"], ["y"]),
    ]
    given = {"x": ["N", 4, 5, 5], "z": ["N", 4, 5, 5]}
    found = agree(model(nodes, given, [random("tower.weight", 2, 4, 3, 3)]))
    assert list(found.weights) == ["tower.weight"]
    assert "let tower = conv(2, 3, bias = false)" in found.text


def test_a_residual_branch_is_a_body():
    nodes = [
        node("Relu", ["x"], ["h"]),
        node("Conv", ["h", "w"], ["a"]),
        node("Sigmoid", ["a"], ["b"]),
        node("Add", ["b", "h"], ["y"]),
    ]
    found = agree(model(nodes, {"x": ["N", 4, 3, 3]}, [random("w", 4, 4, 1, 1)]))
    assert body(found) == ["relu", "add {", "conv(4, 1, bias = false) -> sigmoid", "in"]


def test_values_that_are_needed_again_have_names():
    nodes = [
        node("Relu", ["x"], ["h"]),
        node("Sigmoid", ["h"], ["a"]),
        node("Add", ["h", "a"], ["b"]),
        node("Mul", ["a", "b"], ["y"]),
    ]
    found = agree(model(nodes, {"x": ["N", 4]}))
    assert body(found) == [
        "relu as relu1 -> sigmoid as sigmoid1",
        "relu1 -> add(sigmoid1) as add1",
        "sigmoid1 -> mul(add1)",
    ]


def test_several_outputs_keep_their_names():
    nodes = [node("Relu", ["x"], ["scores"]), node("Sigmoid", ["scores"], ["boxes"])]
    found = agree(model(nodes, {"x": ["N", 4]}, outputs=["scores", "boxes"]))
    assert list(found.outputs.values()) == ["scores", "boxes"]


def test_an_output_may_be_an_input_or_another_output():
    found = imported(
        model([node("Relu", ["x"], ["y"]), node("Identity", ["y"], ["z"])], {"x": ["N", 4]}, outputs=["y", "z"])
    )
    assert set(found.model.graph.outputs.values()) == {"relu1"}
    found = imported(model([node("Relu", ["x"], ["h"]), node("Identity", ["x"], ["y"])], {"x": ["N", 4]}))
    assert found.model.graph.outputs == {"y": "x"}


def unit(index: int, channels: int = 4, stride: int = 1):
    """Return a unit as torch names its nodes, from `v{index}` to `v{index + 1}`."""
    path, before, after = f"/layer1/layer1.{index}", f"v{index}", f"v{index + 1}"
    nodes = [
        node("Conv", [before, f"w{index}"], [f"c{index}"], name=f"{path}/conv/Conv", strides=[stride] * 2),
        node("Relu", [f"c{index}"], [f"r{index}"], name=f"{path}/relu/Relu"),
        node("Add", [f"r{index}", before], [after], name=f"{path}/Add"),
    ]
    return nodes, random(f"w{index}", channels, 4, 1, 1)


def test_units_under_numbers_are_rounds_of_a_block():
    parts = [unit(index) for index in range(3)]
    nodes = [node("Relu", ["x"], ["v0"]), *(each for nodes, _ in parts for each in nodes)]
    found = agree(model(nodes, {"x": ["N", 4, 3, 3]}, [stored for _, stored in parts]))
    assert "repeat 3 { Layer }" in found.text
    assert found.text.count("conv(") == 1
    assert [item.name for item in found.model.graph.nodes][1:4] == ["layer1.0.conv", "layer1.0.relu", "layer1.0.add"]


def test_units_that_differ_in_numbers_have_parameters():
    nodes, stored = [node("Relu", ["x"], ["v0"])], []
    for index, channels in enumerate((6, 8, 8)):
        before, given = f"v{index}", (4, 6, 8)[index]
        nodes += [
            node("Conv", [before, f"w{index}"], [f"c{index}"], name=f"b{index}.conv", strides=[1 + index % 2] * 2),
            node("Relu", [f"c{index}"], [f"v{index + 1}"], name=f"b{index}.relu"),
        ]
        stored.append(random(f"w{index}", channels, given, 1, 1))
    found = agree(model(nodes, {"x": ["N", 4, 9, 9]}, stored))
    assert "block B(channels, stride = 1) {" in found.text
    assert "B(8, stride = 2)" in found.text


def test_a_value_that_leaves_a_unit_in_its_middle_makes_it_no_block():
    parts = [unit(index) for index in range(2)]
    nodes = [node("Relu", ["x"], ["v0"]), *(each for nodes, _ in parts for each in nodes)]
    nodes.append(node("Mul", ["v2", "r0"], ["y"]))
    found = agree(model(nodes, {"x": ["N", 4, 3, 3]}, [stored for _, stored in parts]))
    assert "block" not in found.text


@pytest.mark.parametrize("name", ["resnet", "mobilenet_v2", "densenet", "googlenet", "unet", "siamese"])
def test_the_zoo_reads_well(name, repository, tmp_path):
    text = (repository / "plugins/striate_plugins/zoo" / f"{name}.cnn").read_text(encoding="utf-8")
    built = load_source(Source(f"{name}.cnn", text), {"resnet": "ResNet50", "densenet": "DenseNet121"}.get(name))
    export_model(built, tmp_path / "net.onnx", verify=False)
    found = import_onnx(tmp_path / "net.onnx")
    source = Source("back.cnn", found.text)
    assert format_source(source).text == found.text
    assert not [item for item in check_source(source).diagnostics if item.severity == "error"]
    assert len(found.text.splitlines()) <= {"resnet": 80, "siamese": 25}.get(name, 60)


def units(start: str, prefix: str, rounds: int) -> tuple[list, list]:
    """Return nodes and tensors of residual units behind each other, by the names of torch's modules."""
    nodes, stored, value = [], [], start
    for place in range(rounds):
        path = f"{prefix}.{place}"
        nodes += [
            node("Conv", [value, f"{path}.conv.weight"], [f"{path}.c"], name=f"/{prefix}/{path}/conv/Conv"),
            node("Relu", [f"{path}.c"], [f"{path}.r"], name=f"/{prefix}/{path}/act/Relu"),
            node("Add", [f"{path}.r", value], [f"{path}.y"], name=f"/{prefix}/{path}/Add"),
        ]
        stored.append(random(f"{path}.conv.weight", 4, 4, 1, 1, seed=place + 1))
        value = f"{path}.y"
    return nodes, stored


def test_what_a_loop_gives_has_a_name_where_it_is_needed_again():
    nodes, stored = units("x", "stage", 3)
    nodes += [node("Sigmoid", ["stage.2.y"], ["y"])]
    found = agree(model(nodes, {"x": ["N", 4, 3, 3]}, stored, ["y", "stage.2.y"]))
    lines = body(found)
    place = next(index for index, line in enumerate(lines) if line.startswith("repeat 3 { Stage"))
    assert lines[place + 1] == "in as stage_out"
    assert "output stage_out as " in found.text


def test_a_loop_begins_at_a_value_that_does_not_flow():
    nodes, stored = units("x", "stage", 3)
    nodes = [node("Neg", ["x"], ["other"]), node("Sigmoid", ["other"], ["o"]), *nodes]
    nodes += [node("Sub", ["stage.2.y", "o"], ["y"])]
    found = agree(model(nodes, {"x": ["N", 4, 3, 3]}, stored))
    lines = body(found)
    place = next(index for index, line in enumerate(lines) if line.startswith("repeat 3 { Stage"))
    assert lines[place - 1] == "x"


def test_a_block_may_refer_to_what_flows_into_it():
    nodes, stored, value = [], [], "x"
    for place in range(2):
        path = f"unit.{place}"
        nodes += [
            node("Conv", [value, f"{path}.first.weight"], [f"{path}.a"], name=f"/unit/{path}/first/Conv"),
            node("Conv", [value, f"{path}.second.weight"], [f"{path}.b"], name=f"/unit/{path}/second/Conv"),
            node("Relu", [f"{path}.b"], [f"{path}.c"], name=f"/unit/{path}/act/Relu"),
            node("Concat", [f"{path}.c", f"{path}.a"], [f"{path}.y"], name=f"/unit/{path}/Concat", axis=1),
        ]
        stored += [random(f"{path}.{each}.weight", 2, 4, 1, 1, seed=place + 7) for each in ("first", "second")]
        value = f"{path}.y"
    found = agree(model(nodes, {"x": ["N", 4, 3, 3]}, stored))
    assert "block Unit {\n  in as x" in found.text
    assert "repeat 2 { Unit" in found.text
