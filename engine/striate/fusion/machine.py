"""What a kernel may use of a processor, and how fast that is: what the choice of groups reckons with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_KIB = 1024


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor as kernels see it.

    Attributes:
        name: its name.
        flops: operations per second in products of 16-bit floats.
        bandwidth: bytes per second to and from memory.
        launch: seconds from the end of a kernel to the beginning of one that waits for it, within a CUDA graph.
        shared: bytes of shared memory that a block of threads can have.
        registers: 32-bit registers that a block of 256 threads can have.
    """

    name: str
    flops: float
    bandwidth: float
    launch: float
    shared: int
    registers: int


MACHINES: Mapping[str, Machine] = MappingProxyType(
    {
        each.name: each
        for each in (
            Machine("h200", 790e12, 4.3e12, 2.5e-6, 227 * _KIB, 65536),
            Machine("h100", 790e12, 3.0e12, 2.5e-6, 227 * _KIB, 65536),
            Machine("a100", 265e12, 1.6e12, 2.5e-6, 163 * _KIB, 65536),
        )
    }
)
"""Processors by name. Rates are what well-made kernels reach, not what data sheets promise."""
