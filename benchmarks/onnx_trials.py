"""Our ONNX files in other runtimes: how far these are from torch on the networks of the zoo, and how long they take.

    python benchmarks/onnx_trials.py [--save] [--quick] [--peer FOLDER]

Every network of the zoo, and LeNet-5 of the examples, is written with random weights at the size of its file (open
sizes at 256 x 256) and run on one random batch. Beside the figures of the whole network there is what each runtime
does not take. OpenVINO is asked for float32. onnx2torch needs torchvision, of which it uses nothing for these
networks: `--peer` names a folder with onnx2torch installed without its dependencies
(`pip install --no-deps --target FOLDER onnx2torch`), and torchvision is replaced by an empty stand-in in this process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distributions
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
import torch
from arguments import add_options, choices
from report import start

from striate.exporting import export_model
from striate.formats.openvino import convert_content
from striate.model import Model, load, load_source
from striate.onnx.comparison import compare
from striate.onnx.runtime import OnnxSession
from striate_dsl.source import Source

Arrays = Mapping[str, np.ndarray[Any, Any]]
Runner = Callable[[Arrays], Arrays]

ZOO = {
    "lenet5": "LeNet5",
    "resnet": "ResNet50",
    "googlenet": "GoogLeNet",
    "mobilenet_v2": "MobileNetV2",
    "densenet": "DenseNet121",
    "unet": "UNet",
    "siamese": "Siamese",
}
OPEN = 256
"""Height and width where a file leaves them open."""


def networks(quick: bool) -> Iterator[tuple[str, Model]]:
    """Yield the networks by name."""
    for file, model in ZOO.items():
        if quick and file not in ("lenet5", "siamese"):
            continue
        text = files("striate_plugins").joinpath("zoo", f"{file}.cnn").read_text(encoding="utf-8")
        yield model, load_source(Source(f"{file}.cnn", text), model)
    for path in sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.cnn")):
        yield f"examples/{path.name}", load(path)


def inputs_of(document: onnx.ModelProto) -> Arrays:
    """Return a random input of one image each."""
    generator = np.random.default_rng(0)
    shapes = {
        item.name: [1, *(each.dim_value or OPEN for each in item.type.tensor_type.shape.dim[1:])]
        for item in document.graph.input
    }
    return {name: generator.standard_normal(shape, dtype="float32") for name, shape in shapes.items()}


def onnx2torch_runner(document: onnx.ModelProto) -> Runner:
    """Convert a file with onnx2torch; its module takes the inputs in order."""
    from onnx2torch import convert  # noqa: PLC0415 - a peer, in a folder of its own

    module = convert(document).eval()
    outputs = [item.name for item in document.graph.output]

    def run(inputs: Arrays) -> Arrays:
        with torch.no_grad():
            result = module(*(torch.from_numpy(values) for values in inputs.values()))
        found = result if isinstance(result, (list, tuple)) else [result]
        return {name: values.numpy() for name, values in zip(outputs, found, strict=True)}

    return run


def torch_runner(model: Model) -> Runner:
    """Return the network in torch."""
    program = model.to_torch().eval()

    def run(inputs: Arrays) -> Arrays:
        with torch.no_grad():
            result = program(*(torch.from_numpy(values) for values in inputs.values()))
        named = result if isinstance(result, dict) else {next(iter(model.graph.outputs)): result}
        return {name: values.numpy() for name, values in named.items()}

    return run


def stand_in(peer: Path | None) -> str | None:
    """Make onnx2torch importable without torchvision, and return its version."""
    if peer is None:
        return None
    sys.path.append(str(peer))
    vision, ops = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
    vision.ops = ops  # type: ignore[attr-defined]
    ops.roi_align = None  # type: ignore[attr-defined]
    sys.modules.update({"torchvision": vision, "torchvision.ops": ops})
    return next(item.version for item in distributions(path=[str(peer)]) if item.metadata["Name"] == "onnx2torch")


def trial(name: str, runner: Callable[[], Runner], inputs: Arrays, expected: Arrays, runs: int) -> dict[str, Any]:
    """Return how far a runtime is from torch and how long it takes, or what it says."""
    try:
        run = runner()
        found = run(inputs)
    except Exception as error:
        return {"runtime": name, "difference": "", "milliseconds": "", "says": str(error).strip().splitlines()[0]}
    apart = max(compare(values, np.asarray(found[key])).relative for key, values in expected.items())
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        run(inputs)
        seconds.append(time.perf_counter() - begin)
    return {
        "runtime": name,
        "difference": f"{apart:.1e}",
        "milliseconds": round(1000 * median(seconds), 1),
        "says": "",
    }


def main() -> None:
    """Run all networks in all runtimes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--peer", type=Path, metavar="FOLDER", help="where onnx2torch is installed")
    given = parser.parse_args()
    options = choices(given)
    torch.set_num_threads(1)
    peer = stand_in(given.peer)
    report = start("onnx-trials", "Our ONNX files in other runtimes")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, model in networks(options.quick):
            path = export_model(model, Path(folder, "net.onnx"), verify=False).path
            document = onnx.load(path)
            inputs, own_runner = inputs_of(document), torch_runner(model)
            expected = own_runner(inputs)
            runtimes: dict[str, Callable[[], Runner]] = {
                "torch": lambda run=own_runner: run,
                "ONNX Runtime": lambda path=path: OnnxSession(str(path)).run,
                "OpenVINO": lambda path=path: convert_content(path.read_bytes(), {}).runner,
            }
            if peer is not None:
                runtimes[f"onnx2torch {peer}"] = lambda document=document: onnx2torch_runner(document)
            rows += [
                {"network": name, **trial(key, runner, inputs, expected, options.runs)}
                for key, runner in runtimes.items()
            ]
    notes = [
        "Difference: the largest, as a share of an output's largest entry. One image; torch on one thread, the others "
        "as they come. Times are for their order of magnitude: nothing kept the machine free."
    ]
    if peer is None:
        notes.append("Not tried, because no --peer was given: onnx2torch.")
    report.add("All networks", rows, *notes)
    report.finish(save=options.save)


if __name__ == "__main__":
    main()
