"""An export in int8: ranges observed on images, the document rewritten, its distance from float32 measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.calibration import Calibration, batches, observe
from striate.references import Remembered, largest_difference
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto

    from striate.onnx.comparison import Difference
    from striate.onnx.contract import ExportContract
    from striate.onnx.filling import StoredWeights
    from striate.onnx.precision.quantizing import Quantized
    from striate.onnx.precision.scales import Scale
    from striate.onnx.trials import Trial
    from striate.onnx.verify import Reference, Verification
    from striate.precisions import Source

    Array = np.ndarray[Any, np.dtype[np.float32]]

_MOST_TRIED = 4
"""Batches of images on which the file is run, beside the trials that every file is run on."""

_WORST = 3
"""How many layers are named whose rounding costs most."""


@dataclass(frozen=True, slots=True)
class LoweredInt8:
    """A document in int8, with what its verification needs.

    Attributes:
        quantized: the rewritten document's weights and scales.
        source: what it was written from.
        contract: what was asked for.
        images: the inputs that it was calibrated on, in batches.
        layers: how many layers with weights are in int8, and how many there are.
        method: how the ranges were chosen.
    """

    quantized: Quantized
    source: Source
    contract: ExportContract
    images: Sequence[Mapping[str, Array]]
    layers: tuple[int, int]
    method: str

    @property
    def weights(self) -> StoredWeights:
        """The numbers of the document's weights."""
        return self.quantized.weights

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is in int8, in sentences."""
        count = sum(len(next(iter(batch.values()))) for batch in self.images)
        many = "image" if count == 1 else "images"
        inside, all_of_them = self.layers
        return (
            f"weights and values of {inside} of {all_of_them} layers with weights in int8, inputs and outputs in "
            f"float32; ranges of {count:,} {many} by {self.method}",
        )

    def verify(
        self, content: bytes | str, reference: Reference, trials: Sequence[Trial]
    ) -> tuple[Verification, tuple[str, ...]]:
        """Compare the file in ONNX Runtime with torch under the same rounding, and report what the rounding costs.

        Returns the comparison, and what the images say in sentences.

        Raises:
            DiagnosticError: E0635, the outputs are farther from float32 than the tolerance that was asked for; E0606 to
                E0609 as for any file.
        """
        from striate.lower.torch import load_arrays
        from striate.lower.torch.quantized import NoiseProgram, QuantizedProgram
        from striate.lower.torch.reference import ArrayReference
        from striate.onnx.precision.formats import PRECISIONS
        from striate.onnx.runtime import OnnxSession
        from striate.onnx.trials import Trial
        from striate.onnx.verify import verify_content

        source, tolerance = self.source, self.contract.tolerance
        parts = (source.written, source.model.catalogue.lookup, self._scales(), self.quantized.rounded)
        rounded = ArrayReference(load_arrays(QuantizedProgram(*parts), source.arrays))
        shown = [Trial("images", batch) for batch in self.images[:_MOST_TRIED]]
        step = PRECISIONS["int8"].rounding
        every = [*trials, *shown]
        exact_outputs, near = Remembered(reference), Remembered(rounded)
        bound = tolerance if self._is_asked else max(tolerance, largest_difference(exact_outputs, near, every).relative)
        found = verify_content(content, source.written, near, every, bound, rounding=step)
        noise = NoiseProgram(*parts)
        sensitive = ArrayReference(load_arrays(noise, source.arrays))
        session = OnnxSession(content)
        losses: dict[str, Loss] = {}
        for batch in self.images:
            exact, actual = sensitive.outputs(batch), session.run(batch)
            for name, values in exact.items():
                losses.setdefault(name, Loss()).add(values, actual[name])
        self._hold(losses)
        return found, (*(loss.sentence(name) for name, loss in losses.items()), *_costly(noise))

    @property
    def _is_asked(self) -> bool:
        """Whether the tolerance is one that was asked for, and not that of every int8 file."""
        from striate.onnx.precision.formats import PRECISIONS

        return self.contract.tolerance != PRECISIONS["int8"].tolerance

    def _scales(self) -> dict[str, Scale]:
        """Return the scales by the graph's names of values."""
        from striate.onnx.names import value_names

        written, scales = value_names(self.source.written).written, self.quantized.scales
        return {value: scales[name] for value, name in written.items() if name in scales}

    def _hold(self, losses: Mapping[str, Loss]) -> None:
        """Refuse outputs that are farther from float32 than was asked for."""
        tolerance = self.contract.tolerance
        if not self._is_asked:
            return
        for name, loss in losses.items():
            if not loss.difference.relative <= tolerance:
                raise DiagnosticError(_too_far(name, loss, tolerance))


