"""Mistakes in the frame of a statement: its place, first word, name and body, and what separates it from the next."""

from __future__ import annotations

from striate_dsl.complaints import Grade, complaint, edit, inserting, place, quoted, replacing
from striate_dsl.diagnostics import Diagnostic, Fix
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.mistakes.problem import (
    DEFINITION_KINDS,
    ENDS,
    OPERAND_ENDS,
    OPERAND_STARTS,
    RESERVED_KINDS,
    STATEMENT_KINDS,
    Problem,
)
from striate_dsl.names import edit_distance, nearest

_FUNCTION = "a network is written model Name(…) { … }, a reusable piece block Name(…) { … }"
_IMPORT = 'write use "file.cnn" or use plugin.name'
_CONSTANT = "a constant is written let name = value, inside of a model or block"
_FOREIGN = {
    "class": _FUNCTION,
    "const": _CONSTANT,
    "def": _FUNCTION,
    "fn": _FUNCTION,
    "from": _IMPORT,
    "func": _FUNCTION,
    "function": _FUNCTION,
    "import": _IMPORT,
    "include": _IMPORT,
    "network": "a network is written model Name(…) { … }",
    "return": "a body gives on its last value; name what the network gives out with output",
    "var": _CONSTANT,
    "while": "repeat a fixed number of times: repeat 3 { … } or for w in [32, 64] { … }",
}
_SLIPS = 2
"""So many slips of the finger may lie between a word and the one that was meant."""

_HEADS = frozenset({"BLOCK", "MODEL", "REPEAT", "FOR", "IF", "TRAIN", "EXPORT", "SEARCH", "PROFILE"})
_REPEATING = frozenset({"REPEAT", "FOR", "IF"})


def wrong_room(problem: Problem) -> Diagnostic | None:
    """A definition inside a body, or a statement at the top level."""
    kind, text = problem.token.kind, problem.token.text
    if not problem.at_start:
        return None
    if problem.room == "body" and kind in DEFINITION_KINDS:
        advice = f"move it out of the body: `{text}` stands at the top level of the file"
        return problem.say("E0113", f"`{text}` cannot stand inside a body", advice=advice)
    if problem.room != "file" or kind not in STATEMENT_KINDS | {"NAME", "LBRACE", "IN"}:
        return None
    if text in _FOREIGN:
        message, advice = f"`{text}` is not a statement of this language", _FOREIGN[text]
        return problem.say("E0115", message, advice=advice, fix=_without_import(problem))
    what = f"`{text}`" if kind in STATEMENT_KINDS else "a layer"
    return problem.say("E0113", f"{what} stands inside a model or block", advice="write model Name { … } around it")


def _without_import(problem: Problem) -> Fix | None:
    """Return the repair of `import torch`: nothing of Python is there to be imported, so the line goes."""
    if problem.token.text not in {"import", "from"} or not problem.rest:
        return None
    gone = edit(problem.source, problem.token.start, problem.rest[-1].end, "")
    return Fix("delete the line", (gone,), "unsafe")


def misspelt_word(problem: Problem) -> Diagnostic | None:
    """`modle Net {`, `ouput y`: the first word of a line is nearly one that opens a definition or statement."""
    first, second = problem.first, problem.tokens[problem.start + 1]
    known = {"file": DEFINITION_WORDS, "body": STATEMENT_WORDS}.get(problem.room)
    if known is None or first.kind != "NAME" or second.kind != "NAME" or problem.at > problem.start + 1:
        return None
    near = nearest(first.text, known)
    if near is None or first.text in known or edit_distance(first.text.lower(), near) > _SLIPS:
        return None
    what = "definition" if problem.room == "file" else "statement"
    grade: Grade = "unsafe" if near == "input" else "safe"  # the sizes of an input are cut up before this is known
    fix = replacing(problem.source, first, near, f"write {near}", grade)
    message = f"no {what} begins with {quoted(first.text)}"
    return complaint("E0101", message, place(problem.source, first), advice=f"did you mean {near}?", fix=fix)


def foreign_statement(problem: Problem) -> Diagnostic | None:
    """`import torch`, `return x` inside of a body."""
    advice = _FOREIGN.get(problem.first.text)
    if advice is None or problem.at != problem.start + 1 or problem.first.kind != "NAME":
        return None
    if problem.token.kind not in OPERAND_STARTS:
        return None
    message = f"`{problem.first.text}` is not a statement of this language"
    return complaint("E0115", message, place(problem.source, problem.first), advice=advice)


def else_alone(problem: Problem) -> Diagnostic | None:
    """`else` without an `if` before it."""
    if problem.token.kind != "ELSE":
        return None
    advice = "it stands directly behind the } of an `if` body"
    return complaint("E0113", "`else` has no `if`", place(problem.source, problem.token), advice=advice)


