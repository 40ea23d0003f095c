"""Finds ( and [ that are never closed, close nothing or close the wrong one, and puts in what is missing.

Round and square brackets hold arguments only, so an arrow, a brace or a `;` inside them shows that one was left open;
the line breaks before it show where. Braces are `braces.py`'s business. Tokens come back with ( ) and [ ] in balance.
"""

from __future__ import annotations

from striate_dsl import nesting
from striate_dsl.complaints import add_merged, complaint, never_closed, place, replacing
from striate_dsl.diagnostics import Diagnostics, Label
from striate_dsl.lexer import END, Token
from striate_dsl.limits import NESTING
from striate_dsl.source import Source

CLOSING = {"LPAR": ")", "LSQUARE": "]"}
_CLOSER_KIND = {"LPAR": "RPAR", "LSQUARE": "RSQUARE"}
_CLOSERS = frozenset(_CLOSER_KIND.values())
_BREAKERS = frozenset({"ARROW", "LBRACE", "RBRACE", "SEMICOLON", END})
_TRACKED = _BREAKERS | _CLOSERS | set(CLOSING)
_OPERAND_STARTS = frozenset({"NAME", "NUMBER", "BAD_NUMBER", "TEXT", "TRUE", "FALSE", "IN", "REPEAT", "FOR", "ASSERT"})
_OPERAND_ENDS = frozenset({"NAME", "PATH", "NUMBER", "BAD_NUMBER", "TEXT", "TRUE", "FALSE", "IN", "RPAR", "RSQUARE"})
_STATEMENT_SIGNS = frozenset({"ARROW", "LBRACE", "RBRACE", "SEMICOLON", "REPEAT", "FOR", "ASSERT", END})


def balanced(tokens: list[Token]) -> bool:
    """Whether ( ) and [ ] pair up within their braces (the quick look that spares correct files the rest)."""
    expected: list[str] = []
    for token in tokens:
        kind = token.kind
        if kind not in _TRACKED:
            continue
        if kind in CLOSING:
            expected.append(_CLOSER_KIND[kind])
        elif kind in _CLOSERS:
            if not expected or expected.pop() != kind:
                return False
        elif expected:
            return False
    return True


