"""Weights come back exactly or not at all, and every other file is called what it is."""

from __future__ import annotations

import io
import pickle
import struct
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from striate.graph import fingerprint
from striate.host.catalogue import HostCatalogue
from striate.model import load_source
from striate.ops.initializers import start_values
from striate.runtime.checkpoint import read_info, read_weights, write_weights
from striate.runtime.checkpoint_info import CheckpointInfo
from striate.runtime.file_kinds import foreign_kind
from striate.runtime.mismatch import computation
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source

NET = """model Net(classes = 10, width = 4) {{
  input image: 1 x 8 x 8
  conv(width, 3, stride = {stride}) -> bn -> {act} -> global_avgpool -> flatten -> dense(classes)
  output logits
}}
"""


def build(stride: int = 1, act: str = "relu", **overrides: str):
    return load_source(Source("net.cnn", NET.format(stride=stride, act=act)), "Net", overrides, HostCatalogue())


def described(model, **changes):
    info = CheckpointInfo(
        model="Net",
        text=model.file.span.source.text,
        arguments={name: str(value) for name, value in model.graph.arguments.items()},
        fingerprint=fingerprint(model.graph),
        computation=computation(model.graph),
        input=(1, 8, 8),
        classes=("null", "eins"),
        epoch=3,
        metrics={"accuracy": 0.5},
    )
    return replace(info, **changes)


@pytest.fixture
def saved(tmp_path):
    """A model, its weights, and the file that they are in."""
    model = build()
    arrays = {name: start_values(weight, 1) for name, weight in model.graph.weights.items()}
    path = tmp_path / "best.safetensors"
    write_weights(path, arrays, described(model))
    return model, arrays, path


def finding(path, model):
    with pytest.raises(DiagnosticError) as caught:
        read_weights(path, model.graph)
    (item,) = caught.value.diagnostics
    return item


def test_weights_and_description_come_back(saved):
    model, arrays, path = saved
    read = read_weights(path, model.graph)
    assert list(read) == list(model.graph.weights)
    assert all(np.array_equal(read[name], array) and read[name].dtype == np.float32 for name, array in arrays.items())
    assert read_info(path) == described(model)


def test_equal_weights_make_equal_files(saved, tmp_path):
    model, arrays, path = saved
    again = tmp_path / "again.safetensors"
    write_weights(again, arrays, described(model))
    assert again.read_bytes() == path.read_bytes()


def test_reading_needs_no_torch(saved, tmp_path):
    import subprocess

    model, _, path = saved
    (tmp_path / "net.cnn").write_text(model.file.span.source.text)
    program = (
        "import sys, striate; from pathlib import Path; from striate.runtime.checkpoint import read_weights; "
        f"read_weights(Path({str(path)!r}), striate.load({str(tmp_path / 'net.cnn')!r}).graph); "
        "assert not {'torch', 'onnx', 'lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_unknown_entries_of_a_later_version_are_left_out(saved):
    model = saved[0]
    text = described(model).to_json().replace('{"model"', '{"later": [1], "model"')
    assert CheckpointInfo.from_json(text) == described(model)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"model": 3}',
        '{"model": "Net", "classes": [1]}',
        '{"model": "Net", "input": "1 x 2"}',
        '{"model": "Net", "computation": [{"name": "a"}]}',
        '{"model": "Net", "computation": [{"name": "a", "op": "conv", "inputs": [], "attributes": 3}]}',
        '{"model": "Net", "metrics": [0.5]}',
        '{"model": "Net", "epoch": "3"}',
        "no json",
        "",
    ],
)
def test_what_is_no_description(text):
    with pytest.raises(ValueError):
        CheckpointInfo.from_json(text)


# ------------------------------------------------------------------------------------------ other architectures


def test_another_architecture_is_listed_by_name_and_shape(saved):
    item = finding(saved[2], build(classes="12", width="5"))
    assert item.code == "E0504"
    assert "different: conv1.weight is 4 x 1 x 3 x 3 in the checkpoint, 5 x 1 x 3 x 3 in the network" in item.notes
    assert "different: dense1.bias is 10 in the checkpoint, 12 in the network" in item.notes
    assert item.notes[-1] == "nothing was loaded"
    assert item.help == "they were trained with --set classes=10 --set width=4"


def test_missing_and_unexpected_weights_are_listed(saved, tmp_path):
    model, arrays, _ = saved
    path = tmp_path / "renamed.safetensors"
    renamed = {name.replace("dense1", "fc"): array for name, array in arrays.items() if name != "conv1.bias"}
    save_file(renamed, path)
    item = finding(path, model)
    assert {"missing: conv1.bias (4)", "missing: dense1.weight (10 x 4)", "unexpected: fc.weight (10 x 4)"} <= set(
        item.notes
    )


def test_a_long_list_is_cut(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({f"layer{number}.weight": np.zeros(2, "float32") for number in range(40)}, path)
    item = finding(path, build())
    assert sum(note.startswith("unexpected") for note in item.notes) == 12
    assert "and 28 more like these" in item.notes


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"stride": 2}, "stride = (1, 1)"),
        ({"act": "tanh"}, "relu1: relu("),
    ],
)
def test_the_same_sizes_are_not_enough(saved, changed, words):
    item = finding(saved[2], build(**changed))
    assert item.code == "E0504"
    assert "fit by name and size" in item.message
    assert any(words in note for note in item.notes), item.notes


