"""Weights, runs and exported files name the plugins that they used, with versions; other versions here are told."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from striate.cli import group
from striate.cli.boundary import run_guarded
from striate.model import load_source
from striate.runtime.checkpoint import CheckpointInfo, read_info, write_weights
from striate.runtime.provenance import is_provenance, provenance, read_provenance
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source
from tests.engine.host.distributions import install

CODE = """\
from striate.plugin import Factory, FileRecord, HeadRecord, LossRecord, OpRecord, OptimizerRecord
from striate.plugin import PassRecord, hookimpl

def shape(attributes, inputs, check):
    return inputs

def torch(call):
    return call.inputs[0]

def onnx(call, sink):
    sink.node("Identity", call.inputs, call.outputs)

@hookimpl
def striate_layers(context):
    return [OpRecord("§_layer", "Gives its input.", shape, torch, onnx)]

@hookimpl
def striate_losses(context):
    return [LossRecord("§_loss", "A loss", Factory("torch.nn:CrossEntropyLoss"))]

@hookimpl
def striate_optimizers(context):
    return [OptimizerRecord("§_optimizer", "An optimizer", Factory("torch.optim:SGD"))]

@hookimpl
def striate_heads(context):
    block = "block H(classes) { global_avgpool -> flatten -> dense(classes) }"
    return [HeadRecord("§_head", "A head", block, "h.cnn", ("logits",), "classification")]

@hookimpl
def striate_files(context):
    return [FileRecord("§.blocks", "Blocks", "§_plugin", "blocks.cnn")]

@hookimpl
def striate_passes(context):
    return [PassRecord("§_pass", "Leaves everything as it is", Factory("§_plugin:same"))]

def same(network):
    return network
"""
MANIFEST = """\
[provides]
layers = ["§_layer"]
losses = ["§_loss"]
optimizers = ["§_optimizer"]
heads = ["§_head"]
files = ["§.blocks"]
passes = ["§_pass"]
"""

NET = """model Net(classes = 10) {
  input image: 1 x 8 x 8
  conv(4, 3, bias = false) -> bn -> § -> global_avgpool -> flatten -> dense(classes)
  output logits
}
train Net {
  data = digits(limit = 60)
  loss = §loss
  optimizer = §optimizer
  epochs = 2
  batch = 16
}
"""


def text(layer="acme_layer", loss="acme_loss", optimizer="sgd(lr = 0.1)"):
    return NET.replace("§loss", loss).replace("§optimizer", optimizer).replace("§", layer)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Install distributions in other versions; whatever was imported of them is forgotten."""
    state = {"folder": None}

    def use(**versions: str) -> None:
        before = state["folder"]
        if before in sys.path:
            sys.path.remove(before)
        for name in [name for name in sys.modules if name.partition(".")[0] in ("acme_plugin", "other_plugin")]:
            del sys.modules[name]
        folder = tmp_path / "-".join(f"{name}{version}" for name, version in versions.items() if version)
        for name, version in versions.items():
            if not (folder / f"{name}_plugin").exists():
                install(folder, name, CODE.replace("§", name), MANIFEST.replace("§", name), version)
                (folder / f"{name}_plugin" / "blocks.cnn").write_text("block Part { relu }\n")
        folder.mkdir(exist_ok=True)
        state["folder"] = str(folder)
        sys.path.insert(0, str(folder))

    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("STRIATE_CONFIG", str(tmp_path / "config"))
    yield use
    if state["folder"] in sys.path:
        sys.path.remove(state["folder"])


@pytest.fixture
def run(capsys):
    """Run a command; returns its exit code and all that it said."""

    def call(*arguments: str) -> tuple[int, str]:
        code = run_guarded(group, list(arguments))
        said = capsys.readouterr()
        return code, " ".join((said.out + said.err).split())

    return call


def used(source: str, recipe=(), name="Net"):
    model = load_source(Source("net.cnn", source), name)
    return provenance(model.file, model.name, model.graph, model.catalogue, recipe)


def entry(name="acme", version="1.0", by="network"):
    return {"distribution": f"striate-{name}", "version": version, "used_by": by}


def test_what_a_network_uses_is_named_and_nothing_else(site):
    site(acme="1.0", other="3.1")
    assert used(text("relu")) == {}
    assert used(text("acme_layer")) == {"acme": entry()}
    assert used(text("other_layer"), ["acme", "other", ""]) == {
        "acme": entry(by="recipe"),
        "other": entry("other", "3.1", "network and recipe"),
    }
    assert used("use acme.blocks\n" + text("Part")) == {"acme": entry()}
    assert used("use acme.blocks\nuse other.blocks as far\n" + text("far.Part")) == {"other": entry("other", "3.1")}
    assert used("use other.other_layer as turned\n" + text("turned")) == {"other": entry("other", "3.1")}
    head = "model Net {\n  input i: 1 x 8 x 8\n  conv(3, 1)\n  if true { head acme_head(classes = 2) }\n}\n"
    assert used(head).keys() == {"acme", "striate-plugins"}
    assert used("use acme.acme_head as mine\n" + head.replace("acme_head(", "mine(")).keys() == {
        "acme",
        "striate-plugins",
    }


