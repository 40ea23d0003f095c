"""ONNX's own backend tests, run through the importer and torch: what is read, what is refused and why, what is wrong.

    python -m benchmarks.onnx_backend [--only PART] [--output FOLDER]

A model is first taken as it would be imported, with the batch as the first axis; where that is refused, its tensors
are taken as those of one image. Inputs that the language needs as constants (weights, axes, sizes) are given as such.
A result that differs is a failure, whatever the reason.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.backend.base import Backend, BackendRep
from onnx.backend.test.loader import load_model_tests

from striate.importer import Imported, import_model
from striate.lower.torch import Program, load_arrays
from striate.version import __version__
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, np.dtype[Any]]

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")

FOREIGN = {
    "ai.onnx.ml": "classical machine learning",
    "ai.onnx.preview.training": "training",
    "ai.onnx.preview": "preview",
}
"""Domains that are no part of networks for images."""

OUTSIDE = {
    "sequences, optional values and control flow": "If Loop Scan SequenceAt SequenceConstruct SequenceEmpty "
    "SequenceErase SequenceInsert SequenceLength SequenceMap SplitToSequence ConcatFromSequence Optional "
    "OptionalGetElement OptionalHasElement",
    "texts": "StringConcat StringNormalizer StringSplit RegexFullMatch TfIdfVectorizer",
    "random numbers": "Bernoulli RandomNormal RandomNormalLike RandomUniform RandomUniformLike Multinomial",
    "training": "Adagrad Adam Momentum Gradient NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss",
    "signals": "DFT STFT MelWeightMatrix HannWindow HammingWindow BlackmanWindow",
    "files": "ImageDecoder",
    "whole numbers and small types": "BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BitCast Cast CastLike "
    "ConvInteger MatMulInteger QLinearConv QLinearMatMul QuantizeLinear DequantizeLinear DynamicQuantizeLinear",
    "recurrent networks and attention (read with their layers)": "RNN LSTM GRU Attention FlexAttention RotaryEmbedding "
    "LinearAttention CausalConvWithState",
    "sets of numbers": "Unique NonZero Compress",
}
"""Operators that are out of scope, by the reason."""

_BESIDE = re.compile(
    "needs a batch axis|computed from the input|cannot be imported|first matrix is not|along the batch"
)
"""Reasons that come of a way that was only tried; another way has the one that counts."""

_OUTSIDE = {name: reason for reason, names in OUTSIDE.items() for name in names.split()}


@dataclass(slots=True)
class Case:
    """One test: its name, kind, model, and pairs of inputs and expected outputs."""

    name: str
    kind: str
    model: ModelProto
    data: list[tuple[list[Any], list[Any]]]
    rtol: float
    atol: float


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a test: passed, refused, wrong or outside, with the reason."""

    name: str
    kind: str
    operator: str
    verdict: str
    reason: str = ""


@dataclass
class StriateRep(BackendRep):
    """A model that is imported when its inputs are known: what the language needs as constants is given as such."""

    model: ModelProto
    reasons: list[str] = field(default_factory=list)

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the outputs.

        Raises:
            DiagnosticError: no way to read the model gives a network.
        """
        given = {item.name: np.asarray(value) for item, value in zip(_inputs(self.model), inputs, strict=False)}
        first: DiagnosticError | None = None
        for batched, values in _ways(given):
            try:
                imported = import_model(_with_constants(self.model, given, values), Path("model.onnx"), batched=batched)
            except DiagnosticError as error:
                first = first or error
                self.reasons += [note for item in error.diagnostics for note in (item.message, *item.notes)]
                continue
            return _outputs(imported, self.model, given, batched=batched)
        if first is None:
            raise DiagnosticError(Diagnostic("E0612", "it has no input that a network could have"))
        raise first


class StriateBackend(Backend):
    """striate as a backend in the sense of ONNX."""

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> StriateRep:
        """Return a model that can be run."""
        return StriateRep(model)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether networks run there."""
        return device == "CPU"


def _inputs(model: ModelProto) -> list[Any]:
    stored = {item.name for item in model.graph.initializer}
    return [item for item in model.graph.input if item.name not in stored]


