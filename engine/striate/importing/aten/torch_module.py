"""Modules of torch as networks of the language: exported, read, and kept to be compared with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from striate.importing.aten.exporting import Sizes, TorchOriginal, examples_of, exported, rates_of
from striate.importing.aten.program import network_of_program, operators_of
from striate.importing.kinds import Lookup, Reading
from striate.importing.naming import model_name


def reading_of(module: nn.Module, example: Any, lookup: Lookup, name: str | None = None) -> Reading:
    """Return the network of a module.

    Args:
        module: the module.
        example: sizes without the batch or tensors with it, of one input or of several (`striate.import_torch`).
        lookup: from a layer's name to its record.
        name: the name of the model, if not the module's class.

    Raises:
        DiagnosticError: E0647 or E0612.
        TypeError: the example is neither sizes nor tensors.
    """
    examples, sizes = _examples(example)
    program = exported(module, examples, sizes)
    called = model_name(name or type(module).__name__, "Net")
    network = network_of_program(program, lookup, called, rates_of(module), sizes)
    original = partial(TorchOriginal, program, module, module)
    return Reading(network, called, f"read by torch {torch.__version__}", operators_of(program), {}, original)


def _examples(example: Any) -> tuple[Sequence[Tensor], Sequence[Sizes]]:
    if isinstance(example, Tensor):
        example = (example,)
    if not isinstance(example, (list, tuple)) or not example:
        raise TypeError(f"an example is sizes or tensors, not {example!r}")
    if all(isinstance(item, Tensor) for item in example):
        return list(example), [tuple(item.shape[1:]) for item in example]
    if all(isinstance(item, (int, str)) for item in example):
        example = [example]
    if not all(isinstance(item, (list, tuple)) and all(map(_is_size, item)) for item in example):
        raise TypeError(f"sizes are whole numbers above 0 and capital letters, not {example!r}")
    return examples_of(example), example


def _is_size(item: object) -> bool:
    if isinstance(item, str):
        return item.isascii() and item.isidentifier() and item == item.upper()
    return isinstance(item, int) and not isinstance(item, bool) and item > 0
