"""The page of a layer, made from its record: arguments, sizes and costs of its samples, what it refuses, its relations.

Nothing on it is typed twice: sizes, parameters, multiply-adds and messages come from running the record's own rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Literal

from striate.graph import TensorType, format_shape
from striate.ops.record import OpRecord, Window
from striate.reference.arguments import argument_table
from striate.reference.example import example_text
from striate.reference.onnx_operators import OPSET, onnx_operators
from striate.reference.page import Code, Heading, Page, Paragraph, Part, Picture, Table
from striate.reference.sample_runs import SampleRun, open_run, refused, taken
from striate.view.numbers import full_number
from striate.view.wording import Wording


def layer_page(record: OpRecord, owner: str = "built in", picture: Picture | None = None) -> Page:
    """Return the page of a layer; `owner` says who provides it, `picture` shows what it does where a page can."""
    return Page(record.name, f"layer, {owner}", tuple(_parts(record, picture)))


def _parts(record: OpRecord, picture: Picture | None) -> Iterator[Part]:
    runs = taken(record)
    yield Paragraph(record.summary)
    yield Code(record.signature, "text")
    if picture is not None:
        yield picture
    if record.arguments:
        yield Heading("Arguments")
        yield argument_table(record.arguments)
    if runs:
        yield Heading("Example")
        yield Code(example_text(record, runs[0]))
        yield Heading("Sizes and costs")
        yield from _examples(record, runs)
        yield from _weights(runs)
    yield from _refusals(record)
    relations = (*(_relations(record, runs[0]) if runs else ()), *_reference(record))
    if relations:
        yield Heading("Relations")
        yield Table(("", ""), relations)


def _examples(record: OpRecord, runs: Sequence[SampleRun]) -> Iterator[Part]:
    opened = open_run(record)
    rows = [_example(run) for run in runs]
    yield Table(
        ("call", "in", "out", "parameters", "MACs", "FLOPs"),
        tuple(rows if opened is None else [*rows, _example(opened)]),
    )
    if opened is not None and opened.domain.constraints:
        legal = "; ".join(opened.domain.sentences())
        yield Paragraph(f"Sizes that the last of these takes: {legal}.")


def _example(run: SampleRun) -> tuple[str, ...]:
    wording = Wording.of(run.domain)
    counted = (wording.count(count, full=True) for count in (run.macs, run.flops))
    return f"`{run.call}`", _sizes(run.inputs), _sizes(run.outputs), full_number(run.parameters), *counted


def _sizes(types: Sequence[TensorType]) -> str:
    return " and ".join(format_shape(item) for item in types)


def _weights(runs: Sequence[SampleRun]) -> Iterator[Part]:
    run = next((run for run in runs if run.weights), None)
    if run is None:
        return
    yield Paragraph(f"Weights of `{run.call}` on {_sizes(run.inputs)}:")
    yield Table(
        ("role", "size", "entries", "starts as", "counted as"),
        tuple(
            (
                f"`{weight.role}`",
                " x ".join(map(str, weight.shape)),
                full_number(prod(weight.shape)),
                weight.initializer.name,
                "parameters" if weight.trainable else "running statistics, not counted",
            )
            for weight in run.weights
        ),
    )


def _refusals(record: OpRecord) -> Iterator[Part]:
    rows = tuple(
        (f"`{item.call}`", _sizes(item.inputs), f"{item.code}: {item.message}", item.help or "")
        for item in refused(record)
    )
    if rows:
        yield Heading("What it refuses")
        yield Table(("call", "in", "message", "help"), rows)


def _relations(record: OpRecord, first: SampleRun) -> Iterator[tuple[str, str]]:
    # torch is asked last and only here: whoever looks up a layer waits for it, whoever checks a file does not.
    from striate.lower.torch.functions import torch_functions

    yield "receptive window", f"{_seen(first.window)} (`{first.call}`)"
    if record.inference == "same":
        yield "in evaluation", "passes its input on unchanged"
    yield "kept for the backward pass", f"{_kept(first)} (`{first.call}`)"
    if record.work.view:
        yield "memory", "the output lies in that of the input"
    operators = onnx_operators(record, first)
    yield f"ONNX, opset {OPSET}", ", ".join(f"`{name}`" for name in operators) or "nothing of its own"
    functions = torch_functions(record, first.attributes, first.inputs, first.weights)
    yield "torch", ", ".join(f"`{name}`" for name in functions) or "nothing of its own"


def _reference(record: OpRecord) -> Iterator[tuple[str, str]]:
    if record.reference:
        yield "reference", record.reference


def _kept(run: SampleRun) -> str:
    """Return what training keeps of a layer in words, weights left out, for one image."""
    kept, wording = run.kept, Wording.of(run.domain)
    if len(run.inputs) == 1:
        inputs = ["its input"] if kept.inputs else []
    else:
        inputs = [f"input {place + 1}" for place in kept.inputs]
    counts = ((kept.numbers, "numbers"), (kept.indices, "places"), (kept.marks, "marks of a byte"))
    more = [f"{wording.count(count, full=True)} {what}" for count, what in counts if count != 0]
    return ", ".join([*inputs, *(["its output"] if kept.output else []), *more]) or "nothing"


def _seen(window: Window | Literal["all"]) -> str:
    if window == "all":
        return "the whole input"
    if not window.extent:
        return "one pixel"
    extent, stride, padding = (
        " x ".join(f"{number:g}" for number in axis) for axis in (window.extent, window.stride, window.padding)
    )
    begins = f", beginning {padding} before the value" if any(window.padding) else ""
    return f"{extent} pixels, moving by {stride}{begins}"
