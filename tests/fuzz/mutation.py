"""Changes to texts that keep them near the language: tokens and lines taken out, doubled, moved, replaced, spliced in.

Used with any source of random numbers, by the fuzzing harness for its own kind of mutation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import FOREIGN_WORDS, RESERVED, SIGNS, tokenize

WORDS: tuple[str, ...] = (
    "conv",
    "relu",
    "bn",
    "maxpool",
    "add",
    "concat",
    "mul",
    "dense",
    "flatten",
    "deconv",
    "avgpool",
    "dropout",
)
WORDS += ("upsample", "global_avgpool", "half", "same", "valid", "channels", "height", "width", "rank", "features")
WORDS += ("stride", "pad", "kernel", "dilation", "groups", "bias", "params", "macs", "out", "receptive_field", "where")
WORDS += ("min", "max", "len", "abs", "ceil", "floor", "round", "H", "W", "x", "image", "epochs", "loss", "data")
LITERALS = ("0", "1", "2", "3", "7", "-1", "0.5", "1e308", "5M", "1e-4", "9223372036854775807", '"text"', '"{a}"')
ODD = ("'t'", '"open', "/*", "**", "=>", "&&", "@", "\0", "\u0441", "\u202e", "\u00a0", "\r", "\ufeff", "3x3", "1_")
PIECES = (
    *WORDS, *LITERALS, *ODD, *SIGNS, *DEFINITION_WORDS, *STATEMENT_WORDS, *RESERVED, *FOREIGN_WORDS,
    "\n", "\n", " ", "# c\n", "# allow W0102", "in.channels", "(1, 2)", "[1, 2]", "0..3", "repeat 2 {", "if true {",
    "}", "{",
)  # fmt: skip
Change = Callable[[str, Random, Sequence[str]], str]


def _spans(text: str, random: Random) -> tuple[int, int]:
    """The characters of a few tokens in a row, often of one."""
    tokens = tokenize(text)[0][:-1]
    if not tokens:
        return 0, len(text)
    first = random.randrange(len(tokens))
    last = min(len(tokens) - 1, first + random.choice((0, 0, 0, 1, 2, 5)))
    return tokens[first].start, tokens[last].end


def _lines(text: str, random: Random) -> tuple[int, int]:
    """The characters of a few whole lines."""
    starts = [0, *(at + 1 for at, char in enumerate(text) if char == "\n"), len(text)]
    first = random.randrange(len(starts) - 1)
    return starts[first], starts[min(len(starts) - 1, first + random.choice((1, 1, 2, 4)))]


def _part(text: str, random: Random) -> tuple[int, int]:
    return _lines(text, random) if random.random() < 0.3 else _spans(text, random)


def _remove(text: str, random: Random, others: Sequence[str]) -> str:
    start, end = _part(text, random)
    return text[:start] + text[end:]


def _double(text: str, random: Random, others: Sequence[str]) -> str:
    start, end = _part(text, random)
    return text[:end] + random.choice(("", " ", "\n", " -> ", ", ")) + text[start:end] + text[end:]


def _replace(text: str, random: Random, others: Sequence[str]) -> str:
    start, end = _spans(text, random)
    return text[:start] + random.choice(PIECES) + text[end:]


def _insert(text: str, random: Random, others: Sequence[str]) -> str:
    start, _ = _spans(text, random)
    return f"{text[:start]} {random.choice(PIECES)} {text[start:]}"


def _move(text: str, random: Random, others: Sequence[str]) -> str:
    start, end = _part(text, random)
    rest, at = text[:start] + text[end:], random.randrange(len(text) - (end - start) + 1)
    return rest[:at] + text[start:end] + rest[at:]


def _copy(text: str, random: Random, others: Sequence[str]) -> str:
    start, end = _spans(text, random)
    first, last = _spans(text, random)
    return text[:start] + text[first:last] + text[end:]


def _splice(text: str, random: Random, others: Sequence[str]) -> str:
    other = random.choice(others) if others else text
    start, end = _part(other, random)
    at, _ = _part(text, random)
    return text[:at] + other[start:end] + text[at:]


def _number(text: str, random: Random, others: Sequence[str]) -> str:
    numbers = [token for token in tokenize(text)[0] if token.kind == "NUMBER"]
    if not numbers:
        return text
    token = random.choice(numbers)
    return text[: token.start] + random.choice(LITERALS) + text[token.end :]


CHANGES: tuple[Change, ...] = (_remove, _double, _replace, _replace, _insert, _move, _copy, _copy, _splice, _number)


def mutated(text: str, random: Random, others: Sequence[str] = (), most: int = 4) -> str:
    """Return a text with one to `most` changes; `others` are texts to take pieces from."""
    for _ in range(random.randint(1, most)):
        text = random.choice(CHANGES)(text, random, others)
    return text
