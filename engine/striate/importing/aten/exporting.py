"""From a module of torch to a program, and the module as what the network is compared with."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.utils import _pytree as trees

from striate.importing.aten.program import output_names
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, np.dtype[np.float32]]
Sizes = Sequence["int | str"]

BATCH = 2
"""Images of an example: one would be taken for a size that is always 1."""

OPEN = 64
"""An open size in an example; each further one is larger by `STEP`, so that none is taken for another."""

STEP = 32


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation, and every part of it back to where it was."""
    training = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, was in training.items():
            part.training = was


def examples_of(sizes: Sequence[Sizes]) -> tuple[Tensor, ...]:
    """Return random images of these sizes without the batch; a letter stands for one open size wherever it is."""
    letters = dict.fromkeys(size for each in sizes for size in each if isinstance(size, str))
    extents = {letter: OPEN + STEP * place for place, letter in enumerate(letters)}
    generator = torch.Generator().manual_seed(0)
    return tuple(
        torch.randn(BATCH, *(extents.get(size, size) for size in each), generator=generator)  # type: ignore[arg-type]
        for each in sizes
    )


def exported(module: nn.Module, examples: Sequence[Tensor], sizes: Sequence[Sizes]) -> ExportedProgram:
    """Return the program of a module in evaluation.

    Args:
        module: the module.
        examples: one tensor for every input, the batch in front.
        sizes: the same sizes without the batch, letters for open ones; the batch is open wherever that can be.

    Raises:
        DiagnosticError: E0647, `torch.export` cannot follow the module.
    """
    shapes = [
        {0: Dim.AUTO} | {axis: Dim.AUTO for axis, size in enumerate(each, start=1) if isinstance(size, str)}
        for each in sizes
    ]
    try:
        with evaluating(module), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how fast the module is, and about torch itself
            dynamic = _as_parameters(module, shapes)
            program = torch.export.export(module, tuple(examples), dynamic_shapes=dynamic, strict=False)
            functional: ExportedProgram = program.run_decompositions({})
            return functional
    except Exception as error:  # whatever the module's code raises
        raise DiagnosticError(_failed(f"torch.export cannot follow {type(module).__name__}", error)) from error


def _as_parameters(module: nn.Module, shapes: Sequence[Any]) -> tuple[Any, ...]:
    """Return one entry for each parameter of a module's `forward`: `*inputs` is one, of as many as there are left."""
    parameters = list(inspect.signature(module.forward).parameters.values())
    rest = next((place for place, item in enumerate(parameters) if item.kind is item.VAR_POSITIONAL), None)
    return tuple(shapes) if rest is None else (*shapes[:rest], tuple(shapes[rest:]))


def _failed(what: str, error: Exception) -> Diagnostic:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return Diagnostic(
        "E0647",
        f"{what}: {type(error).__name__}",
        notes=tuple(line[:200] for line in lines[:5]),
        help="what a module does must not depend on the numbers in its tensors; "
        "torch.export.draft_export(module, examples) shows all places where it does",
    )


def rates_of(module: nn.Module) -> dict[str, float]:
    """Return the rates of the dropout modules within a module, by path, those that never drop anything left out."""
    found = {path: getattr(part, "p", 0.0) for path, part in module.named_modules() if isinstance(part, nn.Dropout)}
    return {path: float(rate) for path, rate in found.items() if 0 < rate < 1}


class TorchOriginal:
    """A module or a program in torch, called with arrays by name: what the network that was read is compared with."""

    def __init__(self, program: ExportedProgram, function: Callable[..., Any], module: nn.Module | None = None) -> None:
        self.name = f"torch {torch.__version__}"
        self._program, self._function, self._module = program, function, module
        self._outputs = output_names(program)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name.

        Raises:
            DiagnosticError: E0647, the module fails on these.
        """
        given = [torch.from_numpy(inputs[name]) for name in self._program.graph_signature.user_inputs]
        spec = self._program.call_spec.in_spec
        assert spec is not None, "a program knows its arguments"
        args, kwargs = trees.tree_unflatten(given, spec)
        try:
            with torch.no_grad():
                made = self._call(args, kwargs)
        except Exception as error:  # whatever the module's code raises
            what = "torch cannot run the program on an input of the network's sizes"
            raise DiagnosticError(_failed(what, error)) from error
        return {name: each.numpy() for name, each in zip(self._outputs, trees.tree_leaves(made), strict=True)}

    def _call(self, args: Any, kwargs: Any) -> Any:
        if self._module is None:
            return self._function(*args, **kwargs)
        with evaluating(self._module):
            return self._function(*args, **kwargs)
