"""`striate check`: everything that can be said of files before anything runs, and repairs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from striate.checking import Checked, check_file
from striate.cli.boundary import FINDINGS, show
from striate.cli.model_options import (
    model_option,
    parse_settings,
    parse_sizes,
    profile_option,
    set_option,
    size_option,
)
from striate.graph import format_shape
from striate.version import __version__
from striate_dsl.diagnostics import Diagnostic, Severity
from striate_dsl.render import to_json

if TYPE_CHECKING:
    from striate.cli.fixing import FixedFile


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options beside model and parameters."""

    form: str
    strict: bool
    fix: bool
    unsafe: bool
    difference: bool

    @property
    def repairs(self) -> bool:
        return self.fix or self.difference


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@model_option
@set_option
@profile_option
@size_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", help="How to print findings."
)
@click.option("--strict", is_flag=True, help="Let warnings fail the check too.")
@click.option("--fix", is_flag=True, help="Repair what can be repaired without changing what the network computes.")
@click.option(
    "--unsafe-fixes", "unsafe", is_flag=True, help="With --fix or --diff: repairs that change the network too."
)
@click.option("--diff", "difference", is_flag=True, help="Show what --fix would change, and write nothing.")
def command(
    files: tuple[Path, ...],
    model: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    sizes: tuple[str, ...],
    **options: Any,
) -> int:
    """Check FILEs: names, arguments, sizes, contracts, recipes; all models of each file, or one.

    Files without errors are looked at for what is legal and yet probably not meant (warnings). Prints the input sizes
    that a model takes where its file leaves them open. The exit code is 1 if there are errors.
    """
    asked = _Asked(**options)
    _demand_sense(asked, limited=any((model, settings, profile, sizes)))
    repaired: list[FixedFile] = []
    if asked.repairs:
        from striate.cli.fixing import fix_file

        repaired = [fix_file(path, unsafe=asked.unsafe, write=not asked.difference) for path in files]
        checked = [item.checked for item in repaired]
    else:
        overrides, numbers = parse_settings(settings), parse_sizes(sizes)
        checked = [check_file(path, model, overrides, profile, numbers) for path in files]
    if asked.form == "json":
        click.echo(json.dumps(_document(checked, repaired, asked), indent=2))
    elif asked.form == "sarif":
        click.echo(json.dumps(_sarif(checked), indent=2))
    else:
        _print(checked, repaired, asked)
    failed = any(one.failed or (asked.strict and _warned(one)) for one in checked)
    return FINDINGS if failed else 0


def _demand_sense(asked: _Asked, *, limited: bool) -> None:
    """Refuse options that do not go together."""
    if asked.unsafe and not asked.repairs:
        raise click.UsageError("--unsafe-fixes goes with --fix or --diff")
    if asked.repairs and limited:
        raise click.UsageError(
            "repairs are for all models of a file as it is: leave --model, --set, --profile and --size out"
        )
    if asked.difference and asked.form != "text":
        raise click.UsageError(f"--diff prints text: leave --format {asked.form} out")


def _document(checked: list[Checked], repaired: list[FixedFile], asked: _Asked) -> dict[str, Any]:
    findings = [item for one in checked for item in one.diagnostics]
    domain = {name: domain.to_json() for one in checked for name, domain in one.domains.items()}
    document: dict[str, Any] = {"diagnostics": to_json(findings), "domain": domain}
    outputs = {name: sizes for one in checked for name, sizes in one.outputs.items()}
    if outputs:
        document["outputs"] = {
            name: {key: list(kind.shape) for key, kind in each.items()} for name, each in outputs.items()
        }
    if asked.repairs:
        from striate.cli.fixing import repairs_as_data

        document["fixed"] = repairs_as_data(repaired)
    return document


def _sarif(checked: list[Checked]) -> dict[str, Any]:
    from striate.codes import catalogue
    from striate_dsl.sarif import Found, Rule, to_sarif

    rules = {code: Rule(code, page.title, page.why, page.text) for code, page in catalogue().items()}
    findings = [Found(one.file, item) for one in checked for item in one.diagnostics]
    return to_sarif(findings, rules, __version__, Path.cwd())


def _print(checked: list[Checked], repaired: list[FixedFile], asked: _Asked) -> None:
    findings: list[Diagnostic] = [item for one in checked for item in one.diagnostics]
    if asked.repairs:
        from striate.cli.fixing import show_difference, show_repairs

        (show_difference if asked.difference else show_repairs)(repaired)
    show(findings)
    if not asked.repairs and (words := _advice(findings)):
        click.echo(words, err=True)
    if not asked.difference:
        _print_models(checked, strict=asked.strict)


def _advice(findings: list[Diagnostic]) -> str:
    """Return how many of the findings can be repaired by which option, or nothing."""
    grades = [{fix.grade for fix in item.fixes} for item in findings]
    safe = sum("safe" in each for each in grades)
    unsafe = sum("unsafe" in each and "safe" not in each for each in grades)
    told = [f"{safe} can be repaired with --fix"] if safe else []
    if unsafe:
        told.append(
            f"{unsafe} {'more' if safe else 'can be repaired'} with --fix --unsafe-fixes (look at --diff first)"
        )
    return ", ".join(told)


def _warned(checked: Checked) -> bool:
    return any(item.severity is Severity.WARNING for item in checked.diagnostics)


def _print_models(checked: list[Checked], *, strict: bool) -> None:
    for one in checked:
        if one.failed or (strict and _warned(one)):
            continue
        click.echo(f"{one.file}: {_models(list(one.domains))}")
        for name, domain in one.domains.items():
            for output, kind in one.outputs.get(name, {}).items():
                click.echo(f"  {name}: {output} is {format_shape(kind)}")
            for sentence in domain.sentences():
                click.echo(f"  {name}: {sentence}")


def _models(names: list[str]) -> str:
    if not names:
        return "fine, no models"
    if len(names) == 1:
        return f"model {names[0]} is fine"
    return f"{len(names)} models are fine ({', '.join(names)})"
