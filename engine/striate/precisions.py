"""An export in other numbers than float32: what is asked for, the rewriting of the document, its verification.

`exporting` calls `lower_precision` between writing the document and putting the file in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from striate.calibration import NOT_CALIBRATED, Calibration
from striate.references import Remembered, largest_difference
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto

    from striate.graph import Graph
    from striate.model import Model
    from striate.onnx.contract import ExportContract
    from striate.onnx.filling import StoredWeights
    from striate.onnx.precision.narrowing import Narrowed
    from striate.onnx.trials import Trial
    from striate.onnx.verify import Reference, Verification
    from striate.quantization import LoweredInt8

    Arrays = Mapping[str, np.ndarray[Any, np.dtype[np.float32]]]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a file is to compute in, where that is not as its export section says.

    Attributes:
        precision: `float32`, `float16` or `bfloat16`; None as the section says.
        io_precision: the numbers of inputs and outputs, `float32` or the precision; None as the section says.
        keep_float: layers and blocks that stay in float32, beside those that the section names.
        calibration: where the ranges of int8 are from.
    """

    precision: str | None = None
    io_precision: str | None = None
    keep_float: tuple[str, ...] = ()
    calibration: Calibration = NOT_CALIBRATED

    def settle(self, contract: ExportContract) -> ExportContract:
        """Return a contract with these put in; its precision is this one's already.

        Raises:
            DiagnosticError: E0632, inputs and outputs are to have numbers that do not go with the precision, or layers
                are to stay in float32 where all are.
        """
        ends = self.io_precision or contract.io_precision
        if ends not in ("float32", contract.precision):
            raise DiagnosticError(_ends_mismatch(ends, contract.precision))
        if self.calibration != NOT_CALIBRATED and contract.precision != "int8":
            raise DiagnosticError(_nothing_to_calibrate(contract.precision))
        if self.keep_float and contract.precision == "float32":
            raise DiagnosticError(_nothing_to_keep())
        return replace(contract, io_precision=ends, keep_float=(*contract.keep_float, *self.keep_float))


AS_WRITTEN = Numbers()
"""Everything as the export section says."""

_ROOM = 3.0
"""How many times as far from torch as torch in the same numbers is from itself in float32 the file may be. Where a
network takes small errors for large ones, as MobileNets without training do, two right computations differ as much."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a document is written from.

    Attributes:
        model: the model.
        graph: its network for evaluation.
        written: the network that is written: the same, or with layers folded.
        arrays: the weights of the network that is written.
    """

    model: Model
    graph: Graph
    written: Graph
    arrays: Arrays


@dataclass(frozen=True, slots=True)
class Lowered:
    """A document in narrow floats, with what its verification needs.

    Attributes:
        narrowed: the rewritten document.
        source: what it was written from.
        tolerance: how far ONNX Runtime may be from torch; None as far as the precision brings about.
    """

    narrowed: Narrowed
    source: Source
    tolerance: float | None

    @property
    def weights(self) -> StoredWeights:
        """The numbers of the document's weights."""
        return self.narrowed.weights

    @property
    def remarks(self) -> tuple[str, ...]:
        """What stays in float32, in sentences."""
        narrowed = self.narrowed
        name = narrowed.precision.name
        ends = name if narrowed.narrow_ends else "float32"
        sentences = [f"weights and computation in {name}, inputs and outputs in {ends}"]
        if narrowed.kept:
            sentences.append(f"in float32: {_listed(narrowed.kept)}")
        if narrowed.partial:
            sentences.append(f"in float32 but for their products: {_listed(narrowed.partial)}")
        return tuple(sentences)

    def verify(
        self, content: bytes | str, reference: Reference, trials: Sequence[Trial]
    ) -> tuple[Verification, tuple[str, ...]]:
        """Compare the file in ONNX Runtime with torch in float32, and with torch in the same numbers.

        Returns the comparison with float32, and what else there is to say in sentences.

        Raises:
            DiagnosticError: E0634, a value leaves the range of the format; E0606 to E0609 as for any file.
        """
        from striate.onnx.verify import verify_content

        narrowed, written = self.narrowed, self.source.written
        program, same = self._same_precision()
        for trial in trials:
            _check_range(narrowed, written, reference, same, trial)
        wide, near = Remembered(reference), Remembered(same)
        own = largest_difference(wide, near, trials)
        runnable, how = _runnable(narrowed, content)
        rounding, exact = narrowed.precision.rounding, bool(how)
        bound = self.tolerance or max(narrowed.precision.tolerance, _ROOM * own.relative)
        close = verify_content(runnable, written, near, trials, bound, rounding=rounding, as_written=exact)
        found = verify_content(runnable, written, wide, trials, bound, rounding=rounding, as_written=exact)
        name = narrowed.precision.name
        told = f"torch in {name} differs from torch in float32 by at most {own}, the file from torch in {name} by "
        slow = f"; torch has no rule in {name} for {_some(program.in_float32)}" if program.in_float32 else ""
        return found, (*how, f"{told}{close.difference}{slow}")

    def _same_precision(self) -> tuple[Any, Reference]:
        from striate.lower.torch import load_arrays
        from striate.lower.torch.narrow import NarrowProgram
        from striate.lower.torch.reference import ArrayReference

        narrowed, source = self.narrowed, self.source
        program = NarrowProgram(
            source.written,
            source.model.catalogue.lookup,
            narrowed.precision.name,
            narrowed.narrow_values,
            narrowed.partial,
        )
        load_arrays(program, source.arrays)
        return program, ArrayReference(program)


