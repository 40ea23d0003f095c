"""The description that weights carry with them: which network, which recipe, which software."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from striate.elaborate.linked import reachable
from striate.elaborate.writing import written_value
from striate.graph import fingerprint
from striate.runtime.checkpoint_info import CheckpointInfo
from striate.runtime.mismatch import computation
from striate.runtime.provenance import provenance
from striate.train.subject import Subject
from striate.version import __version__


def describe(subject: Subject) -> CheckpointInfo:
    """Return the description of a run's weights, without epoch and metrics."""
    model, graph = subject.model, subject.model.graph
    return CheckpointInfo(
        model=model.name,
        text=model.file.span.source.text,
        files={item.span.file: item.span.source.text for item in reachable(model.file) if item is not model.file},
        arguments={name: written_value(value) for name, value in graph.arguments.items()},
        fingerprint=fingerprint(graph),
        computation=computation(graph),
        input=subject.size,
        contract=subject.pixels.contract,
        task=subject.task.name,
        classes=subject.data.classes,
        versions=software(("torch", "lightning", "numpy")),
        recipe=subject.recipe.settings(),
        plugins=provenance(
            model.file, model.name, graph, model.catalogue, [part.owner for part in subject.recipe.parts]
        ),
    )


def software(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of striate, of Python and of those of the packages that are installed."""
    found = {"striate": __version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
