"""Models in YAML: parameters against the published counts, values against references, mistakes against their places."""

from __future__ import annotations

import random
import sys
import time

import numpy as np
import pytest
import torch

from striate.cli.boundary import run_guarded
from striate.cli.importing import command
from striate.importer import import_file, write_import
from striate.model import load
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.importing import ultralytics_networks as networks
from tests.engine.importing import ultralytics_reference as reference

POSE = networks.yolov8("Pose, [nc, kpt_shape]", 1, "kpt_shape: [17, 3]")

DFL = 16
"""The published counts hold the 16 numbers 0, 1, …, 15 by which boxes are decoded; they are no weights here."""

PUBLISHED: dict[str, tuple[str, int, dict[str | None, int]]] = {
    "v8": (
        networks.yolov8(),
        DFL,
        {"n": 3_157_200, "s": 11_166_560, "m": 25_902_640, "l": 43_691_520, "x": 68_229_648},
    ),
    "11": (networks.yolo11(), DFL, {"n": 2_624_080, "s": 9_458_752, "m": 20_114_688, "l": 25_372_160, "x": 56_966_176}),
    "v5": (networks.yolov5(), 0, {"n": 1_872_157, "s": 7_235_389, "m": 21_190_557, "l": 46_563_709, "x": 86_749_405}),
    "v8-cls": (networks.yolov8_classify(), 0, {"n": 2_719_288}),
    "v8-seg": (networks.yolov8("Segment, [nc, 32, 256]"), DFL, {"n": 3_409_968}),
    "v8-pose": (POSE, DFL, {"n": 3_295_470}),
    "v3": (networks.yolov3(), 0, {None: 61_949_149}),
    "v5 of 2021": (networks.yolov5_of_2021(), 0, {"s": 7_276_605}),
    "v3-spp": (networks.yolov3_spp(), 0, {None: 62_998_749}),
    "v3-tiny": (networks.yolov3_tiny(), 0, {None: 8_852_366}),
}


def write(folder, text, name="net.yaml"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def made(folder, text, scale=None, **options):
    return import_file(write(folder, text), **({"scale": scale} if scale else {}), **options)


def rows(*written, nc=3, more=""):
    """Return a file whose backbone has these rows, and no head."""
    return "\n".join([f"nc: {nc}", more, "backbone:", *(f"  - [{row}]" for row in written), ""])


@pytest.mark.parametrize(
    ("model", "scale"), [(model, scale) for model, (_, _, counts) in PUBLISHED.items() for scale in counts]
)
def test_parameters_are_the_published_ones(model, scale, tmp_path):
    text, fixed, counts = PUBLISHED[model]
    assert made(tmp_path, text, scale).model.graph.parameters == counts[scale] - fixed


@pytest.mark.parametrize(
    ("name", "text"), [("yolov8n", networks.yolov8()), ("yolo11n", networks.yolo11()), ("yolov5n", networks.yolov5())]
)
def test_values_are_those_of_the_published_structure(name, text, tmp_path):
    imported = made(tmp_path, text, "n", size="64x96")
    graph = imported.model.graph
    generator = np.random.default_rng(2)
    program = imported.model.to_torch()
    arrays = {}
    for key, tensor in program.state_dict(keep_vars=True).items():
        low, high = (0.5, 1.5) if key.endswith(("running_var", "bn1.weight")) else (-0.4, 0.4)
        values = generator.uniform(low, high, tuple(tensor.shape))
        arrays[key] = values / np.sqrt(max(values[0].size / 8, 1)) if values.ndim == 4 else values
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(arrays[key]))
    image = torch.from_numpy(generator.normal(0, 1, (2, 3, 64, 96)))
    with torch.no_grad():
        stored = {key: tensor.numpy() for key, tensor in program.state_dict().items()}
        model = reference.Model(graph, stored)
        wanted = getattr(reference, name)(model, image)
        found = program.double().eval()(image)
    assert model.left() == 0
    for ours, theirs in zip(found.values(), wanted, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-7, atol=1e-9)


def test_modules_are_blocks_with_their_names(tmp_path):
    text = made(tmp_path, networks.yolo11(), "n").text
    for module in ("Conv", "DWConv", "Bottleneck", "C3k", "C3k2", "SPPF", "C2PSA", "PSABlock", "Attention"):
        assert f"block {module}" in text
    assert "repeat 2 { Bottleneck(channels, channels) }" in text


def test_sizes_stay_open_where_they_can(tmp_path):
    imported = made(tmp_path, networks.yolov8(), "n")
    assert "input image: 3 x H x W" in imported.text
    assert "input image: 3 x 640 x 640" in made(tmp_path, networks.yolo11(), "n").text
    assert "input image: 3 x 64 x 96" in made(tmp_path, networks.yolo11(), "n", size="64x96").text
    report = write_import(tmp_path / "net.yaml", tmp_path / "net.cnn", size="320")
    assert report.weights is None
    assert "input image: 3 x 320 x 320" in (tmp_path / "net.cnn").read_text()


