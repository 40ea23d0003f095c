"""Every hook is specified, and the plugin that its specification shows is installed and does what it says.

A new hook fails here until it has a specification with an example, and a function below that uses that example.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from striate.attributing import attribute
from striate.cli import group
from striate.cli.boundary import run_guarded
from striate.graph import fingerprint
from striate.host.catalogue import HostCatalogue
from striate.host.kinds import KINDS
from striate.host.spec import Hooks
from striate.model import Model, load_source
from striate.ops.initializers import start_values
from striate.reference.hooks_page import specification
from striate.runtime.checkpoint import CheckpointInfo, read_info, write_weights
from striate.train.storage import read_state
from striate_dsl.source import Source
from tests.engine.host.in_process import installed

SPECIFIED = {kind.plural: specification(kind, getattr(Hooks, kind.hook).__doc__ or "") for kind in KINDS}

NET = """model Net(classes = 2) {
  input image: 1 x 8 x 8
  conv(4, 3) -> relu -> relu -> global_avgpool -> flatten -> dense(classes)
  output logits
}
"""


@dataclass
class Workplace:
    """An empty folder with the example installed, in which commands are run."""

    folder: object
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: object, code: int = 0) -> str:
        """Run `striate ARGUMENTS`, demand how it ends, and return what it printed."""
        found = run_guarded(group, [str(argument) for argument in arguments])
        captured = self.capture.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert found == code, captured.out + captured.err
        return captured.out + captured.err

    def write(self, name: str, text: str):
        path = self.folder / name
        path.write_text(text)
        return path

    def model(self, text: str = NET) -> Model:
        return load_source(Source("net.cnn", text), None, catalogue=HostCatalogue())

    def checkpoint(self, text: str = NET, **info: object):
        """Write a network with initial weights and return the file of these."""
        model = self.model(text)
        path = self.folder / "net.safetensors"
        arrays = {name: start_values(weight, 0) for name, weight in model.graph.weights.items()}
        known = {"fingerprint": fingerprint(model.graph), "classes": ("no", "yes"), **info}
        write_weights(path, arrays, CheckpointInfo(model.name, text=text, **known))
        return path

    def image(self):
        path = self.folder / "image.png"
        Image.fromarray((np.arange(64).reshape(8, 8) * 4).astype("uint8")).save(path)
        return path

    def trained(self, recipe: str, *options: str, text: str = NET) -> CheckpointInfo:
        """Train a network for an epoch by a recipe on the digits 0 and 1, and return what the checkpoint says."""
        settings = {
            "data": "digits(limit = 60)",
            "loss": "cross_entropy",
            "optimizer": "sgd(lr = 0.1)",
            "epochs": "1",
            "batch": "16",
            **dict(re.findall(r"(\w+) = (.+)", recipe)),
        }
        classes = 2 if "data" in recipe else 10
        lines = "".join(f"  {key} = {value}\n" for key, value in settings.items())
        self.write("net.cnn", text.replace("classes = 2", f"classes = {classes}") + f"train Net {{\n{lines}}}\n")
        self.run("train", "net.cnn", *options)
        info = read_info(self.folder / "runs/Net/default/best.safetensors")
        assert info is not None
        return info


def use_layers(place: Workplace) -> None:
    model = place.model("model Net { input image: 4 x 6 x 6; scaled(2.5) -> relu -> scaled; output y }")
    image = torch.randn(2, 4, 6, 6)
    assert torch.allclose(model.to_torch()(image), (image * 2.5).relu())
    assert model.export_onnx(place.folder / "net.onnx").verification is not None


def use_files(place: Workplace) -> None:
    text = "use my.chain4\nuse my.chain2\nmodel Net { input image: 3 x 9 x 9; Chain4 -> Chain2; output y }"
    model = place.model(text)
    assert [node.op for node in model.graph.nodes] == ["conv", "relu"] * 6
    assert model.graph.types[model.graph.outputs["y"]].shape == (16, 9, 9)
    assert "block Chain2" in place.run("import", "--help") or place.run("explain", "my.chain2")


def use_heads(place: Workplace) -> None:
    model = place.model("model Net { input image: 1 x 8 x 8; conv(4, 3) -> relu; head pixels(classes = 3) }")
    assert [task.name for task in model.graph.tasks] == ["my_plugin.coverage"]
    weights = place.checkpoint(model.file.span.text, classes=("sky", "sea", "land"))
    (place.folder / "net.cnn").write_text(model.file.span.text)
    assert "share_of_sky" in place.run("predict", "net.cnn", place.image(), "--weights", weights)


def use_tasks(place: Workplace) -> None:
    weights = place.checkpoint(task="verdict")
    place.write("net.cnn", NET)
    answer = json.loads(place.run("predict", "net.cnn", place.image(), "--weights", weights, "--format", "json"))
    assert answer["predictions"][0]["verdict"] in ("sure", "not sure")
    assert answer["predictions"][0]["class"] in ("no", "yes")


def use_data_sets(place: Workplace) -> None:
    info = place.trained("data = stripes(count = 40)")
    assert info.classes == ("rows", "columns")


def use_losses(place: Workplace) -> None:
    assert place.trained("loss = margin(by = 2)").recipe["loss"] == "my_plugin.margin(by = 2.0)"


def use_optimizers(place: Workplace) -> None:
    assert place.trained("optimizer = signs(lr = 0.02)").recipe["optimizer"] == "my_plugin.signs(lr = 0.02)"


def use_schedules(place: Workplace) -> None:
    assert place.trained("schedule = triangle(peak = 0.5)").recipe["schedule"] == "my_plugin.triangle(peak = 0.5)"


def use_wrappers(place: Workplace) -> None:
    plain = place.trained("wrap = noisy(share = 0)")
    assert "noisy(share = 0.0)" in plain.recipe["wrap"]
    assert place.trained("wrap = noisy(share = 0.5)", "--overwrite").metrics["loss"] != plain.metrics["loss"]


def use_averages(place: Workplace) -> None:
    info = place.trained("average = mean_of_ends")
    assert "mean_of_ends" in info.recipe["average"]
    state = read_state(place.folder / "runs/Net/default/resume.safetensors")
    assert state["striate"]["run"]["averaged"] == 1


def use_initializers(place: Workplace) -> None:
    written = 'scaled_normal(deviation = 0.0, weights = "dense1.weight")'
    assert place.trained(f"init = [{written}]\noptimizer = sgd(lr = 0)").recipe["init"] == f"[my_plugin.{written}]"
    weights = load_file(place.folder / "runs/Net/default/best.safetensors")
    assert (weights["dense1.weight"] == 0).all()
    assert (weights["conv1.weight"] != 0).all()


def use_regularizers(place: Workplace) -> None:
    assert (
        place.trained("regularize = [log_barrier(rate = 0.1)]").recipe["regularize"]
        == "[my_plugin.log_barrier(rate = 0.1)]"
    )


def use_augmentations(place: Workplace) -> None:
    assert place.trained("augment = [darken(most = 0.9)]").recipe["augment"] == "[my_plugin.darken(most = 0.9)]"
    assert (place.folder / "runs/Net/default/augmented.png").read_bytes().startswith(b"\x89PNG")


def use_metrics(place: Workplace) -> None:
    info = place.trained("metrics = [misses]")
    misses = info.metrics["my_plugin.misses"]
    assert misses == int(misses) >= 0


def use_passes(place: Workplace) -> None:
    place.write("net.cnn", NET)
    counts = {}
    for name, further in {"plain": (), "rewritten": ("--pass", "one_relu")}.items():
        said = place.run("export", "net.cnn", "-o", f"{name}.onnx", *further)
        assert ("rewritten by one_relu (my-plugin)" in said) is bool(further)
        counts[name] = [node.op_type for node in onnx.load(place.folder / f"{name}.onnx").graph.node].count("Relu")
    assert counts == {"plain": 2, "rewritten": 1}
    place.write("net.cnn", NET + "export { passes = [one_relu] }\n")
    assert "rewritten by one_relu (my-plugin)" in place.run("export", "net.cnn", "--format", "torchscript")


def use_backends(place: Workplace) -> None:
    images = np.random.default_rng(0).standard_normal((5, 1, 8, 8), dtype="float32")
    model = place.model()
    found = model.runner("in_double")
    assert found.verification is not None
    expected = model.runner()({"image": images})["logits"]
    assert np.allclose(found({"image": images})["logits"], expected, atol=1e-5)
    weights = place.checkpoint()
    place.write("net.cnn", NET)
    arguments = ("predict", "net.cnn", place.image(), "--weights", weights)
    assert place.run(*arguments, "--backend", "in_double") == place.run(*arguments)
    place.trained("metrics = [accuracy]")
    measured = ("eval", "net.cnn", "--weights", "runs/Net/default/best.safetensors")
    assert place.run(*measured, "--backend", "in_double") == place.run(*measured)


def use_exporters(place: Workplace) -> None:
    place.write("net.cnn", NET)
    said = place.run("export", "net.cnn", "--format", "squeezed")
    assert "compressed ONNX (plugin my-plugin)" in said
    onnx.checker.check_model(onnx.load_from_string(gzip.decompress((place.folder / "Net.onnx.gz").read_bytes())))
    assert "it holds the network alone" in place.run(
        "export", "net.cnn", "--format", "squeezed", "--postprocess", "softmax", code=1
    )


def use_importers(place: Workplace) -> None:
    layers = [{"weight": [[1, 2, 3], [4, 5, 6]], "bias": [1, -1]}, {"weight": [[2, -1]], "bias": [0.5]}]
    place.write("net.towers", json.dumps({"layers": layers}))
    place.run("import", "net.towers")
    model = load_source(Source("net.cnn", (place.folder / "net.cnn").read_text()))
    program = model.to_torch(weights=place.folder / "net.safetensors")
    assert program(torch.tensor([[1.0, 0.0, -1.0]])).tolist() == [[2 * (1 - 3 + 1) - (4 - 6 - 1) + 0.5]]


def use_explainers(place: Workplace) -> None:
    flat = "model Net { input image: 1 x 4 x 4; flatten -> dense(2); output logits }"
    weights = place.checkpoint(flat)
    image = place.image()
    found = attribute(place.model(flat), image, weights=weights, method="product(power = 3)", target="yes")
    kernel = start_values(place.model(flat).graph.weights["dense1.weight"], 0)[1].reshape(4, 4)
    assert np.allclose(found.values, (kernel * found.image[0]) ** 3, atol=1e-6)
    place.write("net.cnn", flat)
    place.run("attribute", "net.cnn", image, "--weights", weights, "--method", "product", "-o", "seen.png")
    with Image.open(place.folder / "seen.png") as picture:
        assert picture.size == (256, 256)
    said = place.run("attribute", "net.cnn", image, "--weights", weights, "--method", "grad_cam", code=1)
    assert "error[E0725]: grad_cam cannot explain this answer: no layer of the network gives a map" in said


def use_commands(place: Workplace) -> None:
    net = place.write("net.cnn", NET)
    assert place.run("count", net).strip() == "50 parameters"
    assert re.search(r"Commands of plugins:\n  count +Of plugin my-plugin: An example\n", place.run("--help"))
    assert "Usage: striate count [OPTIONS] FILE" in place.run("count", "--help")
    assert "Missing argument 'FILE'" in place.run("count", code=2)


USES: dict[str, Callable[[Workplace], None]] = {
    name.removeprefix("use_"): function for name, function in list(globals().items()) if name.startswith("use_")
}
"""What uses the example of a hook, by kind."""


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Workplace(tmp_path / "work", capsys)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_the_example_works(kind, place, tmp_path):
    assert kind.plural in USES, f"no test uses the example of {kind.hook}: write use_{kind.plural}"
    with installed(tmp_path / "site", SPECIFIED[kind.plural].example):
        USES[kind.plural](place)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_a_hook_is_specified(kind):
    text = getattr(Hooks, kind.hook).__doc__ or ""
    assert len(text.splitlines()) >= 20
    said = " ".join(SPECIFIED[kind.plural].paragraphs)
    for what, words in {
        "when it is called": r"\bcalled\b|\bruns?\b",
        "how often": r"\bonce\b|\bevery\b",
        "what is returned": r"\b[Rr]eturn",
        "what is checked": r"[Cc]heck",
        "what happens on failure": r"\b[Ff]ail|\braise|\brefused\b",
    }.items():
        assert re.search(words, said), f"{kind.hook} does not say {what}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_an_example_is_a_whole_module_that_imports_public_names_only(kind):
    tree = ast.parse(SPECIFIED[kind.plural].example)
    assert kind.hook in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("striate"):
            assert node.module in ("striate.plugin", "striate.factories", "striate.data")


def test_every_kind_has_a_hook_and_every_hook_a_kind():
    hooks = {name for name in dir(Hooks) if name.startswith("striate_")}
    assert hooks == {kind.hook for kind in KINDS}


def test_a_specification_without_an_example_is_refused():
    with pytest.raises(ValueError, match="striate_layers shows no example"):
        specification(KINDS[0], "Provide layers.\n\nWhen. Always.")
