"""Adds layers to a network for readers of files that describe layers rather than operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto

from striate.dims import Dim
from striate.importing.findings import UnsupportedError
from striate.importing.network import Array, Network, Stored, Value
from striate_dsl.limits import LAYERS

Weights = Mapping[str, Array | None]
"""Arrays by role; None for one that the file does not have."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A module: its name, and its first and last layer by place; scopes lie within each other or apart."""

    name: str
    first: int
    last: int


class Builder:
    """Adds layers to a network, each as a call `build("conv", value, channels=8, kernel=3)`.

    Args:
        network: the network that layers are added to.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.scopes: list[Scope] = []

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Note that the layers that are added meanwhile are a module of this name."""
        first = len(self.network.layers)
        yield
        last = len(self.network.layers) - 1
        if last > first:
            self.scopes.append(Scope(name, first, last))

    def entrance(self, sizes: Sequence[Dim]) -> Value:
        """Return a value of a size, as an input is one."""
        return self.network.value(sizes, TensorProto.FLOAT)

    def __call__(
        self,
        name: str,
        inputs: Value | Sequence[Value],
        weights: Weights | None = None,
        /,
        **arguments: Any,
    ) -> Value:
        """Add a layer and return its first value.

        Args:
            name: the layer's name in the language.
            inputs: what flows in.
            weights: its arrays by role. None, or an array that is None: they start as in training.
            arguments: the layer's arguments; those at their defaults need not be given.

        Raises:
            UnsupportedError: the layer does not take these arguments, sizes or weights.
        """
        return self.several(name, inputs, weights, **arguments)[0]

    def several(
        self,
        name: str,
        inputs: Value | Sequence[Value],
        weights: Weights | None = None,
        /,
        **arguments: Any,
    ) -> list[Value]:
        """Add a layer and return all its values; like calling the builder."""
        given = [inputs] if isinstance(inputs, Value) else list(inputs)
        stored: dict[str, Stored] | None = None
        if weights and all(array is not None for array in weights.values()):
            stored = {role: Stored((), np.asarray(array)) for role, array in weights.items()}
        if len(self.network.layers) >= LAYERS.value:
            raise UnsupportedError(f"the network has more than {LAYERS.value:,} layers; {LAYERS.advice}")
        layer = self.network.add(name, given, arguments, stored, TensorProto.FLOAT)
        return self.network.results(layer, TensorProto.FLOAT)

    def flat(self, value: Value) -> Value:
        """Return a value as a flat one."""
        return value if len(value.sizes) == 1 else self("flatten", value)

    def image(self, value: Value) -> Value:
        """Return a value as an image; a flat one has one pixel."""
        return value if len(value.sizes) == 3 else self("unflatten", value, sizes=[value.sizes[0], 1, 1])
