"""What plugins hand to striate beside parts of files and recipes: passes, back ends, exporters, importers and more.

Like the records of `records.py` these are light: the work is done by functions named as `"package.module:function"`.
What such a function is given and what it returns is in `striate.factories`.
"""

from __future__ import annotations

from dataclasses import dataclass

from striate.host.records import Factory
from striate.ops.arguments import Argument

BEFORE_FOLDING, AFTER_FOLDING = "before_folding", "after_folding"
"""Where a plugin's pass is run: on the layers as they are written, or on what folding has left of them."""

POINTS = (BEFORE_FOLDING, AFTER_FOLDING)

TORCH = "torch"
"""The back end that is always there, and the one that all others are held to."""


@dataclass(frozen=True, slots=True)
class PassRecord:
    """A rewrite of a network that is exported. `rewrite(network)` returns a `Network` that computes the same.

    Attributes:
        name: the name behind `--pass` and in `export { passes = [...] }`.
        summary: what it does, in one sentence.
        rewrite: the pass; it is given a `striate.factories.Network` and returns one.
        point: `before_folding` or `after_folding`. Layers that do nothing in evaluation are gone in both.
    """

    name: str
    summary: str
    rewrite: Factory
    point: str = BEFORE_FOLDING


@dataclass(frozen=True, slots=True)
class BackendRecord:
    """A back end: something that runs a network.

    Attributes:
        name: the name behind `--backend`.
        summary: what runs the network, in one sentence.
        factory: is given a `striate.factories.Network` and returns a callable: from arrays by the inputs' names,
            float32 with the batch axis in front, to arrays by the outputs' names.
        tolerance: how far its results may be from torch's, as a share of an output's largest entry.
    """

    name: str
    summary: str
    factory: Factory
    tolerance: float = 1e-4


@dataclass(frozen=True, slots=True)
class ExporterRecord:
    """A file format that networks are written in.

    Attributes:
        name: the name behind `--format`.
        summary: what reads such files, in one sentence.
        factory: is given a `striate.factories.Subject` and what the file is to say of itself (text by text), and
            returns a `striate.factories.Converted`.
        title: the format's name in sentences.
        suffix: the ending of the main file, with its dot.
        beside: the endings of the files beside it.
    """

    name: str
    summary: str
    factory: Factory
    title: str
    suffix: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImporterRecord:
    """A file format that networks are read from.

    Attributes:
        name: the name behind `--importer`.
        summary: what writes such files, in one sentence.
        factory: is given the file's path and returns a `striate.factories.ImportedText`.
        suffixes: the endings of such files in lower case, with their dots.
        runs_code: whether reading a file can run code that is in it; then it is read only with `--trust`, and without
            this the host stops a reader that unpickles or starts programs.
    """

    name: str
    summary: str
    factory: Factory
    suffixes: tuple[str, ...]
    runs_code: bool = False


@dataclass(frozen=True, slots=True)
class ExplainerRecord:
    """A method that says which pixels of an image an answer hangs on.

    Attributes:
        name: the name behind `--method`.
        summary: what it computes, in one sentence.
        factory: is given a `striate.factories.AttributionRequest` and the arguments, and returns an array `H x W` (or
            smaller, when it is enlarged to the image): how much each pixel speaks for the answer.
        arguments: what may be set with `--set`.
        signed: whether entries below 0 speak against the answer; without, all are at least 0.
        reference: where the method is from.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    signed: bool = False
    reference: str = ""


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """A command of the command line. `factory()` returns a `click.Command`."""

    name: str
    summary: str
    factory: Factory
