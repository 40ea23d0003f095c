"""Mistakes in flows: arrows, and what stands between two steps."""

from __future__ import annotations

from collections.abc import Iterator

from striate_dsl.complaints import complaint, edit, inserting, place, replacing
from striate_dsl.diagnostics import Diagnostic, Fix
from striate_dsl.layout import STATEMENT_WORDS
from striate_dsl.lexer import Token
from striate_dsl.mistakes.problem import (
    DEFINITION_KINDS,
    ENDS,
    FLOW_STARTS,
    OPERATORS,
    RESERVED_KINDS,
    STATEMENT_KINDS,
    Problem,
)

_ONE_VALUE = "several layers in a row are a block: block Name { … }, then let x = Name"


def comment_of_c(problem: Problem) -> Diagnostic | None:
    """`// a comment`."""
    if problem.token.text != "//" or problem.bracket or problem.before.text == "->":
        return None
    return complaint(
        "E0115",
        "comments begin with `#`",
        place(problem.source, problem.token),
        fix=replacing(problem.source, problem.token, "#", "write #"),
    )


def arrow_into_statement(problem: Problem) -> Diagnostic | None:
    """An arrow at the end of a line before `output y`, which would be read as a step named `output`."""
    word = problem.before
    if word.text not in STATEMENT_WORDS or word.kind != "NAME" or problem.at < problem.start + 2:
        return None
    arrow = problem.tokens[problem.at - 2]
    if arrow.kind != "ARROW" or "\n" not in problem.source.text[arrow.end : word.start]:
        return None
    fix = replacing(problem.source, arrow, "", "delete the arrow", "unsafe")
    return complaint(
        "E0111", "this arrow leads nowhere", place(problem.source, arrow), "a layer is missing behind it", fix=fix
    )


def arrow_from(problem: Problem) -> Diagnostic | None:
    """An arrow that comes from nothing, from another arrow, or from something that is no flow."""
    if problem.token.kind != "ARROW":
        return None
    arrow = place(problem.source, problem.token)
    if problem.at_start:
        message = "nothing flows into this arrow"
        return complaint("E0111", message, arrow, "no layer stands before it", fix=problem.delete())
    if problem.before.kind == "ARROW":
        return _arrows_in_a_row(problem)
    word = problem.first.text
    if problem.first.kind == "LET" and problem.room == "body":
        return complaint("E0111", "`let` names one value, not a flow", arrow, advice=_ONE_VALUE)
    if problem.room == "settings":
        return complaint("E0111", "a setting is one value, not a flow", arrow, advice="a list is written [a, b]")
    if problem.room == "body" and problem.first.kind in STATEMENT_KINDS and "NEWLINE" in problem.accepted:
        fix = problem.on_new_line("begin a new line instead: it goes on from the line before", keep=False)
        return complaint("E0111", f"no arrow leads on from `{word}`", arrow, fix=fix)
    return None


def _arrows_in_a_row(problem: Problem) -> Diagnostic:
    last = problem.at
    while problem.tokens[last + 1].kind == "ARROW":
        last += 1
    start, end = problem.before.end, problem.tokens[last].end
    fix = Fix("write one arrow", (edit(problem.source, start, end, ""),), "safe")
    return complaint("E0111", "two arrows with nothing between them", place(problem.source, problem.token), fix=fix)


def arrow_to(problem: Problem) -> Diagnostic | None:
    """An arrow that leads nowhere, or to something that is no step."""
    before, token = problem.before, problem.token
    if before.kind != "ARROW":
        return None
    if token.kind in ENDS:
        fix = replacing(problem.source, before, "", "delete the arrow", "unsafe")
        arrow = place(problem.source, before)
        return complaint("E0111", "this arrow leads nowhere", arrow, "a layer is missing behind it", fix=fix)
    if token.kind in RESERVED_KINDS - {"TRUE", "FALSE", "AND", "OR", "NOT", "AS"} | STATEMENT_KINDS | DEFINITION_KINDS:
        title = f"begin a new line before `{token.text}`: it goes on from the line before"
        start = problem.tokens[problem.at - 2].end
        line = problem.on_new_line(title, keep=True).edits[0].replacement
        fix = Fix(title, (edit(problem.source, start, token.start, line),), "safe")
        return problem.say("E0111", f"`{token.text}` is a statement, not a step of a flow", fix=fix)
    advice = "a step is a layer, a block, a named value or { … }"
    return problem.say("E0111", f"{problem.shown} cannot be a step of a flow", advice=advice)


