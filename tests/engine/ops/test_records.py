"""What every record owes its readers: words, samples, plain names, and no heavy import before a rule runs."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from striate.graph import TensorType
from striate.ops import BUILTIN, REQUIRED, Check, Choice, OpRecord, convert_all, index
from striate.ops.arguments import format_value
from tests.engine.ops.configurations import ACCEPTED, infer, sample_id

records = pytest.mark.parametrize("record", BUILTIN.values(), ids=lambda record: record.name)
FAMILIES = (
    ("conv", "deconv"),
    ("local_conv",),
    ("deform_conv",),
    ("table_conv",),
    ("partial_conv",),
    ("maxpool", "avgpool"),
    ("minpool", "lppool", "mixed_pool"),
    ("global_avgpool", "global_maxpool", "global_minpool", "global_lppool"),
    ("adaptive_avgpool", "adaptive_maxpool", "spp"),
    ("stochastic_pool", "fractional_maxpool"),
    ("max_unpool",),
    ("roi_pool", "roi_align", "psroi_pool"),
    ("bn", "instancenorm"),
    ("layernorm", "rmsnorm"),
    ("groupnorm", "grn", "adain"),
    ("lrn", "l2norm"),
    ("relu", "relu6", "leaky_relu", "prelu", "rrelu", "threshold", "clip"),
    ("elu", "selu", "celu", "silu", "swish", "mish", "gelu"),
    ("tanh", "sigmoid", "log_sigmoid", "hardsigmoid", "hardswish", "softsign", "softplus", "step"),
    ("softmax", "log_softmax", "softmin"),
    ("gumbel_softmax", "gumbel_sigmoid"),
    ("maxout", "glu"),
    ("linear", "exp", "log", "sqrt", "abs", "neg", "square", "reciprocal"),
    ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf"),
    ("ceil", "floor", "round", "sign", "power"),
    ("scale", "offset"),
    ("dense", "dropconnect"),
    ("lstm", "gru"),
    ("convlstm",),
    ("attention",),
    ("window_attention",),
    ("nonlocal",),
    ("graphconv",),
    ("flatten", "reshape", "unflatten", "permute", "transpose"),
    ("slice", "select", "split", "chunk"),
    ("roll", "flip", "tile"),
    ("pad", "crop", "expand"),
    ("upsample", "resize"),
    ("pixel_shuffle", "pixel_unshuffle", "depth_to_space", "space_to_depth", "channel_shuffle"),
    ("grid_sample", "affine_grid"),
    ("sobel", "prewitt", "laplacian", "sharpen", "emboss", "box_blur", "gaussian_blur"),
    ("median_blur", "bilateral"),
    ("coordinates",),
    ("reduce_mean", "reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_logsumexp", "reduce_std"),
    ("argmax", "argmin", "cumsum", "cumprod"),
    ("gather", "scatter", "topk", "one_hot"),
    ("dropout", "spatial_dropout", "alpha_dropout", "droppath", "concrete_dropout", "gaussian_noise", "cutout"),
    ("add", "mul", "concat", "sub", "div", "maximum", "minimum", "average", "stack", "pow", "fmod", "mod"),
    ("matmul", "dot", "cosine_similarity", "l2_distance"),
    ("greater", "greater_equal", "less", "less_equal", "equal"),
    ("logical_and", "logical_or", "logical_xor", "logical_not", "where"),
    ("parameter", "broadcast"),
    ("identity",),
)

PRODUCTS_WITHOUT_WEIGHTS = {
    "matmul",
    *("sobel", "prewitt", "laplacian", "sharpen", "emboss", "box_blur", "gaussian_blur"),
}
"""Layers with multiply-adds and nothing to train: a product of values, convolutions with constant kernels."""


def test_the_layers_of_the_language_are_there():
    assert list(BUILTIN) == [name for family in FAMILIES for name in family]


def test_the_index_is_up_to_date():
    assert index.TARGET.read_text(encoding="utf-8") == index.index_text(), "run: python -m striate.ops.index"


def test_only_the_layers_that_a_network_has_are_imported():
    code = (
        "import sys; from striate.checking import check_file; "
        f"assert not check_file({str(files('striate_plugins') / 'zoo' / 'resnet.cnn')!r}).failed; "
        "print(*sorted(name for name in sys.modules if name.startswith('striate.ops.')))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "striate.ops.conv" in said and "striate.ops.rectifier" in said
    assert not {"striate.ops.sampling", "striate.ops.reduction", "striate.ops.gating"} & set(said)


def test_the_language_page_names_them():
    page = (Path(__file__).parents[3] / "docs" / "language.md").read_text(encoding="utf-8")
    described = [record.name for record in BUILTIN.values() if record.role not in ("other", "weights")]
    assert [name for name in described if f"`{name}`" not in page] == []


@records
class TestWords:
    def test_names_are_identifiers(self, record: OpRecord):
        names = [record.name, *(argument.name for argument in record.arguments)]
        assert all(name.isidentifier() and name == name.lower() for name in names)
        assert len(set(names)) == len(names)
        assert BUILTIN[record.name] is record

    def test_summary_is_a_sentence_and_has_a_source(self, record: OpRecord):
        assert len(record.summary) > 20
        assert record.summary[0].isupper()
        assert record.summary[-1] in ".…"
        assert len(record.reference) > 20

    def test_arguments_are_documented(self, record: OpRecord):
        for argument in record.arguments:
            assert argument.summary[0].isupper()
            assert argument.summary.endswith((".", ")"))
            assert argument.kind.describe()
            assert argument.kind.describe()[0].islower()

    def test_required_arguments_come_first(self, record: OpRecord):
        required = [argument.required for argument in record.arguments]
        assert required == sorted(required, reverse=True)

    def test_defaults_are_legal_and_shown_as_written(self, record: OpRecord):
        for argument in record.arguments:
            if argument.default is not REQUIRED:
                argument.kind.convert(argument.default)
                assert argument.signature == f"{argument.name} = {format_value(argument.default)}"
        assert '"' not in record.signature, "a plain name is not text"
        assert "None" not in record.signature

    def test_settled_values_are_taken_again(self, record: OpRecord):
        """What the graph keeps can be written down and read back: an importer and a formatter rely on it."""
        for sample in record.samples:
            if sample.fails is None:
                layer = infer(record, sample.arguments, sample.inputs)
                assert convert_all(record.arguments, layer.attributes) == layer.attributes
                assert record.settle(dict(layer.attributes), layer.inputs) == layer.attributes

    def test_samples_show_success_and_failure(self, record: OpRecord):
        accepted = [sample for sample in record.samples if sample.fails is None]
        assert len(accepted) >= 2
        images = [shape for sample in accepted for shape in sample.inputs if len(shape) == 3]
        if images:
            assert any(height != width for _, height, width in images), "a square image hides swapped axes"
        if record.arguments or record.merge:
            assert any(sample.fails for sample in record.samples)
        shown = {name for sample in accepted for name in sample.arguments}
        assert {argument.name for argument in record.arguments} <= shown, "every argument is shown once"

    def test_rules_are_called_by_the_names_of_the_record(self, record: OpRecord):
        assert list(inspect.signature(record.shape).parameters) == ["attributes", "inputs", "check"]
        assert list(inspect.signature(record.window).parameters) == ["attributes", "inputs"]


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_weights_are_named_and_counted(record: OpRecord, sample):
    layer = infer(record, sample.arguments, sample.inputs)
    specs = record.weights(layer.attributes, layer.inputs)
    roles = [spec.role for spec in specs]
    assert len(set(roles)) == len(roles)
    assert all(role.isidentifier() for role in roles)
    assert [spec.role for spec in specs if not spec.trainable] == [role for role in roles if role.startswith("running")]
    macs = record.macs(layer.attributes, layer.inputs, layer.outputs)
    assert isinstance(macs, int)
    assert (macs > 0) == (record.role == "weights" or record.name in PRODUCTS_WITHOUT_WEIGHTS)


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_rules_change_nothing_that_they_are_given(record: OpRecord, sample):
    inputs = tuple(TensorType(shape) for shape in sample.inputs)
    converted = convert_all(record.arguments, sample.arguments)
    kept = dict(converted)
    settled = record.settle(converted, inputs)
    assert converted == kept
    kept = dict(settled)
    record.shape(settled, inputs, Check())
    record.weights(settled, inputs)
    record.window(settled, inputs)
    assert settled == kept


def test_declaring_records_imports_nothing_heavy():
    script = (
        "import sys, striate.ops\n"
        "record = striate.ops.BUILTIN['conv']\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'numpy', 'networkx', 'triton', 'lightning'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_plain_names_are_taken_as_choices():
    converted = convert_all(BUILTIN["conv"].arguments, {"channels": 1, "kernel": 3, "pad": Choice("half")})
    assert converted["pad"] == "half"
    assert convert_all(BUILTIN["maxpool"].arguments, {"kernel": 3, "stride": Choice("none")})["stride"] is None


def test_signatures_read_like_the_language():
    wanted = "maxpool(kernel, stride = none, pad = 0, dilation = 1, ceil = false, indices = false)"
    assert BUILTIN["maxpool"].signature == wanted
    assert BUILTIN["dense"].signature == "dense(features, bias = true, init = he_normal, weight = plain)"
    assert BUILTIN["relu"].signature == "relu()"