def statement_start(problem: Problem) -> Diagnostic | None:
    """Something with which no statement begins."""
    if not problem.at_start:
        return None
    if problem.room == "file":
        advice = "a file consists of " + ", ".join(sorted(DEFINITION_WORDS))
        return problem.say("E0113", f"no definition begins with {problem.shown}", advice=advice)
    if problem.room == "settings":
        return problem.say("E0101", f"no setting begins with {problem.shown}", advice=_SETTINGS)
    advice = "a line begins with a layer, a block, a named value, or a word such as input, repeat, if, let, output"
    return problem.say("E0101", f"no statement begins with {problem.shown}", advice=advice)


# -------------------------------------------------------------------------------------------- names


def reserved_as_name(problem: Problem) -> Diagnostic | None:
    """`as in`, `let if = 3`, `block for { }`."""
    token = problem.token
    if token.kind not in RESERVED_KINDS or not _name_wanted(problem):
        return None
    fix = replacing(problem.source, token, f"{token.text}_", f"choose another name, e.g. {token.text}_", "unsafe")
    return problem.say("E0112", f"`{token.text}` is a reserved word and cannot be a name", fix=fix)


def _name_wanted(problem: Problem) -> bool:
    """Whether a name has to stand here, or at least no other word or value."""
    return "NAME" in problem.accepted and "NUMBER" not in problem.accepted and "CUT" not in problem.accepted


def name_missing(problem: Problem) -> Diagnostic | None:
    """`conv(3) as`, `block (a) { }`, `model { }`, `output`, `as 3`."""
    if not _name_wanted(problem) or problem.before.kind == "ARROW":
        return None
    before, token = problem.before, problem.token
    message, span = f"a name is missing behind {problem.before_shown}", problem.span
    if token.kind in {"NUMBER", "TEXT"}:
        advice = "a name begins with a letter, without quotes"
        return problem.say("E0112", f"{problem.shown} cannot be a name", message, advice=advice)
    if before.kind == "COMMA" and token.kind in ENDS:
        fix = replacing(problem.source, before, "", "delete the comma")
        return complaint("E0112", message, span, fix=fix)
    return complaint("E0112", message, span, f"before {problem.shown}" if span.text else "it belongs here")


# -------------------------------------------------------------------------------------------- bodies


def colon_before_body(problem: Problem) -> Diagnostic | None:
    """`if a:`, `else:`, `for i in x:`, `if a: {`."""
    if problem.token.kind != "COLON" or "LBRACE" not in problem.accepted or problem.bracket:
        return None
    if problem.following.kind == "LBRACE":
        return problem.say("E0110", "no colon stands before {", fix=problem.delete())
    message = "a body stands in braces { … }, not behind a colon"
    return problem.say("E0110", message, advice="write { … } around the body")


def body_missing(problem: Problem) -> Diagnostic | None:
    """`repeat 3 conv(8)`, `if a then { … }`, a brace on the next line, no body at all."""
    token, word = problem.token, problem.first.text
    behind = problem.tokens[problem.at + len(problem.rest)].kind
    if problem.at_start or problem.first.kind not in _HEADS or "LBRACE" not in problem.accepted or problem.bracket:
        return None
    if problem.following.kind == "LBRACE" and token.kind == "NEWLINE" and token.text != ";":
        gap = edit(problem.source, problem.before.end, problem.following.start, " ")
        fix = Fix("put the { on the same line", (gap,), "safe")
        return problem.say("E0110", "a body begins on the line of its head", "`{` is missing here", fix=fix)
    if problem.following.kind == "LBRACE" and token.text in {"then", "do", "times"}:
        return problem.say("E0115", f"`{token.text}` is not needed before {{", fix=problem.delete())
    rest = problem.rest
    if token.kind in ENDS or not rest:
        advice = f"write {word} … {{ … }}"
        return problem.say("E0110", f"the body of `{word}` is missing", "`{` belongs here", advice=advice)
    if problem.first.kind not in _REPEATING or behind == "LBRACE" or token.kind not in {"NAME"} | STATEMENT_KINDS:
        return None
    end = rest[-1].end
    edits = (edit(problem.source, problem.before.end, token.start, " { "), edit(problem.source, end, end, " }"))
    fix = Fix("write { } around the body", edits, "safe")
    return problem.say("E0110", f"the body of `{word}` stands in braces", fix=fix)


# -------------------------------------------------------------------------------------------- separators


def _names_without_brackets(problem: Problem) -> Diagnostic:
    """`as left, right`."""
    last = problem.at
    while problem.tokens[last].kind == "COMMA" and problem.tokens[last + 1].kind == "NAME":
        last += 2
    first, end = problem.before.start, problem.tokens[last - 1].end
    edits = (edit(problem.source, first, first, "("), edit(problem.source, end, end, ")"))
    fix = Fix("write the names in brackets", edits, "safe")
    return problem.say("E0108", "the names of several values stand in brackets", fix=fix)


def comma_as_separator(problem: Problem) -> Diagnostic | None:
    """Settings or statements that are separated by commas."""
    if problem.token.kind != "COMMA" or "NEWLINE" not in problem.accepted or problem.bracket:
        return None
    if problem.following.kind in ENDS:
        return problem.say("E0108", "no comma stands at the end of a line", fix=problem.delete())
    if problem.room == "body" and problem.before.kind == "NAME" and problem.tokens[problem.at - 2].kind == "AS":
        return _names_without_brackets(problem)
    if problem.room == "file":
        advice = "write another line for the next one"
        return problem.say("E0108", f"one thing per `{problem.first.text}`", advice=advice)
    what = "settings" if problem.room == "settings" else "statements"
    message = f"{what} are separated by a new line or `;`, not by a comma"
    return problem.say("E0108", message, fix=problem.replace(";", "write ;"))


