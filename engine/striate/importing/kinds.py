"""The kinds of files that are imported: one row each, with the endings it goes by and the module that reads it.

A reader is a function `read(path, lookup, **options) -> Reading`, where `lookup` gives the record of a layer by name
and the options are those that its row lists. It is imported when a file of its kind is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from striate.ops.record import OpRecord
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

if TYPE_CHECKING:
    from striate.importing.carried import Restored
    from striate.importing.network import Network
    from striate.runtime.provenance import Provenance

Array = np.ndarray[Any, np.dtype[np.float32]]
Lookup = Callable[[str], OpRecord]


class Original(Protocol):
    """The network as it was, in a runtime of its own: what the imported one is compared with.

    `name` is the runtime with its version.
    """

    name: str

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the outputs by the names of the file, of inputs by the names of the file; both with a batch axis."""


class Facts(Protocol):
    """What is known of a file beside its network; `Reading` says what each is."""

    @property
    def origin(self) -> str: ...

    @property
    def operators(self) -> Mapping[str, int]: ...

    @property
    def details(self) -> Mapping[str, Any]: ...

    @property
    def original(self) -> Callable[[], Original] | None: ...

    @property
    def remark(self) -> str: ...

    @property
    def contract(self) -> Mapping[str, Any]: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader gives.

    Attributes:
        network: the network, its layers checked.
        model: the name that the model is to have.
        origin: what the file says about where it is from, in words.
        operators: how many nodes of each operator the file has, the frequent ones first.
        details: what else there is to say about the file, for machines.
        original: opens the network as it was; None where nothing can run it.
        restored: where the file carries a text of the language that is right, what that says; then the network is that
            one, and its names are those.
        remark: what there is to say about how the file was read, in words.
        contract: the pixel contract that the weights are for.
        classes: the names of the classes, in the order of the outputs.
        notes: what was passed over or decided, a line each.
        plugins: the plugins that a file of ours was made with.
    """

    network: Network
    model: str
    origin: str
    operators: Mapping[str, int]
    details: Mapping[str, Any] = field(default_factory=dict)
    original: Callable[[], Original] | None = None
    restored: Restored | None = None
    remark: str = ""
    contract: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    plugins: Provenance = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: what messages call it, its endings, the module with its reader, the options that this takes."""

    name: str
    endings: tuple[str, ...]
    module: str
    options: frozenset[str] = frozenset()

    def read(self, path: Path, lookup: Lookup, options: Mapping[str, Any]) -> Reading:
        """Read a file.

        Raises:
            DiagnosticError: E0646, an option is given that says nothing about such a file; those of the reader.
        """
        useless = sorted(options.keys() - self.options)
        if useless:
            raise DiagnosticError(
                Diagnostic(
                    "E0646",
                    f"--{useless[0].replace('_', '-')} says nothing about {path}, which is read as {self.name}",
                    help="leave it out",
                )
            )
        reading: Reading = import_module(self.module).read(path, lookup, **options)
        return reading


ONNX = Kind("an ONNX file", (".onnx",), "striate.importing.onnx_file")
PROGRAM = Kind("an exported program of torch", (".pt2",), "striate.importing.aten.pt2_file", frozenset({"trust"}))

DARKNET = Kind("a Darknet cfg file", (".cfg",), "striate.importing.darknet.cfg_file", frozenset({"weights", "partial"}))
ULTRALYTICS = Kind(
    "a model's YAML", (".yaml", ".yml"), "striate.importing.ultralytics.yaml_file", frozenset({"scale", "size"})
)

KINDS = (ONNX, PROGRAM, DARKNET, ULTRALYTICS)
"""All kinds; a file without an ending of any is read as ONNX, whose reader says what it is instead."""


def kind_of(path: Path) -> Kind:
    """Return the kind of a file by its ending."""
    ending = path.suffix.lower()
    return next((kind for kind in KINDS if ending in kind.endings), ONNX)
