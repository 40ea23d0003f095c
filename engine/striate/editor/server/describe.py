"""Descriptions in Markdown of what has a name: layers, arguments, blocks, records, settings, keywords, codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from striate.codes import catalogue as pages
from striate.editor.server.words import Definition
from striate.ops.arguments import Argument
from striate.ops.record import OpRecord
from striate.settings import Part

KEYWORDS: Mapping[str, str] = {
    "language": "`language 1`: the version of the language that the file is written in.",
    "use": '`use "blocks.cnn"` or `use zoo.resnet`: brings in the blocks and models of another file of the project or '
    "of a plugin; with `as x` they are written `x.Name`.",
    "requires": "`requires detection >= 1.0`: a plugin that the file needs, and which version of it.",
    "block": "`block Name(a, b = 2) { … }`: a reusable piece; takes the value that flows in and gives on its last one.",
    "model": "`model Name(classes = 10) { … }`: a network. `model Big = Name(classes = 100)`: a variant of it.",
    "train": "`train Model { … }`: a recipe for training the model and its variants; `as name` tells several apart.",
    "export": "`export Model { … }`: the contract of the model's ONNX file.",
    "search": "`search Model { train.batch = [16, 32] }`: which settings may change, and the values to try.",
    "profile": "`profile quick { train.epochs = 1 }`: overrides of recipes and parameters, for `--profile`.",
    "input": "`input image: 3 x H x W where H % 32 == 0 { … }`: an input, channels first, the batch implied. A capital "
    "letter leaves a size open; the body is the pixel contract.",
    "output": "`output logits`: names the current value if the name is new, else gives out the named one.",
    "let": "`let tower = Tower(64)`: one instance of a block or layer, whose weights are shared by its uses; of "
    "anything else a constant.",
    "head": "`head segmentation(classes = classes)`: a plugin's task head: its layers, its output, and its task.",
    "repeat": "`repeat 3 { … }`, `repeat i in 0..n { … }`: runs the body several times, one after the other.",
    "for": "`for (w, n) in [(64, 3), (128, 4)] { … }`: runs the body once per entry of a list or range.",
    "if": "`if in.channels != out { … } else { … }`: a choice on known values; without `else` the value passes on.",
    "else": "What is run where the condition of `if` does not hold.",
    "assert": '`assert params < 20k, "{params} parameters"`: a contract that checking enforces. It sees `params`, '
    "`macs`, `out` and `receptive_field` of the whole network.",
    "as": "`conv(8, 1) as skip`: names the value at this point, and the layer that makes it.",
    "in": "The value that flows into the call or statement where it stands; `in.channels`, `in.height`, `in.width`, "
    "`in.features` and `in.rank` are its sizes.",
    "where": "Conditions on open sizes: comparisons joined by `and`.",
    "and": "Both hold.",
    "or": "At least one holds.",
    "not": "Does not hold.",
    "true": "Yes.",
    "false": "No.",
}
"""What the words of the language mean."""

ATTRIBUTES: Mapping[str, str] = {
    "channels": "Size of the first axis: the channels of an image, the entries of a flat value.",
    "depth": "Slices of a volume.",
    "height": "Rows of an image or volume.",
    "width": "Columns of an image or volume.",
    "length": "Positions of a sequence.",
    "features": "Entries of a flat value.",
    "rank": "Number of axes, the batch not counted.",
}
"""The sizes of a value."""

FUNCTIONS: Mapping[str, str] = {
    "min": "`min(a, b)`: the smaller one.",
    "max": "`max(a, b)`: the larger one.",
    "ceil": "`ceil(x)`: rounded up.",
    "floor": "`floor(x)`: rounded down.",
    "round": "`round(x)`: rounded to the nearest whole number.",
    "len": "`len(list)`: number of entries.",
    "abs": "`abs(x)`: without its sign.",
    "log2": "`log2(x)`: the logarithm to base 2.",
}
"""The functions of expressions."""

RANGES: Mapping[str, str] = {
    "int": "`int(low, high, step = 1)`: whole numbers, both ends included.",
    "real": "`real(low, high)`: real numbers, evenly spread.",
    "log": "`log(low, high)`: real numbers whose logarithms are evenly spread.",
}
"""What the settings of a search range over."""

TOTALS: Mapping[str, str] = {
    "params": "Trainable parameters of the whole network; running statistics are not counted.",
    "macs": "Multiply-adds of convolutions and dense layers for one image.",
    "out": "The first output; `out.features` is its size.",
    "receptive_field": "The longer side of what one entry of the first output sees of the input.",
}
"""What contracts see of the whole network."""


def code_block(text: str) -> str:
    """Return a text in the language as Markdown shows it."""
    return f"```cnn\n{text}\n```"


def layer_card(record: OpRecord) -> str:
    """Return what a layer is: how it is called, what it computes, what its arguments mean."""
    parts = [code_block(record.signature), record.summary]
    if record.arguments:
        parts.append(argument_list(record.arguments))
    if record.reference:
        parts.append(f"*{record.reference}*")
    return "\n\n".join(parts)


def record_card(record: Any, owner: str | None = None) -> str:
    """Return what a plugin's record is: a data set, loss, optimizer, schedule, metric, head or file."""
    arguments: tuple[Argument, ...] = getattr(record, "arguments", ())
    signature = f"{record.name}({', '.join(item.signature for item in arguments)})" if arguments else record.name
    parts = [code_block(signature), record.summary]
    if arguments:
        parts.append(argument_list(arguments))
    reference = getattr(record, "reference", "")
    parts += [f"*{reference}*"] if reference else []
    parts += [f"Provided by {owner}."] if owner else []
    return "\n\n".join(parts)


def argument_list(arguments: Iterable[Argument]) -> str:
    """Return arguments as a list, one line each."""
    return "\n".join(f"- `{item.signature}`: {item.summary}" for item in arguments)


def argument_card(argument: Argument, owner: str, *, optional: bool = False) -> str:
    """Return what an argument means, what it may be, and what it is if it is not written."""
    default = argument.signature.partition(" = ")[2]
    must = "" if optional else f"; default {default}" if default else "; must be written"
    return "\n\n".join([f"`{argument.signature}` of `{owner}`", argument.summary, argument.kind.describe() + must])


def part_card(part: Part) -> str:
    """Return what a setting is whose value a plugin provides."""
    return f"`{part.name}`\n\n{part.summary}"


def signature_of(text: str, definition: Definition) -> str:
    """Return the head of a block or model as it is written, or the whole of a variant."""
    end = definition.body[0] if definition.body else definition.end
    return " ".join(text[definition.start : end].split())


def remarks_on(text: str, definition: Definition) -> str:
    """Return the comment on the lines above a definition."""
    lines = text[: definition.start].split("\n")[:-1]
    found: list[str] = []
    while lines and (line := lines.pop().strip()).startswith("#"):
        found.insert(0, line.lstrip("# "))
    return " ".join(found)


def code_card(code: str) -> str | None:
    """Return the page of a code, None for a code that there is not."""
    page = pages().get(code)
    return None if page is None else page.text
