"""One file, three runtimes: ONNX Runtime, OpenVINO and torch agree on every network of the zoo and of the examples.

The bound: OpenVINO and ONNX Runtime add in other orders than torch and take shorter ways (Winograd's convolutions,
batch norms folded into kernels). Each of the L layers rounds at 2^-24 = 6e-8 of its largest value, and a sum of K
products in another order by at most about sqrt(K) of that; with L up to 150 and K up to 4,608 (512 channels of 3 x 3)
errors that do not cancel at all would reach 150 * 68 * 6e-8 = 6e-4, errors of random sign about 5e-5. 1e-4 of the
largest entry lies between, and a wrong attribute is orders of magnitude above it.
"""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from striate.exporting import export_model
from striate.exporting_formats import export_format
from striate.formats.kinds import KINDS
from striate.formats.openvino import convert_content
from striate.model import load, load_source
from striate.onnx.runtime import OnnxSession
from striate_dsl.source import Source
from tests.engine.onnx.test_zoo import MODELS

pytest.importorskip("openvino")

BOUND = 1e-4


def all_models(repository):
    """Return every zoo network, small, and every network of the examples, by name."""
    examples = {path.stem: path for path in sorted((repository / "examples").glob("*.cnn"))}
    return {**MODELS, **{f"examples/{name}": lambda path=path: load(path) for name, path in examples.items()}}


NAMES = [*MODELS, "examples/lenet5"]


def test_no_network_is_left_out(repository):
    assert list(all_models(repository)) == NAMES
    zoo = {path.stem for path in (repository / "plugins" / "striate_plugins" / "zoo").glob("*.cnn")}
    tried = ["".join(name.lower().split("_")) for name in MODELS]
    assert not [name for name in zoo if not any(each.startswith("".join(name.split("_"))) for each in tried)]


@pytest.mark.parametrize("name", NAMES)
def test_the_onnx_file_is_the_same_network_in_all_of_them(name, repository, tmp_path):
    model = all_models(repository)[name]()
    path = export_model(model, tmp_path / "net.onnx", verify=False).path
    document = onnx.load(path)
    runners = {"ONNX Runtime": OnnxSession(str(path)).run, "OpenVINO": convert_content(path.read_bytes(), {}).runner}
    program = model.to_torch().eval()
    for batch, side in ((1, 48), (2, 80)):
        shapes = {
            item.name: [batch, *(each.dim_value or side for each in item.type.tensor_type.shape.dim[1:])]
            for item in document.graph.input
        }
        generator = np.random.default_rng(batch)
        images = {key: generator.standard_normal(shape, dtype="float32") for key, shape in shapes.items()}
        with torch.no_grad():
            result = program(*(torch.from_numpy(values) for values in images.values()))
        expected = result if isinstance(result, dict) else {next(iter(model.graph.outputs)): result}
        for runtime, run in runners.items():
            found = run(images)
            assert set(found) == set(expected)
            for output, values in expected.items():
                apart = np.abs(found[output] - values.numpy()).max() / np.abs(values.numpy()).max()
                assert apart < BOUND, (runtime, output, apart)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("onnx", "openvino")])
@pytest.mark.parametrize("name", ["ResNet18", "GoogLeNet", "MobileNetV2", "UNet", "Siamese"])
def test_networks_of_the_zoo_can_be_recorded_by_torch(name, kind, tmp_path):
    report = export_format(MODELS[name](), tmp_path / f"net{KINDS[kind].suffix}", kind)
    assert report.verification.difference.relative < 1e-5


def test_a_difference_would_be_seen(tmp_path):
    """A kernel that is not the network's is far beyond the bound."""
    text = "model Net {\n input image: 3 x 8 x 8\n conv(4, 3) -> relu\n output y\n}\n"
    model = load_source(Source("net.cnn", text))
    document = onnx.load(export_model(model, tmp_path / "net.onnx", verify=False).path)
    document.graph.initializer[0].raw_data = (
        onnx.numpy_helper.to_array(document.graph.initializer[0]) * 1.01
    ).tobytes()
    image = np.random.default_rng(0).standard_normal((1, 3, 8, 8), dtype="float32")
    with torch.no_grad():
        expected = model.to_torch().eval()(torch.from_numpy(image)).numpy()
    found = convert_content(document.SerializeToString(), {}).runner({"image": image})["y"]
    assert np.abs(found - expected).max() / np.abs(expected).max() > 10 * BOUND
