"""Explains a token that does not fit: by what stands before it, what it is, and what could have stood there instead.

The explanations are tried from the special to the general; the first that applies speaks. A fix may also be applied to
the tokens by `recovery.py`, so that the rest of the statement is still read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from striate_dsl.complaints import complaint, edit, inserting, place, replacing
from striate_dsl.diagnostics import Diagnostic, Fix, Label
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import END, RESERVED, Token
from striate_dsl.source import Source, Span

OPERAND_STARTS = frozenset({"NAME", "NUMBER", "TEXT", "TRUE", "FALSE", "IN", "LPAR", "LSQUARE"})
OPERAND_ENDS = frozenset({"NAME", "NUMBER", "TEXT", "TRUE", "FALSE", "IN", "RPAR", "RSQUARE"})
_ENDS = frozenset({"NEWLINE", "RBRACE", END})
_RESERVED_KINDS = frozenset(RESERVED.values())
_DEFINITION_KINDS = frozenset(DEFINITION_WORDS.values())
_STATEMENT_KINDS = frozenset(STATEMENT_WORDS.values()) | {"REPEAT", "FOR", "IF", "ASSERT"}
_OPERATORS = frozenset({"SIGN", "TIMES", "COMPARE", "AND", "OR", "NOT", "RANGE"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A token that does not fit, and where it stands.

    `start` is the place of the statement's first token, `expected` the kinds that would fit, and `room` tells what kind
    of statements stand here: `file`, `body` or `settings`.
    """

    source: Source
    tokens: list[Token]
    at: int
    start: int
    expected: Mapping[str, int]
    room: str

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def before(self) -> Token:
        """The token before, or an empty one at the very beginning."""
        return self.tokens[self.at - 1] if self.at else Token("", "", 0, 0)

    @property
    def following(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    @property
    def first(self) -> Token:
        """The first token of the statement."""
        return self.tokens[self.start]

    @property
    def bracket(self) -> Token | None:
        """The innermost ( or [ that is open at the token."""
        depth = 0
        for token in reversed(self.tokens[self.start : self.at]):
            depth += (token.kind in {"RPAR", "RSQUARE"}) - (token.kind in {"LPAR", "LSQUARE"})
            if depth < 0:
                return token
        return None

    @property
    def span(self) -> Span:
        """The token's place; the end of the line before where the token is a line break or the end of the text."""
        if self.token.kind in {"NEWLINE", END} or not self.token.text:
            return Span(self.source, self.before.end, self.before.end)
        return place(self.source, self.token)

    @property
    def shown(self) -> str:
        """The token in words."""
        if self.token.kind == END:
            return "the end of the file"
        if self.token.kind == "NEWLINE" and self.token.text != ";":
            return "the end of the line"
        return f"`{self.token.text}`" if self.token.text else "the end of the brackets"

    @property
    def rest_of_line(self) -> list[Token]:
        """The tokens from this one to the end of the statement's line, braces excluded."""
        rest = []
        for token in self.tokens[self.at :]:
            if token.kind in _ENDS or token.kind == "LBRACE":
                break
            rest.append(token)
        return rest

    def say(self, code: str, message: str, label: str = "", *, advice: str | None = None, fix: Fix | None = None,
            labels: tuple[Label, ...] = ()) -> Diagnostic:
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
        return replacing(self.source, self.token, "", "delete it")


Explanation = Callable[[Problem], Diagnostic | None]


def explain(problem: Problem) -> Diagnostic:
    """Return what there is to say about the token."""
    for explanation in _EXPLANATIONS:
        found = explanation(problem)
        if found is not None:
            return found
    return problem.say("E0101", f"{problem.shown} cannot stand here", advice=_possible(problem))


def _possible(problem: Problem) -> str | None:
    """What could stand here, where that can be said in a few words."""
    words = list(dict.fromkeys(_IN_WORDS[kind] for kind in sorted(problem.expected) if kind in _IN_WORDS))
    return f"here could stand {' or '.join(words)}" if 0 < len(words) <= _FEW else None


_FEW = 3
_IN_WORDS = {
    "ARROW": "->",
    "AS": "as",
    "COLON": ":",
    "COMMA": "a comma",
    "DOT": "a dot",
    "EQUALS": "=",
    "IN": "in",
    "LBRACE": "{",
    "LPAR": "(",
    "NAME": "a name",
    "NEWLINE": "a new line",
    "NUMBER": "a number",
    "RBRACE": "}",
    "RPAR": ")",
    "RSQUARE": "]",
    "TEXT": "a text in quotes",
    "X": "x",
}

# -------------------------------------------------------------------------------------------- where statements may stand


def _statement_in_wrong_room(problem: Problem) -> Diagnostic | None:
    """A definition inside a body, a statement at the top level, or either among settings."""
    if problem.at != problem.start:
        return None
    kind, text = problem.token.kind, problem.token.text
    if problem.room == "body" and kind in _DEFINITION_KINDS:
        advice = f"move it out of the body: `{text}` stands at the top level of the file"
        return problem.say("E0113", f"`{text}` cannot stand inside a body", advice=advice)
    if problem.room == "file" and (kind in _STATEMENT_KINDS or kind in {"NAME", "LBRACE", "IN"}):
        return _outside_of_model(problem)
    return None


def _outside_of_model(problem: Problem) -> Diagnostic:
    foreign = _FOREIGN_STATEMENTS.get(problem.token.text)
    if foreign:
        return problem.say("E0115", f"`{problem.token.text}` is not a statement of this language", advice=foreign)
    kind, text = problem.token.kind, problem.token.text
    what = f"`{text}`" if kind in _STATEMENT_KINDS else "a layer"
    return problem.say("E0113", f"{what} stands inside a model or block", advice="write model Name { … } around it")


_FOREIGN_STATEMENTS = {
    "class": "a network is written model Name(…) { … }, a reusable piece block Name(…) { … }",
    "const": "a constant is written let name = value, inside of a model or block",
    "def": "a network is written model Name(…) { … }, a reusable piece block Name(…) { … }",
    "elif": "write else if",
    "from": 'write use "file.cnn" or use plugin.name',
    "fn": "a network is written model Name(…) { … }, a reusable piece block Name(…) { … }",
    "func": "a network is written model Name(…) { … }, a reusable piece block Name(…) { … }",
    "function": "a network is written model Name(…) { … }, a reusable piece block Name(…) { … }",
    "import": 'write use "file.cnn" or use plugin.name',
    "include": 'write use "file.cnn" or use plugin.name',
    "network": "a network is written model Name(…) { … }",
    "return": "a body gives on its last value; name what the network gives out with output",
    "var": "a constant is written let name = value, inside of a model or block",
    "while": "repeat a fixed number of times: repeat 3 { … } or for w in [32, 64] { … }",
}


def _foreign_statement(problem: Problem) -> Diagnostic | None:
    """`import torch`, `return x`, `def f(x):` inside of a body."""
    advice = _FOREIGN_STATEMENTS.get(problem.first.text)
    if advice is None or problem.at != problem.start + 1 or problem.before.kind != "NAME":
        return None
    if problem.token.kind not in OPERAND_STARTS or problem.token.kind == "LPAR":
        return None
    message = f"`{problem.first.text}` is not a statement of this language"
    return complaint("E0115", message, place(problem.source, problem.first), advice=advice)


def _else_alone(problem: Problem) -> Diagnostic | None:
    if problem.token.kind != "ELSE":
        return None
    return problem.say("E0113", "`else` has no `if`", advice="it stands directly behind the } of an `if` body")


# -------------------------------------------------------------------------------------------- arrows


def _arrows(problem: Problem) -> Diagnostic | None:
    """Two arrows, an arrow that comes from nothing, an arrow that leads nowhere, an arrow to a statement."""
    token, before = problem.token, problem.before
    if token.kind == "ARROW" and problem.at == problem.start:
        return problem.say("E0111", "nothing flows into this arrow", "no layer stands before it", fix=problem.delete())
    if before.kind != "ARROW":
        return None
    if token.kind == "ARROW":
        return problem.say("E0111", "two arrows with nothing between them", fix=problem.delete())
    arrow = place(problem.source, before)
    if token.kind in _ENDS:
        fix = replacing(problem.source, before, "", "delete the arrow", "unsafe")
        return complaint("E0111", "this arrow leads nowhere", arrow, "a layer is missing behind it", fix=fix)
    if token.kind in _RESERVED_KINDS or problem.following.kind == "NAME":
        margin = _margin(problem.source, problem.first)
        title = f"begin a new line before `{token.text}`: it goes on from the line before"
        fix = Fix(title, (edit(problem.source, problem.tokens[problem.at - 2].end, token.start, "\n" + margin),), "safe")
        return problem.say("E0111", f"`{token.text}` is a statement, not a step of a flow", fix=fix)
    advice = "a step is a layer, a block, a named value or { … }"
    return problem.say("E0111", f"{problem.shown} cannot be a step of a flow", advice=advice)


def _margin(source: Source, token: Token) -> str:
    line = source.line_text(source.position(token.start)[0])
    return line[: len(line) - len(line.lstrip())]


def _not_an_arrow(problem: Problem) -> Diagnostic | None:
    """`conv(3) > relu`, `conv(3) - > relu`, `conv(3).relu` in a flow."""
    if "ARROW" not in problem.expected or problem.following.kind not in {"NAME", "COMPARE", "LBRACE"}:
        return None
    token, after = problem.token, problem.following
    if token.text == "-" and after.text == ">":
        fix = Fix("write ->", (edit(problem.source, token.start, after.end, "->"),), "safe")
        return problem.say("E0111", "an arrow is written without a blank", fix=fix)
    if token.text in {">", "/", "."} and after.kind == "NAME":
        return problem.say("E0111", f"steps are joined by ->, not by `{token.text}`", fix=problem.replace(" ->", "write ->"))
    return None


def _operator_in_flow(problem: Problem) -> Diagnostic | None:
    """`a + b`, `// a comment` where a flow is."""
    token = problem.token
    if problem.room != "body" or token.kind not in _OPERATORS or problem.bracket or problem.first.kind not in _FLOW_STARTS:
        return None
    if token.text == "//":
        return problem.say("E0115", "comments begin with `#`", fix=problem.replace("#", "write #"))
    layer = {"+": "add", "*": "mul"}.get(token.text)
    advice = f"merge values with a layer: a -> {layer}(b), or {layer} {{ … }} with the branches" if layer else None
    return problem.say("E0101", f"`{token.text}` cannot stand between the steps of a flow", advice=advice)


_FLOW_STARTS = frozenset({"NAME", "IN", "LBRACE"})

# -------------------------------------------------------------------------------------------- names


def _reserved_as_name(problem: Problem) -> Diagnostic | None:
    """`as in`, `let if = 3`, `block for { }`."""
    token = problem.token
    if token.kind not in _RESERVED_KINDS or not _only_name(problem):
        return None
    fix = problem.replace(token.text + "_", f"choose another name, e.g. {token.text}_")
    unsafe = Fix(fix.title, fix.edits, "unsafe")
    return problem.say("E0112", f"`{token.text}` is a reserved word and cannot be a name", fix=unsafe)


def _only_name(problem: Problem) -> bool:
    """Whether a name is what has to stand here (or the only word of several things)."""
    return "NAME" in problem.expected and "NUMBER" not in problem.expected and "CUT" not in problem.expected


def _name_missing(problem: Problem) -> Diagnostic | None:
    """`conv(3) as`, `block (a) { }`, `model { }`, `output`."""
    if not _only_name(problem) or problem.before.kind == "ARROW":
        return None
    behind = f"behind `{problem.before.text}`"
    if problem.token.kind in {"NUMBER", "TEXT"}:
        advice = "a name begins with a letter, without quotes"
        return problem.say("E0112", f"{problem.shown} cannot be a name", f"a name is missing {behind}", advice=advice)
    if problem.before.kind == "COMMA" and problem.token.kind in _ENDS | {"COMMA"}:
        fix = replacing(problem.source, problem.before, "", "delete the comma")
        return problem.say("E0112", f"a name is missing {behind}", fix=fix)
    return problem.say("E0112", f"a name is missing {behind}", f"before {problem.shown}")


# -------------------------------------------------------------------------------------------- = : , inside statements


def _equals_for_comparison(problem: Problem) -> Diagnostic | None:
    """`if a = 1 {`, `assert params = 3M`."""
    if problem.token.kind != "EQUALS" or "COMPARE" not in problem.expected or problem.first.kind not in _CONDITIONS:
        return None
    return problem.say("E0109", "`=` gives a value to a name; equality is `==`", fix=problem.replace("==", "write =="))


_CONDITIONS = frozenset({"IF", "ASSERT", "INPUT"})


def _instead_of_equals(problem: Problem) -> Diagnostic | None:
    """`conv(8, pad: 1)`, `lr: 0.1`, `let a == 3`, `for i = 0..3`."""
    token = problem.token
    if "EQUALS" in problem.expected and (token.kind == "COLON" or token.text == "=="):
        fix = problem.replace(" =" if token.kind == "COLON" else "=", "write =")
        return problem.say("E0109", f"a value is given with `=`, not with `{token.text}`", fix=fix)
    if token.kind == "EQUALS" and "IN" in problem.expected and problem.first.kind in {"FOR", "REPEAT"}:
        return problem.say("E0109", "the values of a loop stand behind `in`", fix=problem.replace("in", "write in"))
    if token.kind == "EQUALS" and problem.first.kind == "REPEAT" and problem.before.kind == "NAME":
        return problem.say("E0109", "the values of a loop stand behind `in`", fix=problem.replace("in", "write in"))
    return None


def _equals_elsewhere(problem: Problem) -> Diagnostic | None:
    """`x = conv(3)` and `f(a.b = 3)`."""
    if problem.token.kind != "EQUALS":
        return None
    if problem.bracket:
        advice = "before = stands the plain name of an argument; equality is =="
        return problem.say("E0109", "`=` cannot stand here", advice=advice)
    if problem.room != "body" or problem.at != problem.start + 1 or problem.first.kind != "NAME":
        return None
    name, rest = problem.first, problem.rest_of_line[1:]
    if not rest:
        return problem.say("E0115", "a body holds no settings", advice="a constant is written let name = value")
    if rest[0].kind in {"NUMBER", "TEXT", "LSQUARE", "TRUE", "FALSE", "SIGN"}:
        fix = inserting(problem.source, name.start, "let ", f"write let {name.text} = …")
        return problem.say("E0115", "a constant is written with `let`", fix=fix)
    edits = (
        edit(problem.source, name.start, rest[0].start, ""),
        edit(problem.source, rest[-1].end, rest[-1].end, f" as {name.text}"),
    )
    fix = Fix(f"write … as {name.text}", edits, "unsafe")
    return problem.say("E0115", "a value is named behind the layer, with `as`", fix=fix)


def _sizes(problem: Problem) -> Diagnostic | None:
    """`input image 3 x H x W`, `input image: 3, 32, 32`, `input 3 x 32 x 32`."""
    token = problem.token
    if problem.first.kind == "INPUT" and "COLON" in problem.expected and problem.at == problem.start + 2:
        if token.kind == "NUMBER" or token.kind == "NAME":
            return problem.say("E0116", "a colon stands between the name and the sizes", fix=problem.insert(":", "write :"))
        return problem.say("E0116", "an input needs its sizes", advice="e.g. input image: 3 x 224 x 224")
    if problem.first.kind == "INPUT" and "X" in problem.expected and token.kind == "COMMA" and not problem.bracket:
        return problem.say("E0116", "sizes are separated by `x`", fix=problem.replace(" x", "write x"))
    if problem.first.text == "input" and problem.first.kind == "NAME" and problem.at == problem.start + 1:
        if token.kind == "NUMBER":
            fix = inserting(problem.source, problem.first.end, " image:", "give it a name: input image: …", "unsafe")
            return problem.say("E0116", "this input has no name", fix=fix)
    return None


def _colon_of_python(problem: Problem) -> Diagnostic | None:
    """`if a:`, `else:`, `for i in x:`, `if a: {`."""
    if problem.token.kind != "COLON" or "LBRACE" not in problem.expected or problem.bracket:
        return None
    if problem.following.kind == "LBRACE":
        return problem.say("E0110", "no colon stands before {", fix=problem.delete())
    return problem.say("E0110", "a body stands in braces { … }, not behind a colon", advice="write { … } around the body")


def _body_missing(problem: Problem) -> Diagnostic | None:
    """`repeat 3` without a body, or with its brace on the next line."""
    if "LBRACE" not in problem.expected or problem.bracket or problem.first.kind in _FLOW_STARTS | {"HEAD", "INPUT"}:
        return None
    if problem.token.kind not in _ENDS and problem.token.kind not in OPERAND_STARTS:
        return None
    if problem.token.kind == "NEWLINE" and problem.following.kind == "LBRACE":
        gap = edit(problem.source, problem.before.end, problem.following.start, " ")
        fix = Fix("put the { on the same line", (gap,), "safe")
        return problem.say("E0110", "a body begins on the line of its head", "`{` is missing here", fix=fix)
    word = problem.first.text
    return problem.say("E0110", f"the body of `{word}` is missing", "`{` belongs here", advice=f"write {word} … {{ … }}")


# -------------------------------------------------------------------------------------------- values and separators


def _several_variables(problem: Problem) -> Diagnostic | None:
    """`for a, b in pairs {`."""
    if problem.first.kind != "FOR" or problem.token.kind != "COMMA" or problem.bracket:
        return None
    names = []
    for token in problem.tokens[problem.start + 1 :]:
        if token.kind not in {"NAME", "COMMA"}:
            break
        names.append(token)
    bracketed = "(" + problem.source.text[names[0].start : names[-1].end] + ")"
    fix = Fix(f"write {bracketed}", (edit(problem.source, names[0].start, names[-1].end, bracketed),), "safe")
    return problem.say("E0109", "several loop variables stand in brackets", fix=fix)


def _value_missing(problem: Problem) -> Diagnostic | None:
    """`f(a, , b)`, `stride = )`, `a +` at the end of a line, `()` as a value, a reserved word as a value."""
    if "NUMBER" not in problem.expected or problem.before.kind in {"", "NEWLINE", "LBRACE"}:
        return None
    token, before = problem.token, problem.before
    if token.kind in _RESERVED_KINDS:
        return problem.say("E0114", f"`{token.text}` is a reserved word, not a value", f"a value belongs behind `{before.text}`")
    if token.kind == "COMMA":
        return problem.say("E0114", "a value is missing before this comma", fix=problem.delete())
    if token.kind == "NEWLINE" and before.kind in _OPERATORS | {"EQUALS"}:
        advice = "to go on in the next line, put the expression in ( )"
        return problem.say("E0114", f"a value is missing behind `{before.text}`", advice=advice)
    if token.kind == "LBRACE" and before.kind == "EQUALS":
        advice = "a group of settings is written key { … }, a list [a, b]"
        return problem.say("E0114", "a value cannot stand in braces", advice=advice)
    return problem.say("E0114", f"a value is missing behind `{before.text}`", f"before {problem.shown}")


def _comma_missing(problem: Problem) -> Diagnostic | None:
    """`conv(64 3)`, `[1 2]`."""
    opening = problem.bracket
    if opening is None or problem.before.kind not in OPERAND_ENDS or problem.token.kind not in OPERAND_STARTS | {"NOT"}:
        return None
    if "COMMA" not in problem.expected:
        return None
    message = f"a comma is missing between `{problem.before.text}` and {problem.shown}"
    labels = (Label(place(problem.source, opening), "in these brackets"),)
    return problem.say("E0108", message, fix=problem.insert(",", "write a comma"), labels=labels)


def _semicolon_in_call(problem: Problem) -> Diagnostic | None:
    """`as a, b` and settings or statements that are separated by commas."""
    if problem.token.kind != "COMMA" or "NEWLINE" not in problem.expected or problem.bracket:
        return None
    if problem.following.kind in _ENDS:
        return problem.say("E0108", "no comma stands at the end of a line", fix=problem.delete())
    what = "settings" if problem.room == "settings" else "statements"
    fix = problem.replace(";", "write ;")
    return problem.say("E0108", f"{what} are separated by a new line or `;`, not by a comma", fix=fix)


def _call_without_brackets(problem: Problem) -> Diagnostic | None:
    """`conv 64, 3`."""
    token, name = problem.token, problem.before
    if problem.room != "body" or name.kind != "NAME" or token.kind not in {"NUMBER", "TEXT", "LSQUARE"} or problem.bracket:
        return None
    end = name.end
    for inner in problem.rest_of_line:
        if inner.kind in {"ARROW", "AS"}:
            break
        end = inner.end
    inside = problem.source.text[token.start : end]
    gap = (edit(problem.source, name.end, token.start, "("), edit(problem.source, end, end, ")"))
    return problem.say("E0106", "arguments stand in ( )", fix=Fix(f"write {name.text}({inside})", gap, "safe"))


def _separator_missing(problem: Problem) -> Diagnostic | None:
    """Two steps, statements or settings side by side."""
    if "NEWLINE" not in problem.expected or problem.bracket or problem.before.kind not in OPERAND_ENDS | {"RBRACE"}:
        return None
    token = problem.token
    starts = token.kind in OPERAND_STARTS | _RESERVED_KINDS | _DEFINITION_KINDS | _STATEMENT_KINDS | {"LBRACE"}
    if not starts:
        return None
    if problem.room == "body" and token.kind in {"NAME", "LBRACE"} and "ARROW" in problem.expected:
        fix = problem.insert(" ->", "write ->")
        return problem.say("E0108", f"an arrow is missing before {problem.shown}", "or a new line", fix=fix)
    what = {"file": "definition", "body": "statement", "settings": "setting"}[problem.room]
    fix = problem.insert(";", "write ; between them") if problem.room != "file" else problem.insert("\n", "begin a new line")
    return problem.say("E0108", f"a new {what} begins on a new line or behind `;`", fix=fix)


def _setting_form(problem: Problem) -> Diagnostic | None:
    """A line among settings that is no setting: `accuracy` alone, `lr 0.1`, `3`."""
    if problem.room != "settings":
        return None
    advice = "settings are written key = value or key { … }"
    if problem.at == problem.start:
        return problem.say("E0101", f"{problem.shown} does not begin a setting", advice=advice)
    if "EQUALS" in problem.expected:
        key = problem.source.text[problem.first.start : problem.before.end]
        if problem.token.kind in OPERAND_STARTS and problem.before.kind == "NAME":
            fix = problem.insert(" =", "write =")
            return problem.say("E0109", f"`=` is missing behind `{key}`", fix=fix)
        return problem.say("E0114", f"`{key}` has no value", advice=advice)
    return None


def _statement_start(problem: Problem) -> Diagnostic | None:
    """Something with which no statement begins."""
    if problem.at != problem.start:
        return None
    if problem.room == "file":
        advice = "a file consists of " + ", ".join(sorted(DEFINITION_WORDS))
        return problem.say("E0113", f"no definition begins with {problem.shown}", advice=advice)
    advice = "a line begins with a layer, a block, a named value or a statement such as input, repeat, if, let, output"
    return problem.say("E0101", f"no statement begins with {problem.shown}", advice=advice)


_EXPLANATIONS: tuple[Explanation, ...] = (
    _statement_in_wrong_room,
    _else_alone,
    _arrows,
    _foreign_statement,
    _not_an_arrow,
    _operator_in_flow,
    _equals_for_comparison,
    _instead_of_equals,
    _equals_elsewhere,
    _sizes,
    _colon_of_python,
    _several_variables,
    _reserved_as_name,
    _name_missing,
    _setting_form,
    _comma_missing,
    _value_missing,
    _semicolon_in_call,
    _call_without_brackets,
    _body_missing,
    _separator_missing,
    _statement_start,
)
