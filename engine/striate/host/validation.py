"""Holding a plugin's records to their types, field by field, so that a mistake is told where it was made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from striate.host.loss_traits import problem_of_loss
from striate.host.manifest import is_name
from striate.host.records import Factory, FileRecord, HeadRecord, LossRecord
from striate.host.work_records import POINTS
from striate.ops.arguments import Argument
from striate.ops.record import OpRecord, Sample
from striate_dsl.names import nearest


class RecordError(ValueError):
    """A record that is not as it should be; the message names the hook, the record and the field."""


Test = tuple[Callable[[Any], bool], str]
"""Whether a value is right, and what is right in words."""


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _are_arguments(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, Argument) for item in value)


def _are_samples(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, Sample) for item in value)


def _are_lines(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(map(_is_line, value))


def _is_text_or_nothing(value: Any) -> bool:
    return isinstance(value, str) and "\n" not in value


def _is_point(value: Any) -> bool:
    return value in POINTS


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1


def _is_ending(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"(\.[A-Za-z0-9_-]+)+", value) is not None


def _are_endings(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(_is_ending, value))


def _are_own_endings(value: Any) -> bool:
    return _are_endings(value) and bool(value) and all(item == item.lower() for item in value)


def _are_settings(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) and key.isidentifier() for key in value)


def _is_target_or_none(value: Any) -> bool:
    return value is None or _is_target(value)


def _is_target(value: Any) -> bool:
    if not isinstance(value, Factory) or not isinstance(value.target, str):
        return False
    module, _, attribute = value.target.partition(":")
    return all(part.isidentifier() for part in module.split(".")) and attribute.isidentifier()


def _are_names(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(_is_line, value))


def _may_be_target(value: Any) -> bool:
    return value is None or _is_target(value)


FIELDS: Mapping[str, Test] = {
    "summary": (_is_line, "one line of text"),
    "factory": (_is_target, 'a Factory of "package.module:function"'),
    "rewrite": (_is_target, 'a Factory of "package.module:function"'),
    "build": (_is_target_or_none, 'a Factory of "package.module:function", or None'),
    "settings": (_are_settings, "a dictionary of arguments by name"),
    "point": (_is_point, " or ".join(POINTS)),
    "tolerance": (_is_share, "a number between 0 and 1"),
    "title": (_is_line, "one line of text"),
    "suffix": (_is_ending, 'an ending with its dot, e.g. ".acme"'),
    "beside": (_are_endings, 'a tuple of endings with their dots, e.g. (".bin",)'),
    "suffixes": (_are_own_endings, 'a tuple of endings in lower case with their dots, e.g. (".acme",)'),
    "runs_code": (_is_flag, "True or False"),
    "signed": (_is_flag, "True or False"),
    "decode": (_is_target, 'a Factory of "package.module:function"'),
    "arguments": (_are_arguments, "a tuple of Arguments"),
    "reference": (_is_text, "a text"),
    "samples": (_are_samples, "a tuple of Samples"),
    "shape": (callable, "a function"),
    "torch": (callable, "a function"),
    "onnx": (callable, "a function"),
    "settle": (callable, "a function"),
    "weights": (callable, "a function"),
    "macs": (callable, "a function"),
    "window": (callable, "a function"),
    "formula": (_is_text, "a text"),
    "merge": (_is_flag, "True or False"),
    "package": (_is_text_or_nothing, "the name of a package"),
    "resource": (_is_text_or_nothing, "a path in the package"),
    "outputs": (_are_lines, "a tuple of names"),
    "task": (_is_line, "the name of a task"),
    "block": (_is_text, "the text of a block"),
    "source": (_is_line, "the name under which messages quote the block"),
    "higher_is_better": (_is_flag, "True or False"),
    "percent": (_is_flag, "True or False"),
    "after_step": (_is_flag, "True or False"),
    "tasks": (_are_names, "a tuple of names of tasks"),
    "picture": (_may_be_target, 'None, or a Factory of "package.module:function"'),
    "extra": (_is_text, "the name of a package, or an empty text"),
    "watches": (_is_flag, "True or False"),
    "tests_rates": (_is_flag, "True or False"),
    "recomputes": (_is_flag, "True or False"),
}
"""What the fields of records hold, by name: a field has the same meaning in every type of record."""

_OF_LAYERS: Mapping[str, Test] = {**FIELDS, "formula": (callable, "a function")}
"""The same for layers, whose formula is worked out for every call."""


def checked(record: Any, kind: type, hook: str) -> Any:
    """Return a record that a hook returned.

    Raises:
        RecordError: it is not of the hook's type, or one of its fields is not as it should be.
    """
    if not isinstance(record, kind):
        raise RecordError(f"{hook} returned a {type(record).__name__} where a {kind.__name__} is due")
    name = getattr(record, "name", None)
    if isinstance(record, FileRecord):
        _check_file(record, hook)
    elif not isinstance(name, str) or not is_name(name):
        raise RecordError(f"{hook} returned a record named {str(name)[:60]!a}, which is no identifier of the language")
    for field, (is_right, right) in (_OF_LAYERS if kind is OpRecord else FIELDS).items():
        if hasattr(record, field) and not is_right(getattr(record, field)):
            written = repr(getattr(record, field))
            raise RecordError(f"{hook}: {name}: {field} must be {right}, not {written[:60]}")
    if hasattr(record, "arguments"):
        _check_arguments(record, hook)
    if isinstance(record, LossRecord) and (problem := problem_of_loss(record)):
        raise RecordError(f"{hook}: {name}: {problem}")
    if isinstance(record, HeadRecord) and len(set(record.outputs)) < len(record.outputs):
        raise RecordError(f"{hook}: {name}: outputs has a name twice")
    return record


def _check_arguments(record: Any, hook: str) -> None:
    names = [item.name for item in record.arguments]
    for name in names:
        if not isinstance(name, str) or not is_name(name):
            raise RecordError(f"{hook}: {record.name}: an argument is named {str(name)[:60]!a}, which is no identifier")
        if names.count(name) > 1:
            raise RecordError(f"{hook}: {record.name} has two arguments {name}")
    for argument in record.arguments:
        if not _is_line(argument.summary):
            raise RecordError(f"{hook}: {record.name}: the argument {argument.name} has no summary")
        for method in ("describe", "convert"):
            if not callable(getattr(argument.kind, method, None)):
                raise RecordError(
                    f"{hook}: {record.name}: the kind of {argument.name} has no method {method}: "
                    f"take one of striate.plugin's kinds, such as Integer()"
                )


def _check_file(record: FileRecord, hook: str) -> None:
    if not is_name(str(record.name), dotted=True):
        raise RecordError(f"{hook} returned a file named {str(record.name)[:60]!a}, which is not like zoo.resnet")
    lies, halves = bool(record.package or record.resource), bool(record.package) != bool(record.resource)
    if halves or lies == (record.build is not None):
        raise RecordError(
            f"{hook}: {record.name} needs either package and resource, where its file lies, or build, which makes it"
        )
    path = PurePosixPath(str(record.resource))
    if path.is_absolute() or ".." in path.parts:
        raise RecordError(f"{hook} returned the file {record.resource!r}, which is no path inside its package")


def unlike_manifest(provides: Mapping[str, tuple[str, ...]], returned: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return how a manifest and the records of its plugin differ, None where they do not.

    Args:
        provides: names by kind, as the manifest has them.
        returned: names by kind, as the hooks returned them.
    """
    for kind in sorted({*provides, *returned}):
        promised, present = provides.get(kind, ()), returned.get(kind, ())
        lost = [name for name in promised if name not in present]
        if lost:
            near = nearest(lost[0], present)
            hint = f"; it returns {near}" if near else ""
            return f"its manifest promises {lost[0]} in {kind}, which its hook does not return{hint}"
        untold = [name for name in present if name not in promised]
        if untold:
            return f"its hook returns {untold[0]} in {kind}, which its manifest does not list"
    return None