def _ways(given: dict[str, Array]) -> Iterator[tuple[bool, list[str]]]:
    """Yield the ways to take a model: with or without the batch, and which inputs are values."""
    names = list(given)
    floats = [name for name in names if given[name].dtype.kind == "f" and given[name].size]
    truths = [name for name in names if given[name].dtype.kind in "fb" and given[name].size]
    choices = [names, truths, floats, floats[:1], floats[1:2], names[:1]]
    seen = set()
    for chosen, batched in product(choices, (True, False)):
        key = (batched, tuple(chosen))
        if chosen and key not in seen and (not batched or len({given[name].shape[:1] for name in chosen}) == 1):
            seen.add(key)
            yield batched, chosen


def _with_constants(model: ModelProto, given: dict[str, Array], values: list[str]) -> ModelProto:
    """Return a model in which all inputs but some are constants, and inputs have the sizes of their arrays."""
    made = ModelProto()
    made.CopyFrom(model)
    del made.graph.input[:]
    for item in _inputs(model):
        if item.name in values:
            shape = given[item.name].shape
            made.graph.input.append(helper.make_tensor_value_info(item.name, item.type.tensor_type.elem_type, shape))
        elif item.name in given:
            made.graph.initializer.append(numpy_helper.from_array(given[item.name], item.name))
    return made


def _outputs(imported: Imported, model: ModelProto, given: dict[str, Array], *, batched: bool) -> tuple[Any, ...]:
    built = imported.model
    program = load_arrays(Program(built.graph, built.catalogue.lookup), imported.weights).eval()
    double = any(array.dtype == np.float64 for array in given.values())
    program = program.double() if double else program
    tensors = []
    for item in built.graph.inputs:
        array = given[imported.inputs[item.value.name]].astype(np.float64 if double else np.float32)
        lead = (array.shape[0],) if batched else (1,)
        tensors.append(torch.from_numpy(array.reshape(*lead, *item.value.type.shape)))
    with torch.inference_mode():
        values = program.run(tuple(tensors))
    made = {theirs: values[built.graph.outputs[ours]].numpy() for ours, theirs in imported.outputs.items()}
    return tuple(made[item.name] if batched else made[item.name][0] for item in model.graph.output)


def cases(kinds: Sequence[str] = KINDS) -> Iterator[Case]:
    """Yield the tests that the installed onnx package brings, those written out as functions left out."""
    for kind in kinds:
        for test in load_model_tests(kind=kind):
            if "_expanded" in test.name:
                continue
            folder = Path(test.model_dir) if test.model_dir else None
            model = test.model if test.model is not None else onnx.load(folder / "model.onnx")  # type: ignore[operator]
            data = test.data_sets if test.data_sets is not None else _stored(folder, model)  # type: ignore[arg-type]
            pairs = [(list(inputs), list(outputs)) for inputs, outputs in data]
            yield Case(test.name, kind, model, pairs, test.rtol, test.atol)


def _stored(folder: Path, model: ModelProto) -> list[tuple[list[Any], list[Any]]]:
    found = []
    for place in sorted(folder.glob("test_data_set_*")):
        sides = []
        for side in ("input", "output"):
            count = len(list(place.glob(f"{side}_*.pb")))
            tensors = [TensorProto.FromString((place / f"{side}_{at}.pb").read_bytes()) for at in range(count)]
            try:
                sides.append([numpy_helper.to_array(each) for each in tensors])
            except (TypeError, ValueError):  # a sequence, whose tests are out of scope
                sides.append([])
        found.append((sides[0], sides[1]))
    return found


