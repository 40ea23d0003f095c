"""The names of a text with what their places make of them: what `scanner.py` finds in any text, sound or not."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from striate_dsl.lexer import Token


class Role(StrEnum):
    """What a word is by its place. What it stands for is looked up in `names.py`."""

    BLOCK = "block"
    MODEL = "model"
    PARAMETER = "parameter"
    INPUT = "input"
    ALIAS = "alias"  # behind `as` in a flow
    LET = "let"
    LOOP = "loop"
    OUTPUT = "output"
    STEP = "step"  # a step of a flow: layer, block, instance or value
    VALUE = "value"  # in an expression
    HEAD = "head"
    BASE = "base"  # what a variant is a variant of
    ARGUMENT = "argument"  # before `=` in a call
    ATTRIBUTE = "attribute"  # behind a dot
    SETTING = "setting"
    OWNER = "owner"  # the model that a section is for
    RECIPE = "recipe"
    PROFILE = "profile"
    USED = "used"  # part of the dotted name of a plugin's file
    FILE = "file"  # behind `as` of a `use` statement
    PLUGIN = "plugin"
    PLACEHOLDER = "placeholder"  # `{name}` in the message of a contract
    KEYWORD = "keyword"


BINDING = frozenset({Role.PARAMETER, Role.INPUT, Role.ALIAS, Role.LET, Role.LOOP})
"""The roles that give a name within a block or model."""


@dataclass(eq=False, slots=True)
class Word:
    """A name or keyword at its place.

    Attributes:
        start: offset of its first character.
        end: offset behind its last one.
        text: its characters.
        role: what its place makes of it.
        home: the definition around it.
        call: the call whose argument it names.
        before: the word before its dot, as `x` in `x.Name`.
        setting: the dotted key of the setting that it is the value of, or, for a key, all of it up to here.
        section: the kind of the section around it: train, export, search, profile or input.
    """

    start: int
    end: int
    text: str
    role: Role
    home: Definition | None = None
    call: CallSite | None = None
    before: Word | None = None
    setting: str = ""
    section: str = ""

    @property
    def dotted(self) -> str:
        """The name with what stands before its dots."""
        return self.text if self.before is None else f"{self.before.dotted}.{self.text}"


@dataclass(eq=False, slots=True)
class CallSite:
    """What stands between the brackets of a call; `end` is the offset of `)`, None where it is not closed."""

    callee: Word
    start: int
    end: int | None = None
    commas: list[int] = field(default_factory=list)
    named: list[Word] = field(default_factory=list)

    def position(self, offset: int) -> int:
        """Return the number of commas before an offset."""
        return bisect_right(self.commas, offset - 1)


@dataclass(eq=False, slots=True)
class Definition:
    """One definition of a file, from its keyword to its end; `body` are the offsets of its braces."""

    kind: str
    start: int
    end: int
    name: Word | None = None
    base: Word | None = None
    alias: Word | None = None
    body: tuple[int, int] | None = None
    words: list[Word] = field(default_factory=list)
    lets: dict[str, Word] = field(default_factory=dict)

    @property
    def is_network(self) -> bool:
        """Whether it is a block or model with a body."""
        return self.kind in ("block", "model") and self.base is None


@dataclass(eq=False, slots=True)
class Frame:
    """One pair of brackets or braces, or the whole text: what is known where the scanner stands in it."""

    kind: str
    start: int
    call: CallSite | None = None
    statement: str = ""
    fresh: bool = True
    is_step: bool = False
    is_valued: bool = False
    is_loop_head: bool = False
    section: str = ""
    path: str = ""
    key: str = ""

    @property
    def is_braced(self) -> bool:
        """Whether statements stand in it."""
        return self.kind in ("top", "body", "settings")


@dataclass(eq=False)
class Scan:
    """The words, definitions, calls and pairs of braces of a text, and the frames that are open at its end."""

    text: str
    tokens: list[Token]
    words: list[Word] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    calls: list[CallSite] = field(default_factory=list)
    braces: list[tuple[int, int]] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    @cached_property
    def _starts(self) -> list[int]:
        return [word.start for word in self.words]

    def word_at(self, offset: int) -> Word | None:
        """Return the word that an offset lies in, or that ends there."""
        place = bisect_right(self._starts, offset) - 1
        word = self.words[place] if place >= 0 else None
        return word if word is not None and offset <= word.end else None

    def definition_at(self, offset: int) -> Definition | None:
        """Return the definition that an offset lies in."""
        starts = [item.start for item in self.definitions]
        place = bisect_right(starts, offset) - 1
        found = self.definitions[place] if place >= 0 else None
        return found if found is not None and offset <= found.end else None

    def call_at(self, offset: int) -> CallSite | None:
        """Return the innermost call between whose brackets an offset lies."""
        around = [call for call in self.calls if call.start < offset and (call.end is None or offset <= call.end)]
        return max(around, key=lambda call: call.start, default=None)

    @cached_property
    def by_name(self) -> dict[str, Definition]:
        """The blocks, models and variants by name; of two with one name the first."""
        named: dict[str, Definition] = {}
        for item in self.definitions:
            if item.kind in ("block", "model") and item.name is not None:
                named.setdefault(item.name.text, item)
        return named


def first_word(word: Word) -> Word:
    """Return the word that a dotted name begins with."""
    while word.before is not None:
        word = word.before
    return word
