"""A token that does not fit: what stands around it, and how to say something about it."""

from __future__ import annotations

from dataclasses import dataclass

from striate_dsl.complaints import complaint, edit, inserting, place, quoted, replacing
from striate_dsl.diagnostics import Diagnostic, Fix, Label
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import END, RESERVED, Token
from striate_dsl.source import Source, Span

OPERAND_STARTS = frozenset({"NAME", "PATH", "NUMBER", "TEXT", "TRUE", "FALSE", "IN", "LPAR", "LSQUARE"})
OPERAND_ENDS = frozenset({"NAME", "PATH", "NUMBER", "TEXT", "TRUE", "FALSE", "IN", "RPAR", "RSQUARE"})
OPERATORS = frozenset({"SIGN", "TIMES", "COMPARE", "AND", "OR", "NOT", "RANGE"})
ENDS = frozenset({"NEWLINE", "RBRACE", END})
RESERVED_KINDS = frozenset(RESERVED.values())
DEFINITION_KINDS = frozenset(DEFINITION_WORDS.values())
STATEMENT_KINDS = frozenset(STATEMENT_WORDS.values()) | {"REPEAT", "FOR", "IF", "ASSERT"}
FLOW_STARTS = frozenset({"NAME", "PATH", "IN", "LBRACE"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A token that does not fit, and where it stands.

    `start` is the place of the statement's first token, `accepted` the kinds that would fit, and `room` tells what kind
    of statements stand here: `file`, `body` or `settings`.
    """

    source: Source
    tokens: list[Token]
    at: int
    start: int
    accepted: frozenset[str]
    room: str

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def before(self) -> Token:
        """The token before, or an empty one at the very beginning."""
        return self.tokens[self.at - 1] if self.at else Token("", "", 0, 0)

    @property
    def before_shown(self) -> str:
        return quoted(self.before.text)

    @property
    def following(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    @property
    def first(self) -> Token:
        """The first token of the statement."""
        return self.tokens[self.start]

    @property
    def at_start(self) -> bool:
        return self.at == self.start

    @property
    def bracket(self) -> Token | None:
        """The innermost ( or [ that is open at the token."""
        depth = 0
        for at in range(self.at - 1, self.start - 1, -1):
            token = self.tokens[at]
            depth += (token.kind in {"RPAR", "RSQUARE"}) - (token.kind in {"LPAR", "LSQUARE"})
            if depth < 0:
                return token
        return None

    @property
    def rest(self) -> list[Token]:
        """The tokens from this one to the end of the statement, a body excluded."""
        stop = self.at
        while self.tokens[stop].kind not in ENDS and self.tokens[stop].kind != "LBRACE":
            stop += 1
        return self.tokens[self.at : stop]

    @property
    def span(self) -> Span:
        """The token's place; behind the token before where it ends a statement or was never written."""
        if self.token.kind in ENDS or not self.token.text:
            return Span(self.source, self.before.end, self.before.end)
        return place(self.source, self.token)

    @property
    def shown(self) -> str:
        """The token in words."""
        if self.token.kind == END:
            return "the end of the file"
        if self.token.kind == "NEWLINE" and self.token.text != ";":
            return "the end of the line"
        return quoted(self.token.text) if self.token.text else "the end of the brackets"

    def say(
        self,
        code: str,
        message: str,
        label: str = "",
        *,
        advice: str | None = None,
        fix: Fix | None = None,
        labels: tuple[Label, ...] = (),
    ) -> Diagnostic:
        """Return a complaint about the token."""
        return complaint(code, message, self.span, label, advice=advice, fix=fix, labels=labels)

    def replace(self, text: str, title: str) -> Fix:
        """Return the fix that puts `text` in the place of the token."""
        return replacing(self.source, self.token, text, title)

    def insert(self, text: str, title: str) -> Fix:
        """Return the fix that inserts `text` behind the token before."""
        return inserting(self.source, self.before.end, text, title)

    def delete(self) -> Fix:
        """Return the fix that deletes the token."""
        return self.replace("", "delete it")

    def on_new_line(self, title: str, *, keep: bool) -> Fix:
        """Return the fix that begins a new line, indented like the statement, before the token or in its place."""
        line = self.source.line_text(self.source.position(self.first.start)[0])
        margin = line[: len(line) - len(line.lstrip())]
        behind = self.token.start if keep else self.following.start
        return Fix(title, (edit(self.source, self.before.end, behind, "\n" + margin),), "safe")
