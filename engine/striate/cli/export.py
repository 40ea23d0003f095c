"""`striate export`: a network as an ONNX file, verified in ONNX Runtime before it is put in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.cli.export_numbers import number_options
from striate.cli.model_options import model_file, model_option, parse_settings, profile_option, set_option

if TYPE_CHECKING:
    from striate.exporting import ExportReport
    from striate.model import Model
    from striate.onnx.verify import Verification
    from striate.precisions import Numbers


def _opset(context: click.Context, parameter: click.Parameter, value: int | None) -> int | None:
    from striate.onnx.opsets import HIGHEST, LOWEST

    return None if value is None else click.IntRange(LOWEST, HIGHEST).convert(value, parameter, context)


@click.command("export")
@model_file
@model_option
@set_option
@profile_option
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="The ONNX file [MODEL.onnx].")
@click.option("--weights", type=click.Path(path_type=Path), metavar="PATH", help="A checkpoint with the weights.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of the weights if there is no checkpoint [0].")
@click.option(
    "--opset", type=int, callback=_opset, metavar="N", help="ONNX operator set, instead of the export section's or 17."
)
@click.option("--contract", metavar="NAME", help="The export section, where the file gives them names of their own.")
@click.option("--fold", is_flag=True, help="Fold batch norms and parallel branches (RepVGG) into convolutions.")
@number_options
@click.option(
    "--external-data/--no-external-data",
    default=None,
    help="Weights in a second file beside the first, or in the one file whatever it takes [from 2 GiB on].",
)
@click.option("--no-verify", is_flag=True, help="Do not compare with torch in ONNX Runtime; the file then says so.")
def command(
    file: Path,
    model: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    output: Path | None,
    weights: Path | None,
    seed: int | None,
    opset: int | None,
    contract: str | None,
    fold: bool,
    no_verify: bool,
    numbers: Numbers,
    external_data: bool | None,
) -> None:
    """Write a network of FILE as ONNX, and check that ONNX Runtime computes the same as torch.

    If it does not, no file is written and the first layer that differs is named. Batch and open sizes stay open.
    """
    from striate.exporting import export_model
    from striate.model import load_source
    from striate_dsl.reading import read_source

    if weights is not None and seed is not None:
        raise click.UsageError("--seed is for weights that are initialised; with --weights there are none")
    network = load_source(read_source(file), model, parse_settings(settings), profile=profile)
    report = export_model(
        network,
        output or Path(f"{network.name}.onnx"),
        weights=weights,
        seed=seed or 0,
        opset=opset,
        contract=contract,
        verify=not no_verify,
        fold=fold,
        numbers=numbers,
        external_data=external_data,
    )
    for line in _lines(network, report):
        click.echo(line)


def _lines(model: Model, report: ExportReport) -> list[str]:
    lines = [
        f"{model.name} is in {report.path}" + (f", its weights in {report.data.name}" if report.data else ""),
        f"opset {report.opset}, IR {report.ir_version}, {_size(report.size)}, {report.weights}",
    ]
    if report.folded is not None:
        lines.append(report.folded)
    lines += report.remarks
    verification = report.verification
    if verification is None:
        return [*lines, "not verified: --no-verify"]
    return [
        *lines,
        f"{verification.runtime} gives {_agreement(model, verification)} as torch, outputs differ by at most "
        f"{verification.difference}; tried: {', '.join(verification.trials)}",
    ]


def _agreement(model: Model, verification: Verification) -> str:
    graph = model.graph
    if not graph.tasks and "classes" not in graph.arguments:
        return "the same values"
    if not verification.other_classes:
        return "the same classes"
    return f"the same classes (but for {verification.other_classes:,} ties)"


def _size(size: int) -> str:
    for unit, bound in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= bound:
            return f"{size / bound:.3g} {unit}"
    return f"{size} bytes"
