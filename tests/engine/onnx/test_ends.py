"""Preprocessing and postprocessing in the file: against numpy and PIL, at several sizes; what is said of mistakes."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from striate.analysis.ends import Wanted
from striate.cli.boundary import run_guarded
from striate.cli.export import command
from striate.exporting import export_model
from striate.exporting_formats import export_format
from striate.formats.kinds import KINDS
from striate.onnx.runtime import OnnxSession
from striate.onnx.verify_ends import camera_trials, verify_ends
from striate.precisions import Numbers
from striate.train.pixels import Pixels
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import from_body, from_text

CONTRACT = "{ color = bgr; range = (-1, 3); mean = [0.4, 0.5, 0.6]; std = [0.2, 0.3, 0.25]; resize = %s }"
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def network(size="H x W", resize="bilinear", body="conv(4, 3, pad = 1)", end="output y", channels=3):
    contract = CONTRACT % resize if channels == 3 else "{ range = 0..1; mean = 0.5 }"
    return from_text(f"model Net {{\ninput image: {channels} x {size} {contract}\n{body}\n{end}\n}}\n")


def classifier(classes=7):
    return network("9 x 8", body="conv(4, 3)", end=f"head classification(classes = {classes})")


def session(model, tmp_path, **wanted):
    report = export_model(model, tmp_path / "net.onnx", opset=18, wanted=Wanted(**wanted))
    assert report.verification is not None
    return OnnxSession(str(report.path))


def images(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype="uint8")


def prepared(pictures, camera="rgb"):
    """Pixels by the contract above, written down from its words in float64."""
    values = pictures.astype("float64") / 255
    if camera == "rgb":
        values = values[..., ::-1]
    values = (values * 4 - 1 - np.array([0.4, 0.5, 0.6])) / np.array([0.2, 0.3, 0.25])
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def in_torch(model, inputs):
    with torch.no_grad():
        return model.to_torch().eval()(torch.from_numpy(inputs.astype("float32"))).numpy()


# ------------------------------------------------------------------------------------------------ pixels


@pytest.mark.parametrize("camera", ["rgb", "bgr"])
@pytest.mark.parametrize("size", [(5, 9), (12, 7)])
def test_images_are_prepared_by_the_contract(camera, size, tmp_path):
    model = network()
    pictures = images(2, *size, 3)
    found = session(model, tmp_path, preprocess="pixels", camera=camera).run({"image": pictures})["y"]
    np.testing.assert_allclose(found, in_torch(model, prepared(pictures, camera)), rtol=1e-4, atol=1e-5)


def test_they_are_prepared_as_in_training(tmp_path):
    model = network("6 x 6", body="identity")
    pictures = images(3, 6, 6, 3)
    found = session(model, tmp_path, preprocess="pixels").run({"image": pictures})["y"]
    trained = Pixels(model.graph.inputs[0])(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255)
    np.testing.assert_allclose(found, trained.numpy(), rtol=1e-5, atol=1e-5)


def test_grey_images_have_one_channel(tmp_path):
    model = network("6 x 6", body="identity", channels=1)
    pictures = images(2, 6, 6, 1)
    found = session(model, tmp_path, preprocess="pixels").run({"image": pictures})["y"]
    np.testing.assert_allclose(found[:, 0], pictures[..., 0] / 255 - 0.5, atol=1e-6)


@pytest.mark.parametrize("resize", FILTERS)
@pytest.mark.parametrize("size", [(40, 31), (7, 5), (16, 20)])
def test_images_of_any_size_are_resized_as_pil_does(resize, size, tmp_path):
    """PIL is what training resizes with: it smooths an image that shrinks."""
    model = network("16 x 20", resize, body="identity")
    pictures = images(2, *size, 3)
    found = session(model, tmp_path, preprocess="resize").run({"image": pictures})["y"]
    planes = [
        [np.asarray(Image.fromarray(plane.astype("float32")).resize((20, 16), FILTERS[resize])) for plane in picture]
        for picture in pictures.transpose(0, 3, 1, 2)
    ]
    expected = prepared(np.array(planes).transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_the_file_says_what_it_takes_and_gives(tmp_path):
    model = classifier()
    report = export_model(model, tmp_path / "n.onnx", opset=18, wanted=Wanted("resize", "bgr", "head", 3))
    document = onnx.load(report.path)
    entries = {item.key: item.value for item in document.metadata_props}
    assert json.loads(entries["striate.inputs"]) == {
        "image": {"color": "bgr", "layout": "N x H x W x C", "size": "any height and width", "type": "uint8"}
    }
    assert json.loads(entries["striate.outputs"])["classes"] == {"by": "top", "count": 3, "from": "logits"}
    (image,) = document.graph.input
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    sizes = [each.dim_param or each.dim_value for each in image.type.tensor_type.shape.dim]
    assert sizes == ["N", "image_height", "image_width", 3]
    shapes = {
        item.name: [each.dim_param or each.dim_value for each in item.type.tensor_type.shape.dim]
        for item in document.graph.output
    }
    assert shapes == {"scores": ["N", 3], "classes": ["N", 3]}


# ------------------------------------------------------------------------------------------------ answers


def test_softmax_and_sigmoid(tmp_path):
    model = classifier()
    inputs = np.random.default_rng(0).standard_normal((2, 3, 9, 8), dtype="float32")
    scores = in_torch(model, inputs).astype("float64")
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    found = session(model, tmp_path, postprocess="softmax").run({"image": inputs})
    np.testing.assert_allclose(found["probabilities"], shares, rtol=1e-5)
    found = session(model, tmp_path, postprocess="sigmoid").run({"image": inputs})
    np.testing.assert_allclose(found["probabilities"], 1 / (1 + np.exp(-scores)), rtol=1e-5)
    assert list(found) == ["probabilities"]


@pytest.mark.parametrize(("top", "count"), [(None, 5), (2, 2), (7, 7)])
def test_the_likeliest_classes_come_first(top, count, tmp_path):
    model = classifier()
    inputs = np.random.default_rng(0).standard_normal((4, 3, 9, 8), dtype="float32")
    scores = in_torch(model, inputs).astype("float64")
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    found = session(model, tmp_path, postprocess="head", top=top).run({"image": inputs})
    assert found["classes"].dtype == np.int64
    np.testing.assert_array_equal(found["classes"], np.argsort(-shares, 1)[:, :count])
    np.testing.assert_allclose(found["scores"], -np.sort(-shares, 1)[:, :count], rtol=1e-5)


@pytest.mark.parametrize("size", [(6, 11), (13, 4)])
def test_a_map_of_scores_becomes_a_map_of_classes(size, tmp_path):
    model = network(end="head segmentation(classes = 4)")
    pictures = images(2, *size, 3)
    found = session(model, tmp_path, preprocess="pixels", postprocess="head").run({"image": pictures})
    assert list(found) == ["classes"]
    np.testing.assert_array_equal(found["classes"], in_torch(model, prepared(pictures)).argmax(1))


def test_shares_are_not_taken_twice(tmp_path):
    model = network("6 x 6", body="conv(4, 3) -> global_avgpool -> flatten -> softmax")
    inputs = np.random.default_rng(0).standard_normal((2, 3, 6, 6), dtype="float32")
    found = session(model, tmp_path, postprocess="top", top=2).run({"image": inputs})
    np.testing.assert_allclose(found["scores"], -np.sort(-in_torch(model, inputs), 1)[:, :2], rtol=1e-5)
    assert finding(model, tmp_path, postprocess="softmax").code == "E0642"


def test_outputs_without_answers_stay_and_names_in_use_are_left_alone(tmp_path):
    model = network("6 x 6", body="conv(4, 3) as classes", end="output classes\nhead segmentation(classes = 2)")
    found = session(model, tmp_path, postprocess="head").run({"image": np.zeros((1, 3, 6, 6), "float32")})
    assert {name: values.shape for name, values in found.items()} == {
        "classes": (1, 4, 4, 4),
        "logits_classes": (1, 4, 4),
    }


# ------------------------------------------------------------------------------------------------ sections, formats


SECTION = """\
model Net {
  input image: 3 x 8 x 8 { color = rgb; range = 0..1 }
  conv(4, 3)
  head classification(classes = 6)
}
export Net { preprocess = pixels; camera = bgr; postprocess = top; top = 2 }
"""


def test_the_section_counts_and_options_go_before_it(tmp_path):
    model = from_text(SECTION)
    assert export_model(model, tmp_path / "n.onnx").ends.words() == (
        "image takes 8-bit images N x H x W x 3 (bgr); logits becomes scores and classes (top)"
    )
    report = export_model(model, tmp_path / "n.onnx", wanted=Wanted(camera="rgb", top=4))
    assert (report.ends.pixels[0].camera, report.ends.answers[0].count) == ("rgb", 4)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "onnx"])
def test_other_formats_have_the_same_ends(kind, tmp_path):
    if kind == "openvino":
        pytest.importorskip("openvino")
    report = export_format(from_text(SECTION), tmp_path / f"net{KINDS[kind].suffix}", kind, seed=2)
    assert report.ends is not None
    pictures = images(3, 8, 8, 3)
    expected = OnnxSession(str(export_model(from_text(SECTION), tmp_path / "n.onnx", seed=2).path)).run(
        {"image": pictures}
    )
    if kind == "openvino":
        import openvino

        compiled = openvino.Core().compile_model(report.paths[0], "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found = {port.get_any_name(): values for port, values in compiled({"image": pictures}).items()}
    else:
        load = torch.jit.load if kind == "torchscript" else lambda path: torch.export.load(path).module()
        found = {name: each.numpy() for name, each in load(report.paths[0])(torch.from_numpy(pictures)).items()}
    np.testing.assert_array_equal(found["classes"], expected["classes"])
    np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-5)


@pytest.mark.parametrize(("kind", "resize"), [("torchscript", "bicubic"), ("pt2", "bilinear"), ("openvino", "nearest")])
def test_other_formats_resize(kind, resize, tmp_path):
    if kind == "openvino":
        pytest.importorskip("openvino")
    model = network("16 x 20", resize)
    report = export_format(model, tmp_path / f"net{KINDS[kind].suffix}", kind, opset=18, wanted=Wanted("resize"))
    assert report.verification.trials == ("batch 1, image 9 x 11", "batch 3, image 70 x 53")


# ------------------------------------------------------------------------------------------------ mistakes


def finding(model, tmp_path, opset=18, **wanted):
    with pytest.raises(DiagnosticError) as caught:
        export_model(model, tmp_path / "net.onnx", opset=opset, wanted=Wanted(**wanted))
    return caught.value.diagnostics[0]


def test_a_missing_contract_says_what_to_write(tmp_path):
    found = finding(from_body("relu"), tmp_path, preprocess="pixels")
    assert (found.code, found.span.line) == ("E0640", 3)
    assert found.help == ("write it in the input's body: input image: 3 x 8 x 8 { color = rgb; range = 0..1 }")
    repaired = from_body("relu", "input image: 3 x 8 x 8 { color = rgb; range = 0..1 }")
    assert export_model(repaired, tmp_path / "n.onnx", wanted=Wanted("pixels")).ends is not None


@pytest.mark.parametrize(
    ("model", "wanted", "code", "words"),
    [
        (network, {"preprocess": "resize"}, "E0641", "its size is open"),
        (lambda: from_body("relu", "input a: 8"), {"preprocess": "pixels"}, "E0641", "no input is an image"),
        (
            lambda: from_body("relu", "input a: 4 x 8 x 8 { range = 0..1 }"),
            {"preprocess": "pixels"},
            "E0641",
            "it has 4 channels, and rgb has 3",
        ),
        (classifier, {"camera": "bgr"}, "E0641", "camera = bgr is about images"),
        (network, {"postprocess": "head"}, "E0642", "has no head"),
        (network, {"postprocess": "top"}, "E0642", "top is for one score per class and image"),
        (classifier, {"postprocess": "top", "top": 8}, "E0642", "top = 8 of 7 classes"),
        (classifier, {"postprocess": "argmax", "top": 2}, "E0642", "names none in order"),
        (
            lambda: from_body("relu as a -> tanh as b", outputs="output a, b"),
            {"postprocess": "argmax"},
            "E0642",
            "has 2 outputs, and no head says which of them are scores",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(model, wanted, code, words, tmp_path):
    found = finding(model(), tmp_path, **wanted)
    assert found.code == code
    assert words in found.message
    assert not list(tmp_path.iterdir())


def test_a_filter_that_smooths_needs_its_opset(tmp_path):
    found = finding(network("8 x 8"), tmp_path, opset=17, preprocess="resize")
    assert (found.code, found.message) == ("E0602", "bringing image to its size (bilinear) needs opset 18, not 17")
    export_model(network("8 x 8", "nearest"), tmp_path / "n.onnx", opset=17, wanted=Wanted("resize"))


def test_options_of_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text(SECTION)
    assert run_guarded(command, ["net.cnn", "--postprocess", "argmax", "--top", "2"]) == 1
    assert "E0642" in capsys.readouterr().err
    assert run_guarded(command, ["net.cnn", "--preprocess", "pixels", "--camera", "rgb", "--top", "3"]) == 0
    assert "image takes 8-bit images N x H x W x 3 (rgb); logits becomes scores and classes (top)" in (
        capsys.readouterr().out
    )
    assert run_guarded(command, ["net.cnn", "--preprocess", "all"]) == 2


# ------------------------------------------------------------------------------------------------ the comparison itself


class Same:
    """A reference that gives fixed scores."""

    def __init__(self, scores):
        self.fixed = np.array([scores], "float32")

    def scores(self, inputs):
        return {"logits": self.fixed}

    def answers(self, scores):
        return {"classes": scores["logits"].argmax(1)}


def compared(scores, answer):
    from striate.analysis.ends import Answer, Ends
    from striate.onnx.trials import Trial

    ends = Ends(answers=(Answer("logits", "argmax", ("classes",)),))
    run = lambda inputs: {"classes": np.array([answer])}  # noqa: E731
    return verify_ends(run, "a runtime", ends, Same(scores), [Trial("batch 1", {})], 1e-4)


def test_another_class_is_taken_for_a_tie_only_if_it_is_one():
    assert compared([1.0, 2.0, 0.0], 1).other_classes == 0
    assert compared([2.0 - 1e-5, 2.0, 0.0], 0).other_classes == 1
    with pytest.raises(DiagnosticError) as caught:
        compared([1.9, 2.0, 0.0], 0)
    found = caught.value.diagnostics[0]
    assert found.code == "E0643"
    assert found.notes[0] == "batch 1: output classes names another class at 1 places"


def test_a_wrong_preparation_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr("striate.onnx.ends._write_pixels", _plain_cast)
    found = finding(network(), tmp_path, preprocess="pixels")
    assert found.code == "E0643"
    assert not list(tmp_path.iterdir())


def _plain_cast(writer, pixels, numbers):
    value = writer.node("Cast", [pixels.name], "float", to=1)
    writer.node("Transpose", [value], "planes", perm=(0, 3, 1, 2))
    writer.nodes[-1].output[0] = writer.prefix


def test_trials_have_two_sizes_where_images_are_resized():
    from striate.analysis.ends import EndsReader
    from striate.onnx.trials import trials_for

    model = network("16 x 20")
    ends = EndsReader(model.graph, Wanted("resize")).read()
    shapes = [trial.inputs["image"].shape for trial in camera_trials(trials_for(model.graph, model.domain), ends)]
    assert shapes == [(1, 9, 11, 3), (3, 70, 53, 3)]


@pytest.mark.parametrize("narrow_ends", ["float32", "float16"])
def test_a_file_in_float16_has_ends_too(narrow_ends, tmp_path):
    model = classifier()
    numbers = Numbers("float16", narrow_ends)
    report = export_model(model, tmp_path / "n.onnx", wanted=Wanted("pixels", None, "softmax"), numbers=numbers)
    pictures = images(2, 9, 8, 3)
    found = OnnxSession(str(report.path)).run({"image": pictures})["probabilities"]
    assert str(found.dtype) == narrow_ends
    scores = in_torch(model, prepared(pictures)).astype("float64")
    np.testing.assert_allclose(found, np.exp(scores) / np.exp(scores).sum(1, keepdims=True), rtol=2e-2)


def test_bfloat16_cannot_be_verified(tmp_path):
    with pytest.raises(DiagnosticError) as caught:
        export_model(classifier(), tmp_path / "n.onnx", wanted=Wanted("pixels"), numbers=Numbers("bfloat16"))
    assert caught.value.diagnostics[0].code == "E0644"


def test_weights_in_a_second_file(tmp_path):
    report = export_model(classifier(), tmp_path / "n.onnx", wanted=Wanted("pixels"), external_data=True)
    assert report.data is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["n.onnx", report.data.name])
    found = OnnxSession(str(report.path)).run({"image": images(1, 9, 8, 3)})
    assert found["logits"].shape == (1, 7)


def test_a_file_in_int8_has_ends_and_functions_too(tmp_path):
    """Its numbers hold no random input, so it is compared with the file of the network alone."""
    text = SECTION.replace("camera = bgr; postprocess = top; top = 2", "postprocess = softmax").replace(
        "3 x 8 x 8 { color = rgb; range = 0..1 }", "1 x 8 x 8 { range = 0..1 }"
    )
    recipe = "train Net { data = digits(); loss = cross_entropy; optimizer = sgd(lr = 0.1); epochs = 1; batch = 8 }"
    model = from_text(f"{text}\n{recipe}\n")
    alone = export_model(model, tmp_path / "a.onnx", numbers=Numbers("int8"), wanted=Wanted("pixels"))
    report = export_model(model, tmp_path / "b.onnx", numbers=Numbers("int8"), functions=True)
    assert [item.name for item in onnx.load(report.path).functions] == ["Classification"]
    assert "images" in report.verification.trials  # the comparison of the network, with torch
    pictures = images(2, 8, 8, 1)
    found = OnnxSession(str(report.path)).run({"image": pictures})["probabilities"]
    expected = OnnxSession(str(alone.path)).run({"image": pictures})["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
