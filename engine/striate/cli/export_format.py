"""`striate export --format …`: writes another runtime's file and says what it is and how it compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from striate.cli.export_wording import agreement, size_text

if TYPE_CHECKING:
    from striate.analysis.ends import Wanted
    from striate.exporting_formats import FormatReport
    from striate.model import Model


def write_format(
    model: Model,
    kind: str,
    output: Path | None,
    *,
    weights: Path | None,
    seed: int,
    opset: int | None,
    contract: str | None,
    fold: bool,
    wanted: Wanted,
) -> None:
    """Write a model in a format other than ONNX and print what came of it; arguments as `export_format`."""
    from striate.exporting_formats import export_format
    from striate.formats.kinds import KINDS

    if opset is not None and kind != "openvino":
        raise click.UsageError(f"--opset is for ONNX, and for what is made from it; {kind} has no operator sets")
    target = output or Path(f"{model.name}{KINDS[kind].suffix}")
    report = export_format(
        model, target, kind, weights=weights, seed=seed, opset=opset, contract=contract, fold=fold, wanted=wanted
    )
    for line in _lines(model, report):
        click.echo(line)


def _lines(model: Model, report: FormatReport) -> list[str]:
    from striate.formats.kinds import KINDS

    main, *others = report.paths
    beside = f" and {', '.join(map(str, others))}" if others else ""
    found = report.verification
    return [
        f"{model.name} is in {main}{beside}",
        f"{KINDS[report.kind].title}, {size_text(report.size)}, {report.weights}",
        *([report.folded] if report.folded else []),
        *([report.ends.words()] if report.ends else []),
        f"{found.runtime} gives {agreement(model, found)} as torch, outputs differ by at most {found.difference}; "
        f"tried: {', '.join(found.trials)}",
    ]
