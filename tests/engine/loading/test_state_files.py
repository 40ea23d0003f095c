"""Files of strangers: read as data or refused with a reason, and never run."""

from __future__ import annotations

import argparse
import io
import json
import pickle
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from striate.runtime.state_file import read_state
from striate_dsl.diagnostics import DiagnosticError


def refused(path) -> tuple[str, str]:
    """The code and all words with which a file is refused."""
    with pytest.raises(DiagnosticError) as caught:
        read_state(path)
    (found,) = caught.value.diagnostics
    return found.code, " ".join([found.message, *found.notes, found.help or ""])


class Bomb:
    """A pickle of this makes a file when it is loaded in the usual way."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return open, (self.mark, "w")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(tmp_path, zipped):
    path, mark = tmp_path / "weights.pth", tmp_path / "ran"
    torch.save({"w": torch.ones(2), "x": Bomb(mark)}, path, _use_new_zipfile_serialization=zipped)
    code, words = refused(path)
    assert code == "E0662"
    assert "open" in words
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (torch.nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
        ({"state_dict": {}, "args": argparse.Namespace(lr=1)}, "argparse.Namespace"),
        ({"w": torch.ones(2), "best": np.float64(3)}, "numpy"),
    ],
    ids=["network", "options", "numpy"],
)
def test_the_object_that_needs_code_is_named(tmp_path, content, named):
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    code, words = refused(path)
    assert (code, named in words) == ("E0662", True)
    assert "state_dict()" in words


def test_a_program_is_refused(tmp_path):
    path = tmp_path / "program.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("program/data.pkl", b"\x80\x02}.")
        archive.writestr("program/code/__torch__.py", b"")
    code, words = refused(path)
    assert (code, "TorchScript" in words) == ("E0662", True)


def _archive(path, *, compressed: bool):
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(100_000)}, buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry), zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)


def test_compressed_archives_are_refused(tmp_path):
    _archive(tmp_path / "weights.pth", compressed=True)
    code, words = refused(tmp_path / "weights.pth")
    assert (code, "compressed" in words) == ("E0661", True)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("w.pth", b"", "an empty file"),
        ("w.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 60, "an HDF5 file, as Keras writes them"),
        ("w.onnx", b"\x08\x07\x12\x04test" + b"\0" * 60, "an ONNX network"),
        ("w.pth", b"PK\x03\x04" + b"\0" * 60, "damaged"),
        ("w.pth", b"\x80\x02" + b"\0" * 60, "damaged"),
        ("w.pth", b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        ("w.txt", b"hello, these are no weights", "a text file"),
        ("w.safetensors", b'\x08\0\0\0\0\0\0\0{"a": 1}', "damaged"),
        ("w.index.json", b"{", "no JSON"),
        ("w.index.json", b"{}", "no table weight_map"),
        ("w.index.json", b'{"weight_map": {"a": 1}}', "no table weight_map"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    code, said = refused(tmp_path / name)
    assert (code, words in said) == ("E0661", True), said


def test_archives_of_others(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.ones(3))
    assert "an archive of numpy arrays" in refused(tmp_path / "w.npz")[1]
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        archive.writestr("readme", b"hello")
    assert "torch.save did not write" in refused(tmp_path / "w.zip")[1]
    assert refused(tmp_path / "nothing.pth") == ("E0661", f"there is no file {tmp_path / 'nothing.pth'} ")
    torch.save([torch.ones(2)], tmp_path / "list.pth")
    assert "with one list in it" in refused(tmp_path / "list.pth")[1]


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_floating_point_numbers_become_float32(tmp_path, kind, ending):
    values = torch.tensor([[1.5, -2.25], [0.0, 3.0]], dtype=kind)
    path = tmp_path / f"w.{ending}"
    (save_file if ending == "safetensors" else torch.save)({"w": values}, path)
    item = read_state(path).tensors["w"]
    assert (item.shape, item.kind, item.refusal) == ((2, 2), str(kind).removeprefix("torch."), None)
    array = item.read()
    assert array.dtype == np.float32
    assert array.tolist() == [[1.5, -2.25], [0.0, 3.0]]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: torch.ones(3, dtype=torch.int8), "of the type int8"),
        (lambda: torch.eye(3).to_sparse(), "sparse"),
        (lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), "quantised"),
        (lambda: torch.ones(1).expand(1 << 40), "more numbers than the file holds"),
        (lambda: torch.ones(3, dtype=torch.complex64), "of the type complex64"),
    ],
    ids=["int8", "sparse", "quantised", "expanded", "complex"],
)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_what_is_no_plain_tensor_has_a_reason(tmp_path, make, reason):
    torch.save({"w": make()}, tmp_path / "w.pth")
    assert reason in (read_state(tmp_path / "w.pth").tensors["w"].refusal or "")


def test_nested_dictionaries_become_dotted_names(tmp_path):
    content = {"state": {"a.b": torch.ones(1), 3: {"c": torch.ones(2)}}, "epoch": 5, "notes": ["x"]}
    torch.save(content, tmp_path / "w.pth")
    state = read_state(tmp_path / "w.pth")
    assert list(state.tensors) == ["state.a.b", "state.3.c"]
    assert dict(state.others) == {"epoch": 1, "notes": 1}


def test_dictionaries_without_end_are_refused(tmp_path):
    item: dict = {}
    for _ in range(30):
        item = {"a": item, "b": item}
    torch.save(item, tmp_path / "w.pth")
    assert refused(tmp_path / "w.pth")[0] == "E0661"
    loop: dict = {}
    loop["a"] = loop
    torch.save(loop, tmp_path / "w.pth")
    assert refused(tmp_path / "w.pth")[0] == "E0661"


@pytest.fixture
def shards(tmp_path):
    """Weights in two shards with their list."""
    for number, name in enumerate("ab", 1):
        save_file({name: torch.full((2,), number) * 1.0}, tmp_path / f"model-{number:05}-of-00002.safetensors")
    names = {name: f"model-{number:05}-of-00002.safetensors" for number, name in enumerate("ab", 1)}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    return tmp_path


@pytest.mark.parametrize("name", ["model.safetensors.index.json", "model-00001-of-00002.safetensors", "."])
def test_shards_are_read_together(shards, name):
    state = read_state(shards / name)
    assert {key: item.read().tolist() for key, item in state.tensors.items()} == {"a": [1, 1], "b": [2, 2]}
    assert (len(state.parts), state.form) == (2, "a safetensors file, in 2 shards")


def test_a_missing_shard_is_named(shards):
    (shards / "model-00002-of-00002.safetensors").unlink()
    assert refused(shards / "model.safetensors.index.json")[0] == "E0667"
    (shards / "model.safetensors.index.json").unlink()
    code, words = refused(shards / "model-00001-of-00002.safetensors")
    assert (code, "one of 2 shards" in words) == ("E0667", True)


@pytest.mark.parametrize("place", ["../x.safetensors", "/etc/passwd", "sub/x.safetensors"])
def test_shards_lie_in_the_folder_of_their_list(shards, place):
    (shards / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": place}}))
    code, words = refused(shards / "model.safetensors.index.json")
    assert (code, "not in its own folder" in words) == ("E0667", True)


def test_a_list_that_is_wrong_about_a_shard(shards):
    names = {"c": "model-00001-of-00002.safetensors"}
    (shards / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert "does not hold c" in refused(shards / "model.safetensors.index.json")[1]


def _saved(*, zipped: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(3, 2), "b": {"c": torch.zeros(4)}}, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


@pytest.mark.parametrize("zipped", [True, False])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path_factory, zipped, data):
    content = bytearray(_saved(zipped=zipped))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(content)))
    path = tmp_path_factory.mktemp("damaged") / "w.pth"
    path.write_bytes(bytes(content[:cut]))
    try:
        state = read_state(path)
    except DiagnosticError as error:
        assert {item.code for item in error.diagnostics} <= {"E0661", "E0662"}
    else:
        assert all(item.refusal or item.read().shape == item.shape for item in state.tensors.values())


def test_a_pickle_with_a_protocol_of_its_own_is_no_weights(tmp_path):
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    assert refused(tmp_path / "w.pkl")[0] in {"E0661", "E0662"}


def test_numbers_too_large_for_float32_are_infinite_without_a_warning(tmp_path):
    save_file({"w": torch.tensor([1e300, 1.0], dtype=torch.float64)}, tmp_path / "w.safetensors")
    assert read_state(tmp_path / "w.safetensors").tensors["w"].read().tolist() == [float("inf"), 1.0]