class Loss:
    """How far an output in int8 is from float32, over all images."""

    def __init__(self) -> None:
        from striate.onnx.comparison import Difference

        self.difference: Difference = Difference(0.0, 0.0)
        self._signal = self._noise = 0.0
        self._places = self._other = 0

    def add(self, exact: Array, actual: Array) -> None:
        """Take in one batch."""
        from striate.onnx.comparison import compare, other_classes

        self.difference = self.difference.or_larger(compare(exact, actual))
        wide = exact.astype("float64")
        self._signal += float((wide**2).sum())
        self._noise += float(((actual - wide) ** 2).sum())
        self._places += actual.size // max(actual.shape[1], 1)
        self._other += other_classes(exact, actual)

    @property
    def ratio(self) -> float:
        """The ratio of signal to noise in decibels."""
        return decibels(self._signal, self._noise)

    def sentence(self, name: str) -> str:
        """Say it."""
        same = 100 * (1 - self._other / max(self._places, 1))
        return (
            f"output {name} on these images: signal to noise {self.ratio:.1f} dB, the largest entry at the same place "
            f"{same:.1f} % of the time, differs from float32 by at most {self.difference}"
        )


def decibels(signal: float, noise: float) -> float:
    """Return the ratio of two sums of squares in decibels; infinite without noise."""
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf


def lower_int8(document: ModelProto, source: Source, contract: ExportContract, calibration: Calibration) -> LoweredInt8:
    """Rewrite a document in int8, in place.

    Raises:
        DiagnosticError: E0631, a layer that is to stay in float32 does not exist; E0633, there are no images.
    """
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.reference import ArrayReference
    from striate.onnx.names import value_names
    from striate.onnx.precision.keeping import layers_to_keep
    from striate.onnx.precision.quantizing import quantize
    from striate.onnx.precision.ranges import METHODS
    from striate.onnx.precision.units import WEIGHTED, lay_out

    written, method = source.written, calibration.method or METHODS[0]
    keep = layers_to_keep(source.graph, written, contract.keep_float)
    images = batches(source.model, calibration)
    program = load_arrays(Program(written, source.model.catalogue.lookup), source.arrays)
    seen = observe(written, ArrayReference(program), images)
    names = value_names(written).written
    layout = lay_out(document, written.weights, names.values(), keep)
    ranges = {names[value]: item.range(method) for value, item in seen.items()}
    scales = _shared_scales(layout, ranges, symmetric=calibration.symmetric)
    products = sum(node.op_type in WEIGHTED for node in document.graph.node)
    inside = sum(bool(unit.weights) for unit in layout.units)
    quantized = quantize(document, source.arrays, layout, scales)
    return LoweredInt8(quantized, source, contract, images, (inside, products), method)


def _shared_scales(layout: Any, ranges: Mapping[str, tuple[float, float]], *, symmetric: bool) -> dict[str, Scale]:
    """Return the scale of every int8 value; values of one group have that of the widest range among them."""
    from striate.onnx.precision.scales import scale_of

    widest: dict[str, tuple[float, float]] = {}
    for value in layout.groups:
        root, (low, high) = layout.root(value), ranges[value]
        before = widest.get(root, (0.0, 0.0))
        widest[root] = (min(low, before[0]), max(high, before[1]))
    return {value: scale_of(*widest[layout.root(value)], symmetric=symmetric) for value in layout.groups}


def _costly(noise: Any) -> tuple[str, ...]:
    """Return the layers whose own rounding costs most, the worst first."""
    ratios = {name: decibels(noise.signal[name], noise.noise[name]) for name in noise.signal if noise.noise[name] > 0}
    worst = sorted(ratios, key=ratios.__getitem__)[:_WORST]
    if not worst:
        return ()
    shown = ", ".join(f"{name} {ratios[name]:.1f} dB" for name in worst)
    return (f"least signal to noise by their own rounding: {shown} (--keep-float leaves a layer in float32)",)


def _too_far(name: str, loss: Loss, tolerance: float) -> Diagnostic:
    return Diagnostic(
        "E0635",
        f"in int8, output {name} differs from float32 by up to {loss.difference}; allowed is a relative "
        f"{tolerance:.1e}",
        notes=(f"signal to noise {loss.ratio:.1f} dB over the images that it was calibrated on",),
        help="no file was written. Keep the layers that lose most in float32 (an export without the tolerance names "
        "them), calibrate on more images, or train with the rounding in mind",
    )
