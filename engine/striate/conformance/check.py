"""What a check is: a question to a record, what to do where the answer is no, and the function that answers.

And the checks that every record is held to, whatever its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from striate.conformance.subject import Subject


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a record.

    Attributes:
        name: its stable name.
        question: what must hold, in a sentence.
        repair: what to do where it does not, unless the failure says something closer.
        target: the function that answers, as `"module:function"` within this package: it is imported when it runs.
    """

    name: str
    question: str
    repair: str
    target: str

    def run(self, subject: Subject) -> str | None:
        """Answer the question; return what else there is to say.

        Raises:
            CheckFailedError: what is asked does not hold.
            NotApplicableError: there is nothing to ask.
        """
        module, _, function = self.target.partition(":")
        answer: Callable[[Subject], str | None] = getattr(import_module(f"striate.conformance.{module}"), function)
        return answer(subject)


DOCUMENTATION = Check(
    "documentation",
    "The summary and those of the arguments are sentences.",
    "write a sentence that says what it computes or is for: explain, hover texts and the reference pages show it",
    "schema:documentation",
)
ARGUMENTS = Check(
    "arguments",
    "Arguments have plain names, legal defaults, and refuse by an ArgumentError what they do not take.",
    "choose a kind and a default that fit each other; kinds of your own raise ArgumentError, and nothing else",
    "schema:arguments",
)
FACTORY = Check(
    "factory",
    "What the record names as package.module:function can be imported.",
    "correct the name in Factory(…), and list what the module needs in the distribution's dependencies",
    "schema:factories",
)
COMMON = (DOCUMENTATION, ARGUMENTS, FACTORY)
"""What every record is held to."""
