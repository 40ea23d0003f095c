"""Mistakes in arguments and expressions: missing values and commas, `=`, `==` and `:` in each other's place."""

from __future__ import annotations

from striate_dsl.complaints import edit, place
from striate_dsl.diagnostics import Diagnostic, Fix, Label
from striate_dsl.mistakes.problem import OPERAND_ENDS, OPERAND_STARTS, OPERATORS, RESERVED_KINDS, Problem

_CONDITIONS = frozenset({"IF", "ASSERT", "INPUT"})
_LOOPS = frozenset({"FOR", "REPEAT"})


def equals_for_comparison(problem: Problem) -> Diagnostic | None:
    """`if a = 1 {`, `assert params = 3M`."""
    if problem.token.kind != "EQUALS" or "COMPARE" not in problem.accepted or problem.first.kind not in _CONDITIONS:
        return None
    return problem.say("E0109", "`=` gives a value to a name; equality is `==`", fix=problem.replace("==", "write =="))


def instead_of_equals(problem: Problem) -> Diagnostic | None:
    """`conv(8, pad: 1)`, `lr: 0.1`, `let a == 3`, `for i = 0..3`."""
    token = problem.token
    if "EQUALS" in problem.accepted and (token.kind == "COLON" or token.text == "=="):
        fix = problem.replace(" =" if token.kind == "COLON" else "=", "write =")
        return problem.say("E0109", f"a value is given with `=`, not with `{token.text}`", fix=fix)
    if token.kind == "EQUALS" and problem.first.kind in _LOOPS and "IN" in problem.accepted:
        return problem.say("E0109", "the values of a loop stand behind `in`", fix=problem.replace("in", "write in"))
    return None


def equals_elsewhere(problem: Problem) -> Diagnostic | None:
    """`f(a.b = 3)`, `a.b = 3`."""
    if problem.token.kind != "EQUALS":
        return None
    if problem.bracket:
        advice = "before = stands the plain name of an argument; equality is =="
        return problem.say("E0109", "`=` cannot stand here", advice=advice)
    if problem.room == "body":
        advice = "a constant is written let name = value; settings stand in train, export and profile"
        return problem.say("E0109", "nothing can be set here", advice=advice)
    return None


def loop_values(problem: Problem) -> Diagnostic | None:
    """`for a { }`."""
    if problem.first.kind != "FOR" or "IN" not in problem.accepted:
        return None
    advice = f"e.g. for {problem.tokens[problem.start + 1].text} in [32, 64] {{ … }}"
    if problem.tokens[problem.start + 1].kind == "LPAR":
        advice = "e.g. for (width, depth) in [(64, 3), (128, 4)] { … }"
    return problem.say("E0114", "this loop has no values", "`in` and a list belong here", advice=advice)


def message_of_assert(problem: Problem) -> Diagnostic | None:
    """`assert a > 3, b`."""
    if problem.first.kind != "ASSERT" or problem.accepted != {"TEXT"}:
        return None
    advice = 'e.g. assert params <= 5M, "too big"'
    return problem.say("E0114", "the message of an assert is a text in quotes", advice=advice)


def several_variables(problem: Problem) -> Diagnostic | None:
    """`for a, b in pairs {`."""
    if problem.first.kind != "FOR" or problem.token.kind != "COMMA" or problem.at != problem.start + 2:
        return None
    stop = problem.start + 1
    while problem.tokens[stop].kind in {"NAME", "COMMA"}:
        stop += 1
    start, end = problem.tokens[problem.start + 1].start, problem.tokens[stop - 1].end
    bracketed = f"({problem.source.text[start:end]})"
    fix = Fix(f"write {bracketed}", (edit(problem.source, start, end, bracketed),), "safe")
    return problem.say("E0109", "several loop variables stand in brackets", fix=fix)


def comma_missing(problem: Problem) -> Diagnostic | None:
    """`conv(64 3)`, `[1 2]`."""
    opening = problem.bracket
    if opening is None or problem.before.kind not in OPERAND_ENDS or problem.token.kind not in OPERAND_STARTS | {"NOT"}:
        return None
    if "COMMA" not in problem.accepted:
        return None
    message = f"a comma is missing between {problem.before_shown} and {problem.shown}"
    labels = (Label(place(problem.source, opening), "in these brackets"),)
    return problem.say("E0108", message, fix=problem.insert(",", "write a comma"), labels=labels)


def value_missing(problem: Problem) -> Diagnostic | None:
    """`f(a, , b)`, `stride = )`, `a +` at the end of a line, `()` as a value, a reserved word as a value."""
    token, before = problem.token, problem.before
    if "NUMBER" not in problem.accepted or problem.at_start:
        return None
    if token.kind in RESERVED_KINDS:
        message = f"`{token.text}` is a reserved word, not a value"
        return problem.say("E0114", message, f"a value belongs behind {problem.before_shown}")
    if token.kind == "COMMA" and before.kind == "EQUALS":
        name = problem.tokens[problem.at - 2]
        gone = edit(problem.source, name.start, problem.following.start, "")
        fix = Fix(f"leave {name.text} out", (gone,), "unsafe")
        return problem.say("E0114", f"a value is missing behind {problem.before_shown}", "before `,`", fix=fix)
    if token.kind == "COMMA":
        return problem.say("E0114", "a value is missing before this comma", fix=problem.delete())
    if token.kind == "NEWLINE" and before.kind in OPERATORS | {"EQUALS"}:
        return _broken_line(problem)
    if token.kind == "LBRACE" and before.kind == "EQUALS":
        advice = "a group of settings is written key { … }, a list [a, b]"
        return problem.say("E0114", "a value cannot stand in braces", advice=advice)
    if token.kind == "RPAR" and before.kind == "LPAR":
        return problem.say("E0114", "nothing stands in these brackets", advice="an empty list is written []")
    return problem.say("E0114", f"a value is missing behind {problem.before_shown}", f"before {problem.shown}")


def _broken_line(problem: Problem) -> Diagnostic:
    """`let a = 1 +` with the rest on the next line."""
    gap = problem.source.text[problem.before.end : problem.following.start]
    message = f"a value is missing behind {problem.before_shown}"
    if problem.following.kind in OPERAND_STARTS and problem.before.kind != "EQUALS" and not gap.strip():
        join = edit(problem.source, problem.before.end, problem.following.start, " ")
        fix = Fix("put it on the same line", (join,), "safe")
        return problem.say("E0114", message, "the line ends here", fix=fix)
    return problem.say("E0114", message, "the line ends here", advice="to go on in the next line, write ( ) around it")
