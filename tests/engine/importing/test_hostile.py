"""Files of strangers: whatever they claim, the answer is a finding with a code, soon, and nothing is written."""

import random as chance
import time
import tracemalloc

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from striate.importer import import_model, import_onnx, write_import
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.importing.written import agree, imported, layers, model, node, random, tensor

IMAGE = {"x": ["N", 4, 9, 8]}
CODES = {"E0610", "E0611", "E0612", "E0613", "E0614"}


def finding(call, *arguments):
    """Return the finding of a call that must end with one."""
    with pytest.raises(DiagnosticError) as caught:
        call(*arguments)
    (found,) = caught.value.diagnostics
    assert found.code in CODES
    return found


def small() -> ModelProto:
    nodes = [node("Conv", ["x", "w"], ["h"], name="conv"), node("Relu", ["h"], ["y"])]
    return model(nodes, IMAGE, [random("w", 2, 4, 3, 3)])


# ---------------------------------------------------------------------------------------------------- no ONNX at all


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"model Net { input x: 3 }", "text file"),
        (b"PK\x03\x04 and more of it", "zip archive"),
        (b"\x89PNG\r\n\x1a\n and more of it", "PNG image"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
        (b"\x80\x02}q\x00.", ""),
        (b"\x00" * 100, ""),
        (bytes(range(256)), ""),
    ],
    ids=lambda item: repr(item)[:20],
)
def test_files_of_other_kinds(content, words, tmp_path):
    (tmp_path / "net.onnx").write_bytes(content)
    found = finding(import_onnx, tmp_path / "net.onnx")
    assert found.code in ("E0610", "E0611")
    assert words in found.message


def test_files_that_are_not_there(tmp_path):
    assert "no such file" in finding(import_onnx, tmp_path / "no.onnx").message
    assert "it is a folder" in finding(import_onnx, tmp_path).message


def test_a_file_cut_short_anywhere_is_refused_or_read_as_less(tmp_path):
    content = small().SerializeToString()
    for end in range(len(content)):
        (tmp_path / "net.onnx").write_bytes(content[:end])
        try:
            import_onnx(tmp_path / "net.onnx")
        except DiagnosticError as error:
            assert error.diagnostics[0].code in CODES


