"""Checks that every record passes, whatever its kind: its words, its arguments, what its factories name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from math import prod
from random import Random
from typing import Any

from striate.conformance.layer_call import Configuration, infer
from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.subject import Subject, first_line
from striate.conformance.values import illegal_values, is_known, legal_value
from striate.host.records import Factory
from striate.ops.arguments import Argument, ArgumentError, convert_all, format_value, quote_value
from striate.ops.problems import LayerError
from striate.ops.record import OpRecord

_SYMBOL = re.compile(r"[^\s:]+: ")
"""What may stand before a sentence about an argument: the letter that formulas have for it, or one of its values."""


def documentation(subject: Subject) -> str | None:
    """The summary and those of the arguments are sentences."""
    record = subject.record
    _sentence("summary", record.summary)
    if len(record.summary.split()) < 2:
        raise CheckFailedError(f"the summary is too short to say anything: {quote_value(record.summary)}")
    for argument in getattr(record, "arguments", ()):
        _sentence(f"the summary of {argument.name}", argument.summary)
        words = argument.kind.describe()
        if not isinstance(words, str) or not words.strip():
            raise CheckFailedError(f"the kind of {argument.name} describes itself by {words!r}, and not in words")
    if getattr(record, "reference", "given"):
        return None
    return "it has no reference: readers like to know where a formula is from"


def _sentence(what: str, text: str) -> None:
    plain = text.strip()
    is_name = any(character.isdigit() or character == "_" for character in plain.partition(" ")[0])
    if not (plain[:1].isupper() or is_name or _SYMBOL.match(plain)):
        raise CheckFailedError(f"{what} does not begin like a sentence: {quote_value(text)}")
    if plain[-1] not in ".…)":
        raise CheckFailedError(f"{what} does not end like a sentence: {quote_value(text)}")


def arguments(subject: Subject) -> str | None:
    """Arguments have plain names, legal defaults, and refuse what they cannot take by an `ArgumentError`."""
    record = subject.record
    if not hasattr(record, "arguments"):
        raise NotApplicableError("records of this kind take no arguments")
    if not record.arguments:
        raise NotApplicableError("it takes no arguments")
    _names(record.arguments)
    for argument in record.arguments:
        if not argument.required:
            _legal_default(argument)
        _refuses(argument)
    unknown = [item.name for item in record.arguments if not is_known(item.kind)]
    if unknown:
        return f"of {', '.join(unknown)} only the values of samples are tried: its kind has no method examples()"
    return None


def _names(listed: tuple[Argument, ...]) -> None:
    for argument in listed:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", argument.name):
            raise CheckFailedError(f"the argument {argument.name} is not named in small letters, digits and _")
    required = [argument.required for argument in listed]
    if required != sorted(required, reverse=True):
        late = next(
            item.name for item, before in zip(listed[1:], listed, strict=False) if item.required > before.required
        )
        raise CheckFailedError(f"{late} must be written, but stands behind an argument that need not be")


def _legal_default(argument: Argument) -> None:
    try:
        settled = argument.kind.convert(argument.default)
    except Exception as error:  # a stranger's kind may raise anything
        raise CheckFailedError(
            f"{argument.name} does not take its own default {quote_value(argument.default)}: {first_line(error)}"
        ) from None
    try:
        again = argument.kind.convert(settled)
    except Exception as error:
        raise CheckFailedError(
            f"{argument.name} does not take what it has made itself of {quote_value(argument.default)}: "
            f"{first_line(error)}"
        ) from None
    if again != settled:
        raise CheckFailedError(f"{argument.name} makes {again!r} of {settled!r}, which it has made itself")


def _refuses(argument: Argument) -> None:
    for value in illegal_values(argument.kind):
        try:
            settled = argument.kind.convert(value)
        except ArgumentError:
            continue
        except Exception as error:
            raise CheckFailedError(
                f"{argument.name} answers {value!r:.60} with {type(error).__name__} where an ArgumentError is due"
            ) from None
        raise CheckFailedError(f"{argument.name} takes {value!r:.60}, and makes {settled!r:.60} of it")


def factories(subject: Subject) -> str | None:
    """What the record names as `"package.module:function"` can be imported and called."""
    named = {
        name: value for name in _fields(subject.record) if isinstance(value := getattr(subject.record, name), Factory)
    }
    if not named:
        raise NotApplicableError("it names no factory")
    for name, factory in named.items():
        module, _, attribute = factory.target.partition(":")
        try:
            found = getattr(import_module(module), attribute)
        except ImportError as error:
            raise CheckFailedError(
                f"{name} names {factory.target}, which cannot be imported: {first_line(error)}"
            ) from None
        except AttributeError:
            raise CheckFailedError(f"{name} names {factory.target}, but {module} has no {attribute}") from None
        if not callable(found):
            raise CheckFailedError(f"{name} names {factory.target}, which is a {type(found).__name__}, no function")
    return None


def _fields(record: Any) -> list[str]:
    return list(getattr(type(record), "__dataclass_fields__", {}))


def argument_sets(subject: Subject, number: int = 6) -> list[dict[str, Any]]:
    """Return settled arguments to make a part with: the defaults, then others that its schema takes.

    Raises:
        NotApplicableError: an argument must be written, and nothing is known of the values it takes.
    """
    record, random = subject.record, Random(f"{subject.seed}/{subject.record.name}")
    try:
        required = {item.name: legal_value(item, random) for item in record.arguments if item.required}
        found = [convert_all(record.arguments, required)]
        for _ in range(number if record.arguments else 0):
            written = {
                item.name: legal_value(item, random)
                for item in record.arguments
                if item.required or (is_known(item.kind) and random.random() < 0.5)
            }
            found.append(convert_all(record.arguments, written))
    except LookupError as error:
        raise NotApplicableError(str(error)) from None
    return found


def written(subject: Subject, settled: Mapping[str, Any]) -> str:
    """Return a record's call with these arguments, as a recipe has it."""
    return f"{subject.record.name}({', '.join(f'{name} = {format_value(value)}' for name, value in settled.items())})"


