"""What to show for the word under the pointer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from striate.editor.server import describe
from striate.editor.server.documents import Document, Library
from striate.editor.server.hover_calls import block_uses, layer_uses, model_totals
from striate.editor.server.instances import Instances, spread_of_values
from striate.editor.server.names import OVERRIDING, Sight, Symbol, called, network_of, symbol_of
from striate.editor.server.recipes import argument_of, record_of, things_of
from striate.editor.server.values import written
from striate.editor.server.words import CallSite, Definition, Role, Word, first_word
from striate.elaborate.values import ValueRef
from striate.host.records import FileRecord, HeadRecord
from striate.ops.record import OpRecord
from striate.settings import parts_of, scalars_of, title_of
from striate_dsl.diagnostics import DiagnosticError

_CODE = re.compile(r"[EW]0\d{3}")
_CALLEES = (Role.STEP, Role.VALUE, Role.ATTRIBUTE)


@dataclass(frozen=True, slots=True)
class Hover:
    """A text in Markdown about the characters from `start` to `end`."""

    text: str
    start: int
    end: int


def hover(library: Library, document: Document, offset: int) -> Hover | None:
    """Return what there is to say about the word at an offset."""
    sight = library.sight(document)
    word = sight.scan.word_at(offset)
    if word is None:
        return _allowed(document.source.text, offset)
    try:
        text = _Card(library, document, sight).of(word)
    except DiagnosticError as error:  # two plugins provide the name
        text = "\n\n".join(item.message for item in error.diagnostics)
    return Hover(text, word.start, word.end) if text else None


def _allowed(text: str, offset: int) -> Hover | None:
    """Return the page of a code in a comment."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)]
    for match in _CODE.finditer(line, max(line.find("#"), 0)):
        if "#" in line and start + match.start() <= offset <= start + match.end():
            card = describe.code_card(match[0])
            return Hover(card, start + match.start(), start + match.end()) if card else None
    return None


