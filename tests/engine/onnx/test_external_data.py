"""Models with their weights in a second file: the same numbers, both files or neither, memory for the network once."""

from __future__ import annotations

import errno
import re
import tracemalloc

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from striate.exporting import export_model
from striate.importer import write_import
from striate.model import load
from striate.model_files import staged
from striate.onnx import filling
from striate.onnx.document import Colophon, build_document
from striate.onnx.filling import StoredWeights
from striate.ops.initializers import start_values
from striate.precisions import Numbers
from striate.runtime import atomic
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import RESIDUAL, from_body, from_text, from_zoo
from tests.engine.onnx.test_exporting import FaultyCatalogue

WIDE = "conv(32, 3, pad = 1) -> relu -> conv(32, 3) -> relu -> global_avgpool -> flatten -> dense(7)"


def numbers(path):
    """Return all numbers of a model by name."""
    return {item.name: numpy_helper.to_array(item) for item in onnx.load(path).graph.initializer}


def located(path):
    """Return where each weight outside of a model's first file lies, by name."""
    graph = onnx.load(path, load_external_data=False).graph
    return {
        item.name: {entry.key: entry.value for entry in item.external_data}
        for item in graph.initializer
        if item.data_location == onnx.TensorProto.EXTERNAL
    }


def test_both_files_hold_what_one_does(tmp_path):
    model = from_body(WIDE)
    one = export_model(model, tmp_path / "one.onnx")
    two = export_model(model, tmp_path / "two.onnx", external_data=True)
    assert (one.data, two.verification is not None) == (None, True)
    assert re.fullmatch(r"two\.onnx\.[0-9a-f]{12}\.data", two.data.name)
    assert two.size == two.path.stat().st_size + two.data.stat().st_size
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(["one.onnx", "two.onnx", two.data.name])
    expected, found = numbers(one.path), numbers(two.path)
    assert expected.keys() == found.keys()
    assert all(np.array_equal(values, found[name]) for name, values in expected.items())
    assert one.verification.difference == two.verification.difference


def test_places_are_those_that_runtimes_can_map(tmp_path):
    report = export_model(from_body(WIDE), tmp_path / "net.onnx", external_data=True, verify=False)
    places = located(report.path)
    assert set(places) == {"conv1.weight", "conv2.weight"}
    assert {entry["location"] for entry in places.values()} == {report.data.name}
    assert int(places["conv2.weight"]["offset"]) % filling.PAGE == 0
    assert all(int(entry["offset"]) % filling.LINE == 0 for entry in places.values())
    ends = [int(entry["offset"]) + int(entry["length"]) for entry in places.values()]
    assert max(ends) == report.data.stat().st_size


