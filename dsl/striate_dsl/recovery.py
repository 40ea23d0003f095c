"""Goes on behind an error: repairs the tokens with the fix that was proposed, or takes the faulty statement out.

What follows only from an error already reported in the same statement is not reported. The head of a faulty statement
with a body is replaced by a plain one, so that errors in its body are still found.
"""

from __future__ import annotations

from striate_dsl.automaton import Automaton
from striate_dsl.diagnostics import Diagnostic, Diagnostics

from striate_dsl.lexer import END, ODD, Token, tokenize
from striate_dsl.source import Source
from striate_dsl.unexpected import Problem, explain

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


class Recovery:
    """One parse of tokens that may contain errors; every error found goes to `findings`."""

    def __init__(
        self, source: Source, tokens: list[Token], automaton: Automaton, findings: Diagnostics, most: int
    ) -> None:
        self._source = source
        self._tokens = tokens
        self._automaton = automaton
        self._findings = findings
        self._most = most
        self._statement = -1
        self._last_error = -1

    def run(self) -> bool:
        """Parse to the end; return False where it was given up after `most` findings."""
        at = self._automaton.run(self._tokens)
        while at < len(self._tokens):
            if len(self._findings) >= self._most:
                return False
            at = self._automaton.run(self._tokens, self._step_over(at))
        return True

    def _step_over(self, at: int) -> int:
        """Report the error at a token and prepare stack and tokens; return where to go on."""
        start, expected, room = self._automaton.statement()
        problem = Problem(self._source, self._tokens, at, start, expected, room)
        known = self._is_consequence(problem)
        repeated = start == self._statement and at <= self._last_error
        self._statement, self._last_error = start, at
        if not known:
            found = explain(problem)
            self._findings.add(found)
            if not repeated and self._apply(found, at):
                return at
        return self._cut(problem)

    # ------------------------------------------------------------------------------------ consequences

    def _is_consequence(self, problem: Problem) -> bool:
        """Whether an error of the same statement has been reported already that this one may stem from."""
        if problem.start == self._statement and problem.at < self._last_error + _FAR_ENOUGH:
            return True
        begin, end = self._extent(problem)
        return any(
            found.span is not None and begin <= found.span.start <= end
            for found in self._findings
            if found.code not in {"E0105", "E0117"} and problem.start != self._statement
        )

    def _extent(self, problem: Problem) -> tuple[int, int]:
        """The offsets of the part of the statement around the token, bodies excluded."""
        begin = problem.start
        for at in range(problem.at - 1, problem.start - 1, -1):
            if self._tokens[at].kind == "RBRACE":
                begin = at
                break
        end = problem.at
        while self._tokens[end].kind not in {"NEWLINE", "LBRACE", "RBRACE", END}:
            end += 1
        return self._tokens[begin].start, self._tokens[end].start

    # ------------------------------------------------------------------------------------ going on

    def _apply(self, found: Diagnostic, at: int) -> bool:
        """Apply a fix to the tokens from `at` on; return whether that was possible."""
        fix = next((fix for fix in found.fixes if fix.grade == "safe"), None)
        if fix is None or len(fix.edits) != 1:
            return False
        span = fix.edits[0].span
        if at and span.start < self._tokens[at - 1].end:
            return False
        pieces, _ = tokenize(fix.edits[0].replacement)
        fresh = [Token(piece.kind, piece.text, span.start, span.end) for piece in pieces[:-1]]
        if any(piece.kind in ODD or piece.kind == "SEMICOLON" for piece in fresh):
            for piece in fresh:
                piece.kind = "NEWLINE"
        stop = at
        while self._tokens[stop].kind != END and self._tokens[stop].start < span.end:
            stop += 1
        if stop == at and not fresh:
            return False
        self._tokens[at:stop] = fresh
        return True

    def _cut(self, problem: Problem) -> int:
        """Take the statement out, or only its head where a body follows; return where to go on."""
        tokens, at = self._tokens, problem.at
        self._automaton.rewind()
        body = self._body_ahead(problem)
        if body is not None:
            kind = tokens[problem.start].kind
            plain = [Token(part, "_", tokens[at].start, tokens[at].start) for part in _PLAIN_HEADS[kind].split()]
            for part in plain:
                part.text = {"NUMBER": "1", "TRUE": "true", "TRAIN": "train", "EXPORT": "export"}.get(part.kind, part.text)
            if self._automaton.run(plain) == len(plain):
                return body
            self._automaton.rewind()
        end = self._statement_end(at)
        self._automaton.run([Token("CUT", "", tokens[at].start, tokens[at].start)])
        return end

    def _body_ahead(self, problem: Problem) -> int | None:
        """The place of the brace that opens the statement's body, where the error stands in the head before it."""
        tokens = self._tokens
        if tokens[problem.start].kind not in _PLAIN_HEADS:
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


