"""Goes on behind an error: repairs the tokens with the fix that was proposed, or takes the faulty statement out.

What follows only from an error already reported in the same statement is not reported. The head of a faulty statement
with a body is replaced by a plain one, so that errors in its body are still found.
"""

from __future__ import annotations

from collections.abc import Iterable

from striate_dsl.automaton import Automaton
from striate_dsl.diagnostics import Diagnostic, Diagnostics
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import END, Token, stand_ins
from striate_dsl.mistakes import explain
from striate_dsl.mistakes.problem import Problem
from striate_dsl.source import Source

_FAR_ENOUGH = 3
"""So many tokens must fit after a repair before another error of the same statement counts as one of its own."""

_PLAIN_HEADS = {
    "BLOCK": "BLOCK NAME",
    "MODEL": "MODEL NAME",
    "REPEAT": "REPEAT NUMBER",
    "FOR": "FOR NAME IN NAME",
    "IF": "IF TRUE",
    "ELSE": "IF TRUE",
    "TRAIN": "TRAIN",
    "EXPORT": "EXPORT",
    "SEARCH": "SEARCH",
    "PROFILE": "PROFILE NAME",
    "INPUT": "INPUT NAME COLON NUMBER",
    "NAME": "NAME",
}
_OPENING_WORDS: dict[str, dict[str, str]] = {"file": DEFINITION_WORDS, "body": STATEMENT_WORDS, "settings": {}}
_PLAIN_TEXTS = {"NAME": "_", "NUMBER": "1"}


class Recovery:
    """One parse of tokens that may contain errors; every error found goes to `findings`."""

    def __init__(
        self,
        source: Source,
        tokens: list[Token],
        automaton: Automaton,
        findings: Diagnostics,
        before: Iterable[Diagnostic],
        most: int,
    ) -> None:
        """Take the findings from before the automaton ran as well: what they repaired may look like an error to it."""
        self._source = source
        self._tokens = tokens
        self._automaton = automaton
        self._findings = findings
        self._most = most
        self._earlier = [(found.span.start, _has_safe_fix(found)) for found in before if found.span is not None]
        self._statement = -1
        self._last_error = -1
        self._applied = False
        self.cuts: list[int] = []
        """Where statements, or heads of statements, were taken out."""

    def run(self, at: int) -> int:
        """Go on from the first error, a token; return how far that came: to the end, or to the last of too many."""
        while at < len(self._tokens) and len(self._findings) < self._most:
            at = self._automaton.run(self._tokens, self._step_over(at))
        return at

    def _step_over(self, at: int) -> int:
        """Report the error at a token and prepare stack and tokens; return where to go on."""
        start, room = self._automaton.statement()
        problem = Problem(self._source, self._tokens, at, start, self._automaton.accepted(), room)
        known = self._is_consequence(problem)
        self._statement, self._last_error = start, at
        if not known:
            found = explain(problem)
            self._findings.add(found)
            self._applied = self._apply(found, at)
            if self._applied:
                return at
        self._applied = False
        return self._cut(problem)

    # ------------------------------------------------------------------------------------ consequences

    def _is_consequence(self, problem: Problem) -> bool:
        """Whether an error of the same statement has been reported already that this one may stem from."""
        near = problem.at < self._last_error + _FAR_ENOUGH
        if problem.start == self._statement:
            return near
        if self._applied and near:
            return True
        begin, end = self._extent(problem)
        far = self._tokens[max(0, problem.at - _FAR_ENOUGH)].start
        here = self._tokens[problem.at].start
        return any(begin <= place <= end and (not mended or far <= place <= here) for place, mended in self._earlier)

    def _extent(self, problem: Problem) -> tuple[int, int]:
        """The offsets of the part of the statement around the token, bodies excluded."""
        begin = problem.at
        while begin > problem.start and self._tokens[begin].kind != "RBRACE":
            begin -= 1
        end = problem.at
        while self._tokens[end].kind not in {"NEWLINE", "LBRACE", "RBRACE", END}:
            end += 1
        return self._tokens[begin].start, self._tokens[end].start

    # ------------------------------------------------------------------------------------ going on

    def _apply(self, found: Diagnostic, at: int) -> bool:
        """Apply a fix to the tokens from `at` on; return whether that was possible."""
        fix = next((fix for fix in found.fixes if fix.grade == "safe"), None)
        if fix is None or (at and fix.edits[0].span.start < self._tokens[at - 1].end):
            return False
        for edit in reversed(fix.edits):
            self._replace(at, edit.span.start, edit.span.end, edit.replacement)
        return True

    def _replace(self, at: int, start: int, end: int, replacement: str) -> None:
        """Put the tokens of a replacement in the place of those that lie between two offsets, behind token `at`."""
        tokens = self._tokens
        while tokens[at].start < start and tokens[at].kind != END:
            at += 1
        stop = at
        while tokens[stop].kind != END and tokens[stop].start < end:
            stop += 1
        fresh = stand_ins(replacement, start, end)
        if at == self._automaton.statement()[0] and fresh:
            fresh[0].kind = _OPENING_WORDS[self._automaton.statement()[1]].get(fresh[0].text, fresh[0].kind)
        for token in fresh:
            if token.kind == "SEMICOLON":
                token.kind = "NEWLINE"
        tokens[at:stop] = fresh
        following = tokens[at + len(fresh)]
        if fresh and fresh[-1].kind == "NEWLINE":
            following.kind = DEFINITION_WORDS.get(following.text, following.kind)

    def _cut(self, problem: Problem) -> int:
        """Take the statement out, or only its head where a body follows; return where to go on."""
        at = problem.at
        self.cuts.append(self._tokens[min(problem.start, at)].start)
        self._automaton.rewind()
        body = self._body_ahead(problem)
        if body is not None and self._plain_head(problem):
            return body
        self._automaton.run([self._made("CUT", at)])
        return self._statement_end(at)

    def _plain_head(self, problem: Problem) -> bool:
        """Feed a head that is in order in the place of a faulty one."""
        head = [self._made(kind, problem.at) for kind in _PLAIN_HEADS[problem.first.kind].split()]
        if self._automaton.run(head) == len(head):
            return True
        self._automaton.rewind()
        return False

    def _made(self, kind: str, at: int) -> Token:
        place = self._tokens[at].start
        return Token(kind, _PLAIN_TEXTS.get(kind, kind.lower()), place, place)

    def _body_ahead(self, problem: Problem) -> int | None:
        """The place of the brace that opens the statement's body, where the error stands in the head before it."""
        tokens = self._tokens
        if problem.first.kind not in _PLAIN_HEADS:
            return None
        if any(token.kind == "LBRACE" for token in tokens[problem.start : problem.at]):
            return None
        at = problem.at
        while tokens[at].kind not in {"LBRACE", "NEWLINE", "RBRACE", END}:
            at += 1
        return at if tokens[at].kind == "LBRACE" else None

    def _statement_end(self, at: int) -> int:
        """The place of the line break or brace that ends the statement."""
        depth = 0
        while True:
            kind = self._tokens[at].kind
            if kind == END or (depth == 0 and kind in {"NEWLINE", "RBRACE"}):
                return at
            depth += (kind == "LBRACE") - (kind == "RBRACE")
            at += 1


def _has_safe_fix(found: Diagnostic) -> bool:
    """Whether the tokens were made as if a finding had been repaired, so that it stands for nothing but itself."""
    return any(fix.grade == "safe" for fix in found.fixes)
