"""The options that all benchmarks have."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from measure import RUNS


@dataclass(frozen=True, slots=True)
class Choices:
    """How often to measure, and whether to keep the results."""

    runs: int
    save: bool
    quick: bool


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add `--runs`, `--save` and `--quick`."""
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help="measured runs of each command")
    parser.add_argument("--save", action="store_true", help="write results/<date>-<name>.md and .json")
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes: for trying the scripts")


def parse(description: str) -> Choices:
    """Parse the command line of one benchmark."""
    parser = argparse.ArgumentParser(description=description)
    add_options(parser)
    return choices(parser.parse_args())


def choices(given: argparse.Namespace) -> Choices:
    """Return parsed options."""
    if given.runs < 1:
        raise SystemExit("--runs must be at least 1")
    return Choices(given.runs, given.save, given.quick)
