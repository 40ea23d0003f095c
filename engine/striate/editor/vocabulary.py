"""The words of the language in the groups that editors colour alike; every highlighter's lists are made of these.

Which words there are, the language and the engine say; here they are only sorted. Layers are not among them: a layer is
a plain name, and plugins bring their own.
"""

from __future__ import annotations

import re

from striate.elaborate import model_statements
from striate.elaborate.contract import COLORS, RESIZES
from striate.elaborate.functions import FUNCTION_NAMES
from striate.ops import arguments
from striate.ops.arguments import OneOf
from striate.ops.registry import BUILTIN
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import RESERVED

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
PATH = rf"{NAME}(?:(?:\.{NAME})*\.[0-9]+)+(?:\.{NAME})*(?![A-Za-z0-9_])"
"""A dotted name with the number of a round in it, `stage1.2.conv1`: one word of the language."""

NUMBER = r"[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+|[kMG])?(?![A-Za-z0-9_]|\.[0-9])"
CODE = r"[EW][0-9]+"
"""The code of a finding, as in `# allow W0102`."""

CONSTANTS = ("false", "true")
LOGICAL = ("and", "not", "or")
CURRENT = "in"
"""The value that flows in; between a loop's name and its list the same word is an operator."""
NAMING = "as"
CONTROL = tuple(word for word in RESERVED if word not in {*CONSTANTS, *LOGICAL, CURRENT, NAMING})
"""The reserved words that open a statement or go on with one."""

BRINGING_IN = ("language", "requires", "use")
DEFINING = ("block", "model")
SECTIONS = tuple(word for word in DEFINITION_WORDS if word not in {*BRINGING_IN, *DEFINING})
"""The words in front of a body of settings."""
OPENING = (*DEFINITION_WORDS, *STATEMENT_WORDS)
"""The words that are keywords only where they open a statement."""

PADDINGS = arguments.PADDINGS
TOTALS = model_statements.TOTALS
FUNCTIONS = tuple(sorted(FUNCTION_NAMES))
CHOICES = tuple(
    sorted(
        {*COLORS, *RESIZES}
        | {
            name
            for record in BUILTIN.values()
            for argument in record.arguments
            if isinstance(argument.kind, OneOf)
            for name in argument.kind.names
        }
    )
)
"""The names that an argument or a setting chooses among."""


def any_of(words: tuple[str, ...]) -> str:
    """Return the regular expression of a choice between words, as all editors read it."""
    assert all(re.fullmatch(NAME, word) for word in words), "a word of the language is a name"
    return "|".join(sorted(words))
