"""`striate import FILE --onto NETWORK`: weights of other programs as a checkpoint, with a report tensor by tensor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from striate.cli.boundary import FINDINGS, show, terminal_width
from striate.cli.model_options import parse_settings

if TYPE_CHECKING:
    from striate.importing.state_matching import Match, Row
    from striate.loading import LoadReport

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_ENDINGS = {".pth", ".pt", ".bin", ".ckpt", ".safetensors", ".tar"}
_SHOWN = 20
"""Rows of one status that the table shows before it counts the rest; `--all` and JSON have all of them."""


@dataclass(frozen=True, slots=True)
class OntoOptions:
    """What only weights for a network of one's own are asked for; empty where `--onto` is not given."""

    onto: str | None
    model: str | None
    settings: tuple[str, ...]
    names: Path | None
    under: str | None
    partial: bool
    everything: bool

    def given(self) -> str | None:
        """Return an option that says nothing without `--onto`, if one is given."""
        values = {
            "--model": self.model,
            "--set": self.settings,
            "--names": self.names,
            "--under": self.under,
            "--all": self.everything,
            "--partial": self.partial,
        }
        return next((name for name, value in values.items() if value), None)


def onto_options(function: Decorated) -> Decorated:
    """Add `--onto` and what goes with it."""
    options = (
        click.option(
            "--onto", metavar="NETWORK", help="FILE holds weights only: load them onto this .cnn file, or zoo.resnet."
        ),
        click.option("--model", metavar="NAME", help="With --onto: the model; without, the one that fits."),
        click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="With --onto: a model parameter."),
        click.option("--names", type=click.Path(path_type=Path), metavar="MAP", help="With --onto: a name map (TOML)."),
        click.option("--under", metavar="PLACE", help="With --onto: where in FILE to look, e.g. state_dict_ema."),
        click.option(
            "--partial", is_flag=True, help="With --onto or --weights: weights that are not there start anew."
        ),
        click.option("--all", "everything", is_flag=True, help="With --onto: list every weight."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def demand_network(file: Path, options: OntoOptions) -> None:
    """Raise where a file needs `--onto`, or an option does.

    Raises:
        click.UsageError: so it is.
    """
    from striate.importing.kinds import KINDS, kind_of

    if any(file.name.lower().endswith(ending) for kind in KINDS for ending in kind.endings):
        pass
    elif file.suffix.lower() in _ENDINGS or file.name.endswith(".index.json") or file.is_dir():
        raise click.UsageError(f"{file} holds weights without a network: name the network, e.g. --onto zoo.resnet")
    given = options.given()
    if given is not None and not (given == "--partial" and "partial" in kind_of(file).options):
        raise click.UsageError(f"{given} goes with --onto")


def load_onto(file: Path, output: Path | None, options: OntoOptions, *, as_json: bool) -> int:
    """Run the command and return its exit code."""
    from striate.loading import MatchError, choose_weights, write_weights_onto

    assert options.onto is not None, "the command was asked for"
    report = choose_weights(
        file,
        options.onto,
        options.model,
        parameters=parse_settings(options.settings),
        names=options.names,
        under=options.under,
    )
    target = _target(report, output)
    try:
        started = write_weights_onto(report, target, partial=options.partial)
    except MatchError as error:
        click.echo(_as_json(report, None, ()) if as_json else "\n".join(_lines(report, None, (), options.everything)))
        show(error.diagnostics)
        return FINDINGS
    click.echo(
        _as_json(report, target, started) if as_json else "\n".join(_lines(report, target, started, options.everything))
    )
    return 0


def _target(report: LoadReport, output: Path | None) -> Path:
    """Return the file to write, which is none of those that are read."""
    first = report.state.path
    target = output or Path(f"{first.resolve().name if first.is_dir() else first.stem}.safetensors")
    if target.suffix == ".cnn":
        raise click.UsageError("with --onto, -o names the file of the weights, with the ending .safetensors")
    if any(target.resolve() == part.resolve() for part in report.state.parts):
        raise click.UsageError(f"{target} is the file that is read: name another one with -o")
    return target


def _lines(report: LoadReport, target: Path | None, started: tuple[str, ...], everything: bool) -> list[str]:
    match = report.match
    if not match.found:
        return _head(report)[:1]
    lines = [*_head(report), *_table(match, everything)]
    if target is None:
        return lines
    total = len(report.model.graph.weights)
    written = f"{report.model.name}'s weights are in {target}: {match.found:,} of {total:,} from {report.state.path}"
    if not started:
        return [*lines, written]
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in started))
    shown = ", ".join(layers[:6]) + (f" and {len(layers) - 6} more" if len(layers) > 6 else "")
    return [*lines, written, f"not trained, initialised from seed 0: {shown}"]


