"""The kit as a plugin of pytest, for authors who want no test file: every check of every record is an item.

    pytest -p striate.conformance.pytest_plugin --striate-check acme-vision

It is no entry point of pytest's, which would be imported in every run of pytest wherever striate is installed; a
project that always wants it writes `-p striate.conformance.pytest_plugin` into `addopts`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from striate.conformance.pytest_cases import plugin_cases
from striate.conformance.results import Outcome, Status


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--striate-check NAME`."""
    parser.getgroup("striate", "plugins of striate").addoption(
        "--striate-check",
        action="append",
        default=[],
        metavar="NAME",
        help="Check what an installed plugin of striate provides, by the conformance kit; may be given several times.",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add an item for every check of every record of the plugins that are asked for."""
    for name in config.getoption("--striate-check"):
        try:
            cases = plugin_cases(name)
        except LookupError as error:
            raise pytest.UsageError(f"--striate-check: {error}") from None
        items.extend(CheckItem.from_parent(session, name=f"{name}::{case}", run=run) for case, run in cases)


class CheckItem(pytest.Item):
    """One check of one record."""

    def __init__(self, *, run: Callable[[], Outcome], **given: object) -> None:
        super().__init__(**given)  # type: ignore[arg-type]  # pytest's own, handed on as they are
        self._run = run

    def runtest(self) -> None:
        """Run the check."""
        outcome = self._run()
        if outcome.status is Status.NOT_APPLICABLE:
            pytest.skip(outcome.message)
        if outcome.status is Status.FAILED:
            pytest.fail(str(outcome), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return what the report calls the check."""
        return self.path, None, self.name
