"""The check of a layer's ONNX side: valid for ONNX's checker, sized by its inference, with the values of torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.conformance.layer_call import NODE, Configuration, LayerCall
from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.subject import Subject, first_line
from striate.onnx.document import Colophon, build_document, check_content, serialize
from striate.onnx.opsets import DEFAULT_OPSET, HIGHEST
from striate.onnx.runtime import OnnxSession
from striate_dsl.diagnostics import DiagnosticError

if TYPE_CHECKING:
    import numpy as np

TOLERANCE = 1e-4
"""The largest difference from torch, as a share of the larger of 1 and the output's largest entry."""


def onnx(subject: Subject) -> str | None:
    """A file of this one layer passes ONNX's checker and computes in ONNX Runtime what torch does."""
    if find_spec("onnxruntime") is None:
        raise NotApplicableError("ONNX Runtime is not installed: pip install 'striate[runtimes]'")
    sets: set[int] = set()
    number = subject.each(subject.calls, lambda layer, call: sets.add(_agrees(layer, call)), most=40)
    written = sorted(sets)
    later = "" if written == [17] else f"; operator sets {', '.join(map(str, written))}"
    return f"{number} calls{later}"


def _agrees(layer: LayerCall, call: Configuration) -> int:
    """Compare one call at batches of 1 and 3 and return the operator set it was written in."""
    opset, content = _written(layer)
    try:
        session = OnnxSession(content)
    except DiagnosticError as error:
        if "NOT_IMPLEMENTED" in str(error):
            raise NotApplicableError(f"ONNX Runtime has no implementation: {first_line(error)}") from None
        raise CheckFailedError(f"ONNX Runtime refuses the file: {_notes(error)}") from None
    weights = layer.weights()
    for batch in (1, 3):
        values = layer.tensors(call.shapes, batch)
        wanted = [result.numpy() for result in layer.results(values, weights)]
        try:
            found = session.run({f"in{place}": item.numpy() for place, item in enumerate(values)})
        except DiagnosticError as error:
            raise CheckFailedError(
                f"ONNX Runtime cannot run the file with a batch of {batch}: {_notes(error)}"
            ) from None
        _equal(wanted, [found[f"out{place}"] for place, _ in enumerate(wanted)], batch)
    return opset


def _equal(wanted: Sequence[np.ndarray[Any, Any]], found: Sequence[np.ndarray[Any, Any]], batch: int) -> None:

    for one, other in zip(wanted, found, strict=True):
        if one.shape != other.shape:
            raise CheckFailedError(f"ONNX Runtime gives the size {other.shape}, torch {one.shape} (batch {batch})")
        if one.size == 0:
            continue
        largest = max(1.0, float(np.abs(one[np.isfinite(one)]).max(initial=0.0)))
        difference = float(np.nan_to_num(np.abs(one.astype("float64") - other.astype("float64")), nan=math.inf).max())
        if not difference <= TOLERANCE * largest:
            raise CheckFailedError(
                f"ONNX Runtime and torch differ by {difference:.3g}, where the largest entry is {largest:.3g}",
                repair="compare the ONNX rule with the torch rule argument by argument: one of them is left out, or "
                "means something else in ONNX",
            )


def _written(layer: LayerCall) -> tuple[int, bytes]:
    """Return the layer as a file, in the usual operator set or in the first later one that can hold it."""
    graph = layer.graph()
    arrays = {f"{NODE}.{role}": item.numpy() for role, item in layer.weights().items()}
    refusal: DiagnosticError | None = None
    for opset in range(DEFAULT_OPSET, HIGHEST + 1):
        try:
            document = build_document(
                graph, {layer.record.name: layer.record}.__getitem__, arrays, opset, Colophon("striate", "", "", {})
            )
        except DiagnosticError as error:
            refusal = refusal or error
            continue
        except NotImplementedError as error:
            raise NotApplicableError(f"it has no ONNX form: {first_line(error) or 'its rule says so'}") from None
        content = serialize(document)
        try:
            check_content(content)
        except DiagnosticError as error:
            raise CheckFailedError(f"ONNX's checker refuses what the rule writes: {_notes(error)}") from None
        return opset, content
    raise CheckFailedError(f"no operator set can hold it: {first_line(refusal) if refusal else ''}")


def _notes(error: DiagnosticError) -> str:
    """Return what a finding says, and the first thing that the tool behind it said."""
    finding = error.diagnostics[0]
    return "; ".join([finding.message, *finding.notes[:2]])[:400]