def test_bytes_changed_at_random_never_end_in_another_exception(tmp_path):
    content = small().SerializeToString()
    dice = chance.Random(7)
    for _ in range(1500):
        changed = bytearray(content)
        for _ in range(dice.randint(1, 4)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        (tmp_path / "net.onnx").write_bytes(bytes(changed))
        try:
            import_onnx(tmp_path / "net.onnx")
        except DiagnosticError as error:
            assert all(item.code in CODES for item in error.diagnostics)


# ---------------------------------------------------------------------------------------------------- broken graphs


def changed(**edits) -> ModelProto:
    made = small()
    for name, edit in edits.items():
        edit(getattr(made, name) if name != "model" else made)
    return made


BROKEN = {
    "a circle": (
        lambda graph: graph.node.extend([node("Add", ["y", "q"], ["p"], name="one"), node("Relu", ["p"], ["q"])]),
        "wait for each other",
    ),
    "its own input": (lambda graph: graph.node.append(node("Relu", ["z"], ["z"], name="self")), "wait for each other"),
    "a missing input": (
        lambda graph: graph.node.append(node("Relu", ["nowhere"], ["z"], name="lost")),
        "nothing makes",
    ),
    "a value made twice": (lambda graph: graph.node.append(node("Relu", ["x"], ["y"])), "are called y"),
    "a value called like an input": (lambda graph: graph.node.append(node("Relu", ["h"], ["x"])), "are called x"),
    "an output that nobody makes": (lambda graph: graph.output[0].MergeFromString(b"\n\x01q"), "no node makes"),
    "no outputs": (lambda graph: graph.ClearField("output"), "no outputs"),
    "two initializers of one name": (lambda graph: graph.initializer.append(random("w", 1)), "are called w"),
    "an initializer without a name": (lambda graph: graph.initializer.append(random("", 1)), "has no name"),
    "a size of 0": (lambda graph: _size(graph, 1, 0), "size 0"),
    "a size below 0": (lambda graph: _size(graph, 2, -5), "size -5"),
    "an absurd size": (lambda graph: _size(graph, 2, 2**60), "size 1152921504606846976"),
}


def _size(graph, axis, number):
    graph.input[0].type.tensor_type.shape.dim[axis].dim_value = number


@pytest.mark.parametrize("name", BROKEN)
def test_broken_graphs(name):
    edit, words = BROKEN[name]
    found = finding(imported, changed(graph=edit))
    assert found.code == "E0611"
    assert words in found.message


def test_nodes_in_another_order_are_sorted():
    made = small()
    nodes = list(made.graph.node)
    del made.graph.node[:]
    made.graph.node.extend(reversed(nodes))
    assert layers(imported(made)) == ["conv", "relu"]


@pytest.mark.parametrize("opset", [0, -1, 999, 2**40])
def test_operator_sets_that_do_not_exist(opset):
    made = small()
    made.opset_import[0].version = opset
    assert finding(imported, made).code == "E0611"
    del made.opset_import[:]
    assert "operator" in finding(imported, made).message


# ---------------------------------------------------------------------------------------------------- tensors


def claimed(**fields) -> ModelProto:
    made = small()
    made.graph.initializer[0].CopyFrom(TensorProto(name="w", **fields))
    return made


TENSORS = [
    ({"dims": [2**40, 4, 3, 3], "data_type": 1}, "E0611"),
    ({"dims": [2**62, 2**62], "data_type": 1, "raw_data": b"1234"}, "E0611"),
    ({"dims": [100_000, 100_000], "data_type": 1}, "E0611"),
    ({"dims": [2, 4, 3, 3], "data_type": 1, "raw_data": b"\0" * 287}, "E0611"),
    ({"dims": [2, 4, 3, 3], "data_type": 1, "raw_data": b"\0" * 292}, "E0611"),
    ({"dims": [2, 4, 3, 3], "data_type": 1, "float_data": [1.0]}, "E0611"),
    ({"dims": [2, 4, -3, 3], "data_type": 1, "raw_data": b"\0" * 288}, "E0611"),
    ({"dims": [2, 4, 3, 3], "data_type": 8, "string_data": [b"a"] * 72}, "E0612"),
    ({"dims": [2, 4, 3, 3], "data_type": 99, "raw_data": b"\0" * 288}, "E0612"),
    ({"dims": [2, 4, 3, 3], "data_type": 0}, "E0612"),
    ({"dims": [], "data_type": 1, "raw_data": b"\0" * 4}, "E0612"),
    ({"dims": [2, 3, 3, 3], "data_type": 1, "raw_data": b"\0" * 216}, "E0612"),
]


@pytest.mark.parametrize(("fields", "code"), TENSORS, ids=lambda item: str(item)[:40])
def test_claims_about_tensors_are_held_against_their_bytes(fields, code):
    tracemalloc.start()
    try:
        assert finding(imported, claimed(**fields)).code == code
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


HUGE = [
    ([node("ConstantOfShape", ["s"], ["c"])], [tensor("s", [2**20, 2**20], "int64")]),
    ([node("Expand", ["one", "s"], ["c"])], [tensor("one", [1.0]), tensor("s", [2**40], "int64")]),
    ([node("Tile", ["one", "s"], ["c"])], [tensor("one", [1.0]), tensor("s", [2**40], "int64")]),
    (
        [node("Range", ["a", "b", "d"], ["c"])],
        [tensor("a", 0, "int64"), tensor("b", 2**50, "int64"), tensor("d", 1, "int64")],
    ),
    ([node("Add", ["r", "q"], ["c"])], [tensor("r", np.zeros((1, 2**14))), tensor("q", np.zeros((2**14, 1)))]),
]


@pytest.mark.parametrize(("nodes", "stored"), HUGE, ids=lambda item: "" if item is None else str(item)[:30])
def test_constants_that_would_take_gigabytes_are_not_made(nodes, stored):
    made = model([*nodes, node("Add", ["x", "c"], ["y"])], IMAGE, stored)
    tracemalloc.start()
    try:
        found = finding(imported, made)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert found.code == "E0612"


def external(location: str, **entries) -> ModelProto:
    made = claimed(dims=[2, 4, 3, 3], data_type=1, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        item = made.graph.initializer[0].external_data.add()
        item.key, item.value = key, value
    return made


def test_data_beside_the_model_is_read(tmp_path):
    (tmp_path / "data").mkdir()
    numbers = np.arange(72, dtype=np.float32)
    (tmp_path / "data" / "w.bin").write_bytes(b"1234" + numbers.tobytes())
    made = external("data/w.bin", offset="4", length="288")
    found = import_model(made, tmp_path / "net.onnx")
    (weight,) = found.weights.values()
    assert np.array_equal(weight.reshape(-1), numbers)


@pytest.mark.parametrize(
    ("location", "entries", "code"),
    [
        ("../outside.bin", {}, "E0613"),
        ("folder/../../outside.bin", {}, "E0613"),
        ("/etc/passwd", {}, "E0613"),
        ("link.bin", {}, "E0613"),
        ("inner/outside.bin", {}, "E0613"),
        ("no.bin", {}, "E0613"),
        ("", {}, "E0613"),
        ("w\0.bin", {}, "E0613"),
        (".", {}, "E0613"),
        ("w.bin", {"offset": "4"}, "E0611"),
        ("w.bin", {"offset": "-1"}, "E0611"),
        ("w.bin", {"offset": "99999999999999999999999"}, "E0611"),
        ("w.bin", {"length": "287"}, "E0611"),
        ("w.bin", {"length": "many"}, "E0611"),
    ],
)
def test_data_elsewhere_is_not_read(location, entries, code, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.bin").write_bytes(b"\0" * 288)
    (folder / "w.bin").write_bytes(b"\0" * 288)
    (folder / "link.bin").symlink_to(tmp_path / "outside.bin")
    (folder / "inner").symlink_to(tmp_path)
    assert finding(import_model, external(location, **entries), folder / "net.onnx").code == code


# ---------------------------------------------------------------------------------------------------- all at once


def test_everything_that_cannot_be_read_is_listed_and_nothing_is_written(tmp_path):
    nodes = [
        node("NonMaxSuppression", ["x", "x"], ["a"], name="nms"),
        node("Conv", ["x", "w"], ["h"], name="conv"),
        node("Relu", ["a"], ["b"], name="behind"),
        node("StringNormalizer", ["b"], ["c"], name="texts"),
        node("Foo", ["h"], ["d"], name="foreign", domain="com.example"),
        node("Transpose", ["h"], ["t"], name="turned", perm=[1, 0, 2, 3]),
        node("Conv", ["t", "w"], ["y"], name="turn"),
    ]
    made = model(nodes, IMAGE, [random("w", 2, 4, 3, 3)], outputs=["y", "c", "d"])
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    found = finding(write_import, tmp_path / "net.onnx", tmp_path / "net.cnn")
    told = "\n".join(found.notes)
    for part in (
        "NonMaxSuppression nms",
        "StringNormalizer texts",
        "com.example",
        "Conv turn: the batch is not its first axis",
    ):
        assert part in told
    assert "behind" not in told
    assert "Conv conv" not in told
    assert "turned" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_subgraphs_are_listed():
    body = helper.make_graph([node("Relu", ["x"], ["t"])], "then", [], [helper.make_empty_tensor_value_info("t")])
    choice = node("If", ["c"], ["y"], name="choice", then_branch=body, else_branch=body)
    found = finding(imported, model([choice], {"x": ["N", 3], "c": [1]}, kinds={"c": TensorProto.BOOL}))
    assert "If choice" in found.notes[0]


def test_a_thousand_reasons_are_counted_not_listed():
    nodes = [node("Foo", ["x"], [f"v{index}"]) for index in range(1000)]
    found = finding(imported, model(nodes, IMAGE))
    assert "1,000 nodes" in found.message
    assert len(found.notes) == 201


# ---------------------------------------------------------------------------------------------------- functions


def function(name: str, calls: list[str], operator: str = "Relu"):
    values = ["x", *(f"v{index}" for index in range(len(calls) - 1)), "y"]
    nodes = [
        node(each, [values[at]], [values[at + 1]], domain="own" if each != operator else "")
        for at, each in enumerate(calls)
    ]
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_function("own", name, ["x"], ["y"], nodes, sets)


def with_functions(functions) -> ModelProto:
    made = model([node(functions[0].name, ["x"], ["y"], domain="own")], IMAGE)
    made.functions.extend(functions)
    made.opset_import.append(helper.make_opsetid("own", 1))
    return made


def test_functions_are_written_out():
    assert (
        layers(agree(with_functions([function("A", ["B", "Relu"]), function("B", ["Relu", "Relu"])]))) == ["relu"] * 3
    )


def test_functions_of_themselves_are_refused():
    assert "uses itself" in finding(imported, with_functions([function("A", ["B"]), function("B", ["A"])])).message


def test_functions_that_multiply_are_counted_before_they_are_written_out():
    many = [function(f"F{level}", [f"F{level + 1}"] * 10) for level in range(12)] + [function("F12", ["Relu"])]
    start = time.monotonic()
    assert "nodes, more than" in finding(imported, with_functions(many)).message
    assert time.monotonic() - start < 2


# ---------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name",
    [
        "a } model Evil { input x: 1",
        'x"\n',
        "# comment",
        "model",
        "in",
        "relu",
        "a.channels",
        "1.2.3",
        "...",
        "é€",
        "a" * 5000,
    ],
    ids=lambda item: item[:8],
)
def test_names_cannot_become_text_of_the_language(name):
    nodes = [
        node("Conv", [name, f"{name}.weight"], ["h"], name=name),
        node("Relu", ["h"], ["r"], name=f"{name}/relu"),
        node("Add", ["h", "r"], [f"{name} out"], name="relu1"),
    ]
    made = model(nodes, {name: ["N", 4, 9, 8]}, [random(f"{name}.weight", 4, 4, 3, 3)], name=name)
    found = imported(made)
    assert layers(found) == ["conv", "relu", "add"]
    assert found.text.count("model ") == 1
    assert max(map(len, found.text.splitlines())) <= 130


def test_long_networks_are_read_in_time():
    count = 3000
    names = ["x", *(f"v{index}" for index in range(count))]
    nodes = [node("Relu", [names[at]], [names[at + 1]]) for at in range(count)]
    start = time.monotonic()
    assert len(layers(imported(model(nodes, IMAGE)))) == count
    assert time.monotonic() - start < 20


def test_many_merges_are_read_in_time():
    nodes, count = [node("Relu", ["x"], ["v0"])], 400
    for at in range(count):
        nodes.append(node("Add", [f"v{at}", f"v{max(0, at - 3)}"], [f"v{at + 1}"]))
    start = time.monotonic()
    assert len(layers(imported(model(nodes, IMAGE)))) == count + 1
    assert time.monotonic() - start < 20
