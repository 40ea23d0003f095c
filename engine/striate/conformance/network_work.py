"""Checks of what works on networks: passes, back ends, exporters, explainers; and of importers and commands.

Each is used as a user would, by striate's own door, on small networks: that door holds it to its hook's terms.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from click.testing import CliRunner

from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.schema import argument_sets, written
from striate.conformance.subject import Subject, first_line
from striate.exporting import rewritten, take_weights
from striate.exporting_formats import export_format
from striate.formats.subject import RefusedError
from striate.host.catalogue import HostCatalogue
from striate.lower.torch import Program, initialise
from striate.lower.torch.attribution import AttributionRequest
from striate.model import Model, load_source
from striate.rewriting import choose_passes
from striate.running import run_model
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source

TOLERANCE = 1e-4

NETWORKS = {
    "convolutions with norms, a sum and a pool": """\
model Net(classes = 3) {
  input image: 3 x H x W
  conv(8, 3, pad = 1, bias = false) -> bn -> relu
  add {
    conv(8, 3, pad = 1) -> bn
    identity
  }
  relu -> maxpool(2) -> dropout(0.2)
  global_avgpool -> flatten -> dense(classes)
  output logits
}
""",
    "one dense layer on a flat input": """\
model Flat {
  input numbers: 5
  dense(4) -> tanh
  output scores
}
""",
    "two inputs and two outputs": """\