def lower_precision(
    document: ModelProto, source: Source, contract: ExportContract, calibration: Calibration
) -> Lowered | LoweredInt8 | None:
    """Rewrite a document in the numbers that a contract asks for, in place; None where that is float32.

    Raises:
        DiagnosticError: E0602, E0630, E0631, E0633: it cannot be written in these numbers.
    """
    if contract.precision == "float32":
        return None
    if contract.precision == "int8":
        from striate.quantization import lower_int8  # noqa: PLC0415 - for int8 alone

        return lower_int8(document, source, contract, calibration)
    from striate.onnx.precision.formats import PRECISIONS
    from striate.onnx.precision.keeping import layers_to_keep
    from striate.onnx.precision.narrowing import narrow

    keep = layers_to_keep(source.graph, source.written, contract.keep_float)
    narrowed = narrow(
        document,
        source.written,
        source.arrays,
        PRECISIONS[contract.precision],
        narrow_ends=contract.io_precision != "float32",
        keep=keep,
    )
    asked = contract.tolerance
    return Lowered(narrowed, source, None if asked == narrowed.precision.tolerance else asked)


def _runnable(narrowed: Narrowed, content: bytes | str) -> tuple[bytes | str, tuple[str, ...]]:
    """Return what ONNX Runtime is to run on a CPU: the file, or one that emulates its bfloat16; and that in words."""
    if narrowed.precision.name != "bfloat16":
        return content, ()
    from striate.onnx.precision.widening import emulated
    from striate.onnx.runtime import load_runtime

    words = (
        f"ONNX Runtime {load_runtime().__version__} does not compute this in bfloat16 on a CPU: it was verified in "
        "float32 with every value rounded to bfloat16"
    )
    return emulated(content), (words,)


def _check_range(narrowed: Narrowed, graph: Graph, reference: Reference, same: Reference, trial: Trial) -> None:
    """Refuse a file in which a value becomes infinite that is none in float32."""
    import numpy as np

    narrow = same.values(trial.inputs)
    if all(np.isfinite(values).all() for values in narrow.values()):
        return
    wide = reference.values(trial.inputs)
    for node in graph.nodes:
        for output in node.outputs:
            lost = np.isfinite(wide[output.name]) & ~np.isfinite(narrow[output.name])
            if lost.any():
                raise DiagnosticError(_out_of_range(narrowed, node, wide[output.name][lost], trial))


def _out_of_range(narrowed: Narrowed, node: Any, values: Any, trial: Trial) -> Diagnostic:
    name, largest = narrowed.precision.name, float(abs(values).max())
    return Diagnostic(
        "E0634",
        f"layer {node.name} ({node.op}) leaves the range of {name}",
        node.origin.span,
        notes=(
            f"{trial.words}: its value reaches {largest:.4g} in float32; the largest {name} is "
            f"{narrowed.precision.largest:.6g}",
        ),
        help=f"no file was written. Let it compute in float32: --keep-float {node.name}; or export in bfloat16, which "
        "has the range of float32",
    )


def _ends_mismatch(ends: str, precision: str) -> Diagnostic:
    return Diagnostic(
        "E0632",
        f"a file that computes in {precision} cannot have inputs and outputs in {ends}",
        help=f"choose --precision {ends}, too, or leave --io-precision out: inputs and outputs are then float32",
    )


def _nothing_to_calibrate(precision: str) -> Diagnostic:
    return Diagnostic(
        "E0632",
        f"images are for int8, and this file computes in {precision}",
        help="choose --precision int8, or leave the options of the calibration out",
    )


def _nothing_to_keep() -> Diagnostic:
    return Diagnostic(
        "E0632",
        "--keep-float says which layers stay in float32, and in this file all of them are",
        help="choose other numbers for the rest, e.g. --precision float16",
    )


def _listed(layers: Mapping[str, str]) -> str:
    """Return layers by reason: `conv1, conv2 (asked for), softmax1 (exponentials)`."""
    reasons = list(dict.fromkeys(layers.values()))
    return "; ".join(f"{_some([name for name in layers if layers[name] == why])} ({why})" for why in reasons)


def _some(names: Any, most: int = 8) -> str:
    given = sorted(names) if isinstance(names, (set, frozenset)) else list(names)
    rest = f" and {len(given) - most:,} more" if len(given) > most else ""
    return ", ".join(given[:most]) + rest
