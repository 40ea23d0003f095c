"""Programs saved by `torch.export.save` (`.pt2`), read only where the user vouches for them.

`torch.export.load` cannot be made safe. Where the safe way of unpickling refuses a file's constants or example inputs,
torch falls back to the one that runs code, and expressions of sizes, which are texts in the file, go to
`sympy.sympify`, which evaluates them as Python.
"""

from __future__ import annotations

import warnings
import zipfile
from functools import partial
from pathlib import Path

import torch
from torch.export import ExportedProgram

from striate.importing.aten.exporting import TorchOriginal
from striate.importing.aten.program import network_of_program, operators_of
from striate.importing.kinds import Lookup, Reading
from striate.importing.naming import model_name
from striate_dsl.diagnostics import Diagnostic, DiagnosticError


def read(path: Path, lookup: Lookup, *, trust: bool = False) -> Reading:
    """Read a file.

    Raises:
        DiagnosticError: E0648, nobody vouches for it; E0649, it cannot be read; E0612, with everything that cannot be
            imported.
    """
    if not trust:
        raise DiagnosticError(_untrusted(path))
    program = _loaded(path)
    name = model_name("", path.stem)
    network = network_of_program(program, lookup, name)
    original = partial(TorchOriginal, program, program.module(check_guards=False))
    return Reading(network, name, f"read by torch {torch.__version__}", operators_of(program), {}, original)


def _loaded(path: Path) -> ExportedProgram:
    if not path.is_file():
        raise DiagnosticError(_unreadable(path, "it is a folder" if path.is_dir() else "no such file"))
    if not zipfile.is_zipfile(path):
        raise DiagnosticError(_unreadable(path, "it is no archive: a .pt2 file is a zip archive"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            functional: ExportedProgram = torch.export.load(path).run_decompositions({})
            return functional
    except Exception as error:  # of torch, json, zipfile or whatever the file holds
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise DiagnosticError(_unreadable(path, f"torch says {type(error).__name__}", *lines[:3])) from error


def _unreadable(path: Path, reason: str, *notes: str) -> Diagnostic:
    return Diagnostic(
        "E0649",
        f"cannot read {path} as an exported program: {reason}",
        notes=tuple(note[:200] for note in notes),
        help="pass a file that torch.export.save has written, with a torch of about the same version",
    )


def _untrusted(path: Path) -> Diagnostic:
    return Diagnostic(
        "E0648",
        f"{path} was not opened: reading a .pt2 file can run code that is in it",
        notes=("torch.export.load falls back to unpickling without limits, and evaluates texts in the file as Python",),
        help="if you trust where it is from, say so with --trust; an ONNX file of the same network needs no trust",
    )
