"""What the kit draws by the kind of an argument is taken by it, and what must be refused is."""

from __future__ import annotations

from random import Random

import pytest

from striate.conformance.values import _ILLEGAL, _LEGAL, illegal_values, legal_value
from striate.ops import BUILTIN, ArgumentError
from striate.ops.arguments import Argument

ARGUMENTS = {f"{record.name}.{argument.name}": argument for record in BUILTIN.values() for argument in record.arguments}


def test_every_kind_of_the_built_in_layers_is_known():
    kinds = {type(argument.kind) for argument in ARGUMENTS.values()}
    assert kinds <= set(_LEGAL)
    assert {kind.__name__ for kind in kinds} - {kind.__name__ for kind in _ILLEGAL} <= {"Optional"}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_drawn_values_are_taken_and_others_refused(name):
    argument: Argument = ARGUMENTS[name]
    random = Random(name)
    for axes in (1, 2, 3):
        for _ in range(10):
            argument.kind.convert(legal_value(argument, random, axes))
    for value in illegal_values(argument.kind):
        with pytest.raises(ArgumentError):
            argument.kind.convert(value)
