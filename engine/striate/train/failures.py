"""What the user is told where a part of a recipe cannot do its work: which part, whose it is, and what it said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from striate.host.identity import FIRST_PARTY
from striate.host.installed import Plugin, find_plugins
from striate.host.kinds import KIND_OF
from striate.host.provided import broken_terms, failure
from striate.train.parts import Part
from striate_dsl.diagnostics import Diagnostic, DiagnosticError


@contextmanager
def blamed(part: Part[Any], doing: str, help_text: str | None = None) -> Iterator[None]:
    """Turn whatever a plugin's code raises into a finding at the place where the recipe names the part.

    Args:
        part: the part whose code runs inside.
        doing: what it cannot do where it refuses, e.g. `start conv1.weight`.
        help_text: what to do then.

    Raises:
        DiagnosticError: E0507, the code raised a `ValueError`, whose message is meant for the user; E0720, it raised
            something else.
        ModuleNotFoundError: a package that an extra of striate's brings is not installed (`needs_training_packages`).
    """
    try:
        yield
    except DiagnosticError:
        raise
    except ValueError as error:
        message = f"{part.record.name} cannot {doing}: {_first_line(error)}"
        raise DiagnosticError(Diagnostic("E0507", message, part.span, help=help_text)) from None
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and part.owner == FIRST_PARTY:
            raise
        raise DiagnosticError(replace(failure(_called(part), _plugin(part), error), span=part.span)) from error


def against_terms(part: Part[Any], problem: str) -> DiagnosticError:
    """Return E0721 at the place where the recipe names a part, for a message that goes on from its name."""
    return DiagnosticError(replace(broken_terms(_called(part), problem), span=part.span))


def _called(part: Part[Any]) -> str:
    name = part.record.name.rpartition(".")[2]  # the plugin is named behind it
    return f"the {KIND_OF[type(part.record)].singular} {name} of plugin {part.owner}"


def _plugin(part: Part[Any]) -> Plugin | None:
    return next((item for item in find_plugins() if item.name == part.owner), None)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "it does not say why"