def _head(report: LoadReport) -> list[str]:
    """Say what the file is, where in it the weights are and by which names they were found."""
    match, state = report.match, report.state
    lines = [f"{state.path} is {state.form} with {len(state.tensors):,} tensors"]
    if match.prefix:
        outside = sum(not name.startswith(match.prefix) for name in state.tensors)
        rest = f"; {outside:,} tensors outside of it are left out" if outside else ""
        lines.append(f"the network's are under {match.prefix.rstrip('.')}{rest}")
    lines += [f"other weights that fit are under {place.rstrip('.')}: --under" for place in report.choice.others]
    if match.how == "structure":
        lines.append("its names are not known: matched by order, kinds and sizes, which leave one answer")
    elif match.convention is not None:
        lines.append(f"names of {match.convention.about}")
    if match.counters:
        lines.append(f"left out: {match.counters:,} counters of batches (num_batches_tracked), for training only")
    if match.spare:
        places = dict.fromkeys(name.partition(".")[0] for name in match.spare)
        lines.append(f"left out: {len(match.spare):,} tensors that this network has no use for ({', '.join(places)})")
    return lines


def _table(match: Match, everything: bool) -> list[str]:
    """Return the counts, and the rows that need a look; `everything` adds those that do not."""
    counted = ", ".join(f"{count:,} {status}" for status, count in match.counts.items())
    reshaped = sum(row.reshaped for row in match.rows)
    lines = [counted + (f"; {reshaped:,} in another form" if reshaped else "")]
    shown: list[tuple[str, str, str, str]] = []
    for status in match.counts:
        if status in ("matched", "renamed") and not everything:
            continue
        rows = [row for row in match.rows if row.status == status]
        kept = rows if everything else rows[:_SHOWN]
        shown += [_cells(row) for row in kept]
        if len(rows) > len(kept):
            shown.append((status, f"… {len(rows) - len(kept):,} more", "", ""))
    return [*lines, *_columns(shown)] if shown else lines


def _cells(row: Row) -> tuple[str, str, str, str]:
    from striate.importing.state_refusal import size_text

    sizes = [size_text(shape) for shape in (row.shape, row.stored) if shape is not None]
    size = " / ".join(dict.fromkeys(sizes))
    return row.status, row.weight or "", row.key or (f"({row.expected})" if row.expected else ""), row.reason or size


def _columns(rows: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """Return a table as wide as the terminal at most: names lose their middle before sizes lose anything."""
    cells = [("", "in the network", "in the file", "size"), *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    room = max(terminal_width() - 2 - widths[0] - widths[3] - 6, 24)
    if widths[1] + widths[2] > room:
        first = max(min(widths[1], room // 2), room - widths[2])
        widths[1], widths[2] = first, room - first
    lines = []
    for row in cells:
        names = [_shortened(row[column], widths[column]).ljust(widths[column]) for column in (1, 2)]
        lines.append(f"  {row[0]:<{widths[0]}}  {names[0]}  {names[1]}  {row[3]}".rstrip())
    return lines


def _shortened(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    left = (width - 1) // 2
    return f"{text[:left]}…{text[len(text) - (width - 1 - left) :]}"


def _as_json(report: LoadReport, target: Path | None, started: tuple[str, ...]) -> str:
    match, state = report.match, report.state
    document = {
        "model": report.model.name,
        "file": str(state.path),
        "form": state.form,
        "parts": [str(part) for part in state.parts],
        "under": match.prefix.rstrip("."),
        "also_under": [place.rstrip(".") for place in report.choice.others],
        "matched_by": match.how,
        "convention": match.convention.name if match.convention else None,
        "counts": dict(match.counts),
        "counters_left_out": match.counters,
        "spare": list(match.spare),
        "complete": match.complete,
        "written": None if target is None else str(target),
        "initialised": list(started),
        "tensors": [{**asdict(row), "reshaped": row.reshaped} for row in match.rows],
    }
    return json.dumps(document, indent=2)
