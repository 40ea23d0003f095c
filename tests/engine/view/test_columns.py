"""Chosen columns in text, CSV and Markdown: values, totals, order, widths, and what does not go."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from striate.cli import group
from striate.cli.boundary import run_guarded
from striate.view.columns import COLUMNS
from striate.view.lines import ASCII, cells
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.view.networks import HARD, ZOO, hard_summary, model_of, summary_of, zoo_model

EVERYWHERE = [name for name, column in COLUMNS.items() if not column.needs]
NET = """model Net {
  input image: 1 x 6 x 6
  conv(2, 3) -> relu -> maxpool(2) -> flatten -> dense(3)
  output out
}"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_guarded(group, ["summary", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("width", [12, 40, 80, 200])
@pytest.mark.parametrize("view", ["tree", "flat"])
@pytest.mark.parametrize("kind", HARD)
def test_every_column_is_shown_and_none_is_wider_than_the_terminal(kind: str, view, width: int):
    text = hard_summary(kind).shown(view=view, columns=EVERYWHERE).text(width, signs=ASCII)
    assert max(cells(line) for line in text.splitlines()) <= width
    if width >= 80:
        for name in EVERYWHERE:
            assert COLUMNS[name].title in text


def test_csv_has_what_json_has():
    summary = summary_of(zoo_model("resnet", "ResNet18"), device="a100", optimizer="adam", batch=4)
    rows = list(csv.DictReader(StringIO(summary.to_csv())))
    layers = summary.to_json()["layers"]
    assert [row["name"] for row in rows] == [layer["name"] for layer in layers]
    for row, layer in zip(rows, layers, strict=True):
        for column in ("parameters", "statistics", "macs", "flops", "moved", "memory", "alive", "kept"):
            assert int(row[column]) == layer[column]
        assert float(row["time"]) == pytest.approx(layer["least_ms"], rel=1e-5)
        assert row["output"] == "x".join(map(str, layer["output"]))
        if layer["intensity"] is None:
            assert row["intensity"] == ""
        else:
            assert float(row["intensity"]) == pytest.approx(layer["intensity"], rel=1e-5)


def test_a_table_by_hand():
    summary = summary_of(model_of(NET)).shown(columns=["output", "flops", "moved", "field", "stride", "offset"])
    assert summary.text(90, signs=ASCII).split("\n\n", 1)[1].splitlines()[:9] == [
        "name      output  FLOPs  moved  field  stride  offset",
        "-" * 54,
        "conv1     2x4x4     608  352 B  3x3    1x1     1x1",
        "relu1     2x4x4      32  256 B  3x3    1x1     1x1",
        "maxpool1  2x2x2      24  160 B  4x4    2x2     1.5x1.5",
        "flatten1  8           0   64 B  4x4    2x2     1.5x1.5",  # a copy: pixels lie with channels last
        "dense1    3          51  152 B  all",
        "-" * 54,
        "total               715  984 B",
    ]


def test_markdown_by_hand():
    summary = summary_of(model_of(NET)).shown(columns=["layer", "parameters", "intensity"])
    assert summary.to_markdown() == (
        "| name | layer | params | FLOP/B |\n"
        "| --- | --- | ---: | ---: |\n"
        "| conv1 | conv | 20 | 1.7 |\n"
        "| relu1 | relu | 0 | 0.1 |\n"
        "| maxpool1 | maxpool | 0 | 0.1 |\n"
        "| flatten1 | flatten | 0 | 0.0 |\n"
        "| dense1 | dense | 27 | 0.3 |\n"
        "| **total** |  | **47** | **0.7** |\n"
    )


def test_sorting():
    summary = summary_of(model_of(NET))
    assert [row.name for row in summary.shown(sort="flops").arranged()][:3] == ["conv1", "dense1", "relu1"]
    assert [row.op for row in summary.shown(sort="layer").arranged()] == ["conv", "dense", "flatten", "maxpool", "relu"]
    quiet = summary_of(model_of(NET.replace("dense(3)", "dropout -> dense(3)")))
    assert [row.name for row in quiet.shown(sort="intensity").arranged()][-1] == "dropout1", "it has no value"
    assert [row.name for row in summary.shown(sort="output").arranged()][:2] == ["conv1", "relu1"]
    header = summary.shown(sort="alive").text(100).splitlines()[2]
    assert header.split() == ["name", "layer", "output", "params", "MACs", "memory", "field", "alive"]


