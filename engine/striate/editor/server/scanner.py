"""From tokens to words with roles, in one pass that never fails: an editor's text is broken most of the time.

The grammar is not asked: brackets that do not close end where a statement or definition plainly begins.
"""

from __future__ import annotations

import re

from striate.editor.server.words import CallSite, Definition, Frame, Role, Scan, Word
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import END, RESERVED, Token, tokenize

_RESERVED = frozenset(RESERVED.values())
_OPENING = frozenset({"REPEAT", "FOR", "IF", "ASSERT"})
_WORDS = _RESERVED | {"NAME", "PATH", "FOREIGN_WORD", "ODD_WORD"}
_ALONE = frozenset({"NEWLINE", "SEMICOLON", "RBRACE", END})
_FOLLOWS = {"input": _ALONE | {"COLON"}, "let": _ALONE | {"EQUALS"}, "output": _ALONE, "head": _ALONE}
_OPERANDS = frozenset({"NAME", "PATH", "NUMBER", "BAD_NUMBER", "RPAR", "RSQUARE"})
_CALLABLE = frozenset({Role.STEP, Role.VALUE, Role.HEAD, Role.BASE, Role.ATTRIBUTE})
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
_NONE = Token("", "", 0, 0)


def scan(text: str, stop: int | None = None) -> Scan:
    """Return the words of a text, or of its part up to an offset, with the frames that are open there."""
    return _Scanner(text, len(text) if stop is None else stop).run()


