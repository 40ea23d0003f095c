"""Checks of what plugins write in the language: files with blocks and networks, and the blocks of task heads."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from striate.checking import check_file
from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.subject import Subject, first_line
from striate.dims import evaluate
from striate.elaborate import model_names
from striate.host.records import TaskRecord
from striate.model import load, load_source
from striate.onnx.trials import legal_sizes
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Severity
from striate_dsl.parser import parse
from striate_dsl.reading import read_source
from striate_dsl.source import Source
from striate_dsl.syntax import Block

if TYPE_CHECKING:
    from striate.model import Model


@contextmanager
def _file(subject: Subject) -> Iterator[Path]:
    """Give the path of the file; one that a function makes lies in a folder of its own for that time.

    Raises:
        CheckFailedError: it is not there, or the function does not make a text, always the same.
    """
    record = subject.record
    if record.build is not None:
        with tempfile.TemporaryDirectory(prefix="striate-conformance-") as folder:
            path = Path(folder) / "made.cnn"
            path.write_text(_made_text(subject), encoding="utf-8")
            yield path
        return
    try:
        source = files(record.package).joinpath(record.resource)
    except ModuleNotFoundError:
        raise CheckFailedError(f"there is no package {record.package}") from None
    if not source.is_file():
        raise CheckFailedError(
            f"there is no {record.resource} in {record.package}",
            repair="correct `resource`, and see that the wheel holds the file: python -m zipfile -l dist/*.whl",
        )
    with as_file(source) as path:
        yield path


def _made_text(subject: Subject) -> str:
    record = subject.record
    try:
        text, again = (record.build(**record.settings) for _ in range(2))
    except Exception as error:  # a stranger's function may raise anything
        raise CheckFailedError(f"its function answers with {type(error).__name__}: {first_line(error)}") from None
    if not isinstance(text, str):
        raise CheckFailedError(f"its function makes a {type(text).__name__}, no text")
    if text != again:
        raise CheckFailedError("its function makes another text the second time")
    return text


def _place(subject: Subject) -> str:
    return subject.record.resource or "the text that is made"


def _told(findings: list[Diagnostic]) -> str:
    return "; ".join(
        f"{item.code}{f' in line {item.span.line}' if item.span is not None else ''}: {item.message}"
        for item in findings[:3]
    )


def check_text(subject: Subject) -> str | None:
    """`striate check` finds no mistake in the file."""
    with _file(subject) as path:
        checked = check_file(path)
    errors = [item for item in checked.diagnostics if item.severity is Severity.ERROR]
    if errors:
        raise CheckFailedError(_told(errors), _place(subject))
    return f"warnings: {_told(checked.diagnostics)}" if checked.diagnostics else None


def _models(subject: Subject) -> list[Model]:
    """Return the networks of the file.

    Raises:
        CheckFailedError: one cannot be built.
        NotApplicableError: it has blocks only.
    """
    with _file(subject) as path:
        parsed = parse(read_source(path))
        names = model_names(parsed.file) if parsed.file is not None else []
        if not names:
            raise NotApplicableError("it has blocks only, whose arguments are not known")
        try:
            return [load(path, name) for name in names]
        except DiagnosticError as error:
            raise CheckFailedError(_told(list(error.diagnostics)), _place(subject)) from None


def models(subject: Subject) -> str | None:
    """Every network has legal input sizes, and a size of at least 1 for every value there."""
    found = _models(subject)
    for model in found:
        for sizes in legal_sizes(model.domain, model.name):
            for name, kind in model.graph.types.items():
                if any(evaluate(extent, sizes) < 1 for extent in kind.shape):
                    raise CheckFailedError(f"{name} has no pixels left at {sizes}", f"{_place(subject)}: {model.name}")
    return f"{len(found)} models"


def runs(subject: Subject) -> str | None:
    """The network with the fewest parameters computes finite numbers at the smallest legal size."""
    model = min(_models(subject), key=lambda item: item.parameters)
    _finite(model, f"{_place(subject)}: {model.name}")
    return f"{model.name}, {model.parameters:,} parameters"


def _finite(model: Model, example: str) -> None:
    """Run a network in evaluation, and where that is not finite in training.

    Before training, norms do not know the sizes of values yet, and some deep networks need them.
    """
    sizes = legal_sizes(model.domain, model.name)[0]
    generator = torch.Generator().manual_seed(0)
    images = [
        torch.randn((4, *(evaluate(extent, sizes) for extent in item.value.type.shape)), generator=generator)
        for item in model.graph.inputs
    ]
    program = model.to_torch(seed=0)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if not any(_is_finite(program.train(training)(*images)) for training in (False, True)):
            raise CheckFailedError(f"an output is not finite, for an input of {sizes or 'its size'}", example)


def _is_finite(outputs: Any) -> bool:
    made = outputs.values() if isinstance(outputs, dict) else (outputs,)
    return all(bool(item.isfinite().all()) for item in made)


# ----------------------------------------------------------------------------------------------- heads


def head_block(subject: Subject) -> str | None:
    """The text parses, and has one block and no model."""
    parsed = parse(Source(subject.record.source, subject.record.block))
    errors = [item for item in parsed.diagnostics if item.severity is Severity.ERROR]
    if errors or parsed.file is None:
        raise CheckFailedError(_told(errors), subject.record.source)
    blocks = [item for item in parsed.file.definitions if isinstance(item, Block)]
    if len(blocks) != 1 or len(blocks) != len(parsed.file.definitions):
        raise CheckFailedError(f"the text has {len(parsed.file.definitions)} definitions, where one block is due")
    return None


def head_attaches(subject: Subject) -> str | None:
    """Behind a convolution the head compiles, and computes finite numbers."""
    record = subject.record
    parsed = parse(Source(record.source, record.block))
    block = next((item for item in parsed.file.definitions if isinstance(item, Block)), None) if parsed.file else None
    if block is None:
        raise NotApplicableError("its text has no block")
    needed = [item.name.text for item in block.parameters if item.default is None]
    written = ", ".join(f"{name} = 3" for name in needed)
    text = (
        "model Net {\n  input image: 3 x 16 x 24\n  conv(8, 3, pad = 1) -> bn -> relu\n"
        f"  head {record.name}({written})\n}}"
    )
    try:
        model = load_source(Source("net.cnn", text), catalogue=subject.catalogue)
    except DiagnosticError as error:
        if not set(needed) <= {"classes"}:
            raise NotApplicableError(f"what it needs beside classes cannot be guessed: {', '.join(needed)}") from None
        raise CheckFailedError(_told(list(error.diagnostics)), text) from None
    _finite(model, text)
    return None


def head_task(subject: Subject) -> str | None:
    """The task that decodes the head's output is provided by a plugin that is installed."""
    if subject.catalogue.find(TaskRecord, subject.record.task) is None:
        known = ", ".join(subject.catalogue.names(TaskRecord)) or "none"
        raise CheckFailedError(f"there is no task {subject.record.task}; there are: {known}")
    return None
