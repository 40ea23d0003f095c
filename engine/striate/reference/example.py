"""The smallest whole file that uses a layer: inputs of its first sample, the call, an output."""

from __future__ import annotations

from striate.graph import format_shape
from striate.ops.record import OpRecord
from striate.reference.sample_runs import SampleRun, named_value

_MERGED = ("first", "second", "third", "fourth")


def example_text(record: OpRecord, run: SampleRun) -> str:
    """Return a file with a model of one layer, the call of a sample, whose further inputs have names of their own."""
    names = _input_names(record, run)
    lines = [f"  input {name}: {format_shape(kind)}" for name, kind in zip(names, run.inputs, strict=True)]
    start = f"{names[0]} -> " if len(names) > 1 else ""
    return "\n".join(["model Example {", *lines, "", f"  {start}{_call(record, run, names)}", "  output result", "}"])


def _input_names(record: OpRecord, run: SampleRun) -> list[str]:
    if record.merge:
        return list(_MERGED[: len(run.inputs)])
    names = {run.attributes[item.name]: named_value(item) for item in record.value_arguments}
    return [names.get(place, "value") for place in range(len(run.inputs))]


def _call(record: OpRecord, run: SampleRun, names: list[str]) -> str:
    """Return the call; values to be merged come before the arguments."""
    if not record.merge or len(names) < 2:
        return run.call
    name, _, arguments = run.call.removesuffix(")").partition("(")
    return f"{name}({', '.join([*names[1:], *([arguments] if arguments else [])])})"