def test_the_scale_is_that_of_the_option_of_the_name_or_the_first(tmp_path):
    text = networks.yolov8()
    named = import_file(write(tmp_path, text, "yolov8s.yaml"))
    assert (named.model.name, named.reading.origin) == ("Yolov8s", "Ultralytics YAML, scale s")
    told = import_file(write(tmp_path, text, "yolov8.yaml"), scale="m")
    assert (told.model.name, told.reading.details["scale"]) == ("Yolov8m", "m")
    first = import_file(tmp_path / "yolov8.yaml")
    assert first.reading.notes[0].startswith("scale n of n, s, m, l, x: the first")


def test_heads_are_outputs_with_remarks(tmp_path):
    imported = made(tmp_path, networks.yolov5(), "n")
    assert list(imported.model.graph.outputs) == ["detect0", "detect1", "detect2"]
    assert "# anchors in pixels (width x height): 10 x 13, 16 x 30, 33 x 23\n" in imported.text
    segment = made(tmp_path, networks.yolov8("Segment, [nc, 32, 256]"), "n")
    assert list(segment.model.graph.outputs)[3:] == ["prototypes", "masks0", "masks1", "masks2"]
    rotated = made(tmp_path, networks.yolov8("OBB, [nc, 1]", 15), "n")
    assert list(rotated.model.graph.outputs)[3:] == ["angle0", "angle1", "angle2"]


MODULES = {
    "focus": ("-1, 1, Focus, [32, 3]", 12 * 32 * 9 + 64, (32, 32, 32)),
    "depthwise": ("-1, 1, DWConv, [24, 3, 2]", 24 * 9 + 48, (24, 32, 32)),
    "grouped": ("-1, 1, Conv, [24, 3, 1, None, 3]", 24 * 9 + 48, (24, 64, 64)),
    "dilated": ("-1, 1, Conv, [8, 3, 1, None, 1, 2]", 3 * 8 * 9 + 16, (8, 64, 64)),
    "rectangular": ("-1, 1, Conv, [8, [1, 3], [1, 2]]", 3 * 8 * 3 + 16, (8, 64, 32)),
    "plain": ("-1, 1, nn.Conv2d, [8, 3, 2, 1]", 8 * 28, (8, 32, 32)),
    "plain without bias": ("-1, 1, nn.Conv2d, [6, 3, 1, 2, 2, 3, False]", 6 * 9, (6, 64, 64)),
    "transposed": ("-1, 1, nn.ConvTranspose2d, [8, 2, 2]", 3 * 8 * 4 + 8, (8, 128, 128)),
    "pool": ("-1, 1, nn.MaxPool2d, [3, 2, 1]", 0, (3, 32, 32)),
    "pad": ("-1, 1, nn.ZeroPad2d, [[1, 2, 3, 4]]", 0, (3, 71, 67)),
    "pad of one number": ("-1, 1, nn.ZeroPad2d, [2]", 0, (3, 68, 68)),
    "upsample": ('-1, 1, nn.Upsample, [None, 3, "nearest"]', 0, (3, 192, 192)),
    "activation": ("-1, 1, nn.ReLU, [True]", 0, (3, 64, 64)),
}


@pytest.mark.parametrize("name", MODULES)
def test_single_modules(name, tmp_path):
    row, parameters, size = MODULES[name]
    graph = made(tmp_path, rows(row), size="64").model.graph
    assert (graph.parameters, graph.nodes[-1].outputs[0].type.shape) == (parameters, size)


def test_focus_takes_pixels_in_the_order_of_yolov5(tmp_path):
    imported = made(tmp_path, rows("-1, 1, Focus, [8, 1]"), size="6x8")
    image = torch.arange(3 * 6 * 8, dtype=torch.float32).reshape(1, 3, 6, 8)
    program = imported.model.to_torch()
    weight = next(tensor for name, tensor in program.state_dict().items() if tensor.ndim == 4)
    wanted = torch.cat([image[..., ::2, ::2], image[..., 1::2, ::2], image[..., ::2, 1::2], image[..., 1::2, 1::2]], 1)
    found = program.eval()(image)
    value = torch.nn.functional.conv2d(wanted, weight) / (1.001**0.5)
    torch.testing.assert_close(found, value * torch.sigmoid(value), rtol=1e-4, atol=1e-4)


