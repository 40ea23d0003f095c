"""What a plugin's code does wrong when it is used: told in a sentence that names it, and nothing is written."""

from __future__ import annotations

import pickle
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from striate.cli import COMMANDS, group
from striate.cli.boundary import run_guarded
from striate.formats.kinds import KINDS as FORMATS
from striate.host.kinds import KINDS
from striate.host.work_records import TORCH
from striate.importing.guard import RunsCodeError, nothing_runs
from striate.model import load_source
from striate.ops.initializers import start_values
from striate.runtime.checkpoint import CheckpointInfo, write_weights
from striate_dsl.source import Source
from tests.engine.host.in_process import installed

NET = """model Net {
  input image: 1 x 8 x 8
  conv(4, 3) -> relu -> global_avgpool -> flatten -> dense(2)
  output logits
}
"""

HEAD = """\
from dataclasses import replace
from striate.plugin import *

def work(*given, **named):
    import numpy as np
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run `striate` in a folder with `net.cnn`, weights and an image, with a plugin `acme` of some code installed."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "net.cnn").write_text(NET)
    graph = load_source(Source("net.cnn", NET)).graph
    arrays = {name: start_values(weight, 0) for name, weight in graph.weights.items()}
    write_weights(work / "net.safetensors", arrays, CheckpointInfo("Net", text=NET, task="classification"))
    Image.fromarray((np.arange(64).reshape(8, 8) * 4).astype("uint8")).save(work / "image.png")

    def call(code: str, *arguments: str, leaves: str = "") -> tuple[int, str]:
        before = {path.name: path.read_bytes() for path in work.iterdir()}
        with installed(tmp_path / f"site{len(list(tmp_path.iterdir()))}", code, "acme"):
            found = run_guarded(group, list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        if found:
            assert {path.name: path.read_bytes() for path in work.iterdir() if path.name != leaves} == before
        return found, captured.out + captured.err

    return call


def plugin(kind: str, record: str, body: str, *, further: str = "") -> str:
    """Return the code of a plugin with one record `bent`, whose function `work(*given, **named)` has this body."""
    inner = textwrap.indent(textwrap.dedent(body), "    ")
    made = f'{record}("bent", "Bent.", Factory("acme:work"){further})'
    return f"{HEAD}{inner}\n\n@hookimpl\ndef striate_{kind}(context):\n    return [{made}]\n"


# ------------------------------------------------------------------------------------------ passes

PASS = ("export", "net.cnn", "--pass", "bent")
NAMED = "the pass bent of plugin acme"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise KeyError('gain')", f"error[E0720]: {NAMED} failed: KeyError: 'gain'"),
        ("return None", f"error[E0721]: {NAMED} returned a NoneType where a Network is due"),
        (
            "return replace(given[0], graph=replace(given[0].graph, outputs={}))",
            "the outputs no longer have the same names and sizes",
        ),
        (
            "given[0].arrays['conv1.weight'][:] = 0\nreturn given[0]",
            f"error[E0721]: {NAMED} broke the network:\n  it changed the network that it was given",
        ),
        ("return replace(given[0], arrays={})", "weight 'conv1.weight' has no array"),
        (
            "a = {k: v.astype('float64') for k, v in given[0].arrays.items()}\nreturn replace(given[0], arrays=a)",
            "weight 'conv1.weight' is (4, 1, 3, 3) in float32, and its array (4, 1, 3, 3) in float64",
        ),
        (
            "a = {k: 2 * v for k, v in given[0].arrays.items()}\nreturn replace(given[0], arrays=a)",
            f"error[E0723]: with {NAMED}, Net computes something else",
        ),
        (
            "g = given[0].graph\nreturn replace(given[0], graph=g.with_nodes(g.nodes[1:]))",
            "node 'relu1' uses 'conv1' before any node makes it",
        ),
        (
            "g = given[0].graph\nfirst = replace(g.nodes[0], attributes={**g.nodes[0].attributes, 'stride': (2, 2)})\n"
            "return replace(given[0], graph=g.with_nodes((first, *g.nodes[1:])))",
            "node 'conv1' says that it gives other sizes than the rule of conv does",
        ),
        (
            "g = given[0].graph\nfirst = replace(g.nodes[0], op='conf')\n"
            "return replace(given[0], graph=g.with_nodes((first, *g.nodes[1:])))",
            "node 'conv1' (conf): no installed plugin provides the layer conf",
        ),
    ],
)
def test_a_pass_that_breaks_its_terms(run, body, said):
    code, printed = run(plugin("passes", "PassRecord", body), *PASS)
    assert code == 1
    assert said in printed
    assert NAMED in printed


def test_a_sound_pass_runs_where_it_is_asked_for(run):
    body = "print('ran', any(node.op == 'bn' for node in given[0].graph.nodes))\nreturn given[0]"
    text = NET.replace("-> relu", "-> bn -> relu")
    for point, sees in (("before_folding", True), ("after_folding", False)):
        code, printed = run(plugin("passes", "PassRecord", body, further=f", point={point!r}"), "check", "net.cnn")
        assert (code, "ran" in printed) == (0, False)
        Path("net.cnn").write_text(text)
        code, printed = run(plugin("passes", "PassRecord", body, further=f", point={point!r}"), *PASS, "--fold")
        assert code == 0, printed
        assert f"ran {sees}" in printed


def test_a_file_may_have_its_own_name_for_a_pass_and_a_check_finds_one_that_nobody_has(run):
    code = plugin("passes", "PassRecord", "return given[0]")
    Path("net.cnn").write_text(f"use acme.bent as tidy\n{NET}export Net {{ passes = [tidy] }}\n")
    assert run(code, "check", "net.cnn") == (0, "net.cnn: model Net is fine\n")
    exit_code, printed = run(code, "export", "net.cnn")
    assert (exit_code, "rewritten by bent (acme)" in printed) == (0, True)
    Path("net.cnn").write_text(f"{NET}export Net {{ passes = [acme.bemt] }}\n")
    exit_code, printed = run(code, "check", "net.cnn")
    assert exit_code == 1
    assert "error[E0722]: there is no pass acme.bemt" in printed
    assert "--> net.cnn:6:" in printed


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_passes_go_with_narrow_numbers(run, precision):
    body = "g = given[0].graph\nreturn replace(given[0], graph=replace(g, arguments={}))"
    further = ("--calibrate", "digits") if precision == "int8" else ()
    code, printed = run(plugin("passes", "PassRecord", body), *PASS, "--precision", precision, *further)
    assert code == 0, printed
    assert "rewritten by bent (acme)" in printed


def test_a_pass_that_nobody_has(run):
    code, printed = run(plugin("passes", "PassRecord", "return given[0]"), "export", "net.cnn", "--pass", "bend")
    assert code == 1
    assert "error[E0722]: there is no pass bend" in printed
    assert "did you mean bent?" in printed


# ------------------------------------------------------------------------------------------ back ends

PREDICT = ("predict", "net.cnn", "image.png", "--weights", "net.safetensors", "--backend", "bent")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise OSError('no device')", "error[E0720]: the back end bent of plugin acme failed: OSError: no device"),
        ("import acme_runtime", "help: it needs acme_runtime: pip install 'acme_runtime'"),
        ("return 3", "error[E0721]: the back end bent of plugin acme returned no function"),
        ("return lambda arrays: {}", "error[E0720]: the back end bent of plugin acme failed: ValueError: it gave no"),
        (
            "return lambda arrays: {'logits': np.zeros((len(arrays['image']), 2), 'float32')}",
            "error[E0723]: the back end bent of plugin acme does not compute what torch does for Net",
        ),
    ],
)
def test_a_back_end_that_breaks_its_terms(run, body, said):
    code, printed = run(plugin("backends", "BackendRecord", body), *PREDICT)
    assert code == 1
    assert said in printed


def test_another_back_end_takes_no_device(run):
    code, printed = run(plugin("backends", "BackendRecord", "return 3"), *PREDICT, "--device", "cuda")
    assert code == 2
    assert "--device is about torch" in printed


# ------------------------------------------------------------------------------------------ exporters

EXPORT = ("export", "net.cnn", "--format", "bent")
AS_BENT = ', title="Bent", suffix=".bent"'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise KeyError('op')", "error[E0720]: the exporter bent of plugin acme failed: KeyError: 'op'"),
        ("return b'net'", "error[E0721]: the exporter bent of plugin acme returned a bytes where a Converted is due"),
        (
            "from striate.factories import Converted\nreturn Converted({'.bend': b''}, len, 'bend')",
            "error[E0721]: the exporter bent of plugin acme gave no bytes for its main file, .bent",
        ),
        (
            "from striate.factories import Converted\nreturn Converted({'.bent': b'', '.c': b''}, len, 'bend')",
            "gave a file .c, which its record does not name in beside",
        ),
        (
            "from striate.factories import Converted\nreturn Converted({'.bent': b''}, lambda arrays: {}, 'bend')",
            "error[E0639]: as Bent (plugin acme), Net does not compute what torch does",
        ),
        (
            "from striate.factories import RefusedError\nraise RefusedError('no conv')",
            "error[E0638]: Net cannot be written as Bent (plugin acme)",
        ),
    ],
)
def test_an_exporter_that_breaks_its_terms(run, body, said):
    code, printed = run(plugin("exporters", "ExporterRecord", body, further=AS_BENT), *EXPORT)
    assert code == 1
    assert said in printed


def test_a_format_that_nobody_has(run):
    code, printed = run(plugin("passes", "PassRecord", ""), "export", "net.cnn", "--format", "openvin")
    assert code == 1
    assert "there is no exporter openvin" in printed
    assert "did you mean openvino?" in printed


# ------------------------------------------------------------------------------------------ importers

READS = ', suffixes=(".bent",)'
TEXT = "model Tiny { input x: 3; dense(2) as d; output y }"


@pytest.fixture
def bent(run):
    """A file for the importer, in the folder that `run` works in."""
    Path("net.bent").write_bytes(pickle.dumps({"a": Evil()}))


class Evil:
    """An object whose unpickling calls what the file names."""

    def __reduce__(self):
        return (print, ("code of the file runs",))


UNPICKLE = "import pickle\npickle.loads(given[0].read_bytes())\nraise ValueError('read')"


def imported(weights: str, text: str = TEXT) -> str:
    return f"from striate.factories import ImportedText\nreturn ImportedText({text!r}, {weights})"


SOUND = "{'d.weight': np.ones((2, 3), 'float32'), 'd.bias': np.zeros(2, 'float32')}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 'text'", "error[E0721]: the importer bent of plugin acme returned a str where an ImportedText is due"),
        (imported("{}", "model { }"), "error[E0721]: the importer bent of plugin acme wrote a text with mistakes"),
        (imported("{'d.bias': np.zeros(2, 'float32')}"), "gave no array for the weight d.weight, which is 2 x 3 in"),
        (imported(SOUND.replace("(2, 3)", "(3, 2)")), "gave the weight d.weight as (3, 2) in float32"),
        (imported(SOUND[:-1] + ", 'e': np.zeros(1)}"), "gave an array for e, which the network does not have"),
        (
            imported(SOUND + ", original=lambda: lambda arrays: {'y': arrays['x'][:, :2]}"),
            "error[E0607]",
        ),
        (UNPICKLE, "error[E0724]: the importer bent of plugin acme was stopped while it read net.bent: it unpickles"),
        ("import os\nos.system('true')", "error[E0724]"),
    ],
)
def test_an_importer_that_breaks_its_terms(run, bent, body, said):
    code, printed = run(plugin("importers", "ImporterRecord", body, further=READS), "import", "net.bent")
    assert code == 1
    assert said in printed
    assert "code of the file runs" not in printed


def test_a_file_that_can_run_code_needs_trust(run, bent):
    code = plugin("importers", "ImporterRecord", UNPICKLE, further=f"{READS}, runs_code=True")
    exit_code, printed = run(code, "import", "net.bent")
    assert (exit_code, "code of the file runs" in printed) == (1, False)
    assert "error[E0724]: net.bent was not opened: the importer bent of plugin acme can run code" in printed
    exit_code, printed = run(code, "import", "net.bent", "--trust")
    assert (exit_code, "code of the file runs" in printed) == (1, True)
    assert "failed: ValueError: read" in printed


def test_what_an_importer_gives_is_compared_with_its_own_runtime(run, bent):
    own = "lambda: lambda arrays: {'y': np.repeat(arrays['x'].sum(1, keepdims=True), 2, 1)}"
    body = imported(f"{SOUND}, original={own}, origin='made by hand', notes=('a note',)")
    code, printed = run(plugin("importers", "ImporterRecord", body, further=READS), "import", "net.bent")
    assert code == 0, printed
    assert "made by hand; 1 layers with 8 parameters" in printed
    assert "note: a note" in printed
    assert "bent (plugin acme) gives the same values as torch" in printed


def test_options_of_other_readers_say_nothing_to_an_importer(run, bent):
    code = plugin("importers", "ImporterRecord", imported("{}"), further=READS)
    for option in (("--scale", "n"), ("--trust",)):
        exit_code, printed = run(code, "import", "net.bent", *option)
        assert exit_code == 1
        assert f"error[E0646]: {option[0]} says nothing about net.bent" in printed


def test_an_importer_can_be_named_and_two_for_one_ending_are_an_error(run, bent):
    two = plugin("importers", "ImporterRecord", imported("{}"), further=READS).replace(
        "return [Imp", "return [replace(ImporterRecord('other', 'O.', Factory('acme:work'), ('.bent',))), Imp"
    )
    code, printed = run(two, "import", "net.bent")
    assert code == 1
    assert ".bent files are read by bent of plugin acme and other of plugin acme" in printed
    assert "--importer bent or --importer other" in printed
    assert run(two, "import", "net.bent", "--importer", "other")[0] == 0


def test_the_guard_lets_ordinary_reading_pass(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    with nothing_runs():
        assert np.load(tmp_path / "a.npy").tolist() == [0, 1, 2]
        with pytest.raises(RunsCodeError):
            pickle.loads(pickle.dumps(Evil))
    assert pickle.loads(pickle.dumps(Evil)) is Evil


def test_the_guard_lets_torch_read_tensors_and_stops_it_before_it_reads_objects(tmp_path):
    torch.save({"weight": torch.arange(3)}, tmp_path / "tensors.pt")
    torch.save({"weight": Evil()}, tmp_path / "objects.pt")
    with nothing_runs():
        assert torch.load(tmp_path / "tensors.pt", weights_only=True)["weight"].tolist() == [0, 1, 2]
        with pytest.raises(RunsCodeError):
            torch.load(tmp_path / "objects.pt", weights_only=False)


# ------------------------------------------------------------------------------------------ explainers

ATTRIBUTE = ("attribute", "net.cnn", "image.png", "--weights", "net.safetensors", "-o", "seen.png")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no gradient')", "error[E0720]: the explainer bent of plugin acme failed: ValueError: no g"),
        ("return 3", "error[E0721]: the explainer bent of plugin acme returned a int where an array H x W is due"),
        ("return np.zeros((1, 8, 8))", "returned an array of the size (1, 8, 8) where H x W is due"),
        ("return np.full((8, 8), np.nan)", "returned numbers that are not finite"),
        ("return -np.ones((8, 8))", "returned numbers below 0, and its record does not say signed = True"),
    ],
)
def test_an_explainer_that_breaks_its_terms(run, body, said):
    code, printed = run(plugin("explainers", "ExplainerRecord", body), *ATTRIBUTE, "--method", "bent")
    assert code == 1
    assert said in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--method", "salience"), "error[E0405]: there is no method salience"),
        (("--method", "saliency(power = 2)"), "error[E0402]: saliency has no argument power"),
        (("--method", "a b"), "error[E0725]: cannot read the method a b"),
        (("--class", "7"), "error[E0725]: the network has no class 7"),
        (("--layer", "conv"), "error[E0725]: Net has no layer conv: did you mean conv1?"),
        (("--layer", "dense1"), "error[E0725]: layer dense1 gives no map with rows and columns"),
        (("-o", "seen.jpg"), "the picture is a PNG file"),
    ],
)
def test_what_cannot_be_explained(run, arguments, said):
    code, printed = run(plugin("passes", "PassRecord", ""), *ATTRIBUTE, *arguments)
    assert code in (1, 2)
    assert said in printed


# ------------------------------------------------------------------------------------------ commands


def command(body: str, name: str = "bent") -> str:
    inner = textwrap.indent(textwrap.dedent(body), "    ")
    made = f"import click\n@click.command()\ndef inner():\n{inner}\nreturn inner"
    return plugin("commands", "CommandRecord", made).replace('"bent"', f'"{name}"', 1)


def test_a_command_that_fails_names_its_plugin(run):
    code, printed = run(command("raise RuntimeError('no luck')"), "bent")
    assert code == 1
    assert "error[E0720]: the command bent of plugin acme failed: RuntimeError: no luck" in printed
    assert "raised in inner, " in printed


def test_a_command_may_end_as_it_likes(run):
    assert run(command("raise click.exceptions.Exit(7)"), "bent")[0] == 7
    assert run(command("raise click.UsageError('not so')"), "bent")[0] == 2
    code, printed = run(command("import striate; striate.load('nothing.cnn')"), "bent")
    assert code == 1
    assert "nothing.cnn" in printed


def test_what_is_no_command(run):
    code, printed = run(plugin("commands", "CommandRecord", "return print"), "bent")
    assert code == 1
    assert "error[E0721]: the command bent of plugin acme was made as a builtin_function_or_method" in printed


def test_a_command_with_the_name_of_a_built_in_one_sets_the_plugin_aside(run):
    code, printed = run(command("0", "check"), "check", "net.cnn")
    assert (code, printed.count("acme")) == (0, 0), "striate's own command needs no plugin"
    code, printed = run(command("0", "check"), "--help")
    assert code == 0
    assert "plugin acme cannot be loaded: it provides the command check, and striate itself has one" in printed


def test_an_unknown_command_names_the_nearest_of_plugins_too(run):
    code, printed = run(command("0"), "bemt")
    assert code == 2
    assert "Did you mean bent?" in printed


def test_a_command_of_two_plugins_is_called_by_the_plugins_name(run, tmp_path):
    other = command("click.echo('of other')").replace("acme:", "other:")
    with installed(tmp_path / "other", other, "other"):
        code, printed = run(command("click.echo('of acme')"), "bent")
        assert code == 1
        assert "bent is provided by acme and other" in printed
        code, printed = run(command("click.echo('of acme')"), "other.bent")
        assert (code, printed) == (0, "of other\n")
        listed = run(command("0"), "--help")[1]
        assert "acme.bent" in listed
        assert "other.bent" in listed


# ------------------------------------------------------------------------------------------ texts and layers


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('too deep')", "error[E0720]: the file acme.net of plugin acme failed: ValueError: too deep"),
        ("return 3", "error[E0721]: the file acme.net of plugin acme was made as a int where the text of a .cnn file"),
        ("return 'block A { conf(3) }'", "conf"),
        ("return 'use \"b.cnn\"'", "error[E0703]: acme.net is made by a function, so there is no file acme/b.cnn"),
    ],
)
def test_a_text_that_cannot_be_made(run, body, said):
    code = plugin("files", "FileRecord", body).replace(
        'FileRecord("bent", "Bent.", Factory("acme:work"))', 'FileRecord("acme.net", "B.", build=Factory("acme:work"))'
    )
    Path("net.cnn").write_text(f"use acme.net\n{NET.replace('relu', 'A') if 'conf' in body else NET}")
    exit_code, printed = run(code, "check", "net.cnn")
    assert exit_code == 1
    assert said in printed
    assert "net.cnn:1:" in printed or "acme/" in printed


LAYER = """\
from striate.plugin import *

