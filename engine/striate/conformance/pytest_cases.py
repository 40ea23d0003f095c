"""The kit as tests of pytest: a line in an author's test file makes a test of every check of every record.

Nothing of pytest is imported before a test file asks for it. It is no entry point of pytest's on purpose: that would be
imported in every run of pytest wherever striate is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from striate.conformance.check import Check
from striate.conformance.plugin_checks import plugin_outcomes
from striate.conformance.results import USUAL, Effort, Outcome, Status
from striate.conformance.running import run_check, subjects_of
from striate.conformance.subject import Subject
from striate.conformance.table import checks_of
from striate.host.installed import find_plugins
from striate.host.kinds import PLURAL_OF
from striate.host.loading import PluginFailure, load

Case = tuple[str, Callable[[], Outcome]]
"""What a case is called, `record:check`, and what gives its outcome."""


def plugin_tests(name: str, *, effort: Effort = USUAL, waived: Mapping[str, str] | None = None) -> Callable[..., None]:
    """Return a test function with a case per record and check of an installed plugin.

    A whole test file is then

        from striate.conformance import plugin_tests

        test_conformance = plugin_tests("acme-vision")

    Args:
        name: the plugin's name, as in its entry point.
        effort: how much is tried.
        waived: reasons by `"record:check"`, for checks that a record cannot pass: they are expected to fail, and a
            check that passes after all fails the test, so that no waiver outlives its reason.

    Raises:
        LookupError: no plugin of that name is installed, or it cannot be loaded.
    """
    return _test_of(plugin_cases(name, effort), waived or {})


def plugin_cases(name: str, effort: Effort = USUAL) -> list[Case]:
    """Return the checks of everything that an installed plugin provides, the plugin as a whole first.

    Raises:
        LookupError: no plugin of that name is installed, or it cannot be loaded.
    """
    plugin = next((item for item in find_plugins() if item.name == name), None)
    if plugin is None:
        raise LookupError(
            f"no plugin {name} is installed here: pip install -e . in its folder, then striate plugins list"
        )
    contribution = load(plugin, effort.seconds)
    if isinstance(contribution, PluginFailure):
        raise LookupError(f"plugin {name} cannot be loaded: {contribution.reason} ({contribution.advice})")
    whole: Case = ("plugin", lambda: _worst(list(plugin_outcomes(plugin, effort))))
    return [whole, *_cases((subject for _, subject in subjects_of(contribution, effort)), effort)]


def record_tests(
    records: Iterable[Any], *, effort: Effort = USUAL, waived: Mapping[str, str] | None = None
) -> Callable[..., None]:
    """Return a test function with a case per check of each of some records, which no plugin needs to provide."""
    subjects = (Subject(record, PLURAL_OF[type(record)], effort.seed, effort.draws) for record in records)
    return _test_of(_cases(subjects, effort), waived or {})


def _cases(subjects: Iterable[Subject], effort: Effort) -> list[Case]:
    return [
        (f"{subject.record.name}:{check.name}", _bound(check, subject, effort))
        for subject in subjects
        for check in checks_of(subject.plural)
    ]


def _test_of(cases: list[Case], waived: Mapping[str, str]) -> Callable[..., None]:
    import pytest  # noqa: PLC0415  # a tool of authors, which nobody else needs to have installed

    unknown = set(waived) - {name for name, _ in cases}
    if unknown:
        raise LookupError(
            f"waived is {sorted(unknown)[0]}, and there is no such case: {cases[0][0]}, {cases[-1][0]}, …"
        )
    marked = [
        pytest.param(case, id=name, marks=pytest.mark.xfail(reason=waived[name], strict=True) if name in waived else ())
        for name, case in cases
    ]

    @pytest.mark.parametrize("case", marked)
    def test(case: Callable[[], Outcome]) -> None:
        outcome = case()
        if outcome.status is Status.NOT_APPLICABLE:
            pytest.skip(outcome.message)
        if outcome.status is Status.FAILED:
            pytest.fail(str(outcome), pytrace=False)

    return test


def _bound(check: Check, subject: Subject, effort: Effort) -> Callable[[], Outcome]:
    return lambda: run_check(check, subject, effort.seconds)


def _worst(outcomes: list[Outcome]) -> Outcome:
    return next((item for item in outcomes if item.status is Status.FAILED), outcomes[0])