def test_old_cross_stages_count_as_published(tmp_path):
    """One BottleneckCSP(64, 64) of one unit, convolution by convolution, and SPP behind it."""
    text = rows("-1, 1, Conv, [64, 1]", "-1, 1, BottleneckCSP, [64]", "-1, 1, SPP, [64, [5, 9, 13]]")
    hidden, wide = 32, 64
    csp = 64 * hidden + 2 * hidden + hidden * hidden + 64 * hidden + 2 * wide + 64 * wide + 2 * wide
    csp += hidden * hidden + 2 * hidden + 9 * hidden * hidden + 2 * hidden
    spp = 64 * 32 + 64 + 4 * 32 * 64 + 128
    assert made(tmp_path, text, size="64").model.graph.parameters == 3 * 64 + 128 + csp + spp


@pytest.mark.parametrize(
    ("written", "layer"),
    [("nn.SiLU()", "silu"), ("nn.LeakyReLU(0.1)", "leaky_relu"), ("torch.nn.ReLU()", "relu"), ("nn.Identity()", "bn")],
)
def test_the_activation_of_the_file(written, layer, tmp_path):
    imported = made(tmp_path, rows("-1, 1, Conv, [8, 3]", more=f"activation: {written}"), size="64")
    assert imported.model.graph.nodes[-1].op == layer


# ---------------------------------------------------------------------------------------------------- mistakes


def findings(path, **options):
    with pytest.raises(DiagnosticError) as caught:
        import_file(path, **options)
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is no mapping"),
        (b"- 1\n- 2\n", "it is no mapping"),
        (b"nc: 3\n", "it has no backbone"),
        (b"backbone: 3\n", "backbone is no list of rows"),
        (b"backbone: []\nhead: []\n", "it has no rows"),
        (b"backbone: [\n", "in line 2"),
        (b"backbone: [1, 2\nhead: [", "in line"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"a: \x00", "not allowed"),
        (b"nc: !!python/object/apply:os.system ['true']\nbackbone: []\n", ""),
        (b"a: &a [1]\nb: " + b"[" * 3000, ""),
        (b"nc: " + b"9" * 6000 + b"\nbackbone: []\n", ""),
    ],
    ids=lambda item: repr(item)[:24],
)
def test_files_that_are_no_model(content, words, tmp_path):
    (tmp_path / "net.yaml").write_bytes(content)
    (found,) = findings(tmp_path / "net.yaml")
    assert found.code in ("E0657", "E0658")
    assert words in found.message


def test_aliases_that_multiply_are_refused_soon(tmp_path):
    lines = ["a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    started = time.monotonic()
    (found,) = findings(write(tmp_path, "\n".join([*lines, "backbone: [*i]", ""])))
    assert (found.code, "an alias" in found.message) == ("E0658", True)
    assert time.monotonic() - started < 5


def test_a_file_that_is_too_large_or_not_there(tmp_path):
    assert "is the most that is read" in findings(write(tmp_path, "#" * 1024**2 + "\n#"))[0].message
    write(tmp_path, networks.yolov8(), "yolov8-seg.yaml")
    found = findings(tmp_path / "yolov8n-seg.yaml")[0]
    assert found.help == "yolov8-seg.yaml is there: striate import yolov8-seg.yaml --scale n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (rows("-1, 1, Conv"), 4, "is not [from, number, module, arguments]"),
        (rows("a, 1, Conv, [8]"), 4, "from must be a number or a list of numbers"),
        (rows("-1, 0, Conv, [8]"), 4, "the number of modules must be from 1"),
        (rows("-1, 1, 7, [8]"), 4, "the module must be a name"),
        (rows("-1, 1, Conv, [8]", "3, 1, Conv, [8]"), 5, "row 1 (Conv, line 5) takes row 3, which is not before it"),
        (rows("-1, 1, Conv, [8]", "-3, 1, Conv, [8]"), 5, "takes row -2"),
        (rows("-1, 1, Conv, [8]", "1, 1, Conv, [8]"), 5, "takes row 1, which is not before it"),
        (rows("-1, 1, Conv, []"), 4, "argument 1 of row 0 (Conv, line 4) must be a whole number of at least 1"),
        (rows("-1, 1, Conv, [x]"), 4, "not x"),
        (rows("-1, 1, Conv, [8, -3]"), 4, "argument 2 of row 0"),
        (rows("-1, 1, C3, [8, maybe]"), 4, "must be True or False"),
        (rows("-1, 1, Conv, [8]", "[-1, 0], 1, Conv, [8]"), 5, "takes one input, not 2"),
        (rows("-1, 1, Conv, [8]", "-1, 1, Detect, [4]"), 5, "has 4 classes, the file 3"),
        (rows("-1, 1, Conv, [8]", "-1, 1, Detect, [nc, [[1, 2], [3, 4]]]"), 5, "a list of anchors"),
        (rows("-1, 1, Conv, [8]", "-1, 1, Detect, [nc]", "-1, 1, Conv, [8]"), 6, "takes the output of a head"),
        (rows("-1, 1, nn.ZeroPad2d, [[1, 2]]"), 4, "takes left, right, top and bottom"),
        (rows("-1, 1, Conv, [8]", nc="many"), 1, "nc must be a whole number"),
        (rows("-1, 1, Conv, [8]", more="scales: {n: 3}"), 2, "is not [depth, width, most channels]"),
        (rows("-1, 1, Conv, [8]", more="scales: {n: [0, 1]}"), 2, "must be a number above 0"),
        (rows("-1, 1, Conv, [8]", more="activation: __import__('os')"), 2, "is not known"),
        (rows("-1, 1, Conv, [8]", more="nc: 4"), 2, "the key nc is written twice"),
    ],
)
def test_mistakes_are_told_with_their_line(text, line, words, tmp_path):
    (found,) = findings(write(tmp_path, text))
    assert found.code == "E0658"
    assert words in found.message
    assert found.span.line == line


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("-1, 1, A2C2f, [8]", "the language has no block for it"),
        ("-1, 1, nn.Upsample, [[3, 4], 2, nearest]", "a size instead of a factor"),
        ("-1, 1, nn.Upsample, [None, 2, area]", "the mode area"),
        ("-1, 1, Conv, [8, 1, 1, None, 1, 1, False]", "its argument 7, False, is not read"),
        ("-1, 3, Conv, [8, 3]", "stands behind itself, and changes its channels"),
        ("[-1], 1, Concat, [2]", "another axis than the channels"),
        ("-1, 1, C2PSA, [64]", "C2PSA keeps its channels"),
        ("-1, 1, nn.Conv2d, [8, 99]", "conv does not take it"),
    ],
)
def test_what_has_no_counterpart_is_told_with_its_reason(row, reason, tmp_path):
    (found,) = findings(write(tmp_path, rows(row)), size="64")
    assert found.code == "E0659"
    assert reason in found.notes[0]


