"""`striate export`: a network as an ONNX file, verified in ONNX Runtime before it is put in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.cli.export_ends import ends_options
from striate.cli.export_for import TARGETS, acceptance
from striate.cli.export_numbers import number_options
from striate.cli.export_wording import agreement, size_text
from striate.cli.model_options import model_file, model_option, parse_settings, profile_option, set_option

if TYPE_CHECKING:
    from striate.analysis.ends import Wanted
    from striate.exporting import ExportReport
    from striate.model import Model
    from striate.precisions import Numbers


def _opset(context: click.Context, parameter: click.Parameter, value: int | None) -> int | None:
    from striate.onnx.opsets import HIGHEST, LOWEST

    return None if value is None else click.IntRange(LOWEST, HIGHEST).convert(value, parameter, context)


def _format(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Return a format's name; what is no format of striate's own must be one of a plugin."""
    from striate.formats.kinds import KINDS

    if value is None or value in KINDS:
        return value or next(iter(KINDS))
    from striate.host.catalogue import HostCatalogue
    from striate.host.provided import demand_provided
    from striate.host.work_records import ExporterRecord

    return demand_provided(HostCatalogue(), ExporterRecord, value).name


def _target(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return None if value is None else str(click.Choice(TARGETS).convert(value, parameter, context))


@click.command("export")
@model_file
@model_option
@set_option
@profile_option
@click.option(
    "--format",
    "kind",
    callback=_format,
    metavar="NAME",
    help="onnx, torchscript, pt2 (torch.export), openvino or a plugin's [onnx].",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="The file [MODEL.onnx].")
@click.option("--weights", type=click.Path(path_type=Path), metavar="PATH", help="A checkpoint with the weights.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of the weights if there is no checkpoint [0].")
@click.option(
    "--opset", type=int, callback=_opset, metavar="N", help="ONNX operator set, instead of the export section's or 17."
)
@click.option("--contract", metavar="NAME", help="The export section, where the file gives them names of their own.")
@click.option(
    "--for",
    "target",
    callback=_target,
    metavar="RUNTIME",
    help="Say which layers a runtime does not take: onnxruntime, openvino, tensorrt or coreml.",
)
@ends_options
@click.option("--functions", is_flag=True, help="Write each block as a function of the file, its instances as calls.")
@click.option("--fold", is_flag=True, help="Fold batch norms and parallel branches (RepVGG) into convolutions.")
@click.option(
    "--pass",
    "passes",
    metavar="NAME",
    multiple=True,
    help="Run a plugin's pass over the network first; may be given several times.",
)
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
    kind: str,
    output: Path | None,
    weights: Path | None,
    seed: int | None,
    opset: int | None,
    contract: str | None,
    target: str | None,
    functions: bool,
    fold: bool,
    passes: tuple[str, ...],
    no_verify: bool,
    numbers: Numbers,
    wanted: Wanted,
    external_data: bool | None,
) -> None:
    """Write a network of FILE as ONNX, and check that ONNX Runtime computes the same as torch.

    If it does not, no file is written and the first layer that differs is named. Batch and open sizes stay open. With
    --format the file is another runtime's, written, loaded back and compared by that.
    """
    from striate.cli.export_format import FormatOptions, demand_format_options, write_format
    from striate.exporting import export_model
    from striate.model import load_source
    from striate_dsl.reading import read_source

    if weights is not None and seed is not None:
        raise click.UsageError("--seed is for weights that are initialised; with --weights there are none")
    network = load_source(read_source(file), model, parse_settings(settings), profile=profile)
    if kind != "onnx":
        demand_format_options(no_verify, target, functions, numbers, external_data)
        options = FormatOptions(weights, seed or 0, opset, contract, fold, wanted, passes or None)
        write_format(network, kind, output, options)
        return
    report = export_model(
        network,
        output or Path(f"{network.name}.onnx"),
        weights=weights,
        seed=seed or 0,
        opset=opset,
        contract=contract,
        verify=not no_verify,
        fold=fold,
        functions=functions,
        numbers=numbers,
        external_data=external_data,
        wanted=wanted,
        passes=passes or None,
    )
    for line in _lines(network, report):
        click.echo(line)
    if target is not None:
        for line in acceptance(network, report, target):
            click.echo(line)


def _lines(model: Model, report: ExportReport) -> list[str]:
    lines = [
        f"{model.name} is in {report.path}" + (f", its weights in {report.data.name}" if report.data else ""),
        f"opset {report.opset}, IR {report.ir_version}, {size_text(report.size)}, {report.weights}",
    ]
    if report.passes:
        lines.append(report.passes)
    if report.folded is not None:
        lines.append(report.folded)
    if report.ends is not None:
        lines.append(report.ends.words())
    lines += report.remarks
    verification = report.verification
    if verification is None:
        return [*lines, "not verified: --no-verify"]
    return [
        *lines,
        f"{verification.runtime} gives {agreement(model, verification)} as torch, outputs differ by at most "
        f"{verification.difference}; tried: {', '.join(verification.trials)}",
    ]
