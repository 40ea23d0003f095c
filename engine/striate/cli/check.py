"""`striate check`: everything that can be said of files before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from striate.checking import Checked, check_file
from striate.cli.boundary import FINDINGS, show
from striate.cli.model_options import model_option, parse_settings, set_option
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.render import to_json


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@model_option
@set_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print findings.")
def command(files: tuple[Path, ...], model: str | None, settings: tuple[str, ...], form: str) -> int:
    """Check FILEs: names, arguments, sizes, contracts, recipes; all models of each file, or one.

    Prints the input sizes that a model takes where its file leaves them open. The exit code is 1 if there are errors.
    """
    overrides = parse_settings(settings)
    checked = [check_file(path, model, overrides) for path in files]
    failed = any(item.failed for item in checked)
    if form == "json":
        click.echo(json.dumps(_document(checked), indent=2))
    else:
        _print(checked)
    return FINDINGS if failed else 0


def _document(checked: list[Checked]) -> dict[str, Any]:
    findings = [item for one in checked for item in one.diagnostics]
    domain = {name: domain.to_json() for one in checked for name, domain in one.domains.items()}
    return {"diagnostics": to_json(findings), "domain": domain}


def _print(checked: list[Checked]) -> None:
    findings: list[Diagnostic] = [item for one in checked for item in one.diagnostics]
    show(findings)
    for one in checked:
        if one.failed:
            continue
        click.echo(f"{one.file}: {_models(list(one.domains))}")
        for name, domain in one.domains.items():
            for sentence in domain.sentences():
                click.echo(f"  {name}: {sentence}")


def _models(names: list[str]) -> str:
    if not names:
        return "fine, no models"
    if len(names) == 1:
        return f"model {names[0]} is fine"
    return f"{len(names)} models are fine ({', '.join(names)})"