def not_an_arrow(problem: Problem) -> Diagnostic | None:
    """`conv(3) > relu`, `conv(3) - > relu`, `conv(3).relu` in a flow."""
    token, after = problem.token, problem.following
    if "ARROW" not in problem.accepted or problem.bracket:
        return None
    if token.text == "-" and after.text == ">":
        fix = Fix("write ->", (edit(problem.source, token.start, after.end, "->"),), "safe")
        return problem.say("E0111", "an arrow is written without a blank", fix=fix)
    if token.text == "." and after.kind == "NAME":
        edits = tuple(edit(problem.source, dot.start, dot.end, " -> ") for dot in _dots(problem))
        return problem.say("E0111", "steps are joined by ->, not by `.`", fix=Fix("write ->", edits, "safe"))
    if token.text in {">", "/", ">=", ":"} and after.kind == "NAME":
        gap = "" if problem.source.text[token.end : after.start] else " "
        fix = problem.replace(" ->" + gap if problem.before.end == token.start else "->" + gap, "write ->")
        return problem.say("E0111", f"steps are joined by ->, not by `{token.text}`", fix=fix)
    return None


def _dots(problem: Problem) -> Iterator[Token]:
    """Yield the dots outside of brackets from the token to the next arrow."""
    depth = 0
    for token in problem.rest:
        depth += (token.kind in {"LPAR", "LSQUARE"}) - (token.kind in {"RPAR", "RSQUARE"})
        if token.kind == "ARROW":
            return
        if token.kind == "DOT" and depth == 0:
            yield token


def operator_in_flow(problem: Problem) -> Diagnostic | None:
    """`a + b` where a flow is."""
    token = problem.token
    if problem.room != "body" or problem.first.kind not in FLOW_STARTS:
        return None
    if token.kind not in OPERATORS or problem.bracket:
        return None
    message = f"`{token.text}` cannot stand between the steps of a flow"
    layer = {"+": "add", "*": "mul"}.get(token.text)
    if layer is None:
        return problem.say("E0101", message)
    if token.text == "*" and problem.following.kind == "NUMBER":
        return problem.say("E0101", message, fix=_repeated(problem))
    advice = f"merge values with a layer: a -> {layer}(b), or {layer} {{ … }} with the branches"
    if problem.at != problem.start + 1 or problem.before.kind != "NAME" or problem.following.kind != "NAME":
        return problem.say("E0101", message, advice=advice)
    merged = f"{problem.before.text} -> {layer}({problem.following.text})"
    edits = (edit(problem.source, problem.before.start, problem.following.end, merged),)
    return complaint("E0101", message, problem.span, advice=advice, fix=Fix(f"write {merged}", edits, "unsafe"))


def _repeated(problem: Problem) -> Fix | None:
    """Return the repair of `conv(8) * 3` at the end of a line: a loop around the flow."""
    count, source = problem.following, problem.source
    behind = problem.tokens[problem.at + 2]
    if behind.kind not in ENDS:
        return None
    edits = (
        edit(source, problem.first.start, problem.first.start, f"repeat {count.text} {{ "),
        edit(source, problem.before.end, count.end, " }"),
    )
    return Fix(f"write repeat {count.text} {{ … }}", edits, "unsafe")


def call_without_brackets(problem: Problem) -> Diagnostic | None:
    """`conv 64, 3`."""
    token, name = problem.token, problem.before
    if problem.room != "body" or name.kind != "NAME" or token.kind not in {"NUMBER", "TEXT", "LSQUARE"}:
        return None
    if problem.bracket or problem.first.kind not in FLOW_STARTS:
        return None
    end = name.end
    for inner in problem.rest:
        if inner.kind in {"ARROW", "AS"}:
            break
        end = inner.end
    inside = problem.source.text[token.start : end]
    edits = (edit(problem.source, name.end, token.start, "("), edit(problem.source, end, end, ")"))
    return problem.say("E0106", "arguments stand in ( )", fix=Fix(f"write {name.text}({inside})", edits, "safe"))


def assignment(problem: Problem) -> Diagnostic | None:
    """`x = conv(3)`, `x = 3` in a body."""
    if problem.token.kind != "EQUALS" or problem.room != "body" or problem.at != problem.start + 1:
        return None
    name, rest = problem.first, problem.rest[1:]
    if name.kind != "NAME" or not rest:
        return None
    if rest[0].kind in {"NUMBER", "TEXT", "LSQUARE", "TRUE", "FALSE", "SIGN"}:
        fix = inserting(problem.source, name.start, "let ", f"write let {name.text} = …")
        return problem.say("E0115", "a constant is written with `let`", fix=fix)
    edits = (
        edit(problem.source, name.start, rest[0].start, ""),
        edit(problem.source, rest[-1].end, rest[-1].end, f" as {name.text}"),
    )
    fix = Fix(f"write … as {name.text}", edits, "unsafe")
    return problem.say("E0115", "a value is named behind the layer, with `as`", fix=fix)
