"""The description that a checkpoint carries: where its weights come from, as JSON that is checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from striate.runtime.mismatch import Step
from striate.runtime.provenance import Provenance, is_provenance


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """Where weights come from.

    Attributes:
        model: the model's name.
        text: the `.cnn` file.
        files: the texts of the files that it used, by name.
        arguments: the model's parameters, as written in the language.
        fingerprint: the fingerprint of the graph.
        computation: what the graph computes, node by node, to show differences.
        input: the size that images were brought to, channels first.
        contract: the pixel contract, as plain values.
        task: the task whose decoder turns outputs into answers.
        classes: the class names in the order of the outputs.
        versions: the versions of striate and of the packages that took part.
        recipe: the settings of the recipe, as written in the language.
        epoch: how many epochs the weights have been trained for.
        metrics: the scores of these weights on the validation split.
        plugins: the plugins that network and recipe used, see `striate.runtime.provenance`.
    """

    model: str
    text: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    computation: tuple[Step, ...] = ()
    input: tuple[int, ...] = ()
    contract: Mapping[str, Any] = field(default_factory=dict)
    task: str = ""
    classes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    recipe: Mapping[str, str] = field(default_factory=dict)
    epoch: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    plugins: Provenance = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the description as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> CheckpointInfo:
        """Return the description in a JSON text; entries that this version does not know are left out.

        Raises:
            ValueError: the text is not such a description.
        """
        entries = json.loads(text)
        if not isinstance(entries, dict) or "model" not in entries:
            raise ValueError("not a description of weights")
        known = {item.name for item in fields(cls)}
        kept = {key: value for key, value in entries.items() if key in known}
        if wrong := [key for key, value in kept.items() if not _is_legal(key, value)]:
            raise ValueError(f"not a legal {wrong[0]}")
        arguments: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in kept.items()
        }
        return cls(**arguments)


_TYPES = {"model": str, "text": str, "fingerprint": str, "task": str, "epoch": int, "computation": list}
_ITEMS = {"input": int, "classes": str}
_STEP = {"name": str, "op": str, "inputs": list, "attributes": dict, "weights": dict}


def _is_legal(key: str, value: Any) -> bool:
    """Whether an entry of a description that comes from a file is what it should be."""
    if key in _ITEMS:
        return isinstance(value, list) and all(isinstance(item, _ITEMS[key]) for item in value)
    if key == "plugins":
        return is_provenance(value)
    if key == "computation" and isinstance(value, list):
        return all(isinstance(step, dict) and _is_step(step) for step in value)
    return isinstance(value, _TYPES.get(key, dict))


def _is_step(step: dict[str, Any]) -> bool:
    return {"name", "op", "inputs"} <= step.keys() and all(
        isinstance(value, _STEP.get(key, object)) for key, value in step.items()
    )
