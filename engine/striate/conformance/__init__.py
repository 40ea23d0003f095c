"""The conformance kit: whether what a plugin provides does what its records say, by numbers.

`striate plugins check NAME` runs it; an author's own tests are one line:

    from striate.conformance import plugin_tests

    test_conformance = plugin_tests("acme-vision")

Every record is held to the checks of its kind (`table.py`); a check asks one question, and says for what the answer is
no, on the smallest example found, and what to do. Records that are no plugin's yet are checked by `record_tests`.

The names below are imported when they are first used: importing this package imports neither torch nor onnx.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.conformance.plugin_checks import check_plugin
    from striate.conformance.pytest_cases import plugin_tests, record_tests
    from striate.conformance.results import Effort, Outcome, ScoreCard, Status
    from striate.conformance.running import check_record

__all__ = ["Effort", "Outcome", "ScoreCard", "Status", "check_plugin", "check_record", "plugin_tests", "record_tests"]

_HOMES = {
    "Effort": "results",
    "Outcome": "results",
    "ScoreCard": "results",
    "Status": "results",
    "check_plugin": "plugin_checks",
    "check_record": "running",
    "plugin_tests": "pytest_cases",
    "record_tests": "pytest_cases",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'striate.conformance' has no attribute {name!r}")
    return getattr(import_module(f"striate.conformance.{_HOMES[name]}"), name)
