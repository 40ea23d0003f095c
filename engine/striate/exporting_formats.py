"""Exporting a model to other runtimes: their own tools write the file and load it back, and it must agree with torch.

ONNX has a module of its own (`exporting`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from striate.analysis.ends import Ends, Wanted
from striate.exporting import (
    Weights,
    check_target,
    passes_of,
    plugins_of,
    rewritten,
    take_weights,
    told_of_plugins,
)
from striate.exporting_ends import read_ends, stated, wanted_by
from striate.version import __version__
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from striate.formats.choosing import Format
    from striate.formats.comparison import Failure
    from striate.formats.subject import Converted, Subject
    from striate.model import Model
    from striate.onnx.contract import ExportContract
    from striate.onnx.verify import Verification
    from striate.rewriting import Passes

MOST_NAMED = 12
"""Layers that a message lists before it says how many more there are."""


@dataclass(frozen=True, slots=True)
class FormatReport:
    """What an export wrote.

    Attributes:
        paths: the files, the main one first.
        kind: the format's name on the command line.
        title: the format's name in sentences.
        size: bytes of all files together.
        weights: where the weights are from, in words.
        verification: how the file, loaded back, compared with torch.
        folded: what was folded into convolutions, in words; None where that was not wanted.
        ends: what the file does before and behind the network; None where that was not wanted.
        passes: which passes of plugins have rewritten the network, in words; empty where none has.
        remarks: what else there is to say about the file, one sentence each.
    """

    paths: tuple[Path, ...]
    kind: str
    size: int
    weights: str
    verification: Verification
    folded: str | None = None
    ends: Ends | None = None
    title: str = ""
    passes: str = ""
    remarks: tuple[str, ...] = ()


def export_format(
    model: Model,
    path: str | Path,
    kind: str,
    *,
    weights: str | Path | None = None,
    seed: int = 0,
    opset: int | None = None,
    contract: str | None = None,
    fold: bool = False,
    wanted: Wanted | None = None,
    passes: Sequence[str] | None = None,
) -> FormatReport:
    """Write a model in the format of another runtime, if that runtime computes the same with the file as torch.

    Args:
        model: the model.
        path: the main file; what exists under its name is replaced.
        kind: a name of `striate.formats.kinds.KINDS` other than `onnx`, or that of a plugin's exporter.
        weights: a checkpoint; without one the weights are initialised.
        seed: what initialised weights are a function of, beside their names.
        opset: the operator set of the ONNX file that OpenVINO is given.
        contract: which export section, where the file gives them names of their own.
        fold: fold batch norms and parallel branches into convolutions.
        wanted: what the file shall do before and behind the network, where it is not what the export section says.
        passes: passes of plugins that the network goes through first, where they are not those of the export section.

    Raises:
        DiagnosticError: the export section or checkpoint has mistakes; E0722, there is no such format; E0720 or E0721,
            the plugin that writes it failed; E0637, the format's tool is not installed;
            E0638, the tool does not take the network, with the layers; E0639, the file computes something else; E0640
            to E0643, what is wanted before and behind the network; E0505, a file cannot be written. What is at the path
            is as it was before.
    """
    from striate.formats.choosing import choose_format
    from striate.formats.writing import write_files
    from striate.onnx.contract import read_contract
    from striate.onnx.opsets import check_opset

    target = Path(path)
    check_target(target)
    form = choose_format(kind, model.catalogue)
    if kind == "openvino":
        _demand_openvino()
    asked = read_contract(model.file, model.name, contract)
    values = take_weights(model, weights, seed)
    chosen = passes_of(model, passes, asked)
    values = replace(values, plugins=plugins_of(model, values.info, chosen))
    subject, folded = _subject(model, values, chosen, asked.opset if opset is None else check_opset(opset), fold=fold)
    told = "; ".join(filter(None, (values.words, chosen.words, folded)))
    ends = read_ends(model, (wanted or Wanted()).over(wanted_by(asked)), values.info)
    converted, verification = _verified(model, subject, form, values, asked, told)
    if ends is not None:
        converted, verification = _verified_ends(model, replace(subject, ends=ends), form, values, asked, told)
    paths = write_files(target, form.kind.suffix, converted.files)
    size = sum(len(content) for content in converted.files.values())
    report = FormatReport(paths, kind, size, values.words, verification, folded, ends)
    remarks = told_of_plugins(model, values.info)
    return replace(report, title=form.kind.title, passes=chosen.words, remarks=remarks)


def _subject(model: Model, weights: Weights, passes: Passes, opset: int, *, fold: bool) -> tuple[Subject, str | None]:
    from striate.formats.subject import Subject
    from striate.onnx.trials import further_trial, legal_sizes, trials_for

    graph, network, folded = rewritten(model, weights.arrays, passes, fold=fold)
    trials = trials_for(graph, model.domain)
    further = further_trial(graph, model.domain, legal_sizes(model.domain, graph.name))
    if further is not None:
        trials = [*trials, further]
    return Subject(network.graph, network.lookup, network.arrays, model.domain, trials, opset), folded


def _verified(
    model: Model, subject: Subject, form: Format, weights: Weights, asked: ExportContract, told: str
) -> tuple[Converted, Verification]:
    from striate.formats.comparison import Failure, compare_file, first_line
    from striate.formats.subject import RefusedError
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.reference import ArrayReference

    try:
        converted = form.convert(subject, _entries(model, form, weights, asked, told))
    except RefusedError as error:
        raise DiagnosticError(_cannot_hold(form, subject, asked, first_line(error))) from error
    reference = ArrayReference(load_arrays(Program(model.graph, model.catalogue.lookup), weights.arrays))
    found = compare_file(converted, subject.graph, reference, subject.trials, asked.tolerance)
    if isinstance(found, Failure):
        raise DiagnosticError(_other_values(form, subject, asked, found))
    return converted, found


def _verified_ends(
    model: Model, subject: Subject, form: Format, weights: Weights, asked: ExportContract, told: str
) -> tuple[Converted, Verification]:
    """Write and compare a file with its ends; the network alone has been written and compared before."""
    from striate.formats.comparison import first_line, tried
    from striate.formats.subject import RefusedError
    from striate.lower.torch import Program, load_arrays
    from striate.lower.torch.ends import BakedReference
    from striate.lower.torch.reference import ArrayReference
    from striate.onnx.verify_ends import camera_trials, verify_ends

    trials = list(camera_trials(subject.trials, subject.ends))
    try:
        converted = form.convert(
            replace(subject, trials=trials), stated(_entries(model, form, weights, asked, told), subject.ends)
        )
        network = ArrayReference(load_arrays(Program(model.graph, model.catalogue.lookup), weights.arrays))
        reference = BakedReference(network.outputs, subject.ends)
        found = verify_ends(
            tried(converted.runner), converted.runtime, subject.ends, reference, trials, asked.tolerance
        )
    except RefusedError as error:
        raise DiagnosticError(
            Diagnostic(
                "E0638",
                f"{subject.graph.name} with preprocessing and postprocessing cannot be written as {form.kind.title}",
                notes=(subject.ends.words(), f"its tool says: {first_line(error)}", "the network alone can be"),
                help="no file was written. Leave out what its tool does not take, or write --format onnx",
            )
        ) from error
    return converted, found


def _entries(model: Model, form: Format, weights: Weights, asked: ExportContract, told: str) -> Mapping[str, str]:
    """Return what the file says of itself."""
    from striate.onnx.colophon import describe

    first, info = model.graph.inputs[0].value.name, weights.info
    return describe(
        model.graph,
        __version__,
        model.domain.sentences(),
        told,
        f"in {form.kind.title} against torch",
        class_names=info.classes if info else None,
        pixels={first: info.contract} if info and info.contract else None,
        tensor_cores=asked.tensor_cores,
        plugins=weights.plugins,
    ).entries


def _demand_openvino() -> None:
    """Say that OpenVINO is missing before minutes of work."""
    from striate.formats.openvino import load_openvino

    load_openvino()


def _cannot_hold(form: Format, subject: Subject, asked: ExportContract, said: str) -> Diagnostic:
    title, layers = form.kind.title, _layers(form, subject, asked)
    return Diagnostic(
        "E0638",
        f"{subject.graph.name} cannot be written as {title}",
        notes=(*layers, f"its tool says: {said}"),
        help=_advice(bool(layers)),
    )


def _other_values(form: Format, subject: Subject, asked: ExportContract, found: Failure) -> Diagnostic:
    title, layers = form.kind.title, _layers(form, subject, asked)
    return Diagnostic(
        "E0639",
        f"as {title}, {subject.graph.name} does not compute what torch does",
        notes=(f"{found.trial}: {found.problem}", *layers),
        help=_advice(bool(layers)),
    )


def _layers(form: Format, subject: Subject, asked: ExportContract) -> list[str]:
    from striate.formats.suspects import suspects

    lines = [
        f"layer {each.node.name} ({each.node.op}), line {each.node.origin.span.line}: {each.problem}"
        for each in suspects(form.convert, subject, asked.tolerance)
    ]
    more = len(lines) - MOST_NAMED
    return [*lines[:MOST_NAMED], *([f"and {more} more layers"] if more > 0 else [])]


def _advice(known: bool) -> str:
    if known:
        return "no file was written. Take other layers, fix the sizes in the input line, or write ONNX: --format onnx"
    return "no file was written, and each layer alone can be. Fix the sizes in the input line, or write --format onnx"
