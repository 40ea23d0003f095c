"""`striate import`: a file of another format as a `.cnn` file and its weights, compared before they are written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from striate.cli.boundary import terminal_width
from striate.cli.loading import OntoOptions, demand_network, load_onto, onto_options
from striate.cli.model_options import format_option

if TYPE_CHECKING:
    from striate.importer import Imported, ImportReport


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="The file to write.")
@onto_options
@format_option
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--importer", metavar="NAME", help="Read FILE by this importer of a plugin, whatever its ending.")
@click.option("--trust", is_flag=True, help="Open a file though that can run code which is in it (.pt2, plugins').")
@click.option("--no-verify", is_flag=True, help="Do not run the file to compare it with the network.")
@click.option("--weights", type=click.Path(path_type=Path), metavar="PATH", help="The weights of a Darknet cfg.")
@click.option("--scale", metavar="LETTER", help="The size of a model in YAML, of those that it lists.")
@click.option("--size", metavar="N|HxW", help="Height and width of the input of a model in YAML [open].")
def command(
    file: Path,
    output: Path | None,
    form: str,
    as_json: bool,
    importer: str | None,
    trust: bool,
    no_verify: bool,
    weights: Path | None,
    scale: str | None,
    size: str | None,
    **onto: Any,
) -> int:
    """Write the network of FILE as a .cnn file, and its weights beside it as .safetensors.

    FILE is an ONNX model (.onnx), an exported program of torch (.pt2), a Darknet network (.cfg) or a model's YAML
    (.yaml); its ending says which. Plugins add further kinds.

    What cannot be imported is listed whole, and nothing is written then; nor is anything if the network does not
    compute the same as the file. Names are kept where the language can have them.

    With --onto, FILE holds weights only, as torch and safetensors save them (torchvision, timm, Lightning): they are
    written as a checkpoint of a network that there is already, if every tensor has its place.
    """
    options, as_json = OntoOptions(**onto), as_json or form == "json"
    flags = {"partial": options.partial or None, "trust": trust or None, "importer": importer}
    written = {"weights": weights, "scale": scale, "size": size, **flags}
    given = {name: value for name, value in written.items() if value is not None}
    if options.onto is not None:
        if no_verify:
            raise click.UsageError("--no-verify goes with a FILE that can be run, not with --onto")
        if useless := sorted(given.keys() - {"partial"}):
            raise click.UsageError(f"--{useless[0]} goes with a FILE that is a network, not with --onto")
        return load_onto(file, output, options, as_json=as_json)
    if importer is None:
        demand_network(file, options)
    from striate.importer import write_import

    target = output or file.with_suffix(".cnn")
    if target.suffix == ".safetensors":
        raise click.UsageError("-o names the .cnn file; the weights go beside it, with the ending .safetensors")
    report = write_import(file, target, verify=not no_verify, **given)
    click.echo(json.dumps(_as_json(report), indent=2) if as_json else "\n".join(_lines(report)))
    return 0


def _lines(report: ImportReport) -> list[str]:
    imported = report.imported
    graph = imported.model.graph
    lines = [
        f"{graph.name} is in {report.text}, {_where(report)}",
        f"{imported.reading.origin}; {len(graph.nodes):,} layers with {graph.parameters:,} parameters",
        *([imported.reading.remark] if imported.reading.remark else []),
        *_counts(imported),
        *(f"note: {note}" for note in imported.reading.notes),
    ]
    agreement = report.agreement
    if agreement is None:
        reason = "--no-verify" if imported.reading.original else "nothing here runs such files"
        return [*lines, f"not compared: {reason}"]
    return [
        *lines,
        f"{agreement.runtime} gives the same values as torch, outputs differ by at most {agreement.difference}; "
        f"tried: {', '.join(agreement.trials)}",
    ]


def _where(report: ImportReport) -> str:
    return f"its weights are in {report.weights}" if report.weights else "without weights: they start as in training"


def _counts(imported: Imported) -> list[str]:
    """Return which operators were read and which layers were made, the frequent ones first."""
    made = Counter(node.op for node in imported.model.graph.nodes)
    return [
        line
        for verb, counts in (("read", imported.reading.operators), ("made", made))
        for line in _listed(verb, counts)
    ]


def _listed(verb: str, counts: Mapping[str, int]) -> list[str]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    words = ", ".join(f"{count:,}\N{NO-BREAK SPACE}{name}" for name, count in ordered)
    lines = wrap(words, terminal_width(), initial_indent=f"  {verb}: ", subsequent_indent=" " * len(f"  {verb}: "))
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _as_json(report: ImportReport) -> dict[str, Any]:
    imported, agreement = report.imported, report.agreement
    graph = imported.model.graph
    return {
        "model": graph.name,
        "text": str(report.text),
        "weights": str(report.weights) if report.weights else None,
        **imported.reading.details,
        "operators": dict(imported.reading.operators),
        "layers": len(graph.nodes),
        "parameters": graph.parameters,
        "inputs": dict(imported.inputs),
        "outputs": dict(imported.outputs),
        "notes": list(imported.reading.notes),
        "verified": None
        if agreement is None
        else {
            "runtime": agreement.runtime,
            "trials": list(agreement.trials),
            "absolute": agreement.difference.absolute,
            "relative": agreement.difference.relative,
        },
    }