model Two {
  input left: 2 x 6 x 8
  input right: 2 x 6 x 8
  left -> conv(4, 3) as seen
  right -> conv(4, 3) -> add(seen) as both
  both -> global_avgpool -> flatten -> dense(2) as scores
  output seen, scores
}
""",
}
"""Networks to work on, by what is special about them; the first is what users have."""


class WithRecord(HostCatalogue):
    """Everything that is installed, and a record that need not be."""

    def __init__(self, record: Any) -> None:
        super().__init__()
        self._own = record

    def find(self, kind: type[Any], name: str) -> Any:
        """Return a record of a kind by name; of this name the one given."""
        if kind is type(self._own) and name == self._own.name:
            return self._own
        return super().find(kind, name)


def _models(subject: Subject) -> Iterator[tuple[str, Model]]:
    for what, text in NETWORKS.items():
        yield what, load_source(Source("net.cnn", text), catalogue=WithRecord(subject.record))


def _told(error: DiagnosticError) -> str:
    finding = error.diagnostics[0]
    return "; ".join([f"{finding.code}: {finding.message}", *finding.notes[:2]])[:500]


def same_network(subject: Subject) -> str | None:
    """After the pass, a network is well formed and computes the same."""
    for what, model in _models(subject):
        try:
            passes = choose_passes([subject.record.name], model.catalogue, TOLERANCE)
            arrays = take_weights(model, None, 0).arrays
            for fold in (False, True):
                rewritten(model, arrays, passes, fold=fold)
        except DiagnosticError as error:
            raise CheckFailedError(_told(error), f"{what}:\n{NETWORKS[what]}") from None
    return f"{len(NETWORKS)} networks"


def same_values(subject: Subject) -> str | None:
    """The back end computes what torch does, at batches of 1 and 3 and at two sizes."""
    return _on_networks(subject, lambda model: run_model(model, subject.record.name))


def same_file(subject: Subject) -> str | None:
    """A file that the exporter writes computes what torch does, or is refused in words."""

    def export(model: Model) -> None:
        with tempfile.TemporaryDirectory(prefix="striate-conformance-") as folder:
            export_format(model, Path(folder) / f"net{subject.record.suffix}", subject.record.name)

    return _on_networks(subject, export)


def _on_networks(subject: Subject, use: Any) -> str:
    """Use a record on all networks; all but the first, which is what users have, may be refused (E0637, E0638)."""
    refused = []
    for number, (what, model) in enumerate(_models(subject)):
        try:
            use(model)
        except DiagnosticError as error:
            if error.diagnostics[0].code == "E0637":
                raise NotApplicableError(f"a package that it needs is not installed: {_told(error)}") from None
            if error.diagnostics[0].code == "E0638" and number > 0:
                refused.append(what)
                continue
            raise CheckFailedError(_told(error), f"{what}:\n{NETWORKS[what]}") from None
    return f"refused: {'; '.join(refused)}" if refused else f"{len(NETWORKS)} networks"


def attribution(subject: Subject) -> str | None:
    """The explainer gives a finite number per pixel, the same every time, whatever its arguments."""
    text = next(iter(NETWORKS.values())).replace("3 x H x W", "3 x 12 x 16")
    model = load_source(Source("net.cnn", text))
    program = initialise(Program(model.graph, model.catalogue.lookup)).eval().requires_grad_(requires_grad=False)
    image = torch.rand((1, 3, 12, 16), generator=torch.Generator().manual_seed(0))
    layer = next(node.outputs[0].name for node in model.graph.nodes if node.op == "relu")
    request = AttributionRequest(program, image, 1, next(iter(model.graph.outputs.values())), layer)
    for number, settled in enumerate(argument_sets(subject)):
        words = written(subject, settled)
        try:
            first, again = (np.asarray(subject.record.factory(request, **settled)) for _ in range(2))
        except (ValueError, RefusedError) as error:
            if number == 0:
                raise CheckFailedError(f"it refuses its defaults: {first_line(error)}", words) from None
            continue
        except Exception as error:  # a stranger's method may raise anything
            raise CheckFailedError(f"{type(error).__name__}: {first_line(error)}", words) from None
        _per_pixel(first, words, signed=subject.record.signed)
        if not np.array_equal(first, again):
            raise CheckFailedError(
                "the same question has two answers", words, "draw from a generator with a fixed seed"
            )
    return None


def _per_pixel(values: Any, words: str, *, signed: bool) -> None:
    if values.ndim != 2 or values.shape[0] > 12 or values.shape[1] > 16 or values.size == 0:
        raise CheckFailedError(f"it gives {values.shape} for an image of 12 x 16, where H x W or smaller is due", words)
    if not np.isfinite(values).all():
        raise CheckFailedError("some entries are not finite", words)
    if not signed and values.min() < 0:
        raise CheckFailedError("entries are below 0, and the record does not say signed", words)


NONSENSE = {"an empty file": b"", "a file of something else": bytes(range(256)) * 8, "a text": b"this is no network\n"}


def refusal(subject: Subject) -> str | None:
    """The importer refuses what is no such file by an exception with a message; that it reads its own is its tests'."""
    for what, content in NONSENSE.items():
        with tempfile.TemporaryDirectory(prefix="striate-conformance-") as folder:
            path = Path(folder) / f"file{subject.record.suffixes[0]}"
            path.write_bytes(content)
            try:
                found = subject.record.factory(path)
            except ImportError as error:
                raise NotApplicableError(f"a package that it needs is not installed: {first_line(error)}") from None
            except Exception as error:
                if not str(error).strip():
                    raise CheckFailedError(f"it answers with {type(error).__name__} and no word", what) from None
                continue
            raise CheckFailedError(f"it makes a {type(found).__name__} of it", what)
    return "whether it reads its own files is for its own tests"


def helped(subject: Subject) -> str | None:
    """What the factory makes is a command of click that can say what it does."""
    command = subject.record.factory()
    if not isinstance(command, click.Command):
        raise CheckFailedError(f"its factory makes a {type(command).__name__}, no click.Command")
    done = CliRunner().invoke(command, ["--help"])
    if done.exit_code != 0 or "Usage:" not in done.output:
        raise CheckFailedError(
            f"--help ends with {done.exit_code}: {done.output[:200]!r}", f"striate {subject.record.name} --help"
        )
    if not (command.help or "").strip():
        raise CheckFailedError("it has no help text", f"striate {subject.record.name} --help", "give it a docstring")
    return None
