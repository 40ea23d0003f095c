"""The parts of a recipe that plugins provide: `sgd(lr = 0.05)` resolved to a record and settled arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Generic, Protocol, TypeVar

from striate.elaborate.faults import renaming, suggestion
from striate.elaborate.repairs.values import repairs_of_value
from striate.elaborate.values import CallValue
from striate.host.catalogue import HostCatalogue, NameClashError
from striate.host.identity import FIRST_PARTY
from striate.host.kinds import KINDS, PLURAL_OF
from striate.host.provided import broken_terms, failure
from striate.host.records import Factory
from striate.host.weight_choice import WEIGHTS
from striate.ops.arguments import Argument, ArgumentError, Choice, format_value, quote_value
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Edit, Fix, Label
from striate_dsl.source import Span
from striate_dsl.syntax import CallExpression, Expression

_MOST_LISTED, _SHOWN = 12, 6
"""Names up to which a message has all, and how many it has otherwise."""


class RecipeRecord(Protocol):
    """What all records that a recipe can name have in common."""

    @property
    def name(self) -> str:
        """The name that the recipe writes."""

    @property
    def factory(self) -> Factory:
        """What makes the part."""

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The arguments that may be written."""


Record = TypeVar("Record", bound=RecipeRecord)


@dataclass(frozen=True, slots=True)
class Part(Generic[Record]):
    """A record and its settled arguments, with the place where the recipe names it and the plugin it comes from."""

    record: Record
    arguments: Mapping[str, Any]
    span: Span
    owner: str

    def __str__(self) -> str:
        shown = [
            f"{argument.name} = {_shown(argument, self.arguments[argument.name])}"
            for argument in self.record.arguments
            if not _is_default(argument, self.arguments[argument.name])
        ]
        return f"{self.record.name}({', '.join(shown)})" if shown else self.record.name

    def make(self, *positional: Any) -> Any:
        """Call the record's factory, which imports it; what is for striate alone, `weights`, it is not given."""
        own = {argument.name for argument in self.record.arguments if argument is not WEIGHTS}
        given = {key: item for key, item in self.arguments.items() if key in own}
        return self.ask(self.record.factory, *positional, **given)

    def ask(self, function: Callable[..., Any], *positional: Any, **named: Any) -> Any:
        """Call a function of the part's code.

        Raises:
            DiagnosticError: E0720, a plugin's function does not take what it is given, or mistakes one type for
                another. What else it raises is told as the plugin's wherever it is caught.
        """
        try:
            return function(*positional, **named)
        except TypeError as error:
            if self.owner in ("", FIRST_PARTY):
                raise
            raise DiagnosticError(failure(_named(self), None, error)) from error


def broken_by(part: Part[Any], problem: str) -> DiagnosticError:
    """Return E0721, that what a part's code returned breaks the terms of its hook.

    Args:
        part: the part.
        problem: what it returned, and what is due, as the sentence goes on behind its name.
    """
    return DiagnosticError(broken_terms(_named(part), problem))


def _named(part: Part[Any]) -> str:
    """Name a part with its plugin, e.g. `the schedule triangle of plugin acme`."""
    kind = next(item for item in KINDS if isinstance(part.record, item.record))
    return f"the {kind.singular} {part.record.name.rpartition('.')[2]} of plugin {part.owner}"


@dataclass(frozen=True, slots=True)
class Written:
    """An argument as written: its name if it has one and where that stands, its value and the syntax of it."""

    name: str | None
    value: Any
    span: Span
    expression: Expression


def read_part(
    kind: type[Record],
    what: str,
    written: tuple[Any, Expression],
    further: Sequence[Written],
    catalogue: HostCatalogue,
    renamed: Mapping[str, str],
) -> Part[Record]:
    """Resolve one part.

    Args:
        kind: the type of record, e.g. `LossRecord`.
        what: the kind in words, e.g. `loss`.
        written: the value in the recipe and the syntax it comes from.
        further: arguments set apart from the call, by `optimizer.lr = …`; they win over those in the call.
        catalogue: where records are found.
        renamed: the names that the file has for things of plugins, with their whole names.

    Raises:
        DiagnosticError: E0402 to E0405, E0702, all mistakes in the name and its arguments.
    """
    value, expression = written
    name, place = _called(what, value, expression)
    name = renamed.get(name, name)
    record = _find(kind, what, name, place, catalogue)
    arguments = settle(record, written_arguments(value, expression), further, place)
    return Part(record, arguments, expression.span, catalogue.owner(kind, name) or "")


def read_call(record: RecipeRecord, written: tuple[Any, Expression]) -> dict[str, Any]:
    """Return the settled arguments of a call that can only be of one thing, `group(…)` for instance.

    Args:
        record: what it must be a call of.
        written: the value in the recipe and the syntax it comes from.

    Raises:
        DiagnosticError: E0402 to E0404, it is something else, or its arguments are wrong.
    """
    value, expression = written
    if not isinstance(value, CallValue) or value.name != record.name or not isinstance(expression, CallExpression):
        arguments = ", ".join(argument.signature for argument in record.arguments)
        message = f"each of these must be {record.name}({arguments}), not {quote_value(value)}"
        raise DiagnosticError(Diagnostic("E0403", message, expression.span))
    return settle(record, written_arguments(value, expression), (), expression.function.span)


def _called(what: str, value: Any, expression: Expression) -> tuple[str, Span]:
    if isinstance(value, Choice):
        return value.name, expression.span
    if isinstance(value, CallValue) and isinstance(expression, CallExpression):
        return value.name, expression.function.span
    raise DiagnosticError(
        Diagnostic(
            "E0403",
            f"{what} must be a name, with arguments if it has any, not {quote_value(value)}",
            expression.span,
            help=f"without quotes: {what} = {value}" if isinstance(value, str) and value.isidentifier() else None,
            fixes=_unquoted(value, expression),
        )
    )