def test_another_pixel_contract_is_another_computation(saved):
    text = saved[0].file.span.source.text.replace("1 x 8 x 8", "1 x 8 x 8 { range = 0..255 }")
    item = finding(saved[2], load_source(Source("net.cnn", text), "Net", {}, HostCatalogue()))
    assert item.notes[0] == "image: input() when trained, input(range = (0.0, 255.0)) now"


def test_another_input_size_and_name_are_no_other_architecture(saved):
    text = saved[0].file.span.source.text.replace("1 x 8 x 8", "1 x H x W").replace("Net", "Other")
    model = load_source(Source("net.cnn", text), "Other", {}, HostCatalogue())
    assert set(read_weights(saved[2], model.graph)) == set(saved[1])


def test_an_attribute_that_only_one_version_knows_does_not_count(saved, tmp_path):
    model, arrays, _ = saved
    steps = [dict(step) for step in computation(model.graph)]
    conv = next(step for step in steps if step["op"] == "conv")
    conv["attributes"] = {**conv["attributes"], "later": "1"}
    path = tmp_path / "later.safetensors"
    write_weights(path, arrays, described(model, computation=tuple(steps)))
    assert read_weights(path, model.graph)


def test_weights_of_another_program_can_be_read(saved, tmp_path):
    model, arrays, _ = saved
    path = tmp_path / "foreign.safetensors"
    save_file({name: array.astype("float64") for name, array in arrays.items()}, path)
    assert read_info(path) is None
    assert read_weights(path, model.graph)["dense1.weight"].dtype == np.float32


def test_weights_in_numbers_that_cannot_be_converted(saved, tmp_path):
    model, arrays, _ = saved
    path = tmp_path / "whole.safetensors"
    save_file({name: array.astype("int32") for name, array in arrays.items()}, path)
    assert "I32" in finding(path, model).message


# ------------------------------------------------------------------------------------------ other files


class Boom:
    def __reduce__(self):
        return (sys.exit, (99,))


def torch_archive() -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pt", torch_archive, "a zip archive"),
        ("a.pkl", lambda: pickle.dumps(Boom()), "a Python pickle"),
        ("a.safetensors", lambda: b"", "an empty file"),
        ("a.safetensors", lambda: b"model Net { }\n", "a text file"),
        ("a.h5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(50), "an HDF5 file"),
        ("a.onnx", lambda: b"\x08\x08\x12\x07striate" + bytes(50), "an ONNX network"),
        ("a.bin", lambda: b"\x00\x01\x02\xff" * 20, "a binary file of another format"),
        ("a.safetensors", lambda: b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ],
)
def test_other_files_are_called_what_they_are_and_not_opened(saved, tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content())
    item = finding(path, saved[0])
    assert item.code == "E0502"
    assert words in item.message


def test_a_pickle_is_told_why_it_is_not_opened(saved, tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(Boom()))
    item = finding(path, saved[0])
    assert "would run its code" in item.message
    assert "safetensors.torch.save_file" in (item.help or "")


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_checkpoint_is_damaged_wherever_it_ends(tmp_path_factory, share):
    model = build()
    folder = tmp_path_factory.mktemp("cut")
    path = folder / "best.safetensors"
    write_weights(
        path, {name: start_values(weight, 1) for name, weight in model.graph.weights.items()}, described(model)
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    item = finding(path, model)
    assert item.code in ("E0502", "E0503")
    if len(path.read_bytes()) > 9:
        assert "damaged or not complete" in item.message


@given(position=st.integers(0, 3000), value=st.integers(0, 255))
@settings(max_examples=200)
def test_a_spoilt_byte_never_ends_in_another_exception(tmp_path_factory, position, value):
    model = build()
    path = tmp_path_factory.mktemp("spoilt") / "best.safetensors"
    write_weights(
        path, {name: start_values(weight, 1) for name, weight in model.graph.weights.items()}, described(model)
    )
    content = bytearray(path.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(content)
    try:
        read = read_weights(path, model.graph)
    except DiagnosticError as error:
        assert {item.code for item in error.diagnostics} <= {"E0502", "E0503", "E0504"}
    else:
        assert set(read) == set(model.graph.weights)


def test_a_header_of_another_length_is_no_safetensors_file():
    assert foreign_kind(struct.pack("<Q", 10) + b"{", "") is None
    assert foreign_kind(struct.pack("<Q", 10**12) + b"{", "") == "a binary file of another format"


def test_files_that_are_not_there(saved, tmp_path):
    missing = finding(tmp_path / "none.safetensors", saved[0])
    assert (missing.code, "there is no checkpoint" in missing.message) == ("E0501", True)
    folder = finding(tmp_path, saved[0])
    assert folder.code == "E0501"
    assert folder.notes == ("checkpoints in it: best.safetensors",)