def test_a_built_in_layer_is_nobodys_even_where_a_plugin_has_one_of_its_name(site, tmp_path):
    site(acme="1.0")
    package = next(Path(sys.path[0]).glob("acme_plugin"))
    for name in ("__init__.py", "striate-plugin.toml"):
        (package / name).write_text((package / name).read_text().replace("acme_layer", "relu"))
    assert used("use acme.blocks\n" + text("relu")) == {}
    assert used("use acme.relu as ours\n" + text("ours")) == {"acme": entry()}


def test_a_run_says_what_it_used_and_other_versions_are_told(site, run, tmp_path):
    site(acme="1.0", other="3.1")
    Path("net.cnn").write_text(text())
    code, said = run("train", "net.cnn", "--device", "cpu")
    assert code == 0, said
    best = "runs/Net/default/best.safetensors"
    info = read_info(Path(best))
    assert info.plugins.keys() == {"acme", "striate-plugins"}
    assert info.plugins["acme"] == entry(by="network and recipe")
    assert info.plugins["striate-plugins"]["used_by"] == "recipe"
    report = Path("runs/Net/default/report.html").read_text()
    assert "striate-acme 1.0, for the network and recipe" in report
    commands = {
        "predict": ("predict", "net.cnn", "--weights", best, "--split", "test", "--limit", "1"),
        "eval": ("eval", "net.cnn", "--weights", best),
        "export": ("export", "net.cnn", "--weights", best, "-o", "net.onnx"),
        "import": ("import", "net.onnx", "-o", "again.cnn"),
    }
    for arguments in commands.values():
        code, said = run(*arguments)
        assert (code, "plugin acme" in said) == (0, False), said
    stored = {item.key: item.value for item in onnx.load("net.onnx").metadata_props}
    assert json.loads(stored["striate.plugins"])["acme"]["version"] == "1.0"

    site(acme="2.0", other="9.9")
    for name, arguments in commands.items():
        code, said = run(
            *(item.replace("net.onnx", f"{name}.onnx") if name == "export" else item for item in arguments)
        )
        assert code == 0, said
        made = "the file and its weights were made" if name == "import" else "the weights were made"
        assert f"{made} with plugin acme (striate-acme 1.0), and here it is striate-acme 2.0" in said
        assert "results may differ: measure again (striate eval), or pip install 'striate-acme==1.0'" in said
        assert "other" not in said, "only what was used is told"

    with pytest.warns(UserWarning, match=r"W0702: the weights were made with plugin acme \(striate-acme 1\.0\)"):
        load_source(Source("net.cnn", text()), "Net").to_torch(weights=best)

    site(other="3.1")
    code, said = run(*commands["predict"])
    assert code == 1
    assert "the weights were made with plugin acme (striate-acme 1.0), which is not installed" in said
    assert "pip install 'striate-acme==1.0', if you trust it" in said
    code, said = run(*commands["import"])
    assert code == 0, "its nodes are plain ones"
    assert "plugin acme (striate-acme 1.0), which is not installed" in said


@pytest.mark.parametrize("named", ["--pass", "in the section", "renamed"])
def test_a_pass_that_rewrote_a_file_is_named_in_it(site, run, named):
    site(acme="1.0", other="3.1")
    use = "use acme.acme_pass as same\n" if named == "renamed" else ""
    section = "" if named == "--pass" else f"export Net {{ passes = [{'same' if use else 'acme_pass'}] }}\n"
    Path("net.cnn").write_text(use + text("relu", "cross_entropy") + section)
    option = ("--pass", "acme_pass") if named == "--pass" else ()
    code, said = run("export", "net.cnn", "--no-verify", "-o", "net.onnx", *option)
    assert code == 0, said
    stored = {item.key: item.value for item in onnx.load("net.onnx").metadata_props}
    assert json.loads(stored["striate.plugins"]) == {"acme": entry()}
    assert run("check", "net.cnn")[0] == 0


def test_a_plugin_that_is_left_out_is_told_with_the_way_back(site, run):
    site(acme="1.0")
    model = load_source(Source("net.cnn", text()), "Net")
    Path("net.cnn").write_text(text())
    made = provenance(model.file, "Net", model.graph, model.catalogue)
    arrays = {name: np.zeros(weight.shape, "float32") for name, weight in model.graph.weights.items()}
    write_weights(Path("w.safetensors"), arrays, CheckpointInfo("Net", plugins=made))
    run("plugins", "disable", "acme")
    code, said = run("predict", "net.cnn", "--weights", "w.safetensors", "--split", "test", "--limit", "1")
    assert code == 1
    assert "the weights were made with plugin acme (striate-acme 1.0), which is disabled" in said
    assert "striate plugins enable acme" in said