class BracketRepair:
    """One pass over the tokens; `out` may be walked again from the place where a missing bracket was put in."""

    def __init__(self, source: Source, tokens: list[Token], findings: Diagnostics, most: int) -> None:
        self._source = source
        self._tokens = tokens
        self._findings = findings
        self._most = most
        self._out: list[Token] = []
        self._open: list[int] = []
        self._blamed: set[int] = set()
        self._deepest = NESTING.value

    def repair(self) -> list[Token] | None:
        """Return the tokens in balance, or None after `most` findings or too deep in brackets."""
        pending = list(reversed(self._tokens))
        while pending:
            if len(self._findings) >= self._most:
                return None
            token = pending.pop()
            kind = token.kind
            if kind in CLOSING:
                self._open.append(len(self._out))
                if len(self._open) > self._deepest:
                    self._findings.add(nesting.complain(self._source, token))
                    return None
            elif kind in _CLOSERS:
                if not self._close(token, pending):
                    continue
            elif kind in _BREAKERS and self._open:
                if not self._flow_as_value(token, pending) and not self._braces_as_value(token, pending):
                    self._left_open(token, pending)
                continue
            self._out.append(token)
        return self._out

    # ------------------------------------------------------------------------------------ closing brackets

    def _close(self, token: Token, pending: list[Token]) -> bool:
        """Pair a closing bracket; return whether it belongs into the output now."""
        wanted = [_CLOSER_KIND[self._out[at].kind] for at in self._open]
        if wanted and wanted[-1] == token.kind:
            self._open.pop()
            return True
        if token.kind in wanted:
            self._left_open(token, pending)
            return False
        if wanted:
            self._wrong_kind(token)
            return True
        return self._closes_nothing(token)

    def _wrong_kind(self, token: Token) -> None:
        opening = self._out[self._open.pop()]
        meant = CLOSING[opening.kind]
        fix = replacing(self._source, token, meant, f"write {meant}")
        labels = (Label(place(self._source, opening), "opened here"),)
        message = f"`{opening.text}` is closed by `{token.text}`"
        self._findings.add(complaint("E0106", message, place(self._source, token), fix=fix, labels=labels))
        token.kind = _CLOSER_KIND[opening.kind]

    def _closes_nothing(self, token: Token) -> bool:
        callee = self._call_without_bracket() if token.kind == "RPAR" else None
        if callee is None:
            fix = replacing(self._source, token, "", "delete it", "unsafe")
            message = f"`{token.text}` closes nothing"
            self._findings.add(complaint("E0106", message, place(self._source, token), fix=fix))
            return False
        name = self._out[callee]
        following = self._out[callee + 1]
        gap = replacing(self._source, Token("", "", name.end, following.start), "(", f"write {name.text}(…)")
        labels = (Label(place(self._source, name), "its arguments are not opened"),)
        message = "`)` closes nothing: its `(` is missing"
        self._findings.add(complaint("E0106", message, place(self._source, token), fix=gap, labels=labels))
        self._out.insert(callee + 1, Token("LPAR", "(", name.end, name.end))
        return True

    def _call_without_bracket(self) -> int | None:
        """The place of the last `name value` on this line: a call whose `(` was left out."""
        for at in range(len(self._out) - 2, -1, -1):
            first, second = self._out[at].kind, self._out[at + 1].kind
            if first == "NEWLINE" or second == "NEWLINE":
                return None
            if first == "NAME" and second in {"NUMBER", "TEXT", "LSQUARE"}:
                return at
        return None

    # ------------------------------------------------------------------------------------ brackets left open

    def _left_open(self, token: Token, pending: list[Token]) -> None:
        """Close the innermost open bracket where that makes sense, and go on from there."""
        opening_at = self._open.pop()
        opening = self._out[opening_at]
        at = self._place_for_closing(opening_at, token)
        pending.append(token)
        while len(self._out) > at:
            pending.append(self._out.pop())
        behind = self._before_breaks(at).end
        closer = CLOSING[opening.kind]
        if opening.start not in self._blamed:
            self._blamed.add(opening.start)
            self._report(opening, closer, behind)
        self._out.append(Token(_CLOSER_KIND[opening.kind], "", behind, behind))

    def _report(self, opening: Token, closer: str, offset: int) -> None:
        found = never_closed(self._source, opening, offset, closer, f"write {closer} where its arguments end")
        add_merged(self._findings.items, found)

    def _place_for_closing(self, opening_at: int, stop: Token) -> int:
        """The first line break behind the bracket where its arguments cannot go on; else the end of what was read."""
        out, depth = self._out, 0
        margin = self._indent(out[opening_at])
        for at in range(opening_at + 1, len(out)):
            kind = out[at].kind
            depth += (kind in CLOSING) - (kind in _CLOSERS)
            if kind != "NEWLINE" or depth > 0:
                continue
            following = out[at + 1] if at + 1 < len(out) else stop
            if following.kind == "NEWLINE":
                continue
            before = self._before_breaks(at).kind
            if following.kind in _STATEMENT_SIGNS:
                return at
            if following.kind in _OPERAND_STARTS and (before in _OPERAND_ENDS or self._indent(following) <= margin):
                return at
        end = len(out)
        while end > opening_at + 1 and out[end - 1].kind == "NEWLINE":
            end -= 1
        return end

    def _before_breaks(self, at: int) -> Token:
        """The last token before `at` that is no line break."""
        while at > 1 and self._out[at - 1].kind == "NEWLINE":
            at -= 1
        return self._out[at - 1]

    def _indent(self, token: Token) -> int:
        line = self._source.line_text(self._source.position(token.start)[0])
        return len(line) - len(line.lstrip())

    # -------------------------------------------------------------------------------- flows and braces inside brackets

    def _flow_as_value(self, token: Token, pending: list[Token]) -> bool:
        """Report `add(conv(8) -> relu, identity)`, whose brackets are in order, and leave out the rest of the flow."""
        if token.kind != "ARROW" or not self._closed_on_this_line(pending):
            return False
        depth = 0
        while depth > 0 or pending[-1].kind not in _CLOSERS | {"COMMA"}:
            inner = pending.pop()
            depth += (inner.kind in CLOSING) - (inner.kind in _CLOSERS)
        advice = "a merge layer takes flows as branches in a body: add { conv(8) -> relu; identity }"
        message = "an argument is one value, not a flow"
        self._findings.add(complaint("E0111", message, place(self._source, token), advice=advice))
        return True

    def _closed_on_this_line(self, pending: list[Token]) -> bool:
        """Whether the open brackets are all closed before the line ends."""
        depth = len(self._open)
        for inner in reversed(pending):
            depth += (inner.kind in CLOSING) - (inner.kind in _CLOSERS)
            if depth == 0:
                return True
            if inner.kind in {"NEWLINE", "LBRACE", "RBRACE", "SEMICOLON", END}:
                return False
        return False

    def _braces_as_value(self, token: Token, pending: list[Token]) -> bool:
        """Report `f({a: 1})`: braces where a value belongs. The whole is left out and a name put in its place."""
        if token.kind != "LBRACE" or self._out[-1].kind not in {"LPAR", "COMMA", "EQUALS", "LSQUARE"}:
            return False
        at, depth = len(pending) - 1, 0
        while depth > 0 or pending[at].kind != "RBRACE":
            depth += (pending[at].kind == "LBRACE") - (pending[at].kind == "RBRACE")
            if pending[at].kind in {"NEWLINE", END}:
                return False
            at -= 1
        closing = pending[at]
        del pending[at:]
        advice = "a list is written [a, b], a pair (a, b); arguments with names are written f(name = value)"
        span = place(self._source, token).to(place(self._source, closing))
        self._findings.add(complaint("E0106", "braces { } hold statements, not values", span, advice=advice))
        self._out.append(Token("NAME", "_", token.start, closing.end))
        return True


def repair(source: Source, tokens: list[Token], findings: Diagnostics, most: int) -> list[Token] | None:
    """Return the tokens with ( ) and [ ] in balance and report what was wrong; None where it is hopeless."""
    if balanced(tokens):
        return tokens
    return BracketRepair(source, tokens, findings, most).repair()