def shape(attributes, inputs, check):
    {shape}

def torch(call):
    {torch}

@hookimpl
def striate_layers(context):
    return [OpRecord("bent", "Bent.", shape, torch, lambda call, sink: sink.node("Relu", call.inputs, call.outputs))]
"""


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("return 1 / 0", "error[E0720]: the rules of the layer acme.bent failed: ZeroDivisionError: division by zero"),
        ("return [3, 4]", "error[E0721]: acme.bent: its shape rule gave no tuple of TensorTypes"),
    ],
)
def test_a_rule_that_fails_is_told_at_the_call_and_the_rest_is_checked(run, shape, said):
    Path("net.cnn").write_text(NET.replace("relu", "bent") + NET.replace("Net", "Other").replace("relu", "relo"))
    code, printed = run(LAYER.format(shape=shape, torch="return call.inputs[0]"), "check", "net.cnn")
    assert code == 1
    assert said in printed
    assert "net.cnn:3:" in printed
    assert "relo" in printed


def test_what_runs_later_names_the_plugin_too(run):
    Path("net.cnn").write_text(NET.replace("relu", "bent"))
    code, printed = run(LAYER.format(shape="return inputs", torch="return 1 / 0"), "export", "net.cnn")
    assert code == 1
    assert "error[E0720]: plugin acme failed: ZeroDivisionError: division by zero" in printed
    assert "raised in torch, " in printed


@pytest.mark.parametrize(
    ("kind", "record", "setting", "body"),
    [
        ("optimizers", "OptimizerRecord", "optimizer = bent", "raise KeyError('betas')"),
        ("schedules", "ScheduleRecord", "schedule = bent", "return lambda epoch: {}['betas']"),
        ("losses", "LossRecord", "loss = bent", "return lambda scores, targets: {}['betas']"),
        ("metrics", "MetricRecord", "metrics = [bent]", "raise KeyError('betas')"),
        ("data_sets", "DataRecord", "data = bent", "raise KeyError('betas')"),
    ],
)
def test_what_fails_in_training_names_the_plugin(run, kind, record, setting, body):
    recipe = {"data": "digits(limit = 60)", "loss": "cross_entropy", "optimizer": "sgd(lr = 0.1)", "epochs": "1"}
    recipe |= {setting.partition(" = ")[0]: setting.partition(" = ")[2]}
    lines = "; ".join(f"{key} = {value}" for key, value in recipe.items())
    Path("net.cnn").write_text(NET.replace("dense(2)", "dense(10)") + f"train Net {{ {lines} }}\n")
    exit_code, printed = run(plugin(kind, record, body), "train", "net.cnn", leaves="runs")
    assert exit_code == 1
    assert "plugin acme" in printed
    assert "KeyError: 'betas'" in printed


def test_a_task_that_fails_names_the_plugin(run):
    code = plugin("tasks", "TaskRecord", "raise KeyError('betas')")
    head = 'HeadRecord("bowed", "Bowed.", "block B(classes) { conv(classes, 1) }", "b.cnn", ("out",), "bent")'
    code += f"\n@hookimpl\ndef striate_heads(context):\n    return [{head}]\n"
    text = "model Net { input image: 1 x 8 x 8; conv(4, 3) -> relu; head bowed(classes = 2) }"
    Path("net.cnn").write_text(text)
    arrays = {
        "conv1.weight": (4, 1, 3, 3),
        "conv1.bias": (4,),
        "head.conv1.weight": (2, 4, 1, 1),
        "head.conv1.bias": (2,),
    }
    zeros = {name: np.zeros(shape, "float32") for name, shape in arrays.items()}
    write_weights(Path("bowed.safetensors"), zeros, CheckpointInfo("Net", text=text))
    exit_code, printed = run(code, "predict", "net.cnn", "image.png", "--weights", "bowed.safetensors")
    assert exit_code == 1
    assert "error[E0720]: plugin acme failed: KeyError: 'betas'" in printed


# ------------------------------------------------------------------------------------------ names


def test_the_reserved_names_are_those_that_striate_has():
    reserved = {kind.plural: kind.reserved for kind in KINDS if kind.reserved}
    assert reserved == {"commands": frozenset(COMMANDS), "exporters": frozenset(FORMATS), "backends": {TORCH}}
