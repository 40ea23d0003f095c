"""What the words of a text stand for: the same symbol for the place that gives a name and for those that use it.

Looked up as the elaborator does: the names of the body, then blocks and models of the file and of those it uses, then
layers. Works on scanned words, so a definition with a mistake in it has symbols as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from striate.editor.server.words import BINDING, CallSite, Definition, Role, Scan, Word, first_word

_LOOKED_UP = frozenset({Role.STEP, Role.VALUE, Role.PLACEHOLDER, Role.OUTPUT, Role.BASE, Role.ATTRIBUTE})
_DEEPEST = 50

OVERRIDING = frozenset({"profile", "search"})
"""The sections that name settings of recipes as `train.…` and parameters of models as `model.…`."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a name stands for.

    Attributes:
        kind: local, size, output, block, model, file, used, renamed, layer, argument, head, recipe, profile, plugin or
            record.
        name: the name itself.
        file: the file that gives it, empty for what no file gives.
        home: the block or model in which it holds, the layer that an argument is of, or the setting of a record.
    """

    kind: str
    name: str
    file: str = ""
    home: str = ""


@dataclass(eq=False)
class Sight:
    """A scanned file and the files that it uses: for each what stands before its names (`x.` or nothing).

    `renamed` are the names that it has for things of plugins, with their whole names.
    """

    file: str
    scan: Scan
    uses: Sequence[tuple[str, Sight]] = ()
    is_layer: Callable[[str], bool] = field(default=lambda name: False)
    renamed: Mapping[str, str] = field(default_factory=dict)
    _bound: dict[int, dict[str, list[Word]]] = field(default_factory=dict, init=False)

    def bindings(self, home: Definition | None) -> Mapping[str, list[Word]]:
        """Return the words that give names in a block or model, by name."""
        if home is None or not home.is_network:
            return {}
        found = self._bound.get(id(home))
        if found is None:
            found = self._bound[id(home)] = {}
            for word in home.words:
                if word.role in BINDING:
                    found.setdefault(word.text, []).append(word)
        return found

    def definition(self, dotted: str) -> tuple[Sight, Definition] | None:
        """Return the block or model that a name stands for at the top level, and the sight of its file."""
        own = self.scan.by_name.get(dotted)
        if own is not None:
            return self, own
        for prefix, other in self.uses:
            if dotted.startswith(prefix) and (found := other.scan.by_name.get(dotted[len(prefix) :])):
                return other, found
        return None

    def visible(self) -> Iterator[tuple[str, Sight, Definition]]:
        """Yield the blocks and models that the file can name, each with the name it has here."""
        for prefix, sight in (("", self), *self.uses):
            for name, item in sight.scan.by_name.items():
                yield prefix + name, sight, item

    def prefixes(self) -> set[str]:
        """Return the names that files have here, without dots."""
        return {prefix.rstrip(".") for prefix, _ in self.uses if prefix}


def symbol_of(word: Word, sight: Sight) -> Symbol | None:
    """Return what a word stands for, or None for keywords and unknown names."""
    rule = _RULES.get(word.role)
    return None if rule is None else rule(word, sight)


def occurrences(symbol: Symbol, sights: Iterable[Sight]) -> Iterator[tuple[Sight, Word]]:
    """Yield all words that stand for a symbol, file by file in the order of the text."""
    last = symbol.name.rpartition(".")[2]  # of `acme.swirl` the word that stands for it is the last one
    for sight in sights:
        for word in sight.scan.words:
            if word.text in (last, symbol.name) and symbol_of(word, sight) == symbol:
                yield sight, word


def is_definition(word: Word, sight: Sight) -> bool:
    """Whether a word gives its name, rather than use it."""
    if word.role in BINDING or word.role in (Role.BLOCK, Role.MODEL, Role.FILE, Role.RECIPE, Role.PROFILE):
        return True
    symbol = symbol_of(word, sight) if word.role in (Role.OUTPUT, Role.VALUE) else None
    if symbol is None or symbol.kind not in ("output", "size") or word.home is None:
        return False
    first = next(other for other in word.home.words if other.text == word.text and symbol_of(other, sight) == symbol)
    return first is word


def called(call: CallSite, sight: Sight) -> tuple[Sight, Definition] | str | None:
    """Return the block or model that a call is of, or the name of its layer or record; None where that is not known."""
    return _target(call.callee, sight, 0)


def _target(word: Word, sight: Sight, depth: int) -> tuple[Sight, Definition] | str | None:
    symbol = symbol_of(word, sight)
    if depth > _DEEPEST:
        return None
    if symbol is None:
        return word.text if word.setting or word.role is Role.HEAD else None
    if symbol.kind == "local" and word.home is not None:
        value = word.home.lets.get(word.text)
        return _target(value, sight, depth + 1) if value is not None and value is not word else None
    if symbol.kind in ("block", "model"):
        return network_of(word.dotted, sight)
    if symbol.kind == "renamed":
        return sight.renamed[symbol.name]
    return symbol.name if symbol.kind in ("layer", "record", "head") else None


def network_of(dotted: str, sight: Sight) -> tuple[Sight, Definition] | None:
    """Return the block or model of a name; a variant stands for the model that it is a variant of."""
    found = sight.definition(dotted)
    for _ in range(_DEEPEST):
        if found is None or found[1].base is None:
            return found
        found = found[0].definition(found[1].base.dotted)
    return None


def _local(name: str, sight: Sight, home: Definition | None) -> Symbol | None:
    if home is None:
        return None
    return Symbol("local", name, sight.file, home.name.text if home.name else str(home.start))


def _looked_up(word: Word, sight: Sight) -> Symbol | None:
    if word.before is not None:
        is_file = word.before.text in sight.prefixes() and word.before.text not in sight.bindings(word.home)
        return _global(word.dotted, sight) if is_file else _qualified(word, sight)
    if word.text in sight.bindings(word.home):
        return _local(word.text, sight, word.home)
    if word.role is Role.OUTPUT:
        return Symbol("output", word.text, sight.file, _name_of(word.home))
    return _global(word.text, sight) or _beyond(word, sight)


def _qualified(word: Word, sight: Sight) -> Symbol | None:
    """Return the thing of a plugin that a name with its owner before the dot stands for."""
    if first_word(word).text in sight.bindings(word.home):
        return None
    if word.before is not None and word.before.role is Role.HEAD:
        return Symbol("head", word.dotted)
    if word.setting and not word.setting.startswith("model."):
        return Symbol("record", word.dotted, home=word.setting)
    return Symbol("layer", word.dotted) if sight.is_layer(word.dotted) else None


def _renamed_or(kind: str) -> Callable[[Word, Sight], Symbol]:
    """Return the rule for a word that is the file's name for a plugin's thing, or else of a kind."""

    def rule(word: Word, sight: Sight) -> Symbol:
        if word.text in sight.renamed:
            return Symbol("renamed", word.text, sight.file)
        return Symbol(kind, word.text, sight.file if kind == "file" else "")

    return rule


def _beyond(word: Word, sight: Sight) -> Symbol | None:
    """Return what a name stands for that neither the body nor a definition of a file gives."""
    if word.text in sight.renamed:
        return Symbol("renamed", word.text, sight.file)
    if word.text in sight.prefixes():
        return Symbol("file", word.text, sight.file)
    if word.setting and not word.setting.startswith("model."):
        return Symbol("record", word.text, home=word.setting)
    if sight.is_layer(word.text):
        return Symbol("layer", word.text)
    if word.role is not Role.STEP and word.text[0].isupper() and word.home is not None and word.home.is_network:
        return Symbol("size", word.text, sight.file, _name_of(word.home))
    return None


def _name_of(home: Definition | None) -> str:
    return home.name.text if home is not None and home.name is not None else ""


def _global(dotted: str, sight: Sight) -> Symbol | None:
    found = sight.definition(dotted)
    if found is None:
        return None
    other, item = found
    return Symbol(item.kind, item.name.text if item.name else dotted, other.file)


def _argument(word: Word, sight: Sight) -> Symbol | None:
    name = word.text
    target = None if word.call is None else called(word.call, sight)
    if isinstance(target, str):
        return Symbol("argument", name, home=target)
    if target is None:
        return None
    other, item = target
    return _local(name, other, item) if name in parameters(other, item) else None


def _setting(word: Word, sight: Sight) -> Symbol | None:
    if word.section not in OVERRIDING or not word.setting.startswith("model."):
        return Symbol("setting", word.text, home=word.section)
    owners = list(models_with(word.text, sight))
    return _local(word.text, *owners[0]) if owners and word.setting == f"model.{word.text}" else None


def models_with(parameter: str, sight: Sight) -> Iterator[tuple[Sight, Definition]]:
    """Yield the models of a file, and those it uses, that have a parameter of this name."""
    for _, other, item in sight.visible():
        if item.kind == "model" and item.is_network and parameter in parameters(other, item):
            yield other, item


def parameters(sight: Sight, item: Definition) -> list[str]:
    """Return the names of the parameters of a block or model."""
    bound = sight.bindings(item)
    return [name for name, words in bound.items() if any(word.role is Role.PARAMETER for word in words)]


_RULES: dict[Role, Callable[[Word, Sight], Symbol | None]] = {
    **dict.fromkeys(BINDING, lambda word, sight: _local(word.text, sight, word.home)),
    **dict.fromkeys(_LOOKED_UP, _looked_up),
    Role.BLOCK: lambda word, sight: Symbol("block", word.text, sight.file),
    Role.MODEL: lambda word, sight: Symbol("model", word.text, sight.file),
    Role.OWNER: lambda word, sight: _global(word.dotted, sight),
    Role.ARGUMENT: _argument,
    Role.FILE: _renamed_or("file"),
    Role.USED: lambda word, sight: Symbol("used", word.home.name.dotted if word.home and word.home.name else word.text),
    Role.SETTING: _setting,
    Role.HEAD: _renamed_or("head"),
    Role.RECIPE: lambda word, sight: Symbol("recipe", word.text, sight.file),
    Role.PROFILE: lambda word, sight: Symbol("profile", word.text, sight.file),
    Role.PLUGIN: lambda word, sight: Symbol("plugin", word.text),
}
