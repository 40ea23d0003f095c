"""What the page of a loss says beside its arguments and its formula: what it takes, reduction, range, and examples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from striate.host.loss_traits import OUTPUTS, TARGETS, LossExample
from striate.host.records import LossRecord
from striate.ops.arguments import Choice, format_value
from striate.reference.page import Code, Paragraph, Part, Table

_LONGEST = 160
"""Characters up to which the inputs of an example are shown."""


def written_call(record: LossRecord) -> Code:
    """Return how a loss is called: in a recipe, or where no recipe can give it its tensors in Python."""
    shown = ", ".join(item.signature for item in record.arguments)
    if record.in_recipes:
        return Code(f"loss = {record.name}" + (f"({shown})" if shown else ""), "text")
    given = [f'"{record.name}"', *(f"{item.name}={_python(item.default)}" for item in record.arguments)]
    return Code(f"striate.loss({', '.join(given)})", "python")


def loss_parts(record: LossRecord) -> Iterator[Part]:
    """Yield what a loss's page says beside its arguments."""
    if record.in_recipes:
        vectors = record.output in ("embeddings", "directions")
        target = "class numbers, `N`" if vectors else TARGETS[record.target]
        yield Paragraph(f"It takes {OUTPUTS[record.output]}, and compares that with {target}.")
    else:
        yield Paragraph("It takes several tensors: it is called from Python, not named in a recipe.")
    yield Paragraph(f"Reduction: {record.reduction}. Range: {_range(*record.range)}.")
    if record.sizes:
        yield Paragraph(
            f"It has weights or centres of its own, kept with the run; in Python it is also given {_sizes(record)}."
        )
    if record.applies:
        yield Paragraph(f"It applies {record.applies} itself: the network must not end in one.")
    if record.examples:
        yield Table(("arguments", "called with", "gives", ""), tuple(_row(item) for item in record.examples))


def _sizes(record: LossRecord) -> str:
    return " and ".join(f"`{name}`" for name in record.sizes)


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "any number"
    if math.isinf(high):
        return f"{low:g} and above"
    return f"from {low:g} to {high:g}"


def _row(example: LossExample) -> tuple[str, ...]:
    given = {**example.arguments, **example.sizes}
    arguments = ", ".join(f"{name} = {_written(value)}" for name, value in given.items())
    inputs = ", ".join(map(_shown, example.inputs))
    weights = "".join(f"; {name} {_shown(value)}" for name, value in example.weights.items())
    shown = f"`{inputs}{weights}`" if len(inputs) <= _LONGEST else ""
    return (f"`{arguments}`" if arguments else "", shown, f"{example.value:.7g}", example.note)


def _shown(value: Any) -> str:
    if callable(value):
        return "a function"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{value:.4g}" if isinstance(value, float) else format_value(value)


def _written(value: Any) -> str:
    """Return an argument as a recipe has it: names without quotes."""
    return value if isinstance(value, str) else format_value(value)


def _python(value: Any) -> str:
    """Return a default as Python has it: names in quotes."""
    text = value.name if isinstance(value, Choice) else value
    return f'"{text}"' if isinstance(text, str) else repr(text)
