"""Bounds of the time: arithmetic by hand, and the table of devices."""

from __future__ import annotations

import pytest

from striate.analysis.devices import DEVICES, Device
from striate.analysis.precision import PRECISIONS
from striate.analysis.roofline import LayerBound, Roofline, layer_bound

TOY = Device("toy", "a toy", {"fp32": 1000.0, "fp16": 4000.0}, 100.0, 10**6, "nowhere")


def test_a_layer_is_bound_by_what_takes_longer():
    fp32, fp16 = PRECISIONS["fp32"], PRECISIONS["fp16"]
    assert layer_bound(TOY, fp32, 2000, 100) == LayerBound(2.0, "arithmetic")
    assert layer_bound(TOY, fp16, 2000, 100) == LayerBound(1.0, "bandwidth")
    assert layer_bound(TOY, fp32, 1000, 100) == LayerBound(1.0, "bandwidth"), "equal at the ridge"
    assert layer_bound(TOY, fp32, 0, 0) == LayerBound(0.0, "nothing")
    with pytest.raises(ValueError, match="toy has no units for int8"):
        layer_bound(TOY, PRECISIONS["int8"], 1, 1)


def test_a_network_layer_by_layer_and_fused():
    layers = {
        "conv": LayerBound(3.0, "arithmetic"),
        "relu": LayerBound(1.0, "bandwidth"),
        "flatten": LayerBound(0.0, "nothing"),
    }
    bounds = Roofline(TOY, PRECISIONS["fp32"], layers, operations=3100, unavoidable=50)
    assert (bounds.seconds, bounds.fused, bounds.ridge) == (4.0, 3.1, 10.0)
    assert (bounds.share("bandwidth"), bounds.count("bandwidth"), bounds.count("arithmetic")) == (0.25, 1, 1)
    assert Roofline(TOY, PRECISIONS["fp32"], {}, 0, 500).fused == 5.0
    assert Roofline(TOY, PRECISIONS["fp32"], {}, 0, 0).share("bandwidth") == 0.0


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_every_device_is_plausible_and_says_where_its_numbers_are_from(device: Device):
    assert device.source
    assert set(device.peak) <= set(PRECISIONS)
    assert 1e12 <= device.peak["fp32"] <= min(device.peak.values()), "fewer bits are never slower"
    assert 1 <= device.peak["fp32"] / device.bandwidth <= 500, "operations per byte"
    assert 16e9 <= device.memory <= 400e9


@pytest.mark.parametrize(
    ("name", "precision", "tera", "giga"),
    [
        ("h100", "bf16", 989.4, 3350),
        ("a100", "fp16", 312, 2039),
        ("t4", "int8", 130, 320),
        ("h200", "fp32", 494.7, 4800),
    ],
)
def test_known_rates(name: str, precision: str, tera: float, giga: float):
    assert DEVICES[name].peak[precision] == pytest.approx(tera * 1e12)
    assert DEVICES[name].bandwidth == pytest.approx(giga * 1e9)
