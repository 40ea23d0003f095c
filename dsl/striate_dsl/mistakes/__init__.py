"""Explains a token that does not fit: by what stands before it, what it is, and what could have stood there instead.

One function per mistake; they are tried from the special to the general, and the first that applies speaks. A fix may
also be applied to the tokens by `recovery.py`, so that the rest of the statement is still read.
"""

from __future__ import annotations

from collections.abc import Callable

from striate_dsl.diagnostics import Diagnostic
from striate_dsl.mistakes import flows, statements, values
from striate_dsl.mistakes.problem import Problem

_EXPLANATIONS: tuple[Callable[[Problem], Diagnostic | None], ...] = (
    statements.misspelt_word,
    statements.wrong_room,
    statements.else_alone,
    flows.comment_of_c,
    flows.arrow_into_statement,
    flows.arrow_from,
    flows.arrow_to,
    statements.foreign_statement,
    flows.not_an_arrow,
    flows.operator_in_flow,
    values.equals_for_comparison,
    values.instead_of_equals,
    flows.assignment,
    statements.input_form,
    statements.parameters_form,
    statements.reserved_as_name,
    statements.name_missing,
    values.equals_elsewhere,
    statements.colon_before_body,
    values.several_variables,
    values.loop_values,
    values.message_of_assert,
    statements.setting_form,
    values.comma_missing,
    values.value_missing,
    statements.comma_as_separator,
    flows.call_without_brackets,
    statements.body_missing,
    statements.separator_missing,
    statements.statement_start,
)

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
    "VERSION": "a version",
    "X": "x",
}
_FEW = 3


def explain(problem: Problem) -> Diagnostic:
    """Return what there is to say about the token."""
    for explanation in _EXPLANATIONS:
        found = explanation(problem)
        if found is not None:
            return found
    words = [_IN_WORDS[kind] for kind in sorted(problem.accepted) if kind in _IN_WORDS]
    advice = f"here could stand {' or '.join(words)}" if 0 < len(words) <= _FEW else None
    return problem.say("E0101", f"{problem.shown} cannot stand here", advice=advice)