def samples(subject: Subject) -> str | None:
    """The samples are legal where they should be, refused where they say so, and show every argument."""
    record: OpRecord = subject.layer
    for sample in record.samples:
        call = str(Configuration(record, sample.arguments, sample.inputs))
        try:
            layer = infer(record, sample.arguments, sample.inputs)
        except (LayerError, ArgumentError) as refusal:
            if sample.fails is None:
                raise CheckFailedError(f"a sample is refused: {refusal}", call) from None
            if sample.fails not in str(refusal):
                raise CheckFailedError(f"it is refused by other words than {sample.fails!r}: {refusal}", call) from None
            continue
        except KeyError as missing:
            raise CheckFailedError(f"a sample leaves out {missing}, which must be written", call) from None
        if sample.fails is not None:
            raise CheckFailedError(f"a sample must be refused ({sample.fails!r}) and is taken", call)
        _by_hand(sample, layer, call)
    _shows(record)
    return None


def _by_hand(sample: Any, layer: Any, call: str) -> None:

    counted = sum(prod(spec.shape) for spec in layer.specs if spec.trainable)
    if sample.parameters is not None and counted != sample.parameters:
        raise CheckFailedError(
            f"the weights rule gives {counted:,} parameters, the sample says {sample.parameters:,}", call
        )
    macs = layer.record.macs(layer.attributes, layer.inputs, layer.outputs)
    if sample.macs is not None and macs != sample.macs:
        raise CheckFailedError(f"the MACs rule gives {macs}, the sample says {sample.macs:,}", call)


def _shows(record: OpRecord) -> None:
    accepted = [sample for sample in record.samples if sample.fails is None]
    if len(accepted) < 2:
        raise CheckFailedError(f"it has {len(accepted)} samples that are legal: two show more than one size")
    shown = {name for sample in accepted for name in sample.arguments}
    hidden = [item.name for item in record.arguments if item.name not in shown]
    if hidden:
        raise CheckFailedError(f"no legal sample shows {', '.join(hidden)}")
    images = [shape for sample in accepted for shape in sample.inputs if len(shape) == 3]
    if images and all(height == width for _, height, width in images):
        raise CheckFailedError("all images of the samples are square, which hides exchanged axes")
    if (record.arguments or record.merge) and not any(sample.fails for sample in record.samples):
        raise CheckFailedError("no sample shows what is refused")
