"""How near the forecast of memory comes to what torch holds and allocates, in evaluation and in training, on a CPU.

`tensors` adds up the storages of all tensors after every operation, in the second step of training; `allocator` is the
most that torch's allocator had handed out, which counts what kernels take and give back while they run (oneDNN lays the
kernels of convolutions out anew), and which no forecast from the network's text can know. Weights are counted in
training, and not in evaluation. The loss is the mean log-probability of one class.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import torch
from arguments import Choices, parse
from report import Report, Row, start

from striate.analysis.liveness import inference_memory
from striate.analysis.precision import OPTIMIZERS, PRECISIONS
from striate.analysis.training import training_memory
from striate.model import load_source
from striate_dsl.source import Source

ROOT = Path(__file__).resolve().parent.parent
ZOO = ROOT / "plugins" / "striate_plugins" / "zoo"
LIMIT = 0.1
SIDE = 64

NETWORKS: tuple[tuple[str, Path, str | None, int], ...] = (
    ("LeNet-5 (example)", ROOT / "examples" / "lenet5.cnn", None, 64),
    ("LeNet-5 (zoo)", ZOO / "lenet5.cnn", None, 64),
    ("Siamese", ZOO / "siamese.cnn", None, 16),
    ("U-Net, width 16", ZOO / "unet.cnn", None, 4),
    ("ResNet-18", ZOO / "resnet.cnn", "ResNet18", 4),
    ("ResNet-34", ZOO / "resnet.cnn", "ResNet34", 4),
    ("ResNet-50", ZOO / "resnet.cnn", "ResNet50", 4),
    ("MobileNetV2", ZOO / "mobilenet_v2.cnn", None, 4),
    ("GoogLeNet", ZOO / "googlenet.cnn", None, 4),
    ("DenseNet-121", ZOO / "densenet.cnn", "DenseNet121", 4),
    ("ResNet-50 (one file)", ROOT / "benchmarks" / "networks" / "resnet50.cnn", None, 2),
    ("VGG-16", ROOT / "benchmarks" / "networks" / "vgg16.cnn", None, 1),
)
QUICK = 2
WAYS = (("sgd", "fp32"), ("adam", "fp32"), ("sgd", "bf16"))


def run(choices: Choices) -> None:
    """Measure, print, and save if asked to."""
    sys.path.append(str(ROOT))
    report = start("memory-forecast", "Memory: the forecast beside torch")
    networks = NETWORKS[:QUICK] if choices.quick else NETWORKS
    evaluation: list[Row] = []
    training: list[Row] = []
    for title, path, model, batch in networks:
        _measure(title, path, model, batch, evaluation, training)
        print(title, flush=True)
    _add(report, "Evaluation, MB of inputs and values", evaluation)
    _add(report, "Training, MB of everything", training)
    report.finish(save=choices.save)


def _add(report: Report, title: str, rows: list[Row]) -> None:
    worst = max(abs(row["forecast"] / row["tensors"] - 1) for row in rows)
    verdict = "met" if worst <= LIMIT else "missed"
    report.add(
        title,
        rows,
        f"Goal: the forecast within {100 * LIMIT:.0f} % of what torch's tensors hold: {verdict} ({100 * worst:.1f} %).",
        " ".join((__doc__ or "").split()),
    )


def _measure(title: str, path: Path, model: str | None, batch: int, evaluation: list[Row], training: list[Row]) -> None:
    # The watch over torch's tensors is that of the tests.
    watch = import_module("tests.engine.analysis.allocations")
    text = path.read_text(encoding="utf-8").replace("3 x 224 x 224", f"3 x {SIDE} x {SIDE}")
    if path.stem == "vgg16":
        text = path.read_text(encoding="utf-8")
    loaded = load_source(Source(str(path), text), model, {"width": "16"} if path.stem == "unet" else {})
    graph, lookup = loaded.graph, loaded.catalogue.layer
    sizes = dict.fromkeys(loaded.domain.symbols if loaded.domain is not None else (), SIDE)
    inputs = [
        torch.rand(batch, *(size if isinstance(size, int) else SIDE for size in item.value.type.shape))
        for item in graph.inputs
    ]
    about = {"network": title, "batch": batch}
    trial = watch.Trial(graph, lookup, *inputs)
    forecast = inference_memory(graph, lookup, sizes=sizes, batch=batch).peak
    evaluation.append({**about, **_numbers(forecast, trial.evaluation(), trial.allocated(training=False))})
    for optimizer, precision in WAYS:
        found = training_memory(
            graph,
            lookup,
            sizes=sizes,
            batch=batch,
            precision=PRECISIONS[precision],
            optimizer=OPTIMIZERS[optimizer],
        )
        trials = [
            watch.Trial(graph, lookup, *inputs, optimizer=optimizer, autocast=precision == "bf16") for _ in range(2)
        ]
        held, allocated = trials[0].training(), trials[1].allocated(training=True)
        training.append(
            {**about, "optimizer": optimizer, "precision": precision, **_numbers(found.peak, held, allocated)}
        )


def _numbers(forecast: int, held: int, allocated: int) -> Row:
    difference = f"{100 * (forecast / held - 1):+.1f} %"
    return {
        "forecast": round(forecast / 1e6, 2),
        "tensors": round(held / 1e6, 2),
        "difference": difference,
        "allocator": round(allocated / 1e6, 2),
    }


if __name__ == "__main__":
    run(parse(__doc__ or ""))