class _Scanner:
    """One pass over the tokens of a text."""

    def __init__(self, text: str, stop: int) -> None:
        self.text = text
        self.stop = stop
        self.tokens = tokenize(text, 0, stop)[0]
        self.frames = [Frame("top", 0)]
        self.result = Scan(text, self.tokens, frames=self.frames)
        self.definition: Definition | None = None
        self.last = _NONE
        self.word: Word | None = None

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    def run(self) -> Scan:
        for place, token in enumerate(self.tokens[:-1]):
            following = self.tokens[place + 1]
            begins_line = place == 0 or self.tokens[place - 1].kind == "NEWLINE"
            if begins_line:
                self._recover(token, following)
            self._feed(token, following)
            if token.kind != "NEWLINE" or self.frame.is_braced:
                self.last = token
        if self.definition is not None:
            self.definition.end = self.stop
        return self.result

    # ------------------------------------------------------------------------------------------ structure

    def _recover(self, token: Token, following: Token) -> None:
        """Leave brackets that were not closed, where a line plainly begins a statement or definition."""
        at_margin = token.start == 0 or self.text[token.start - 1] == "\n"
        names = following.kind in _WORDS | {"TEXT", "LBRACE", "NUMBER"}
        if token.text in DEFINITION_WORDS and at_margin and names and len(self.frames) > 1:
            while len(self.frames) > 1:
                self._pop(token.start)
            self._end_definition(self.last.end)
            self.frame.fresh = True
        elif not self.frame.is_braced:
            opens = token.kind in _OPENING or (token.text in STATEMENT_WORDS and following.kind == "NAME")
            if opens or token.kind in ("ARROW", "RBRACE"):
                self._leave_brackets(token.start)
                self._separate()

    def _feed(self, token: Token, following: Token) -> None:
        kind = token.kind
        if kind in _WORDS:
            self._name(token, following)
        elif kind in ("NEWLINE", "SEMICOLON"):
            if self.frame.is_braced and self.last.kind not in ("ARROW", "ELSE"):
                self._separate()
        elif kind in ("LPAR", "LSQUARE"):
            self._open_bracket(token)
        elif kind in ("RPAR", "RSQUARE"):
            if not self.frame.is_braced:
                self._pop(token.start)
        elif kind == "LBRACE":
            self._open_brace(token)
        elif kind == "RBRACE":
            self._leave_brackets(token.start)
            if len(self.frames) > 1:
                self._pop(token.end)
                if len(self.frames) == 1:
                    self._end_definition(token.end)
        else:
            self._sign(token)

    def _sign(self, token: Token) -> None:
        frame = self.frame
        if token.kind == "ARROW":
            self._leave_brackets(token.start)
            self.frame.is_step, self.frame.fresh = True, False
            self.frame.statement = self.frame.statement or "flow"
        elif token.kind == "COMMA" and frame.call is not None:
            frame.call.commas.append(token.start)
        elif token.kind == "EQUALS" and frame.is_braced:
            frame.is_valued = True
        elif token.kind == "TEXT" and frame.statement == "assert":
            self._placeholders(token)
        if frame.is_braced and token.kind != "DOT":
            frame.fresh = False

    def _separate(self) -> None:
        frame = self.frame
        frame.fresh, frame.statement, frame.is_step, frame.is_valued, frame.key = True, "", False, False, ""
        frame.is_loop_head = False
        if frame.kind == "top":
            self._end_definition(self.last.end)

    def _open_bracket(self, token: Token) -> None:
        frame, word = self.frame, self.word
        touches = word is not None and self.last.end == word.end and self.last.start == word.start
        made = Frame("list" if token.kind == "LSQUARE" else "paren", token.start, section=frame.section, key=frame.key)
        made.statement, made.is_loop_head = frame.statement, frame.is_loop_head
        if self.last.kind == "AS":
            made.kind = "names"
        if token.kind == "LPAR" and touches and word is not None:
            if frame.kind == "top" and word.role in (Role.BLOCK, Role.MODEL):
                made.kind = "params"
            elif word.role in _CALLABLE:
                made.kind, made.call = "args", CallSite(word, token.start)
                self.result.calls.append(made.call)
        if frame.is_braced:
            frame.fresh, frame.is_step = False, False
        self.frames.append(made)

    def _open_brace(self, token: Token) -> None:
        self._leave_brackets(token.start)
        frame = self.frame
        made = Frame("body", token.start)
        if frame.kind == "settings":
            made.kind, made.section, made.path = "settings", frame.section, _joined(frame.path, frame.key)
        elif frame.statement in ("train", "export", "search", "profile", "input"):
            made.kind, made.section = "settings", frame.statement
        if frame.kind == "top" and self.definition is not None and self.definition.body is None:
            self.definition.body = (token.start, self.stop)
        frame.fresh = frame.is_step = False
        self.frames.append(made)

    def _leave_brackets(self, offset: int) -> None:
        while not self.frame.is_braced:
            self._pop(offset)

    def _pop(self, offset: int) -> None:
        frame = self.frames.pop()
        if frame.call is not None:
            frame.call.end = offset
        elif frame.is_braced:
            self.result.braces.append((frame.start, offset))
            if len(self.frames) == 1 and self.definition is not None and self.definition.body is not None:
                self.definition.body = (self.definition.body[0], offset)

    def _end_definition(self, offset: int) -> None:
        if self.definition is not None:
            self.definition.end = max(offset, self.definition.start)
            self.definition = None

    # ------------------------------------------------------------------------------------------ words

    def _name(self, token: Token, following: Token) -> None:
        frame = self.frame
        word = Word(token.start, token.end, token.text, Role.VALUE, self.definition, section=frame.section)
        word.setting = frame.key if frame.is_valued or not frame.is_braced else ""
        if self.last.kind == "DOT" and self.word is not None and self.word.end <= self.last.start:
            word.before = self.word
        if frame.kind == "args" and following.kind == "EQUALS" and self.last.kind in ("LPAR", "COMMA"):
            assert frame.call is not None, "a frame of arguments is opened with its call"
            word.role, word.call = Role.ARGUMENT, frame.call
            frame.call.named.append(word)
        elif frame.kind == "params" and self.last.kind in ("LPAR", "COMMA"):
            word.role = Role.PARAMETER
        elif not frame.is_braced:
            word.role = self._bracketed_role(token, frame)
        elif frame.fresh:
            self._begin(word, token, following)
        else:
            word.role = self._role(word, token, following)
        frame.fresh = False
        if frame.is_braced and word.role is not Role.KEYWORD:
            frame.is_step = False
        self.word = word
        self._keep(word)

    def _bracketed_role(self, token: Token, frame: Frame) -> Role:
        if token.kind in _RESERVED:
            return Role.KEYWORD
        if frame.is_loop_head:
            return Role.LOOP
        if frame.kind == "names":
            return Role.ALIAS
        return Role.ATTRIBUTE if self.last.kind == "DOT" else Role.VALUE

    def _keep(self, word: Word) -> None:
        self.result.words.append(word)
        if self.definition is not None:
            word.home = self.definition
            self.definition.words.append(word)

    def _begin(self, word: Word, token: Token, following: Token) -> None:
        """A word at the start of a statement."""
        frame = self.frame
        if frame.kind == "settings":
            frame.key = _joined(frame.path, token.text)
            word.role, word.setting = Role.SETTING, frame.key
        elif frame.kind == "top":
            word.role = Role.KEYWORD if token.text in DEFINITION_WORDS else Role.VALUE
            if word.role is Role.KEYWORD:
                frame.statement = token.text
                self._end_definition(token.start)
                self.definition = Definition(token.text, token.start, self.stop)
                self.result.definitions.append(self.definition)
        elif token.kind in _OPENING:
            frame.statement, word.role = token.text, Role.KEYWORD
            frame.is_loop_head = token.text == "for"
        elif token.text in STATEMENT_WORDS and (following.kind in _WORDS or following.kind in _FOLLOWS[token.text]):
            frame.statement, word.role = token.text, Role.KEYWORD
        elif token.kind == "ELSE":
            word.role = Role.KEYWORD
        else:
            frame.statement = "flow"
            word.role = Role.KEYWORD if token.kind in _RESERVED else Role.STEP

    def _role(self, word: Word, token: Token, following: Token) -> Role:
        """A word within a statement."""
        frame, last = self.frame, self.last
        if token.kind in _RESERVED and last.kind != "DOT":
            return self._reserved(token)
        if frame.kind == "top":
            return self._in_definition(word)
        if last.kind == "DOT":
            if frame.kind == "settings" and not frame.is_valued:
                frame.key = word.setting = f"{frame.key}.{token.text}"
                return Role.SETTING
            return Role.ATTRIBUTE
        if last.kind == "AS":
            return Role.ALIAS
        return Role.VALUE if frame.kind == "settings" else self._in_statement(word, following)

    def _reserved(self, token: Token) -> Role:
        frame = self.frame
        if token.kind == "IN":
            frame.is_loop_head = False
        elif token.kind == "IF" and self.last.kind == "ELSE":
            frame.statement = "if"
        return Role.KEYWORD

    def _in_statement(self, word: Word, following: Token) -> Role:
        frame, last = self.frame, self.last
        opened = self.word is not None and self.word.text == frame.statement and last.start == self.word.start
        if frame.is_step:
            return Role.STEP
        if frame.statement in ("input", "let", "head") and opened:
            return Role(frame.statement)
        if frame.statement == "input" and word.text in ("x", "where") and last.kind in _OPERANDS:
            return Role.KEYWORD
        if frame.statement == "output":
            return Role.OUTPUT
        if frame.is_loop_head or (frame.statement == "repeat" and opened and following.kind == "IN"):
            return Role.LOOP
        if frame.statement == "let" and last.kind == "EQUALS" and self.definition is not None and self.word is not None:
            self.definition.lets.setdefault(self.word.text, word)
        return Role.VALUE

    def _in_definition(self, word: Word) -> Role:
        """A word at the top level, behind the word that opens the definition."""
        definition, last = self.definition, self.last
        if definition is None:
            return Role.VALUE
        kind = definition.kind
        if kind in ("use", "requires"):
            role = Role.FILE if last.kind == "AS" else Role.USED if kind == "use" else Role.PLUGIN
            definition.alias = word if role is Role.FILE else definition.alias
            definition.name = definition.name if role is Role.FILE else word
            return role
        if last.kind == "AS":
            definition.alias = word
            return Role.RECIPE
        if last.kind == "EQUALS" and kind == "model":
            definition.base = word
            return Role.BASE
        if last.kind == "DOT" and definition.base is not None:
            definition.base = word
            return Role.BASE
        if definition.name is None and kind in _NAMED:
            definition.name = word
            return _NAMED[kind]
        return Role.VALUE

    def _placeholders(self, token: Token) -> None:
        for match in _PLACEHOLDER.finditer(token.text):
            start = token.start + match.start(1)
            self._keep(Word(start, start + len(match[1]), match[1], Role.PLACEHOLDER))


_NAMED = {
    "block": Role.BLOCK,
    "model": Role.MODEL,
    "train": Role.OWNER,
    "export": Role.OWNER,
    "search": Role.OWNER,
    "profile": Role.PROFILE,
}


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path and key else path or key
