"""Name maps: which names the weights of one network have in other programs, as TOML beside the network's file.

`resnet.names.toml` belongs to `resnet.cnn`. Every table in it is a convention:

    [torchvision]
    about = "torchvision and timm: resnet18 to resnet152"
    names = { "conv_bn1.conv1" = "conv1", "stage1.{i}.unit1.conv_bn{j}.bn1" = "layer{i+1}.0.bn{j}" }
    older = { "norm.{k}." = "norm{k}." }
    spare = ["aux{i}."]
    parameters = { eps = "1e-05" }

`older` rewrites parts of names that former versions of the program used; `spare` are beginnings of names that a file
may have beside those of the network; `parameters` are those of the model with which the program trains, where its
variants do not have them already.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.importing.name_rules import Lists, Named, Rule, RuleError, their_names
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_NUMBER = re.compile(r"\\\{(\w+)\\\}")
_KEYS = {"about", "names", "older", "parameters", "spare"}


@dataclass(frozen=True, slots=True)
class Convention:
    """The names of one program.

    Attributes:
        name: what it is called, e.g. `torchvision`.
        about: which networks of which program are meant.
        rules: in the order in which they are tried.
        older: patterns in the names of the file and what stands there today.
        spare: patterns of the beginnings of names that are left out on purpose.
        parameters: the model's parameters that these weights need, as text.
    """

    name: str
    about: str
    rules: tuple[Rule, ...]
    older: tuple[tuple[re.Pattern[str], str], ...] = ()
    spare: tuple[re.Pattern[str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()

    def today(self, name: str) -> str:
        """Return the name of a tensor as the newest version of the program writes it."""
        for pattern, replacement in self.older:
            name = pattern.sub(replacement, name)
        return name

    def is_spare(self, name: str) -> bool:
        """Whether a tensor may be left out."""
        return any(pattern.match(name) for pattern in self.spare)

    def named(self, weights: Iterable[str]) -> dict[str, Named]:
        """Return what the first rule says that knows a weight: its layer by its path, or the weight itself."""
        layers: dict[str, list[Named | None]] = {}
        found = {}
        for weight in weights:
            layer = weight.rpartition(".")[0]
            if layer not in layers:
                layers[layer] = [rule.match(layer) for rule in self.rules]
            for rule, item in zip(self.rules, layers[layer], strict=True):
                if (named := item or rule.match(weight)) is not None:
                    found[weight] = named
                    break
        return found


def expected_names(named: Mapping[str, Named], names: Iterable[str]) -> dict[str, str]:
    """Return the name that each weight has in a file with these names."""
    layers = {item.path: item for item in named.values()}
    theirs = their_names(list(layers.values()), Lists(names))
    return {
        weight: theirs[item.path] if item.path == weight else f"{theirs[item.path]}.{weight.rpartition('.')[2]}"
        for weight, item in named.items()
    }


def read_name_map(text: str, source: str) -> tuple[Convention, ...]:
    """Read the conventions of a name map.

    Args:
        text: the TOML text.
        source: the file's name, for messages.

    Raises:
        DiagnosticError: E0666, it is no name map.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DiagnosticError(_problem(source, f"it is no TOML: {error}")) from None
    try:
        conventions = tuple(_convention(name, table) for name, table in content.items())
    except RuleError as error:
        raise DiagnosticError(_problem(source, str(error))) from None
    if not conventions:
        raise DiagnosticError(_problem(source, "it has no table"))
    return conventions


def _convention(name: str, table: Any) -> Convention:
    if not isinstance(table, dict) or not isinstance(table.get("names"), dict):
        raise RuleError(f"{name} must be a table with a table names: our names, and theirs")
    if unknown := sorted(table.keys() - _KEYS):
        raise RuleError(f"[{name}] has no entry {unknown[0]}; there are {', '.join(sorted(_KEYS))}")
    about, spare = table.get("about", name), table.get("spare", [])
    older, parameters = _texts(name, table, "older"), _texts(name, table, "parameters")
    if not isinstance(about, str) or not isinstance(spare, list) or not _are_texts(spare):
        raise RuleError(f"[{name}]: about is a text, spare a list of texts")
    rules = tuple(_rule(name, ours, theirs) for ours, theirs in table["names"].items())
    return Convention(
        name,
        about,
        rules,
        tuple((_substring(before), _replacement(before, after)) for before, after in older.items()),
        tuple(_substring(item) for item in spare),
        tuple(parameters.items()),
    )


def _texts(convention: str, table: Mapping[str, Any], entry: str) -> Mapping[str, str]:
    texts = table.get(entry, {})
    if not isinstance(texts, dict) or not _are_texts(texts.values()):
        raise RuleError(f"[{convention}]: {entry} is a table of texts")
    return texts


def _rule(convention: str, ours: str, theirs: Any) -> Rule:
    return Rule(ours, theirs) if isinstance(theirs, str) else _permuted(convention, ours, theirs)


def _permuted(convention: str, ours: str, theirs: Any) -> Rule:
    """Return a rule that is written `{ name = "fc", axes = [1, 0] }`."""
    if isinstance(theirs, dict) and theirs.keys() == {"name", "axes"}:
        name, axes = theirs["name"], theirs["axes"]
        whole = isinstance(axes, list) and all(type(axis) is int for axis in axes)
        if isinstance(name, str) and whole and sorted(axes) == list(range(len(axes))):
            return Rule(ours, name, tuple(axes))
    raise RuleError(f'[{convention}]: {ours} must be a text or {{ name = "…", axes = [1, 0] }}')


def _are_texts(items: Iterable[Any]) -> bool:
    return all(isinstance(item, str) for item in items)


def _substring(text: str) -> re.Pattern[str]:
    """Return the expression for a part of a name in which `{k}` stands for a number."""
    return re.compile(_NUMBER.sub(lambda found: rf"(?P<{found[1]}>\d+)", re.escape(text)))


def _replacement(before: str, after: str) -> str:
    numbers: Sequence[str] = re.findall(r"\{(\w+)\}", before)
    for name in re.findall(r"\{(\w+)\}", after):
        if name not in numbers:
            raise RuleError(f"{{{name}}} in {after!r} is no number of {before!r}")
    return re.sub(r"\{(\w+)\}", r"\\g<\1>", after.replace("\\", r"\\"))


def _problem(source: str, what: str) -> Diagnostic:
    return Diagnostic(
        "E0666", f"{source} is no name map: {what}", help="docs/weights.md says how a name map is written"
    )