def test_blocks_add_up_to_what_is_in_them():
    summary = summary_of(zoo_model("resnet", "ResNet50"), device="h100", precision="fp16", batch=8)
    first = summary.shown(depth=1, columns=["flops", "moved", "time"]).text(200)
    (last,) = [line for line in first.splitlines() if line.startswith("total ")]
    assert f"{summary.totals.flops:,}" in last
    assert summary.totals.flops == sum(row.flops for row in summary.rows)
    assert summary.totals.moved == sum(row.moved for row in summary.rows)
    assert summary.totals.roofline is not None
    assert summary.totals.roofline.seconds == pytest.approx(sum(row.bound.seconds for row in summary.rows))
    assert summary.totals.roofline.fused < summary.totals.roofline.seconds


def test_precisions_halve_traffic_and_memory():
    whole, half = (summary_of(zoo_model("lenet5"), precision=name).totals for name in ("fp32", "bf16"))
    assert half.moved * 2 == whole.moved
    assert half.peak_memory * 2 == whole.peak_memory
    assert (half.weight_memory * 2, half.flops) == (whole.weight_memory, whole.flops)
    mixed = summary_of(zoo_model("lenet5"), precision="bf16", optimizer="sgd").totals
    assert mixed.weight_memory == whole.weight_memory, "weights stay in float32 where they are trained"


def test_what_does_not_fit_and_what_would():
    summary = summary_of(zoo_model("resnet", "ResNet50"), device="t4", optimizer="adam", batch=1024)
    fitting = summary.totals.largest_batch
    assert summary.totals.needed_memory > 16e9
    assert "does not fit" in summary.text(200)
    one_more = [
        summary_of(zoo_model("resnet", "ResNet50"), optimizer="adam", batch=batch).totals.training.peak
        for batch in (fitting, fitting + 1)
    ]
    assert one_more[0] <= 16e9 < one_more[1]
    assert "does not fit" not in summary_of(zoo_model("resnet", "ResNet50"), device="t4").text(200)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--columns", "flop"], "did you mean flops?"),
        (["--columns", "time"], "needs --device"),
        (["--columns", "flops,kept"], "add --training adam"),
        (["--sort", "nothing"], "there is no column nothing"),
        (["--training", "adam", "--precision", "int8"], "no network is trained in int8"),
        (["--device", "t4", "--precision", "bf16"], "it has units for fp32, fp16, int8"),
    ],
)
def test_findings(capsys: pytest.CaptureFixture[str], options: list[str], message: str):
    code, out, err = run(capsys, str(ZOO / "lenet5.cnn"), *options)
    assert (code, out) == (1, "")
    assert message in err
    assert "E0230" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--columns", "flops", "--format", "json"], "JSON has everything"),
        (["--sort", "flops", "--view", "tree"], "makes the view flat"),
        (["--depth", "2", "--format", "csv"], "CSV has no levels"),
        (["--sort", "flops", "--depth", "1"], "has no levels"),
        (["--view", "flat", "--format", "markdown"], "Markdown lists the layers"),
        (["--device", "abacus"], "abacus"),
        (["--training", "lion"], "lion"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], options: list[str], message: str):
    code, out, err = run(capsys, str(ZOO / "lenet5.cnn"), *options)
    assert (code, out) == (2, "")
    assert message in err


def test_open_sizes(capsys: pytest.CaptureFixture[str]):
    unet = str(ZOO / "unet.cnn")
    for options in (["--device", "h100"], ["--training", "sgd"], ["--sort", "flops"]):
        code, out, err = run(capsys, unet, *options)
        assert (code, out) == (1, "")
        assert "--size H=…,W=…" in err
    code, out, _ = run(capsys, unet, "--columns", "flops,moved", "--format", "csv")
    assert code == 0
    assert "conv1.0" in out
    assert "*H*W" in out
    with pytest.raises(DiagnosticError, match="open sizes"):
        summary_of(zoo_model("unet"), device="h100")


def test_help_lists_columns_and_devices(capsys: pytest.CaptureFixture[str]):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for name in COLUMNS:
        assert f"    {name} " in out
    assert "NVIDIA H100 SXM5 80 GB" in out


def test_json_of_training_and_a_device(capsys: pytest.CaptureFixture[str]):
    options = ["--format", "json", "--training", "momentum", "--device", "h100", "--precision", "bf16", "--batch", "8"]
    code, out, _ = run(capsys, str(ZOO / "lenet5.cnn"), *options)
    document = json.loads(out)
    assert code == 0
    assert (document["precision"], document["training"]["optimizer"], document["device"]["name"]) == (
        "bf16",
        "momentum",
        "h100",
    )
    assert document["training"]["state"] == document["training"]["gradients"] == 4 * document["parameters"]
    assert document["device"]["fits"] is True
    assert document["device"]["needed_memory"] == document["training"]["peak"]
    assert sum(layer["least_ms"] for layer in document["layers"]) == pytest.approx(document["device"]["least_ms"])
