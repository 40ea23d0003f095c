"""What building the models of one file may take, so that no text of a stranger keeps the machine busy.

Layers are what a network is made of, and there may be many. Everything else that is done for it (rounds of loops, uses
of blocks, statements, long expressions and lists) is counted in steps, of which every layer brings some with it: work
that makes no layers ends early.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from striate_dsl.diagnostics import Diagnostic
from striate_dsl.limits import FINDINGS, LAYERS, STEPS
from striate_dsl.source import Span

STEPS_PER_LAYER = 20
"""Steps that a layer brings with it; one written by hand takes two or three."""

LARGE = 4_000
"""After so many layers (or before so many rounds) the layers to come are counted ahead."""

TOO_MANY_LAYERS = "E0340"
"""The code of the finding about too many layers."""

_CHARACTERS_PER_STEP = 32
_ENTRIES_PER_STEP = 32
MOST_FAULTS = 1_000
"""How often something may be found wrong, the same thing again (in each round of a loop) included."""

MOST_TRIALS = 20_000
"""Layers that are looked at again in search of repairs."""


class LimitError(Exception):
    """A limit has been reached: nothing more is built. Carries the finding that says so, None if there is one."""

    def __init__(self, diagnostic: Diagnostic | None) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message if diagnostic else "too many findings")


class Budget:
    """What is left of the limits for the models of one file.

    `forecast` counts layers ahead, once there are many. `spent` is set where a limit was reached: no further model is
    built then.
    """

    def __init__(self, layers: int | None = None) -> None:
        """Take the number of layers if it is another one than the limit."""
        self.forecast: Callable[[], object] | None = None
        self.most_layers = self.layers = LAYERS.value if layers is None else layers
        self.most_steps = self.steps = STEPS.value
        self.findings = FINDINGS.value
        self.faults = MOST_FAULTS
        self.trials = MOST_TRIALS
        self.spent = False

    @property
    def made(self) -> int:
        """The layers that have been made."""
        return self.most_layers - self.layers

    def layer(self, span: Span) -> None:
        """Count a layer that has been made.

        Raises:
            LimitError: it was one too many, or too many will follow.
        """
        self.layers -= 1
        self.steps += STEPS_PER_LAYER
        if self.made == LARGE:
            self.look_ahead()
        if self.layers < 0:
            raise LimitError(too_many_layers(span))

    def step(self, span: Span, number: int = 1) -> None:
        """Count a step, or several.

        Raises:
            LimitError: that was one too many.
        """
        self.steps -= number
        if self.steps < 0:
            self._refuse(span)

    def text(self, span: Span) -> None:
        """Count an expression that is worked out, by the length of its text."""
        if span.end - span.start >= _CHARACTERS_PER_STEP:
            self.step(span, (span.end - span.start) // _CHARACTERS_PER_STEP)

    def name(self, name: str, span: Span) -> None:
        """Count a name that is made, by its length."""
        if len(name) >= _CHARACTERS_PER_STEP:
            self.step(span, len(name) // _CHARACTERS_PER_STEP)

    def entries(self, number: int, span: Span) -> None:
        """Count entries of lists that are copied, compared or looked through."""
        if number >= _ENTRIES_PER_STEP:
            self.step(span, number // _ENTRIES_PER_STEP)

    def rounds(self, number: int, span: Span) -> None:
        """Look at the rounds of a loop before they are run.

        Raises:
            LimitError: there are more than could be made into layers and steps.
        """
        if number > LARGE:
            self.look_ahead()
        if number > self.steps + STEPS_PER_LAYER * self.layers:
            self._refuse(span)

    def look_ahead(self) -> None:
        """Count the layers that will be made, the first time there are many.

        Raises:
            LimitError: they are too many.
        """
        forecast, self.forecast = self.forecast, None
        if forecast is not None:
            forecast()

    def finding(self, *, told: bool) -> None:
        """Count an error; `told` is False where the same has been found before.

        Raises:
            LimitError: enough have been told, or the same has been found again and again.
        """
        self.findings -= not told
        self.faults -= 1
        if self.findings < 0 or self.faults < 0:
            raise LimitError(None)

    def _refuse(self, span: Span) -> NoReturn:
        self.steps = 0
        raise LimitError(
            Diagnostic(
                "E0320",
                f"building the network takes more than {self.most_steps:,} steps that make no layer",
                span,
                notes=("a step is a round of a loop, the use of a block, a statement, or 32 entries of a list",),
                help=f"is a repeat count too large? {STEPS.advice}",
            )
        )


def too_many_layers(span: Span) -> Diagnostic:
    """Return the finding about a place that makes more layers than the models of a file may have."""
    return Diagnostic(
        TOO_MANY_LAYERS,
        f"there are more than {LAYERS.value:,} layers",
        span,
        notes=("the layers of all models of a file count together",),
        help=f"is a repeat count too large? {LAYERS.advice}",
    )
