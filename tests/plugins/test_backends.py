"""ONNX Runtime as a back end: what it computes is what torch computes, at every batch and legal size."""

from __future__ import annotations

import numpy as np
import pytest

from striate.factories import Network, onnx_bytes
from striate.model import load_source
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source

OPEN = """model Net {
  input image: 3 x H x W
  input gain: 4
  image -> conv(4, 3, stride = 2, pad = 1) -> bn -> relu as features
  gain -> dense(4) -> sigmoid as gate
  features -> global_avgpool -> flatten -> mul(gate) -> dropout(0.5) -> dense(3)
  output scores
  output features
}
"""


def test_it_gives_what_torch_gives_with_several_inputs_and_outputs_and_open_sizes():
    model = load_source(Source("net.cnn", OPEN))
    there, here = model.runner("onnxruntime", seed=3), model.runner(seed=3)
    assert (there.backend, there.owner, str(here)) == ("onnxruntime", "striate-plugins", "torch")
    assert there.verification is not None
    assert len(there.verification.trials) == 4
    generator = np.random.default_rng(1)
    for batch, height, width in ((1, 7, 9), (4, 16, 5)):
        inputs = {
            "image": generator.standard_normal((batch, 3, height, width), dtype="float32"),
            "gain": generator.standard_normal((batch, 4), dtype="float32"),
        }
        expected, found = here(inputs), there(inputs)
        assert set(found) == {"scores", "features"}
        for name, values in expected.items():
            assert np.allclose(found[name], values, atol=1e-5), name


def test_the_weights_are_those_of_the_seed():
    model = load_source(Source("net.cnn", OPEN))
    inputs = {"image": np.ones((1, 3, 8, 8), "float32"), "gain": np.ones((1, 4), "float32")}
    one, other = (model.runner("onnxruntime", seed=seed, verify=False)(inputs)["scores"] for seed in (0, 1))
    assert not np.allclose(one, other)


def test_an_operator_set_that_there_is_not_is_a_finding():
    model = load_source(Source("net.cnn", "model N { input x: 3; dense(2); output y }"))
    with pytest.raises(DiagnosticError):
        onnx_bytes(Network(model.graph, model.catalogue.lookup, {}, model.domain), opset=3)
