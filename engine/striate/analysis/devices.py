"""Devices by name: what their makers say of them at best. Nothing here has been measured.

Rates are of dense products (no sparsity), one multiply-add counted as two operations. For `fp32` it is the fastest
format in which frameworks compute products of float32: TF32 where tensor cores have it. A format is left out that the
device has no units for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_TERA, _GIGA = 10**12, 10**9


@dataclass(frozen=True, slots=True)
class Device:
    """One device.

    Attributes:
        name: as users write it.
        title: its full name.
        peak: floating-point (or whole-number) operations per second by the name of the precision.
        bandwidth: bytes per second between its memory and its units.
        memory: bytes of its memory.
        source: where the numbers are from.
    """

    name: str
    title: str
    peak: Mapping[str, float]
    bandwidth: float
    memory: int
    source: str


def _device(
    name: str,
    title: str,
    tera: tuple[float, float | None, float | None, float | None],
    giga: tuple[float, int],
    source: str,
) -> Device:
    """Return a device from rates in 10^12 per second (fp32, fp16, bf16, int8), 10^9 bytes per second, 10^9 bytes."""
    rates = zip(("fp32", "fp16", "bf16", "int8"), tera, strict=True)
    peak = {precision: rate * _TERA for precision, rate in rates if rate is not None}
    return Device(name, title, MappingProxyType(peak), giga[0] * _GIGA, giga[1] * _GIGA, source)


_HOPPER = (494.7, 989.4, 989.4, 1978.9)
_AMPERE = (156.0, 312.0, 312.0, 624.0)

DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        each.name: each
        for each in (
            _device("h200", "NVIDIA H200 SXM", _HOPPER, (4800, 141), "NVIDIA, H200 Tensor Core GPU datasheet, 2024"),
            _device(
                "h100",
                "NVIDIA H100 SXM5 80 GB",
                _HOPPER,
                (3350, 80),
                "NVIDIA, H100 Tensor Core GPU architecture, 2023, table 2 (dense), and datasheet (bandwidth)",
            ),
            _device(
                "h100-pcie",
                "NVIDIA H100 PCIe 80 GB",
                (378.0, 756.0, 756.0, 1513.0),
                (2000, 80),
                "NVIDIA, H100 Tensor Core GPU datasheet, 2022 (halves of the rates with sparsity)",
            ),
            _device(
                "a100", "NVIDIA A100 SXM4 80 GB", _AMPERE, (2039, 80), "NVIDIA, A100 Tensor Core GPU datasheet, 2021"
            ),
            _device(
                "a100-40gb",
                "NVIDIA A100 SXM4 40 GB",
                _AMPERE,
                (1555, 40),
                "NVIDIA, A100 Tensor Core GPU architecture, 2020, table 1",
            ),
            _device(
                "v100",
                "NVIDIA V100 SXM2 32 GB",
                (15.7, 125.0, None, None),
                (900, 32),
                "NVIDIA, V100 Tensor Core GPU datasheet, 2020",
            ),
            _device(
                "l4",
                "NVIDIA L4",
                (60.0, 121.0, 121.0, 242.5),
                (300, 24),
                "NVIDIA, L4 Tensor Core GPU datasheet, 2023 (halves of the rates with sparsity)",
            ),
            _device(
                "t4", "NVIDIA T4", (8.1, 65.0, None, 130.0), (320, 16), "NVIDIA, T4 Tensor Core GPU datasheet, 2019"
            ),
            _device(
                "rtx4090",
                "NVIDIA GeForce RTX 4090",
                (82.6, 165.2, 165.2, 660.6),
                (1008, 24),
                "NVIDIA, Ada GPU architecture, 2022, appendix A (products summed in float32)",
            ),
            _device(
                "rtx3090",
                "NVIDIA GeForce RTX 3090",
                (35.6, 71.0, 71.0, 284.0),
                (936, 24),
                "NVIDIA, Ampere GA102 GPU architecture, 2021, appendix A (products summed in float32)",
            ),
            _device(
                "jetson-orin",
                "NVIDIA Jetson AGX Orin 64 GB, its GPU",
                (21.2, 42.5, 42.5, 85.0),
                (204.8, 64),
                "NVIDIA, Jetson AGX Orin series technical brief 1.2, 2022: 170 sparse INT8 TOPS, half of that dense, "
                "FP16 half of INT8 and TF32 half of FP16 as in all tensor cores of that generation",
            ),
            _device(
                "cpu",
                "a desktop CPU: 8 cores with AVX2 at 4 GHz, two channels of DDR5-5600",
                (1.024, 1.024, 1.024, 4.096),
                (89.6, 32),
                "worked out: 8 cores * 4e9/s * 2 units * 8 lanes * 2 operations; 2 channels * 8 bytes * 5.6e9/s; "
                "16-bit floats are computed as float32, int8 four times as fast (AVX-VNNI)",
            ),
            _device(
                "cpu-server",
                "a server CPU: AMD EPYC 9654, 96 cores at 3.55 GHz, twelve channels of DDR5-4800",
                (10.9, 10.9, 21.8, 43.6),
                (460.8, 384),
                "AMD, EPYC 9654 product page (cores, all-core boost, channels); worked out: 96 cores * 3.55e9/s * 32 "
                "operations in float32, twice that in bfloat16, four times in int8 (AVX-512 VNNI); 32 GB per channel",
            ),
        )
    }
)
"""Every device that is known by name."""