def outside(case: Case) -> str:
    """Return why a test is out of scope; empty where it is in it."""
    for node in case.model.graph.node:
        if node.domain in FOREIGN:
            return FOREIGN[node.domain]
        if node.op_type in _OUTSIDE:
            return _OUTSIDE[node.op_type]
    for item in (*case.model.graph.input, *case.model.graph.output):
        if not item.type.HasField("tensor_type"):
            return _OUTSIDE["SequenceAt"]
    if any(axis == 0 for inputs, _ in case.data for array in inputs for axis in np.shape(array)):
        return "tensors without entries"
    if {node.op_type for node in case.model.graph.node} <= {"Shape", "Size", "Constant", "Range"}:
        return "results that depend on no entry of an input"
    kinds = {item.type.tensor_type.elem_type for item in _inputs(case.model)}
    floats = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16}
    if not kinds & floats and not kinds <= {TensorProto.BOOL}:
        return _OUTSIDE["Cast"]
    return ""


def run_case(case: Case) -> Result:
    """Run one test."""
    operator = "+".join(dict.fromkeys(node.op_type for node in case.model.graph.node))[:60]
    reason = outside(case)
    if reason:
        return Result(case.name, case.kind, operator, "outside", reason)
    rep = StriateBackend.prepare(case.model)
    for inputs, expected in case.data:
        try:
            actual = rep.run(inputs)
        except DiagnosticError as error:
            notes = [note for item in error.diagnostics for note in (item.notes or (item.message,))]
            told = [note for note in rep.reasons if ": " in note and not _BESIDE.search(note)]
            return Result(case.name, case.kind, operator, "refused", (told or notes)[0])
        except Exception as error:  # whatever it is, it is a fault of ours, to be seen in the table
            return Result(case.name, case.kind, operator, "wrong", f"ends in {type(error).__name__}: {error}")
        wrong = _wrong(case, expected, actual)
        if wrong:
            return Result(case.name, case.kind, operator, "wrong", wrong)
    return Result(case.name, case.kind, operator, "passed")


def _wrong(case: Case, expected: Sequence[Any], actual: Sequence[Array]) -> str:
    for wanted, found in zip(expected, actual, strict=False):
        array = np.asarray(wanted)
        if found.size != array.size:
            return f"the size is {found.shape}, not {array.shape}"
        mine, theirs = found.reshape(array.shape).astype(array.dtype).astype(np.float64), array.astype(np.float64)
        tolerance = max(case.rtol, 1e-3 if array.dtype.itemsize >= 4 else 1e-2)
        if not np.allclose(mine, theirs, tolerance, max(case.atol, 1e-6), equal_nan=True):
            return f"differs by {np.nanmax(np.abs(mine - theirs)):.3g}"
    return ""


def table(results: Sequence[Result]) -> str:
    """Return the results as a page."""
    lines = ["# ONNX's backend tests through the importer", ""]
    versions = {"striate": __version__, "onnx": onnx.__version__, "torch": torch.__version__}
    versions["Python"] = platform.python_version()
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items()))
    lines += ["", "| kind | in scope | passed | refused | wrong | outside |", "|---|---|---|---|---|---|"]
    for kind in dict.fromkeys(item.kind for item in results):
        counts = Counter(item.verdict for item in results if item.kind == kind)
        inside = counts["passed"] + counts["refused"] + counts["wrong"]
        columns = [inside, *(counts[verdict] for verdict in ("passed", "refused", "wrong", "outside"))]
        lines.append(f"| {kind} | {' | '.join(map(str, columns))} |")
    for verdict, title in (("wrong", "Wrong"), ("refused", "Refused"), ("outside", "Outside")):
        rows = Counter((item.operator, item.reason[:160]) for item in results if item.verdict == verdict)
        if rows:
            lines += ["", f"## {title}", "", "| operator | tests | reason |", "|---|---|---|"]
            lines += [f"| {operator} | {count} | {reason} |" for (operator, reason), count in sorted(rows.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the tests and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="run the tests whose names hold this")
    parser.add_argument("--output", type=Path, help="write onnx-backend.md and .json into this folder")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    results = [run_case(case) for case in cases() if options.only in case.name]
    print(table(results))
    if options.output:
        (options.output / "onnx-backend.md").write_text(table(results))
        rows = [{"name": item.name, "verdict": item.verdict, "reason": item.reason} for item in results]
        (options.output / "onnx-backend.json").write_text(json.dumps(rows, indent=1) + "\n")
    sys.exit(any(item.verdict == "wrong" for item in results))


if __name__ == "__main__":
    main()
