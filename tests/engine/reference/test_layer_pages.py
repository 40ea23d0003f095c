"""The pages of layers say what the compiler does: their calls are written into files and compiled, exported and run."""

from __future__ import annotations

import re

import pytest
import torch
from torch.overrides import resolve_name

from striate.checking import check_source
from striate.dims import symbol
from striate.exporting import export_model
from striate.model import load_source
from striate.ops import BUILTIN, OpRecord, Real, Sample
from striate.ops.arguments import Argument, Choice, OneOf
from striate.ops.problems import LayerError
from striate.reference.layer_page import layer_page
from striate.reference.page import Code, Table
from striate.reference.sample_runs import open_run, refused, taken, written_call
from striate_dsl.formatter import format_source
from striate_dsl.source import Source
from tests.engine.ops.configurations import infer

records = pytest.mark.parametrize("record", BUILTIN.values(), ids=lambda record: record.name)


def text_of(call, inputs):
    """Return a file that makes the call on inputs of these sizes."""
    known = "skip|grid|keys|values|adjacency|indices|rois|mask|state|cell|offsets|modulation"
    named = re.findall(rf"\b({known})\b(?! =)", call.partition("(")[2])
    names = ["value0", *named] if named else [f"value{index}" for index in range(len(inputs))]
    lines = [f"  input {name}: {' x '.join(map(str, kind.shape))}" for name, kind in zip(names, inputs, strict=True)]
    if len(names) > 1 and not named:
        name, _, arguments = call.removesuffix(")").partition("(")
        call = f"{name}({', '.join([*names[1:], *([arguments] if arguments else [])])})"
    return "\n".join(["model One {", *lines, f"  {names[0]} -> {call}", "  output result", "}", ""])


@records
def test_every_call_compiles_to_what_the_page_says(record: OpRecord):
    for run in taken(record):
        model = load_source(Source("one.cnn", text_of(run.call, run.inputs)))
        (node,) = model.graph.nodes
        assert [value.type for value in node.outputs] == list(run.outputs)
        assert dict(node.attributes) == dict(run.attributes)
        assert model.parameters == run.parameters
        assert model.summary().totals.macs == run.macs


def refuses_open_sizes(record: OpRecord) -> bool:
    """Whether a layer says of its first sample on an open height and width that it needs fixed ones."""
    sample = record.samples[0]
    with pytest.raises(LayerError) as refused:
        infer(record, sample.arguments, [(shape[0], *map(symbol, "HWD"[: len(shape) - 1])) for shape in sample.inputs])
    return refused.value.problem.code == "E0207"


@records
def test_open_sizes_are_those_of_the_compiler(record: OpRecord):
    run = open_run(record)
    if run is None:
        accepted = [sample for sample in record.samples if sample.fails is None]
        flat = all(any(len(shape) == 1 for shape in sample.inputs) for sample in accepted)
        assert flat or refuses_open_sizes(record)
        return
    model = load_source(Source("one.cnn", text_of(run.call, run.inputs)))
    assert model.graph.nodes[0].outputs[0].type == run.outputs[0]
    told = model.domain.sentences()
    assert all(sentence in told for sentence in run.domain.sentences() if run.domain.constraints)


@records
def test_every_refusal_is_what_check_says(record: OpRecord):
    for item in refused(record):
        text = text_of(item.call, item.inputs)
        (found,) = check_source(Source("one.cnn", text)).diagnostics
        assert found.code == item.code
        assert found.message.endswith(item.message)


@records
def test_the_onnx_operators_are_those_of_the_file(record: OpRecord, tmp_path):
    import onnx

    run = taken(record)[0]
    model = load_source(Source("one.cnn", text_of(run.call, run.inputs)))
    export_model(model, tmp_path / "one.onnx", verify=False)
    written = [node.op_type for node in onnx.load(tmp_path / "one.onnx").graph.node]
    told = relation(record, "ONNX, opset 17")
    if record.inference == "same":
        assert written == ["Identity"]
    else:
        assert re.findall(r"`(\w+)`", told) == list(dict.fromkeys(written))


@records
def test_the_functions_of_torch_exist(record: OpRecord):
    named = re.findall(r"`([\w.]+)`", relation(record, "torch"))
    assert named or record.name in ("identity", "slice")  # slice is an index, not a function
    for name in named:
        function = torch
        for part in name.split(".")[1:]:
            function = getattr(function, part)
        assert callable(function)
        assert resolve_name(function) == name


def relation(record, name):
    table = layer_page(record).parts[-1]
    assert isinstance(table, Table)
    return dict(table.rows)[name]


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        ("conv", "torch.nn.functional.conv2d"),
        ("deconv", "torch.nn.functional.conv_transpose2d"),
        ("bn", "torch.nn.functional.batch_norm"),
        ("dense", "torch.nn.functional.linear"),
        ("concat", "torch.cat"),
    ],
)
def test_well_known_relations(layer, function):
    assert relation(BUILTIN[layer], "torch") == f"`{function}`"


def test_the_page_of_convolution():
    page = layer_page(BUILTIN["conv"]).markdown()
    assert page.startswith("# conv\n\nConvolution: out = floor(")
    assert "| `conv(6, 5)` | 1 x 32 x 32 | 6 x 28 x 28 | 156 | 117,600 |" in page  # LeNet-5's C1 (LeCun et al., 1998)
    assert "| `conv(6, 5)` | 1 x H x W | 6 x (H - 4) x (W - 4) | 156 |" in page
    assert "H and W: any, at least 5." in page
    assert "E0202: kernel 11 is larger than the height 8" in page
    assert "5 x 5 pixels, moving by 1 x 1" in page


def test_text_stays_text_where_an_argument_takes_text():
    class Words:
        def describe(self):
            return "a text"

        def convert(self, value):
            from striate.ops import ArgumentError

            if not isinstance(value, str):
                raise ArgumentError("must be a text")
            return value

    record = OpRecord(
        "made",
        "A layer.",
        BUILTIN["relu"].shape,
        BUILTIN["relu"].torch,
        BUILTIN["relu"].onnx,
        (Argument("label", Words(), "Text."), Argument("mode", OneOf(("a", "b")), "Name.", Choice("a"))),
    )
    assert written_call(record, {"label": "x", "mode": "b"}) == 'made("x", mode = b)'


def test_a_plugins_layer_may_come_without_samples():
    relu = BUILTIN["relu"]
    record = OpRecord(
        "made", "A layer.", relu.shape, relu.torch, relu.onnx, (), samples=(Sample({}, ((3, 4, 4),), fails="no"),)
    )
    assert layer_page(record, "acme").markdown() == "# made\n\nA layer.\n\n```text\nmade()\n```\n"


def test_an_argument_outside_its_range_is_refused_with_its_words():
    relu = BUILTIN["relu"]
    record = OpRecord(
        "made",
        "A layer.",
        relu.shape,
        relu.torch,
        relu.onnx,
        (Argument("slope", Real(0, 1), "Slope."),),
        samples=(Sample({"slope": 2.0}, ((3, 4, 4),), fails="slope"),),
    )
    (found,) = refused(record)
    assert (found.call, found.code) == ("made(2.0)", "E0211")
    assert found.message == "slope must be a number from 0 to 1, not 2.0"


@records
def test_the_example_is_a_whole_file_in_canonical_form(record: OpRecord):
    text = next(part.text for part in layer_page(record).parts if isinstance(part, Code) and part.language == "cnn")
    source = Source("example.cnn", text + "\n")
    assert not check_source(source).failed
    (node,) = load_source(source).graph.nodes
    assert node.op == record.name
    assert format_source(source).text == source.text
