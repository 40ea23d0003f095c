"""Files that a plugin's importer reads: which importer, whether it may, and whether what it gives is a network.

An importer gives the network as a text of the language with its weights by name, the form that outlives every version
of striate. The text is elaborated like any other, so that what it says is checked by the rules of its layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from striate.graph import Graph
from striate.host.catalogue import HostCatalogue
from striate.host.provided import Provided, demand_provided, find_provided, shown
from striate.host.work_records import ImporterRecord
from striate.importing.guard import RunsCodeError, nothing_runs
from striate.importing.kinds import KINDS
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Runner: TypeAlias = Callable[[Mapping[str, Array]], Mapping[str, Array]]


@dataclass(frozen=True, slots=True)
class ImportedText:
    """What a plugin's importer returns.

    Attributes:
        text: the network as a `.cnn` file.
        weights: an array for every weight of it by name, float32; empty where the file holds none.
        model: the model of the text that is meant; empty where it has only one.
        origin: where the file is from, in words, e.g. `written by acme 2.1`.
        original: opens the network as it was: a function without arguments that returns a callable from arrays by the
            inputs' names, batch axis in front, to arrays by the outputs' names; None where nothing can run it.
        classes: the names of the classes, in the order of the outputs.
        contract: the pixel contract that the weights are for.
        notes: what was passed over or decided, a line each.
    """

    text: str
    weights: Mapping[str, Array] = field(default_factory=dict)
    model: str = ""
    origin: str = ""
    original: Callable[[], Runner] | None = None
    classes: tuple[str, ...] = ()
    contract: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def importer_for(path: Path, name: str | None, catalogue: HostCatalogue) -> Provided[ImporterRecord] | None:
    """Return the plugin's importer that a file is for, None where it is for one of striate's own readers.

    Args:
        path: the file.
        name: the importer that is asked for; None to go by the file's ending.
        catalogue: where importers are found. Only for an ending that striate does not know are plugins loaded.

    Raises:
        DiagnosticError: E0722, there is no such importer; E0702, several are for this ending.
    """
    if name is not None:
        return demand_provided(catalogue, ImporterRecord, name)
    written = path.name.lower()
    if any(written.endswith(ending) for kind in KINDS for ending in kind.endings):
        return None
    known = catalogue.of(ImporterRecord)
    fitting = {
        each: max(ends, key=len)
        for each, (_, record) in known.items()
        if (ends := [suffix for suffix in record.suffixes if written.endswith(suffix)])
    }
    longest = max(map(len, fitting.values()), default=0)
    chosen = sorted(each for each, suffix in fitting.items() if len(suffix) == longest)
    if len(chosen) > 1:
        owners = [f"{each} of plugin {known[each][0]}" for each in chosen]
        ways = " or ".join(f"--importer {each}" for each in chosen)
        raise DiagnosticError(
            Diagnostic("E0702", f"{fitting[chosen[0]]} files are read by {' and '.join(owners)}", help=f"say {ways}")
        )
    return find_provided(catalogue, ImporterRecord, chosen[0]) if chosen else None


def read_by(found: Provided[ImporterRecord], path: Path, *, trust: bool) -> ImportedText:
    """Read a file by a plugin's importer.

    Raises:
        DiagnosticError: E0724, it may run code from the file and nobody vouches for that, or it was about to without
            having said so; E0720 or E0721, it failed; E0131, there is no such file.
    """
    if found.record.runs_code and not trust:
        raise DiagnosticError(_untrusted(found, path))
    if not path.exists():
        raise DiagnosticError(Diagnostic("E0131", f"there is no file {path}"))
    with found.blamed(RunsCodeError):
        try:
            if found.record.runs_code:
                given = found.record.factory(path)
            else:
                with nothing_runs():
                    given = found.record.factory(path)
        except RunsCodeError as error:
            raise DiagnosticError(_undeclared(found, path, error)) from error
    found.demand(isinstance(given, ImportedText), f"returned {shown(given)} where an ImportedText is due")
    found.demand(isinstance(given.text, str), "returned no text")
    text: ImportedText = given
    return text


def demand_weights(found: Provided[ImporterRecord], given: ImportedText, graph: Graph) -> None:
    """Demand that an importer has given an array for every weight, or none at all.

    Raises:
        DiagnosticError: E0721, it has not.
    """
    if not given.weights:
        return
    for name, weight in graph.weights.items():
        values = given.weights.get(name)
        due = f"{' x '.join(map(str, weight.shape)) or 'one number'} in float32"
        if not isinstance(values, np.ndarray):
            found.demand(False, f"gave no array for the weight {name}, which is {due}")
        elif values.dtype != np.float32 or values.shape != weight.shape:
            found.demand(False, f"gave the weight {name} as {values.shape} in {values.dtype}; it is {due}")
    strange = sorted(set(given.weights) - set(graph.weights))
    found.demand(not strange, f"gave an array for {', '.join(strange[:3])}, which the network does not have")


def _untrusted(found: Provided[ImporterRecord], path: Path) -> Diagnostic:
    return Diagnostic(
        "E0724",
        f"{path} was not opened: {found} can run code that is in such a file",
        help="if you trust where it is from, say so with --trust",
    )


def _undeclared(found: Provided[ImporterRecord], path: Path, error: RunsCodeError) -> Diagnostic:
    return Diagnostic(
        "E0724",
        f"{found} was stopped while it read {path}: {error}",
        notes=("it does not say that reading such a file can run code, so --trust does not let it",),
        help="tell the plugin's author: read data without pickle, or declare runs_code = True",
    )