def _unquoted(value: Any, expression: Expression) -> tuple[Fix, ...]:
    if not isinstance(value, str) or not value.isidentifier():
        return ()
    return (Fix(f"write {value}", (Edit(expression.span, value),), "safe"),)


def _find(kind: type[Record], what: str, name: str, place: Span, catalogue: HostCatalogue) -> Record:
    try:
        record = catalogue.find(kind, name)
    except NameClashError as error:
        raise DiagnosticError(error.at(place)) from None
    if record is not None:
        return record
    known = catalogue.names(kind)
    where = catalogue.whereabouts(PLURAL_OF[kind], name)
    listed = listed_names(name, known)
    help, fixes = where.help or suggestion(name, known), () if where.help else renaming(name, known, place)
    raise DiagnosticError(
        Diagnostic("E0405", f"there is no {what} {name}", place, notes=(listed, *where.notes), help=help, fixes=fixes)
    )


def listed_names(name: str, known: Sequence[str]) -> str:
    """Return the names that there are in a line: all of a few, of many those that are most like the one written."""
    if not known:
        return "no installed plugin provides any"
    if len(known) <= _MOST_LISTED:
        return f"installed plugins provide: {', '.join(known)}"
    alike = get_close_matches(name, known, _SHOWN, 0.0)
    return f"installed plugins provide {len(known)}, among them {', '.join(alike)}; striate explain prints all"


def written_arguments(value: Any, expression: Expression) -> list[Written]:
    """Return what stands between the brackets of a call, in order; nothing where there is no call."""
    if not isinstance(value, CallValue) or not isinstance(expression, CallExpression):
        return []
    positional = iter(value.positional)
    return [
        Written(None, next(positional), item.value.span, item.value)
        if item.name is None
        else Written(item.name.text, value.named[item.name.text], item.name.span, item.value)
        for item in expression.arguments
    ]


def settle(record: RecipeRecord, called: Sequence[Written], further: Sequence[Written], place: Span) -> dict[str, Any]:
    """Return the arguments by name, converted and with defaults.

    Args:
        record: whose arguments they are.
        called: those in the call.
        further: those set apart from it, which win.
        place: the name of the record in the text.

    Raises:
        DiagnosticError: E0402 to E0404, everything that is wrong with them.
    """
    given, findings = _sort(record, called)
    overriding, more = _sort(record, further)
    given.update(overriding)
    findings += more
    misnamed = any(item.code == "E0402" for item in findings)
    settled = {}
    for argument in record.arguments:
        name = argument.name
        if name not in given and argument.required:
            if not misnamed:  # it may well be the one whose name is wrong
                findings.append(_missing_argument(record, argument, place))
            continue
        try:
            settled[name] = argument.kind.convert(given[name].value if name in given else argument.default)
        except ArgumentError as error:
            findings.append(_refused(record, argument, given[name], error))
    if findings:
        raise DiagnosticError(*findings)
    return settled


def _refused(record: RecipeRecord, argument: Argument, given: Written, error: ArgumentError) -> Diagnostic:
    fixes = repairs_of_value(argument, given.value, given.expression)
    help = fixes[0].title if fixes else None
    message = f"{record.name}: {argument.name} {error}"
    return Diagnostic("E0403", message, given.expression.span, help=help, fixes=fixes)


def _sort(record: RecipeRecord, written: Sequence[Written]) -> tuple[dict[str, Written], list[Diagnostic]]:
    """Return written arguments by name, and what is wrong with their names."""
    known = {argument.name for argument in record.arguments}
    order = iter(argument.name for argument in record.arguments)
    given: dict[str, Written] = {}
    findings: list[Diagnostic] = []
    for item in written:
        name = item.name or next(order, None)
        if name is None or name not in known:
            findings.append(_no_such_argument(record, name, item.span))
        elif name in given:
            first = Label(given[name].span, "first here")
            findings.append(Diagnostic("E0402", f"{record.name}: {name} is given twice", item.span, labels=(first,)))
        else:
            given[name] = item
    return given, findings


def _no_such_argument(record: RecipeRecord, name: str | None, span: Span) -> Diagnostic:
    names = [argument.name for argument in record.arguments]
    if name is None:
        message = f"{record.name} takes {len(names)} arguments" if names else f"{record.name} takes no arguments"
    else:
        message = f"{record.name} has no argument {name}"
    notes = (f"its arguments: {', '.join(argument.signature for argument in record.arguments)}",) if names else ()
    if name is None:
        return Diagnostic("E0402", message, span, notes=notes)
    fixes = renaming(name, names, span)
    return Diagnostic("E0402", message, span, notes=notes, help=suggestion(name, names), fixes=fixes)


def _missing_argument(record: RecipeRecord, argument: Argument, place: Span) -> Diagnostic:
    return Diagnostic(
        "E0404",
        f"{record.name} needs {argument.name}",
        place,
        notes=(f"{argument.name}: {argument.summary}",),
        help=f"write {record.name}({argument.name} = …); it must be {argument.kind.describe()}",
    )


def _shown(argument: Argument, value: Any) -> str:
    """Return a settled value as a recipe writes it: the plain names of a kind without quotes."""
    plain = isinstance(value, str) and value in getattr(argument.kind, "choices", ())
    return value if plain else format_value(value)


def _is_default(argument: Argument, value: Any) -> bool:
    return not argument.required and bool(argument.kind.convert(argument.default) == value)
