"""`striate export --format …`: writes another runtime's file and says what it is and how it compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.cli.export_wording import agreement, size_text

if TYPE_CHECKING:
    from striate.analysis.ends import Wanted
    from striate.exporting_formats import FormatReport
    from striate.model import Model
    from striate.precisions import Numbers


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """Options that all formats have, as `export_format` takes them."""

    weights: Path | None
    seed: int
    opset: int | None
    contract: str | None
    fold: bool
    wanted: Wanted
    passes: tuple[str, ...] | None = None


def demand_format_options(
    no_verify: bool, target: str | None, functions: bool, numbers: Numbers, external_data: bool | None
) -> None:
    """Refuse options that are about ONNX files alone.

    Raises:
        UsageError: there is one.
    """
    from striate.precisions import AS_WRITTEN

    if target is not None:
        raise click.UsageError("--for is about ONNX files; with --format the runtime itself writes and runs the file")
    if no_verify:
        raise click.UsageError("--no-verify is for ONNX; files of other runtimes are always loaded back and compared")
    if functions:
        raise click.UsageError("--functions is about ONNX files; other formats have none that a block could be")
    if numbers != AS_WRITTEN or external_data is not None:
        raise click.UsageError("--precision and what goes with it, and --external-data, are about ONNX files")


def write_format(model: Model, kind: str, output: Path | None, options: FormatOptions) -> None:
    """Write a model in a format other than ONNX and print what came of it."""
    from striate.exporting_formats import export_format
    from striate.formats.choosing import choose_format

    if options.opset is not None and kind != "openvino":
        raise click.UsageError(f"--opset is for ONNX, and for what is made from it; {kind} has no operator sets")
    target = output or Path(f"{model.name}{choose_format(kind, model.catalogue).kind.suffix}")
    report = export_format(
        model,
        target,
        kind,
        weights=options.weights,
        seed=options.seed,
        opset=options.opset,
        contract=options.contract,
        fold=options.fold,
        wanted=options.wanted,
        passes=options.passes,
    )
    for line in _lines(model, report):
        click.echo(line)


def _lines(model: Model, report: FormatReport) -> list[str]:
    main, *others = report.paths
    beside = f" and {', '.join(map(str, others))}" if others else ""
    found = report.verification
    return [
        f"{model.name} is in {main}{beside}",
        f"{report.title}, {size_text(report.size)}, {report.weights}",
        *([report.passes] if report.passes else []),
        *([report.folded] if report.folded else []),
        *([report.ends.words()] if report.ends else []),
        *report.remarks,
        f"{found.runtime} gives {agreement(model, found)} as torch, outputs differ by at most {found.difference}; "
        f"tried: {', '.join(found.trials)}",
    ]
