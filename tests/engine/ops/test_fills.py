"""What fills the padding of a convolution: torch's layers with padding_mode, legal sizes, repairs, lints, expand."""

from __future__ import annotations

import pytest
import torch

from striate.checking import check_source
from striate.dims import solve, symbol
from striate.expanding import expand_source
from striate.model import load_source
from striate.ops import BUILTIN, LayerError
from striate_dsl.edits import apply_edits
from striate_dsl.source import Source
from tests.engine.lints.linting import findings
from tests.engine.ops.configurations import infer

IN_TORCH = ("zeros", "reflect", "replicate", "circular")


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("fill", IN_TORCH)
@pytest.mark.parametrize(("stride", "dilation", "pad"), [(1, 1, 2), (2, 1, 1), (1, 2, "same"), (3, 2, 3)])
def test_convolution_is_the_layer_of_torch(axes: int, fill: str, stride: int, dilation: int, pad: int | str):
    theirs = getattr(torch.nn, f"Conv{axes}d")(
        2, 6, 4, stride, pad, dilation, groups=2, padding_mode=fill, dtype=torch.float64
    )
    written = {"channels": 6, "kernel": 4, "stride": stride, "pad": pad, "dilation": dilation, "groups": 2}
    shape = (2, 9, 8, 7)[: axes + 1]
    ours = infer(BUILTIN["conv"], {**written, "fill": fill}, [shape])
    value = torch.randn(3, *shape, dtype=torch.float64)
    torch.testing.assert_close(ours.run([value], {"weight": theirs.weight, "bias": theirs.bias}), theirs(value))


@pytest.mark.parametrize("fill", IN_TORCH)
@pytest.mark.parametrize("size", range(1, 7))
@pytest.mark.parametrize("pad", range(6))
def test_sizes_that_are_refused_are_those_that_torch_refuses(fill: str, size: int, pad: int):
    def works(compute) -> bool:
        try:
            compute()
        except (RuntimeError, AssertionError, LayerError):
            return False
        return True

    theirs = torch.nn.Conv1d(1, 1, 1, padding=pad, padding_mode=fill)
    arguments = {"channels": 1, "kernel": 1, "pad": pad, "fill": fill}
    assert works(lambda: infer(BUILTIN["conv"], arguments, [(1, size)])) == works(
        lambda: theirs(torch.zeros(1, 1, size))
    )


@pytest.mark.parametrize("fill", ["reflect", "circular"])
@pytest.mark.parametrize("kernel", [1, 2, 5, 8])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_an_open_same_takes_exactly_the_sizes_that_work_when_known(fill: str, kernel: int, stride: int):
    arguments = {"channels": 1, "kernel": kernel, "stride": stride, "pad": "same", "fill": fill}
    opened = infer(BUILTIN["conv"], arguments, [(1, symbol("L"))])
    legal = solve(opened.check.open, ["L"]).sizes["L"]
    for size in range(1, 20):
        try:
            infer(BUILTIN["conv"], arguments, [(1, size)])
        except LayerError:
            assert size not in legal
        else:
            assert size in legal


def network(layer: str, size: str = "3 x 4 x 9") -> str:
    return f"model Net {{\n  input image: {size}\n  {layer}\n  output features\n}}\n"


class TestText:
    def test_too_much_of_the_image_is_asked_for(self):
        text = network("conv(8, 9, pad = half, fill = reflect)")
        (error,) = check_source(Source("net.cnn", text)).diagnostics
        assert error.code == "E0206"
        assert error.message == "conv: padding 4 is too wide for the height 4 with fill = reflect"
        assert error.span is not None
        assert error.span.text == "half"
        assert error.help is not None
        assert "replicate" in error.help
        (fix,) = error.fixes
        repaired = apply_edits(text, fix.edits)
        assert "fill = replicate" in repaired
        assert not check_source(Source("net.cnn", repaired)).failed

    def test_an_open_size_has_a_least_one(self):
        model = load_source(Source("net.cnn", network("conv(8, 5, pad = half, fill = reflect)", "3 x H x W")))
        assert [size in model.domain.sizes["H"] for size in (1, 2, 3, 4)] == [False, False, True, True]

    def test_a_transposed_convolution_has_nothing_to_fill(self):
        text = network("deconv(8, 3, pad = 1, fill = circular)")
        (error,) = check_source(Source("net.cnn", text)).diagnostics
        assert error.code == "E0211"
        assert "has nothing to fill" in error.message
        assert "fill = zeros" in apply_edits(text, error.fixes[0].edits)

    @pytest.mark.parametrize("fill", ["reflect", "circular", "0.5", "-1"])
    def test_it_is_written_out(self, fill: str):
        text = network(f"conv(8, 3, pad = 1, fill = {fill})")
        expanded = expand_source(Source("net.cnn", text), "Net")
        assert f"fill = {fill}" in str(expanded)

    def test_the_name_of_torch_is_known(self):
        (error,) = check_source(Source("net.cnn", network("conv(8, 3, pad = 1, padding_mode = reflect)"))).diagnostics
        assert error.help is not None
        assert "fill" in error.help


def test_lints_say_what_is_added():
    (uneven,) = [
        each
        for each in findings(network("conv(8, 3, stride = 2, pad = same, fill = replicate)", "3 x H x W"))
        if each.code == "W0118"
    ]
    assert "adds rows below" in uneven.message
    (single,) = [
        each
        for each in findings(network("global_avgpool -> conv(8, 3, pad = 1, fill = circular)"))
        if each.code == "W0115"
    ]
    assert "every entry of the 3 x 3 kernel meets the same pixel" in single.message
