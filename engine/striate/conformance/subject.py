"""What a check is given: a record, and for layers the calls that it is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from striate.conformance.drawing import Drawing, distinct, is_legal, samples_of, smallest
from striate.conformance.layer_call import Configuration, LayerCall, infer
from striate.conformance.results import USUAL, CheckFailedError, NotApplicableError
from striate.host.catalogue import HostCatalogue
from striate.ops.problems import LayerError
from striate.ops.record import OpRecord


@dataclass(frozen=True)
class Subject:
    """A record to be checked.

    Attributes:
        record: the record.
        plural: its kind as manifests call it, e.g. `layers`.
        seed: where everything that is drawn begins.
        draws: how many legal calls or sets of arguments are drawn.
        catalogue: where a check finds what else it needs, e.g. the layers that a file of the plugin uses.
    """

    record: Any
    plural: str
    seed: int = 0
    draws: int = USUAL.draws
    catalogue: HostCatalogue = field(default_factory=HostCatalogue, repr=False, compare=False)

    # ------------------------------------------------------------------------------------------- layers

    @property
    def layer(self) -> OpRecord:
        """The record, which is a layer's."""
        if not isinstance(self.record, OpRecord):
            raise TypeError(f"{self.record.name} is no layer")
        return self.record

    @cached_property
    def samples(self) -> list[Configuration]:
        """The samples that the layer says are legal and that its rules take."""
        return [call for call in samples_of(self.layer) if is_legal(call)]

    @cached_property
    def calls(self) -> list[Configuration]:
        """Legal calls: the samples, calls drawn at random, and for each argument one that makes something of it."""
        drawing = Drawing(self.layer, self.seed)
        varied = [drawing.calls_with(item.name) for item in self.layer.arguments if item not in _values(self.layer)]
        found = [*self.samples, *(call for call in varied if call is not None), *drawing.legal_calls(self.draws)]
        return distinct(found)

    @cached_property
    def any_calls(self) -> list[Configuration]:
        """Calls that may be legal or not."""
        drawing = Drawing(self.layer, self.seed + 1)
        return distinct([drawing.any_call() for _ in range(4 * self.draws)])

    def each(
        self, calls: Iterable[Configuration], test: Callable[[LayerCall, Configuration], None], *, most: int = 10_000
    ) -> int:
        """Hold a test against calls and return how many there were; a failure is shown on the smallest call found.

        Args:
            calls: legal calls.
            test: raises `CheckFailedError` for a call on which the layer is wrong.
            most: how many calls are tried at most.

        Raises:
            CheckFailedError: the test fails, or the layer raises something in torch.
            NotApplicableError: there is no call to try.
        """
        number = 0
        for call in calls:
            if number == most:
                break
            number += 1
            failure = _tried(call, test)
            if failure is not None:
                least = smallest(call, lambda other: is_legal(other) and _tried(other, test) is not None)
                shown = _tried(least, test) or failure
                raise CheckFailedError(shown.message, shown.example or str(least), shown.repair)
        if not number:
            raise NotApplicableError("the layer takes none of its samples, and no legal call was found")
        return number


def _values(record: OpRecord) -> tuple[Any, ...]:
    return record.value_arguments


def _tried(call: Configuration, test: Callable[[LayerCall, Configuration], None]) -> CheckFailedError | None:
    """Return how a test fails on a call; an exception of a rule is a failure like another."""
    try:
        test(infer(call.record, call.arguments, call.shapes), call)
    except CheckFailedError as failure:
        return failure
    except NotApplicableError:
        raise
    except LayerError as error:
        return CheckFailedError(f"a rule refuses what the shape rule took: {error}")
    except Exception as error:  # a stranger's rules may raise anything
        return CheckFailedError(f"{type(error).__name__}: {first_line(error)}")
    return None


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says, cut short."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return text if len(text) <= 240 else f"{text[:240]}…"