def test_onnx_runtime_and_the_checker_read_it_from_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    report = export_model(from_body(WIDE), tmp_path / "models" / "net.onnx", external_data=True)
    moved = tmp_path / "moved"
    report.path.parent.rename(moved)
    monkeypatch.chdir("/")
    onnx.checker.check_model(str(moved / "net.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(str(moved / "net.onnx"), providers=["CPUExecutionProvider"])
    image = np.ones((2, 3, 8, 8), np.float32)
    plain = export_model(from_body(WIDE), tmp_path / "plain.onnx", verify=False)
    wanted = onnxruntime.InferenceSession(str(plain.path), providers=["CPUExecutionProvider"]).run(
        None, {"image": image}
    )
    assert np.array_equal(session.run(None, {"image": image})[0], wanted[0])


def test_what_is_too_large_for_one_file_becomes_two(tmp_path, monkeypatch):
    model = from_body(WIDE)
    monkeypatch.setattr(filling, "LARGEST_FILE", 20_000)
    assert export_model(model, tmp_path / "net.onnx").data is not None
    with pytest.raises(DiagnosticError) as caught:
        export_model(model, tmp_path / "one.onnx", external_data=False)
    (found,) = caught.value.diagnostics
    assert found.code == "E0604"
    assert "leave --no-external-data out" in found.help
    assert not (tmp_path / "one.onnx").exists()


def test_it_is_imported_with_its_weights(tmp_path):
    report = export_model(from_zoo("lenet5"), tmp_path / "net.onnx", external_data=True)
    write_import(report.path, tmp_path / "again.cnn")
    again = export_model(
        load(tmp_path / "again.cnn"), tmp_path / "again.onnx", weights=tmp_path / "again.safetensors", verify=False
    )
    stored = sorted(values.tobytes() for values in numbers(again.path).values())
    assert stored == sorted(values.tobytes() for values in numbers(report.path).values())


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_narrow_numbers_go_outside_too(precision, tmp_path):
    report = export_model(from_body(WIDE), tmp_path / "net.onnx", numbers=Numbers(precision), external_data=True)
    assert report.verification is not None
    assert int(located(report.path)["conv2.weight"]["length"]) == 2 * 32 * 32 * 9
    one = export_model(from_body(WIDE), tmp_path / "one.onnx", numbers=Numbers(precision), verify=False)
    expected, found = numbers(one.path), numbers(report.path)
    assert all(np.array_equal(values, found[name]) for name, values in expected.items())
    assert sorted(item.suffix for item in tmp_path.iterdir()) == [".data", ".onnx", ".onnx"]


def test_the_second_file_goes_with_its_model(tmp_path):
    target = tmp_path / "net.onnx"
    first = export_model(from_body(WIDE), target, external_data=True, verify=False)
    second = export_model(from_body(WIDE), target, external_data=True, verify=False, seed=1)
    assert first.data != second.data
    assert set(tmp_path.iterdir()) == {target, second.data}
    again = export_model(from_body(WIDE), target, external_data=True, verify=False, seed=1)
    assert again.data == second.data
    assert set(tmp_path.iterdir()) == {target, second.data}
    export_model(from_body(WIDE), target, verify=False)
    assert set(tmp_path.iterdir()) == {target}


@pytest.mark.parametrize("failing", [0, 1, 2, 3])
def test_a_full_disk_leaves_the_model_that_was_there(failing, tmp_path, monkeypatch):
    """Forcing to the disk and moving, of the second file and of the first: each may fail."""
    target = tmp_path / "net.onnx"
    export_model(from_body(WIDE), target, external_data=True, verify=False)
    before = numbers(target)
    steps = iter(range(10))

    def counted(call):
        def step(*arguments):
            if next(steps) == failing:
                raise OSError(errno.ENOSPC, "No space left on device")
            return call(*arguments)

        return step

    monkeypatch.setattr(atomic.os, "fsync", counted(atomic.os.fsync))
    monkeypatch.setattr(type(target), "replace", counted(type(target).replace))
    monkeypatch.setattr(atomic, "_sync_folder", lambda folder: None)
    with pytest.raises(DiagnosticError) as caught:
        export_model(from_body(WIDE), target, external_data=True, verify=False, seed=1)
    assert caught.value.diagnostics[0].code == "E0505"
    assert all(np.array_equal(values, before[name]) for name, values in numbers(target).items())
    assert not list(tmp_path.glob(".*"))
    monkeypatch.undo()
    report = export_model(from_body(WIDE), target, external_data=True, verify=False, seed=2)
    assert set(tmp_path.iterdir()) == {target, report.data}


def test_a_file_that_computes_something_else_is_not_placed(tmp_path):
    model = from_text(RESIDUAL)
    faulty = type(model)(model.name, model.graph, model.file, model.domain, (), FaultyCatalogue())
    with pytest.raises(DiagnosticError) as caught:
        export_model(faulty, tmp_path / "net.onnx", external_data=True)
    (found,) = caught.value.diagnostics
    assert found.code == "E0607"
    assert "bn" in found.message
    assert not list(tmp_path.iterdir())


def test_what_is_checked_is_everything_but_the_numbers(tmp_path):
    model = from_text(RESIDUAL)
    arrays = {name: start_values(weight, 0) for name, weight in model.graph.weights.items()}
    colophon = Colophon("striate", "0", "a sentence", {"striate.model": "Small"})
    document = build_document(model.graph, model.catalogue.lookup, arrays, 17, colophon, filled=False)
    bare = filling.without_weights(document)
    onnx.checker.check_model(bare, full_check=True)
    inputs = {item.name for item in bare.graph.input} - {item.name for item in document.graph.input}
    assert inputs == set(arrays)
    filling.fill(document, StoredWeights(arrays))
    for made in (document, bare):
        del made.graph.initializer[:]
        del made.graph.input[:]
    assert bare == document


def test_weights_are_written_one_at_a_time(tmp_path):
    """Beside the weights that are given, no more memory is taken than the largest of them needs."""
    model = from_body("\n".join(["conv(256, 3, pad = 1)"] * 8), "input a: 256 x 4 x 4")
    arrays = {name: start_values(weight, 0) for name, weight in model.graph.weights.items()}
    largest = max(values.nbytes for values in arrays.values())
    assert sum(values.nbytes for values in arrays.values()) > 7.9 * largest
    tracemalloc.start()
    document = build_document(model.graph, model.catalogue.lookup, arrays, 17, Colophon("", "", "", {}), filled=False)
    with staged(tmp_path / "net.onnx", document, StoredWeights(arrays), external_data=True) as made:
        made.place()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < largest
    assert numbers(tmp_path / "net.onnx")["conv8.weight"].nbytes == largest
