"""Random texts of the language, whole files by its grammar, written as untidily as the language allows.

A text is first a list of words and signs with the kind of gap before each; then every gap is filled at random: blanks,
and where they mean nothing, line breaks, empty lines and comments.
"""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

SAME, FREE, BREAK = "same", "free", "break"
"""Gaps: blanks only; line breaks and comments too; a separator (line breaks, `;`, comments)."""

Words = list[tuple[str, str]]
_PLAIN = ["conv", "relu", "bn", "H", "width", "depth", "e1", "ConvBN", "x"]
_LITERALS = [
    "3",
    "64",
    "128",
    "0.5",
    "1e-4",
    "300k",
    "5M",
    "1_000",
    '"text # no comment"',
    '"a\\"b"',
    "true",
    "in",
    "false",
]
_COMMENTS = ["#", "# note", "#note", "#  { -> ( ;", '# "', "# trailing  \t", "# ä", "# a longer comment about nothing"]
_OPERATORS = ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", ".."]
_CHAINABLE = ["+", "-", "*", "/", "//", "%", "and", "or"]


class Writer:
    """Writes one file; `depth` keeps it finite."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.gap = SAME

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def some(self, make, least: int, most: int, between: Words, depth: int) -> Words:
        words: Words = []
        for number in range(self.random.randint(least, most)):
            words += [*(between if number else []), *make(depth)]
        return words

    def within(self, opening: str, inner, closing: str) -> Words:
        """Words in round or square brackets: there every gap is free."""
        outer, self.gap = self.gap, FREE
        words = [(outer, opening)]
        made = inner()
        self.gap = outer
        return [*words, *made, (FREE, closing)]

    # ------------------------------------------------------------------------------------ expressions

    def expression(self, depth: int) -> Words:
        words = self.operand(depth)
        comparison = False
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2, 3] if depth else [0])):
            operator = self.random.choice(_CHAINABLE if comparison else _OPERATORS)
            comparison = comparison or operator not in _CHAINABLE
            words += [(self.gap, operator), *self.operand(depth - 1)]
        if depth and self.maybe(0.1):
            words += [(self.gap, "if"), *self.operand(depth - 1), (self.gap, "else"), *self.expression(depth - 1)]
        return words

    def operand(self, depth: int) -> Words:
        prefix = self.random.choice([[], [], [], [], [(self.gap, "-")], [(self.gap, "+"), (self.gap, "-")]])
        return [*prefix, *self.postfix(depth)]

    def postfix(self, depth: int) -> Words:
        if depth <= 0 or self.maybe(0.5):
            words = [(self.gap, self.random.choice([*_LITERALS, *_PLAIN]))]
        else:
            words = self.random.choice([self.group, self.tuple, self.list])(depth - 1)
        while depth > 0 and self.maybe(0.3):
            words += self.random.choice([self.attribute, self.index, self.arguments])(depth - 1)
        return words

    def attribute(self, depth: int) -> Words:
        return [(self.gap, "."), (self.gap, self.random.choice(["channels", "x", "in", "height"]))]

    def index(self, depth: int) -> Words:
        return self.within("[", lambda: self.expression(depth), "]")

    def group(self, depth: int) -> Words:
        return self.within("(", lambda: self.expression(depth), ")")

    def tuple(self, depth: int) -> Words:
        return self.within("(", lambda: self.items(self.expression, 1, depth, [(FREE, ",")]), ")")

    def list(self, depth: int) -> Words:
        return self.within("[", lambda: self.items(self.expression, self.random.randint(0, 1), depth), "]")

    def items(self, make, least: int, depth: int, last: Words | None = None) -> Words:
        most = self.random.choice([1, 2, 4, 9, 14]) if least else 0
        words = self.some(make, least, most, [(FREE, ",")], depth)
        ending = last or ([(FREE, ",")] if words and self.maybe(0.2) else [])
        return [*words, *ending]

    def arguments(self, depth: int) -> Words:
        return self.within("(", lambda: self.items(self.argument, self.random.randint(0, 1), depth), ")")

    def argument(self, depth: int) -> Words:
        if self.maybe(0.6):
            return self.expression(depth)
        name = self.random.choice(["stride", "pad", "in", "x", "for"])
        gap = SAME if name in {"in", "for"} else FREE  # a reserved word is a name only right before `=`
        return [(FREE, name), (gap, "="), *self.expression(depth)]

    # ------------------------------------------------------------------------------------ statements

    def body(self, make, depth: int) -> Words:
        statements = self.some(make, self.random.choice([0, 1, 1]), self.random.choice([1, 2, 5]), [(BREAK, "")], depth)
        if not statements:
            return [(SAME, "{"), (FREE, "}")]
        return [(SAME, "{"), (FREE, ""), *statements, (FREE, "}")]

    def statement(self, depth: int) -> Words:
        nested = [self.repeat, self.loop, self.choice] if depth > 0 else []
        plain = [self.flow, self.flow, self.flow, self.let, self.contract, self.output, self.head, self.input]
        return self.random.choice([*nested, *plain])(depth - 1)

    def flow(self, depth: int) -> Words:
        words = self.some(self.step, 1, self.random.choice([1, 3, 8]), [(FREE, "->"), (FREE, "")], depth)
        if self.maybe(0.9):
            return words
        word = self.random.choice(["input", "output", "let", "head", "model", "where"])  # a value may have such a name
        return [(SAME, word), (SAME, "->"), (FREE, ""), *words]

    def step(self, depth: int) -> Words:
        if depth > 0 and self.maybe(0.1):
            words = self.body(self.statement, depth - 1)
        else:
            words = [(SAME, self.random.choice([*_PLAIN, "in"]))]
            words += self.attribute(0) if self.maybe(0.1) else []
            words += self.arguments(min(depth, 2)) if self.maybe() else []
            words += self.body(self.statement, depth - 1) if depth > 0 and self.maybe(0.2) else []
        return [*words, *(self.alias() if self.maybe(0.2) else [])]

    def alias(self) -> Words:
        if self.maybe(0.8):
            return [(SAME, "as"), (SAME, "e1")]
        last = [(FREE, ","), (FREE, ")")] if self.maybe() else [(FREE, ")")]
        return [(SAME, "as"), (SAME, "("), (FREE, "e1"), (FREE, ","), (FREE, "e2"), *last]

    def repeat(self, depth: int) -> Words:
        variable = [(SAME, "i"), (SAME, "in")] if self.maybe() else []
        return [(SAME, "repeat"), *variable, *self.expression(1), *self.body(self.statement, depth)]

    def loop(self, depth: int) -> Words:
        names = [(SAME, "w")]
        if self.maybe():
            names = self.within("(", lambda: [(FREE, "w"), (FREE, ","), (FREE, "n")], ")")
        return [(SAME, "for"), *names, (SAME, "in"), *self.expression(3), *self.body(self.statement, depth)]

    def choice(self, depth: int) -> Words:
        words = [(SAME, "if"), *self.operand(1), *self.body(self.statement, depth)]
        while self.maybe(0.2):
            words += [(FREE, "else"), (FREE, "if"), *self.operand(1), *self.body(self.statement, depth)]
        if self.maybe():
            first, *others = self.body(self.statement, depth)
            words += [(FREE, "else"), (FREE, first[1]), *others]
        return words

    def let(self, depth: int) -> Words:
        return [(SAME, "let"), (SAME, "tower"), (SAME, "="), *self.expression(3)]

    def contract(self, depth: int) -> Words:
        message = [(SAME, ","), (SAME, '"too big: {params}"')] if self.maybe() else []
        return [(SAME, "assert"), *self.expression(2), *message]

    def output(self, depth: int) -> Words:
        return [(SAME, "output"), *self.some(lambda _: [(SAME, "y")], 1, 3, [(SAME, ",")], 0)]

    def head(self, depth: int) -> Words:
        return [(SAME, "head"), (SAME, "ssd"), *(self.arguments(2) if self.maybe() else [])]

    def input(self, depth: int) -> Words:
        sizes = self.random.choice([["3x224x224"], ["3", "x", "H", "x", "W"], ["1", "xHxW"], ["12"]])
        words = [(SAME, "input"), (SAME, "image"), (SAME, ":"), *[(SAME, size) for size in sizes]]
        words += (
            [(SAME, "where"), (SAME, "H"), (SAME, "%"), (SAME, "2"), (SAME, "=="), (SAME, "0")]
            if self.maybe(0.3)
            else []
        )
        return [*words, *(self.body(self.setting, 1) if self.maybe(0.3) else [])]

    def setting(self, depth: int) -> Words:
        key = [(SAME, self.random.choice(["lr", "epochs", "in", "range"]))]
        key += [(SAME, "."), (SAME, "momentum")] if self.maybe(0.2) else []
        if depth > 0 and self.maybe(0.2):
            return [*key, *self.body(self.setting, depth - 1)]
        return [*key, (SAME, "="), *self.expression(2)]

    # ------------------------------------------------------------------------------------ definitions

    def definition(self, depth: int) -> Words:
        return self.random.choice([self.network, self.network, self.variant, self.section, self.use, self.requires])(
            depth
        )

    def network(self, depth: int) -> Words:
        words = [(SAME, self.random.choice(["block", "model"])), (SAME, "Net")]
        words += self.within("(", lambda: self.items(self.parameter, 1, 2), ")") if self.maybe() else []
        return [*words, *self.body(self.statement, depth)]

    def parameter(self, depth: int) -> Words:
        return [(FREE, "width"), *([(FREE, "="), *self.expression(depth)] if self.maybe() else [])]

    def variant(self, depth: int) -> Words:
        return [
            (SAME, "model"),
            (SAME, "Wide"),
            (SAME, "="),
            (SAME, "Net"),
            *(self.arguments(2) if self.maybe() else []),
        ]

    def section(self, depth: int) -> Words:
        name = self.random.choice([[], ["Net"], ["Net", "as", "long"]])
        words = [(SAME, self.random.choice(["train", "export", "search"])), *[(SAME, text) for text in name]]
        return [*words, *self.body(self.setting, 2)]

    def use(self, depth: int) -> Words:
        target = self.random.choice([['"blocks.cnn"'], ["zoo", ".", "resnet"], ["a", "as", "b"]])
        return [(SAME, "use"), *[(SAME, text) for text in target]]

    def requires(self, depth: int) -> Words:
        return [(SAME, "requires"), (SAME, "detection"), *([(SAME, ">="), (SAME, "1.0.2")] if self.maybe() else [])]

    def file(self) -> str:
        words = [*([(SAME, "language"), (SAME, "1"), (BREAK, "")] if self.maybe(0.2) else [])]
        words += self.some(self.definition, 1, 4, [(BREAK, "")], 3)
        return self.text([(FREE, ""), *words, (FREE, "")])

    # ------------------------------------------------------------------------------------ gaps

    def text(self, words: Words) -> str:
        tidy = self.random.choice([0.0, 0.5, 0.9, 1.0])
        parts: list[str] = []
        for gap, word in words:
            filled = self.blank() if gap == SAME or self.maybe(tidy) else self.break_()
            if gap == BREAK:
                filled = self.random.choice(
                    [";", "\n", self.break_()[1:] and f"{self.break_()}\n", f" ;{self.break_()}"]
                )
                filled = filled or "\n"
            if not filled and parts and _would_merge(parts[-1], word):
                filled = " "
            parts += [each for each in (filled, word) if each]
        return "".join(parts)

    def blank(self) -> str:
        return self.random.choice(["", "", " ", " ", "  ", "\t", "     "])

    def break_(self) -> str:
        """A line break, perhaps with comments and empty lines around it."""
        text = self.random.choice(["", " # trailing", self.blank() + self.random.choice(_COMMENTS)]) + "\n"
        while self.maybe(0.3):
            text += self.blank() + self.random.choice(["", *_COMMENTS]) + "\n"
        return text + self.blank()


def _would_merge(before: str, word: str) -> bool:
    """Whether two words are (or might be) read as one when nothing stands between them."""
    last, first = before[-1:], word[:1]
    signs = "-+*/%=<>!.&|~:"
    words = (last.isalnum() or last in '_".') and (first.isalnum() or first in '_".')
    return words or (last in signs and first in signs)


files = st.integers(0, 2**48).map(lambda seed: Writer(Random(seed)).file())
