"""What a tool's answer to a faulty file is worth, by rules: exit code, places, words and numbers in what it printed.

The rules are the same for every tool. A line counts where it is told with the file's name or in the words of a parser
("line 6", "[6:10]", ":6:"); lines of a traceback in other files do not.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from itertools import pairwise

from faults.cases import Case, Fault

SHOWN = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool did with a file: what it printed, its exit code, seconds, and whether the network had been built."""

    output: str
    code: int
    seconds: float
    built: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """One row: everything but `shown`, `lines` and `seconds` is yes or no."""

    detected: str
    before_running: str
    line: str
    column: str
    cause: str
    both_values: str
    repair: str
    all_at_once: str
    lines: int
    traceback: str
    seconds: float

    def row(self) -> dict[str, object]:
        """Return the row as plain values."""
        return {**asdict(self), "seconds": round(self.seconds, 2)}


def score(case: Case, answer: Answer, name: str, text: str, places: list[tuple[int, int]]) -> Score:
    """Return what an answer is worth; with several faults, each of them must be told for a yes.

    Args:
        case: the case.
        answer: what the tool did.
        name: the name of the file that it was given.
        text: the text of the file.
        places: line and column of the faults in it.
    """
    found = answer.code != 0
    lines = told(answer.output, name)
    causes = [bool(re.search(fault.cause, "\n".join(lines))) for fault in case.faults]
    return Score(
        SHOWN[found],
        SHOWN[found and not answer.built and any(causes)],
        SHOWN[found and all(_tells_line(lines, name, line) for line, _ in places)],
        SHOWN[found and all(_tells_column(lines, name, text, *place) for place in places)],
        SHOWN[found and all(causes)],
        _values(case.faults, lines) if found else "no",
        _repairs(case.faults, lines) if found else "no",
        f"{sum(causes) if found else 0} of {len(case.faults)}",
        sum(bool(line.strip()) for line in answer.output.splitlines()),
        SHOWN["Traceback (most recent call last)" in answer.output],
        answer.seconds,
    )


def told(output: str, name: str) -> list[str]:
    """Return the lines of an output without the frames of a traceback that lie in other files."""
    kept: list[str] = []
    foreign = False
    for line in output.splitlines():
        frame = re.match(r'\s*File "([^"]+)", line \d+', line)
        if frame:
            foreign = not frame[1].endswith(name)
        elif not line.startswith("    "):
            foreign = False
        if not foreign:
            kept.append(line)
    return kept


def _tells_line(lines: list[str], name: str, number: int) -> bool:
    own = re.compile(rf'{re.escape(name)}"?[:,]?(?: line)? ?{number}\b')
    parser = re.compile(rf"(?:\bline:? |\[){number}\b")
    return any(own.search(line) or (parser.search(line) and 'File "' not in line) for line in lines)


def _tells_column(lines: list[str], name: str, text: str, number: int, column: int) -> bool:
    """Whether a column is told in numbers, or by a mark beneath the quoted line that covers the token."""
    numbers = re.compile(rf"(?:{number}:{column}\b|line:? {number},? column:? {column}\b)")
    if any(numbers.search(line) for line in lines):
        return True
    quoted = text.splitlines()[number - 1]
    margin = len(quoted) - len(quoted.lstrip())
    for line, below in pairwise(lines):
        mark = re.search(r"[\^~]+", below)
        if mark and line.strip() == quoted.strip() and re.fullmatch(r"[\s^~]+", below):
            shift = margin + 1 - (len(line) - len(line.lstrip()))
            return mark.start() + shift <= column <= mark.end() + shift
    return False


def _values(faults: tuple[Fault, ...], lines: list[str]) -> str:
    wanted = [value for fault in faults for value in fault.values]
    told_text = "\n".join(line for line in lines if not re.match(r'\s*File "', line))
    return SHOWN[all(re.search(value, told_text) for value in wanted)] if wanted else "-"


def _repairs(faults: tuple[Fault, ...], lines: list[str]) -> str:
    wanted = [fault.repair for fault in faults if fault.repair]
    return SHOWN[all(re.search(repair, "\n".join(lines)) for repair in wanted)] if wanted else "-"