@dataclass(eq=False, slots=True)
class _Card:
    """Writes the description of one word."""

    library: Library
    document: Document
    sight: Sight

    @property
    def instances(self) -> Instances:
        return Instances(self.library, self.document)

    def of(self, word: Word) -> str | None:
        if word.role is Role.KEYWORD:
            return self._keyword(word)
        if word.role is Role.SETTING:
            return self._setting(word)
        symbol = symbol_of(word, self.sight)
        if symbol is None:
            return self._unresolved(word)
        if symbol.kind == "layer":
            return self._layer(word, symbol)
        if symbol.kind in ("block", "model"):
            return self._definition(word)
        if symbol.kind in ("local", "size", "output"):
            return self._local(word, symbol)
        if symbol.kind == "argument" and word.call is not None:
            return self._argument(word.text, word.call, symbol.home)
        return self._renamed(word, symbol) if symbol.kind == "renamed" else self._record(word, symbol)

    def _keyword(self, word: Word) -> str | None:
        text = describe.KEYWORDS.get(word.text)
        if word.text == "in" and text:
            call = self.sight.scan.call_at(word.start)
            runs = self.instances.runs(self.sight, word.home, first_word(call.callee).start) if call else []
            sizes = spread_of_values([run.visit.incoming for run in runs])
            return f"{text}\n\nHere: {sizes}" if sizes else text
        return text

    def _setting(self, word: Word) -> str | None:
        symbol = symbol_of(word, self.sight)
        if symbol is not None and symbol.kind == "local":
            return self._local(word, symbol)
        key = word.setting.removeprefix("train.") if word.section in OVERRIDING else word.setting
        section = "train" if word.section in OVERRIDING else word.section
        first, _, rest = key.partition(".")
        part, scalar = parts_of(section).get(first), scalars_of(section).get(key)
        if part is not None and not rest:
            return describe.part_card(part)
        if scalar is not None:
            return describe.argument_card(scalar, section, optional=section == "input")
        return title_of(word.section) or None

    def _unresolved(self, word: Word) -> str | None:
        if word.role is Role.ATTRIBUTE:
            return describe.ATTRIBUTES.get(word.text)
        call = self.sight.scan.call_at(word.start)
        target = called(call, self.sight) if call is not None else None
        if call is not None and isinstance(target, str) and (key := _key_of(call, word)):
            return self._argument(key, call, target)
        return describe.FUNCTIONS.get(word.text) or describe.RANGES.get(word.text) or describe.TOTALS.get(word.text)

    def _layer(self, word: Word, symbol: Symbol) -> str | None:
        record = self.library.catalogue.layer(symbol.name)
        if record is None:
            return None
        runs = self.instances.runs(self.sight, word.home, word.start) if word.role in _CALLEES else []
        uses = layer_uses(runs, record)
        return "\n\n".join([describe.layer_card(record), *([f"---\n\n{uses}"] if uses else [])])

    def _renamed(self, word: Word, symbol: Symbol) -> str | None:
        """Return what the file's own name for a plugin's thing stands for, as far as it can be meant at the place."""
        whole = self.sight.renamed[symbol.name]
        head = f"`{symbol.name}` is `{whole}` in this file." if symbol.name != whole else ""
        return "\n\n---\n\n".join([head, *self._things(whole, word)])

    def _things(self, whole: str, word: Word) -> Iterator[str]:
        catalogue = self.library.catalogue
        for kind, record in things_of(catalogue, whole, word):
            card = self._layer(word, Symbol("layer", whole)) if kind is OpRecord else None
            yield card or describe.record_card(record, catalogue.owner(kind, whole))

    def _definition(self, word: Word) -> str | None:
        found = self.sight.definition(word.dotted)
        if found is None:
            return None
        other, item = found
        parts = [describe.code_block(describe.signature_of(other.scan.text, item))]
        parts += [remarks] if (remarks := describe.remarks_on(other.scan.text, item)) else []
        if item.kind == "model":
            build = self.instances.build_of(item.name.text if item.name else "")
            return "\n\n".join([*parts, *([model_totals(build)] if build else [])])
        start = first_word(word).start
        uses = block_uses(self.instances.runs(self.sight, word.home, start)) if word.role in _CALLEES else ""
        everywhere = self._instances_of(other, item) if word.role is Role.BLOCK else ""
        return "\n\n".join([*parts, *(each for each in (uses, everywhere) if each)])

    def _instances_of(self, other: Sight, item: Definition) -> str:
        count = self.instances.count(other, item)
        return f"{count} instance{'s' * (count != 1)} in the models that are open" if count else ""

    def _local(self, word: Word, symbol: Symbol) -> str | None:
        home = self.sight.scan.by_name.get(symbol.home) if symbol.file == self.sight.file else None
        if home is None:
            found = network_of(symbol.home, self.sight)
            home = found[1] if found else None
        bound = self.sight.bindings(home).get(symbol.name, [])
        is_counter = any(item.role is Role.LOOP for item in bound)  # its last value alone would mislead
        values = [] if is_counter else self.instances.values(self.sight, home, symbol.name)
        what = self._what(word, symbol, values)
        shown = written(values)
        return f"{what}\n\n{shown}" if shown else what

    def _what(self, word: Word, symbol: Symbol, values: list[object]) -> str:
        if symbol.kind == "size":
            return f"`{symbol.name}`: a size left open"
        if symbol.kind == "output":
            return f"`{symbol.name}`: an output, the value at this point"
        bound = self.sight.bindings(self.sight.scan.by_name.get(symbol.home)).get(symbol.name, [])
        roles = {item.role for item in bound}
        if Role.PARAMETER in roles or (not roles and not any(isinstance(value, ValueRef) for value in values)):
            return f"`{symbol.name}`: a parameter of `{symbol.home}`"
        kinds = {Role.INPUT: "an input", Role.LOOP: "counts the rounds of a loop", Role.LET: "made with `let`"}
        kind = next((kinds[role] for role in kinds if role in roles), "a named value")
        return f"`{symbol.name}`: {kind}"

    def _argument(self, name: str, call: CallSite, owner: str) -> str | None:
        argument = argument_of(self.library.catalogue, call.callee, owner, name)
        return None if argument is None else describe.argument_card(argument, owner)

    def _record(self, word: Word, symbol: Symbol) -> str | None:
        catalogue = self.library.catalogue
        if symbol.kind == "record":
            kind, record = record_of(catalogue, symbol.home, symbol.name)
            return describe.record_card(record, catalogue.owner(kind, symbol.name)) if kind is not None else None
        kind = HeadRecord if symbol.kind == "head" else FileRecord if symbol.kind == "used" else None
        found = None if kind is None else catalogue.find(kind, symbol.name)
        if kind is None or found is None:
            return "\n\n---\n\n".join(self._things(symbol.name, word)) or None if symbol.kind == "used" else None
        return describe.record_card(found, catalogue.owner(kind, symbol.name))


def _key_of(call: CallSite, word: Word) -> str | None:
    """Return the name of the argument as whose value a word is written."""
    return next((item.text for item in call.named if call.position(item.start) == call.position(word.start)), None)
