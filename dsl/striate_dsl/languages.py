"""The versions of the language: which one a file states, what is said of those not read here, and how old ones migrate.

Language N is read by striate N and later (before 1.0 by every striate): a file of a newer language names the version to
install. A file of an older one is rewritten by a chain of migrations, one per version, each from text to text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from striate_dsl.comments import comments
from striate_dsl.complaints import complaint
from striate_dsl.diagnostics import Diagnostic, Edit, Fix
from striate_dsl.lexer import Token, tokenize
from striate_dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Migration:
    """The step from one version of the language to the next.

    Attributes:
        changes: what is written differently in the next version, in one sentence without a full stop.
        rewrite: from a text in the older version to the same in the next one; comments and layout stay. It may be given
            a text with mistakes, and then leaves alone what it cannot read.
    """

    changes: str
    rewrite: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Languages:
    """The version that is read, and the migrations by the version that each starts from."""

    current: int
    migrations: Mapping[int, Migration] = field(default_factory=dict)

    def chain(self, version: int) -> list[Migration] | None:
        """Return the steps from a version to the current one; None where one is missing."""
        steps = [self.migrations.get(older) for older in range(version, self.current)]
        return [step for step in steps if step is not None] if None not in steps else None


_DIGITS = 6
"""Digits of the largest version that is told from nonsense."""

KNOWN = Languages(1)
"""Language 1 is the first: nothing to migrate from yet. A new version adds a step and its tests here."""


def stated_version(source: Source, tokens: Sequence[Token] | None = None) -> Span | None:
    """Return the place of the number in `language 1` if that is the first statement of a text."""
    found = (item for item in (tokenize(source.text)[0] if tokens is None else tokens) if item.kind != "NEWLINE")
    first, second = next(found, None), next(found, None)
    if first is None or second is None or (first.kind, first.text) != ("NAME", "language"):
        return None
    return Span(source, second.start, second.end) if second.kind in ("NUMBER", "BAD_NUMBER") else None


def other_language(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """Return what there is to say of a text in another language than the current one; its grammar is not this one."""
    place = stated_version(source, tokens)
    if place is None or place.text == str(KNOWN.current):
        return None
    version = _number(place)
    if not 1 <= version < KNOWN.current:
        return _unknown(place, version)
    chain = KNOWN.chain(version)
    return _no_way(place, version) if chain is None else _older(source, place, version, chain)


def older_version(source: Source, default: int | None = None) -> int | None:
    """Return the older language that a text is in and can be migrated from, None where there is nothing to do.

    `default` is the language of a text that does not state its own.
    """
    place = stated_version(source)
    version = default if place is None else _number(place)
    if version is None or not 1 <= version < KNOWN.current or KNOWN.chain(version) is None:
        return None
    return version


def migrate(source: Source, version: int) -> str:
    """Return a text in the current language.

    Args:
        source: the text.
        version: the language it is written in, from which there is a chain of migrations.

    Raises:
        ValueError: there is no chain, or a migration loses a comment; both are mistakes of this program.
    """
    chain = KNOWN.chain(version)
    if chain is None:
        raise ValueError(f"there is no way from language {version} to language {KNOWN.current}")
    text = source.text
    for step in chain:
        text = step.rewrite(text)
    result = Source(source.name, text)
    if [item.text for item in comments(result)] != [item.text for item in comments(source)]:
        raise ValueError(f"the migration of {source.name} from language {version} changed its comments")
    place = stated_version(result)
    return text if place is None else f"{text[: place.start]}{KNOWN.current}{text[place.end :]}"


def _number(place: Span) -> int:
    """Return a written version as a number, 0 where it is none."""
    text = place.text
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def _unknown(place: Span, version: int) -> Diagnostic:
    current = KNOWN.current
    fix = Fix(f"write language {current} if the file needs nothing newer", (Edit(place, str(current)),), "unsafe")
    advice = f"install striate {version} or later: pip install --upgrade 'striate>={version}'" if version else None
    known = f"this version of striate reads language {current}"
    return complaint("E0119", f"language {place.text} is not known", place, known, advice=advice, fix=fix)


def _older(source: Source, place: Span, version: int, chain: Sequence[Migration]) -> Diagnostic:
    current = KNOWN.current
    changes = tuple(f"language {version + index}: {step.changes}" for index, step in enumerate(chain, 1))
    return Diagnostic(
        "E0348",
        f"the file is written in language {version}, and this version of striate reads language {current}",
        place,
        notes=changes,
        help="striate check --fix or striate fmt --migrate rewrites it; comments stay",
        fixes=(Fix(f"rewrite in language {current}", (_edit(source, migrate(source, version)),), "safe"),),
    )


def _no_way(place: Span, version: int) -> Diagnostic:
    last = next(number for number in range(version, KNOWN.current) if number not in KNOWN.migrations) + 1
    return Diagnostic(
        "E0349",
        f"language {version} is too old for this version of striate, which reads language {KNOWN.current}",
        place,
        help=f"pip install 'striate>={last},<{last + 1}', then striate fmt --migrate, then update striate again",
    )


def _edit(source: Source, text: str) -> Edit:
    """Return the edit that makes a text of a source: what both begin and end with is left out."""
    old, start = source.text, 0
    while start < min(len(old), len(text)) and old[start] == text[start]:
        start += 1
    end = 0
    while end < min(len(old), len(text)) - start and old[-1 - end] == text[-1 - end]:
        end += 1
    return Edit(Span(source, start, len(old) - end), text[start : len(text) - end])