def test_what_only_training_used_is_told_where_that_counts(site, run):
    site(acme="1.0")
    Path("net.cnn").write_text(text("relu", "cross_entropy", "acme_optimizer"))
    assert run("train", "net.cnn", "--device", "cpu")[0] == 0
    best = "runs/Net/default/best.safetensors"
    assert read_info(Path(best)).plugins["acme"] == entry(by="recipe")
    site(acme="2.0")
    split = ("--split", "test", "--limit", "1")
    assert "acme" in run("eval", "net.cnn", "--weights", best)[1]
    assert "acme" in run("predict", "net.cnn", "--weights", best, *split)[1], "the recipe is read for its images"
    Path("image.png").write_bytes(_png())
    code, said = run("predict", "net.cnn", "--weights", best, "image.png")
    assert (code, "acme" in said) == (0, False), said


def test_a_run_that_goes_on_with_another_version_says_so(site, run, monkeypatch):
    from striate.train.recorder import Recorder

    site(acme="1.0")
    Path("net.cnn").write_text(text())
    assert run("train", "net.cnn", "--device", "cpu", "--out", "whole")[0] == 0
    ended = Recorder.on_train_epoch_end

    def stopping(self, trainer, module):
        ended(self, trainer, module)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "on_train_epoch_end", stopping)
        assert run("train", "net.cnn", "--device", "cpu", "--out", "parts")[0] != 0
    site(acme="2.0")
    code, said = run("train", "net.cnn", "--device", "cpu", "--out", "parts", "--resume")
    assert code == 0, said
    assert "warning[W0702]: the weights so far were made with plugin acme (striate-acme 1.0), and here it is" in said
    whole, parts = (read_info(Path(folder) / "best.safetensors") for folder in ("whole", "parts"))
    assert replace(whole, plugins={}) == replace(parts, plugins={}), "the plugin computes the same, so does the run"


def test_a_file_of_the_project_has_its_hash_for_a_version(site, run):
    site(other="1.0")
    Path("striate.toml").write_text('plugins = ["mine.py"]\n')
    code = CODE.replace("§", "mine")
    Path("mine.py").write_text(code[: code.index("@hookimpl\ndef striate_files")])
    run("plugins", "trust", "mine.py")
    source = text("mine_layer")
    (said,) = used(source).values()
    assert said == {"distribution": "", "version": said["version"], "used_by": "network"}
    assert said["version"].startswith("sha256:")
    model = load_source(Source("net.cnn", source.replace("acme_loss", "cross_entropy")), "Net")
    arrays = {name: np.zeros(weight.shape, "float32") for name, weight in model.graph.weights.items()}
    write_weights(Path("w.safetensors"), arrays, CheckpointInfo("Net", plugins=used(source)))
    Path("net.cnn").write_text(source.replace("acme_loss", "cross_entropy"))
    arguments = ("predict", "net.cnn", "--weights", "w.safetensors", "--split", "test", "--limit", "1")
    assert "mine" not in run(*arguments)[1]
    Path("mine.py").write_text(Path("mine.py").read_text() + "# another\n")
    run("plugins", "trust", "mine.py")
    told = run(*arguments)[1]
    assert f"plugin mine ({said['version']}, a file of the project), and here it is sha256:" in told
    assert "take back the mine.py of that time" in told


@pytest.mark.parametrize(
    "said",
    [
        [],
        {"acme": "1.0"},
        {"acme": {}},
        {"acme": {"distribution": "striate-acme", "version": "1.0"}},
        {"acme": {"distribution": "x'; rm -rf ~; '", "version": "1.0", "used_by": "network"}},
        {"acme": {"distribution": "striate-acme", "version": "1.0'; rm -rf ~; '", "used_by": "network"}},
        {"acme": {"distribution": "striate-acme", "version": "1.0\n", "used_by": "network"}},
        {"acme": {"distribution": "", "version": "sha256:x", "used_by": "network"}},
        {"a\x1b[2J": {"distribution": "striate-acme", "version": "1.0", "used_by": "network"}},
        {"acme": {"distribution": 3, "version": "1.0", "used_by": "network"}},
    ],
)
def test_a_strangers_file_says_nothing_that_is_not_of_the_form(said, tmp_path):
    assert not is_provenance(said)
    assert read_provenance(json.dumps(said)) == {}
    weights = {"conv1.weight": np.zeros((1, 1, 1, 1), "float32")}
    write_weights(tmp_path / "w.safetensors", weights, CheckpointInfo("Net", plugins=said))
    with pytest.raises(DiagnosticError) as caught:
        read_info(tmp_path / "w.safetensors")
    assert caught.value.diagnostics[0].code == "E0503"


def test_what_is_no_json_says_nothing():
    assert read_provenance("{") == read_provenance("") == read_provenance("[" * 100_000) == {}


def _png() -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "PNG")
    return stream.getvalue()
