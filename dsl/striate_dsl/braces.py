"""Finds braces that are never closed or close nothing; in files out of balance, the indentation tells which one it is.

Takes tokens whose ( ) and [ ] are in balance and returns them with { } in balance as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from striate_dsl import nesting
from striate_dsl.complaints import add_merged, complaint, inserting, never_closed, place, replacing
from striate_dsl.diagnostics import Diagnostic, Diagnostics
from striate_dsl.layout import DEFINITION_WORDS
from striate_dsl.lexer import END, Token
from striate_dsl.limits import NESTING
from striate_dsl.source import Source, Span

_HEADER_WORDS = frozenset({"block", "model", "train", "export", "search", "profile", "repeat", "for", "if", "else"})
_MOST = 50
"""After so many findings the rest is repaired in silence; nobody reads on."""
_NAMING = frozenset({"NAME", "LBRACE", "TEXT"})


def balanced(tokens: list[Token]) -> bool:
    """Whether { } pair up and no definition begins at the margin inside of braces."""
    depth = 0
    for at, token in enumerate(tokens):
        if token.kind == "LBRACE":
            depth += 1
        elif token.kind == "RBRACE":
            depth -= 1
            if depth < 0:
                return False
        elif depth and token.text in DEFINITION_WORDS and _definition_at_margin(tokens, at):
            return False
    return depth == 0


def _definition_at_margin(tokens: list[Token], at: int) -> bool:
    """Whether a word opens a definition in the first column."""
    before = tokens[at - 1]
    return before.kind == "NEWLINE" and before.end == tokens[at].start and tokens[at + 1].kind in _NAMING


def _too_deep(tokens: list[Token]) -> Token | None:
    """The first brace that lies too deep, if there is one."""
    depth, deepest = 0, NESTING.value
    for token in tokens:
        depth = max(0, depth + (token.kind == "LBRACE") - (token.kind == "RBRACE"))
        if depth > deepest:
            return token
    return None


@dataclass(slots=True)
class _Open:
    """An open brace: the token, how far its line is indented, and whether its body is indented more than that."""

    token: Token
    indent: int
    indented: bool | None = None


class BraceRepair:
    """One pass over the tokens of a file whose braces are out of balance."""

    def __init__(self, source: Source, tokens: list[Token], *, by_indent: bool) -> None:
        self._source = source
        self._tokens = tokens
        self._by_indent = by_indent
        self._open: list[_Open] = []
        self._out: list[Token] = []
        self.findings: list[Diagnostic] = []

    def repair(self) -> list[Token]:
        """Return the tokens in balance; what was wrong is in `findings`."""
        line_start, brackets = True, 0
        for at, token in enumerate(self._tokens):
            kind = token.kind
            brackets += (kind in {"LPAR", "LSQUARE"}) - (kind in {"RPAR", "RSQUARE"})
            if kind == "NEWLINE":
                self._out.append(token)
                line_start = brackets == 0
                continue
            misplaced = line_start and self._by_indent and kind != END and self._line(at, token)
            line_start = False
            self._token(token, misplaced)
        return self._out

    def _token(self, token: Token, misplaced: bool) -> None:
        if token.kind == "LBRACE":
            self._open.append(_Open(token, self._indent(token)))
        elif token.kind == "RBRACE":
            if self._open and not misplaced:
                self._open.pop()
            elif not self._without_opening(token):
                return
        elif token.kind == END:
            while self._open:
                self._never_closed(self._open.pop())
        self._out.append(token)

    def _line(self, at: int, token: Token) -> bool:
        """Close the bodies that the first token of a line shows to have ended.

        Returns whether the token is a `}` that is indented more than the line of the brace that it would close.
        """
        indent = self._indent(token)
        if self._open and self._open[-1].indented is None:
            self._open[-1].indented = indent > self._open[-1].indent
        if token.kind == "RBRACE":
            while len(self._open) > 1 and self._ended(indent + 1):
                self._never_closed(self._open.pop())
            return bool(self._open) and self._open[-1].indent < indent
        if token.text in DEFINITION_WORDS and indent == 0 and self._tokens[at + 1].kind in _NAMING:
            while self._open:
                self._never_closed(self._open.pop())
        while self._open and self._ended(indent):
            self._never_closed(self._open.pop())
        return False

    def _ended(self, indent: int) -> bool:
        """Whether a line that is indented so far lies outside of the innermost body."""
        top = self._open[-1]
        one_line = top.indented is not True and self._source.position(top.token.start)[0] == self._last_line()
        return indent <= top.indent and (top.indented is True or (one_line and self._out[-1] is not top.token))

    def _last_line(self) -> int:
        return self._source.position(self._last().start)[0]

    def _last(self) -> Token:
        """The last token that is no line break."""
        return next(token for token in reversed(self._out) if token.kind != "NEWLINE")

    def _indent(self, token: Token) -> int:
        line = self._source.line_text(self._source.position(token.start)[0])
        return len(line) - len(line.lstrip())

    def _never_closed(self, opening: _Open) -> None:
        breaks = []
        while self._out[-1].kind == "NEWLINE":
            breaks.append(self._out.pop())
        last = self._out[-1]
        line = self._source.position(opening.token.start)[0]
        one_line = line == self._source.position(last.start)[0] and last is not opening.token
        closing = " }" if one_line else "\n" + self._source.line_text(line)[: opening.indent] + "}"
        found = never_closed(self._source, opening.token, last.end, closing, "write } where its body ends")
        add_merged(self.findings, found)
        self._out.append(Token("RBRACE", "", last.end, last.end))
        self._out += reversed(breaks)

    def _without_opening(self, token: Token) -> bool:
        """Report a `}` that closes nothing; return whether its `{` was put in and it may stay."""
        header = self._header_without_brace(token) if len(self.findings) < _MOST else None
        if header is None and len(self.findings) >= _MOST:
            return False
        span = place(self._source, token)
        if header is None:
            fix = replacing(self._source, token, "", "delete it", "unsafe")
            self.findings.append(complaint("E0106", "`}` closes nothing", span, fix=fix))
            return False
        end = self._out[header].end
        word = self._out[self._line_begin(header)]
        fix = inserting(self._source, end, " {", "write { where the body begins")
        message = f"the body of `{word.text}` begins with {{"
        here = Span(self._source, end, end)
        self.findings.append(complaint("E0110", message, here, "`{` is missing here", fix=fix))
        self._out.insert(header + 1, Token("LBRACE", "", end, end))
        return True

    def _line_begin(self, at: int) -> int:
        while at > 0 and self._out[at - 1].kind != "NEWLINE":
            at -= 1
        return at

    def _header_without_brace(self, token: Token) -> int | None:
        """The last token of the nearest line before that opens a body, in this body, and has no brace."""
        end = len(self._out) - 1
        while end >= 0:
            begin = self._line_begin(end)
            line = self._out[begin : end + 1]
            if any(piece.kind in {"LBRACE", "RBRACE"} for piece in line):
                return None
            if line and line[0].text in _HEADER_WORDS and line[-1].end < token.start:
                return end
            end = begin - 1
            while end >= 0 and self._out[end].kind == "NEWLINE":
                end -= 1
        return None


def repair(source: Source, tokens: list[Token], findings: Diagnostics) -> list[Token] | None:
    """Return the tokens with { } in balance, None where they are too deep.

    The reading of the braces that needs the fewest repairs is the one that is reported.
    """
    if balanced(tokens):
        return tokens
    deepest = _too_deep(tokens)
    if deepest is not None:
        findings.add(nesting.complain(source, deepest))
        return None
    attempts = []
    for by_indent in (True, False):
        attempt = BraceRepair(source, tokens, by_indent=by_indent)
        attempts.append((attempt.repair(), attempt.findings))
    best = min(attempts, key=lambda pair: len(pair[1]))
    findings.extend(best[1])
    return best[0]