def test_all_of_it_is_listed_and_what_only_follows_is_not(tmp_path):
    text = rows("-1, 1, One, [8]", "-1, 1, Conv, [8]", "-1, 1, Two, [8]", "-1, 1, Detect, [nc]")
    (found,) = findings(write(tmp_path, text))
    assert [note.split(" ")[1] for note in found.notes] == ["0"]
    text = rows("-1, 1, Conv, [8]", "-1, 1, One, [8]", "0, 1, Two, [8]", "-1, 1, Detect, [nc]")
    (found,) = findings(write(tmp_path, text))
    assert [note.split(" ")[1] for note in found.notes] == ["1", "2"]


def test_options_that_fit_nothing(tmp_path):
    path = write(tmp_path, networks.yolov8())
    assert "there is no scale z" in findings(path, scale="z")[0].message
    assert "--size must be a number" in findings(path, size="big")[0].message
    assert "the file has no scales" in findings(write(tmp_path, networks.yolov3()), scale="n")[0].message


def test_sizes_beyond_any_memory_take_none(tmp_path):
    started = time.monotonic()
    path = write(tmp_path, rows("-1, 1, Conv, [1000000, 31]", "-1, 2000, C2f, [1000000]"))
    try:
        import_file(path, size="99999")
    except DiagnosticError as error:
        assert {item.code for item in error.diagnostics} <= {"E0659", "E0614"}
    assert time.monotonic() - started < 60


def test_characters_changed_at_random_never_end_in_another_exception(tmp_path):
    dice = random.Random(3)
    text = networks.yolov8()
    for _ in range(150):
        changed = list(text)
        for _ in range(dice.randint(1, 3)):
            changed[dice.randrange(len(changed))] = dice.choice("[]{},:-\n &*!#'\"09aC\t")
        try:
            made(tmp_path, "".join(changed))
        except DiagnosticError as error:
            assert {item.code for item in error.diagnostics} <= {"E0657", "E0658", "E0659", "E0614"}


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    (found,) = findings(write(tmp_path, networks.yolov8()))
    assert (found.code, found.help) == ("E0660", "pip install 'striate[yaml]'")


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, networks.yolov8(), "yolov8.yaml")
    assert run_guarded(command, ["yolov8.yaml", "--scale", "n", "--size", "64", "-o", "n.cnn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "Yolov8n is in n.cnn, without weights: they start as in training",
        "Ultralytics YAML, scale n; 212 layers with 3,157,184 parameters",
    ]
    assert load("n.cnn").graph.parameters == 3_157_184
    assert run_guarded(command, ["yolov8.yaml", "--weights", "n.cnn"]) == 1
    assert "E0646" in capsys.readouterr().err
    assert run_guarded(command, ["yolov8.yaml", "--partial"]) == 2
