"""What the user is told where a part of a recipe cannot do its work: which part, whose it is, and what it said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from striate.train.parts import Part
from striate_dsl.diagnostics import Diagnostic, DiagnosticError


@contextmanager
def blamed(part: Part[Any], doing: str, help_text: str | None = None) -> Iterator[None]:
    """Turn whatever a plugin's code raises into a finding at the place where the recipe names the part.

    Args:
        part: the part whose code runs inside.
        doing: what it cannot do if it raises, e.g. `start conv1.weight`.
        help_text: what to do about it.

    Raises:
        DiagnosticError: E0507, the code raised a `ValueError`, whose message is meant for the user, or anything else,
            which is then named with its type and the plugin.
        ModuleNotFoundError: a package is not installed; `needs_training_packages` tells which extra brings it.
    """
    try:
        yield
    except (DiagnosticError, ModuleNotFoundError):
        raise
    except ValueError as error:
        raise refusal(part, f"cannot {doing}: {_first_line(error)}", help_text) from None
    except Exception as error:
        reason = f"{type(error).__name__}: {_first_line(error)}"
        message = f"cannot {doing}, because the plugin {part.owner or 'it is from'} failed: {reason}"
        raise refusal(part, message, help_text or "tell the plugin's author") from None


def refusal(part: Part[Any], message: str, help_text: str | None = None) -> DiagnosticError:
    """Return E0507 at the place where the recipe names a part, for a message that goes on from its name."""
    return DiagnosticError(Diagnostic("E0507", f"{part.record.name} {message}", part.span, help=help_text))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "without a message"
