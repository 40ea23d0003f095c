"""Where in a file the weights of a network are, and by which names: the best of all places and conventions.

Training programs wrap their networks: a dictionary around the weights (`state_dict`, `model`), a module around the
network (`module.` of DataParallel, `model.` of Lightning, `_orig_mod.` of torch.compile), a second set of averaged
weights. Nested dictionaries are names with dots here, so all of these are prefixes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from striate.graph import Graph
from striate.importing.name_map import Convention
from striate.importing.state_matching import Match, Wanted, is_counter, match_names, wanted
from striate.importing.state_structure import Doubt, match_structure
from striate.runtime.stored_tensor import StateFile, StoredTensor
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_MOST = 48
"""Prefixes that are tried; a file of one network has fewer than ten that hold a large part of it."""

_AVERAGED = re.compile(r"(^|[._])(ema|swa|averaged?|shadow)([._]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    """The best match.

    Attributes:
        match: it.
        others: prefixes under which other weights fit as well.
        doubt: why order and sizes gave no answer, where they were asked.
    """

    match: Match
    others: tuple[str, ...] = ()
    doubt: Doubt | None = None


def choose(state: StateFile, graph: Graph, conventions: Sequence[Convention], under: str | None = None) -> Choice:
    """Find the place and the convention under which most weights of a network are in a file.

    Args:
        state: the file.
        graph: the network.
        conventions: the names that other programs use for it, beside its own.
        under: the prefix to look at, without its last dot; None for all.

    Raises:
        DiagnosticError: E0663, there are no tensors there, or several places fit equally well.
    """
    prefixes = _prefixes(state.tensors, under)
    if not prefixes:
        raise DiagnosticError(_nothing(state, under))
    wishes = [wanted(graph, convention) for convention in (None, *conventions)]
    matches = [_best(wishes, state.tensors, prefix) for prefix in prefixes]
    best = max(matches, key=_rank)
    if best.complete:
        return _plain(state, matches, best)
    doubt: Doubt | None = None
    for prefix in prefixes:
        found = match_structure(graph, state.tensors, prefix)
        if isinstance(found, Match):
            return Choice(found)
        doubt = doubt or found
    return _plain(state, matches, best) if best.found else Choice(matches[0], (), doubt)


def _best(wishes: Sequence[Wanted], tensors: Mapping[str, StoredTensor], prefix: str) -> Match:
    return max((match_names(want, tensors, prefix) for want in wishes), key=_rank)


def _rank(match: Match) -> tuple[bool, int, int, int]:
    """Order matches: complete ones, then those with most weights found, whose keys at least are there, least left."""
    named = match.found + match.counts.get("differs", 0) + match.counts.get("unusable", 0)
    return match.complete, match.found, named, -match.counts.get("unexpected", 0)


def _prefixes(tensors: Mapping[str, StoredTensor], under: str | None) -> list[str]:
    """Return the prefixes that hold tensors, those that hold most first, a shorter one before a longer."""
    counts: Counter[str] = Counter()
    start = f"{under}." if under else ""
    for name in tensors:
        if not name.startswith(start) or is_counter(name):
            continue
        at = len(start)
        counts[name[:at]] += 1
        while (dot := name.find(".", at)) >= 0 and dot + 1 < len(name):
            at = dot + 1
            counts[name[:at]] += 1
    largest = sorted(counts, key=lambda prefix: (-counts[prefix], len(prefix)))
    return largest[:_MOST]


def _plain(state: StateFile, matches: Sequence[Match], best: Match) -> Choice:
    """Return the match that is as good as the best and no running mean.

    Raises:
        DiagnosticError: E0663, several places are as good.
    """
    equal = [item for item in matches if _rank(item) == _rank(best)]
    plain = [item for item in equal if not is_averaged(item.prefix)] or equal
    if len(plain) > 1:
        raise DiagnosticError(_several(state, [item.prefix for item in plain]))
    return Choice(plain[0], tuple(item.prefix for item in equal if item is not plain[0]))


def is_averaged(prefix: str) -> bool:
    """Whether a prefix says that the weights below it are a running mean over training."""
    return bool(_AVERAGED.search(prefix))


def _several(state: StateFile, prefixes: Sequence[str]) -> Diagnostic:
    places = [prefix.rstrip(".") for prefix in prefixes]
    return Diagnostic(
        "E0663",
        f"{state.path} holds {len(places)} sets of weights that fit: under {', '.join(places)}",
        help=f"say which one is meant: --under {places[0]}",
    )


def _nothing(state: StateFile, under: str | None) -> Diagnostic:
    if under:
        first = Counter(name.partition(".")[0] for name in state.tensors)
        tops = ", ".join(name for name, _ in first.most_common(8))
        return Diagnostic("E0663", f"{state.path} has no tensors under {under}", notes=(f"there are {tops}",))
    kinds = ", ".join(sorted(state.others)[:8])
    return Diagnostic(
        "E0663",
        f"{state.path} holds no tensors with names",
        notes=(f"what it holds: {kinds}",) if kinds else (),
        help="save the weights of the network by name: torch.save(network.state_dict(), 'weights.pth')",
    )