def separator_missing(problem: Problem) -> Diagnostic | None:
    """Two names, steps, statements or settings side by side."""
    token = problem.token
    if "NEWLINE" not in problem.accepted or problem.bracket or problem.before.kind not in OPERAND_ENDS | {"RBRACE"}:
        return None
    if problem.first.kind == "OUTPUT" and token.kind == "NAME":
        return problem.say("E0108", "several outputs are separated by commas", fix=problem.insert(",", "write a comma"))
    if problem.first.kind == "REQUIRES" and token.kind in {"NUMBER", "BAD_NUMBER"}:
        return problem.say("E0101", "a version stands behind a comparison", fix=problem.insert(" >=", "write >="))
    if problem.room == "file":
        return _second_definition(problem)
    if token.kind == "AS":
        advice = "`as` names the value of one step, once: conv(8) as a"
        return problem.say("E0112", "`as` cannot stand here", advice=advice)
    if token.kind not in OPERAND_STARTS | STATEMENT_KINDS | {"LBRACE"}:
        return None
    if token.kind in {"NAME", "LBRACE"} and "ARROW" in problem.accepted:
        fix = problem.insert(" ->", "write ->")
        return problem.say("E0108", f"an arrow is missing before {problem.shown}", "or a new line", fix=fix)
    what = "setting" if problem.room == "settings" else "statement"
    message = f"a new {what} begins on a new line or behind `;`"
    return problem.say("E0108", message, fix=problem.insert(";", "write ; between them"))


def _second_definition(problem: Problem) -> Diagnostic | None:
    if problem.token.text in DEFINITION_WORDS:
        fix = problem.on_new_line("begin a new line", keep=True)
        return problem.say("E0108", "a new definition begins on a new line", fix=fix)
    if problem.before.kind == "RBRACE" and problem.token.kind in {"NAME", "LBRACE"} | STATEMENT_KINDS:
        advice = "move it into the braces before it"
        return problem.say("E0113", f"{problem.shown} stands behind the end of a definition", advice=advice)
    return None


# -------------------------------------------------------------------------------------------- settings and inputs

_SETTINGS = "settings are written key = value or key { … }"


def setting_form(problem: Problem) -> Diagnostic | None:
    """A line among settings that is no setting: `accuracy` alone, `lr 0.1`; likewise `let a`, `let a 3`."""
    constant = problem.first.kind == "LET"
    if "EQUALS" not in problem.accepted or problem.at_start or not (constant or problem.room == "settings"):
        return None
    key = problem.source.text[problem.tokens[problem.start + constant].start : problem.before.end]
    if problem.token.kind in OPERAND_STARTS and problem.before.kind == "NAME":
        return problem.say("E0109", f"`=` is missing behind {quoted(key)}", fix=problem.insert(" =", "write ="))
    if problem.token.kind in ENDS:
        advice = f"write let {key} = …" if constant else _SETTINGS
        return problem.say("E0114", f"{quoted(key)} has no value", advice=advice)
    return None


def parameters_form(problem: Problem) -> Diagnostic | None:
    """`block A[3] { }`, `model A x { }`."""
    if problem.first.kind not in {"BLOCK", "MODEL"} or problem.at != problem.start + 2 or problem.token.kind in ENDS:
        return None
    word, name = problem.first.text, problem.before.text
    advice = f"parameters stand in ( ): {word} {name}(a, b = 2) {{ … }}"
    return problem.say("E0101", f"{problem.shown} cannot stand behind the name of a {word}", advice=advice)


def input_form(problem: Problem) -> Diagnostic | None:
    """`input image 3 x H x W`, `input image: 3, 32, 32`, `input 3 x 32 x 32`."""
    token, first = problem.token, problem.first
    if first.kind == "INPUT" and "COLON" in problem.accepted:
        if token.kind in {"NUMBER", "NAME", "LPAR", "LSQUARE"}:
            fix = problem.insert(":", "write :")
            return problem.say("E0116", "a colon stands between the name and the sizes", fix=fix)
        return problem.say("E0116", "an input needs its sizes", advice="e.g. input image: 3 x 224 x 224")
    if first.kind == "INPUT" and "X" in problem.accepted and token.kind == "COMMA" and not problem.bracket:
        edits = tuple(edit(problem.source, t.start, t.end, " x") for t in problem.rest if t.kind == "COMMA")
        return problem.say("E0116", "sizes are separated by `x`", fix=Fix("write x", edits, "safe"))
    if first.text == "input" and first.kind == "NAME" and problem.at == problem.start + 1 and token.kind == "NUMBER":
        title = "give it a name: input image: …"
        fix = inserting(problem.source, first.end, " image:", title, "unsafe")
        return problem.say("E0116", "this input has no name", fix=fix)
    return None
