"""Findings as SARIF 2.1.0, the format in which code hosts and editors take the results of checkers.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html is the standard. The rules' texts come from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from striate_dsl.diagnostics import Diagnostic, Fix, Label, Severity
from striate_dsl.source import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is known of a code: its title, why it is an error, and a page with example and repairs in Markdown."""

    code: str
    title: str
    why: str
    page: str


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and the file that was checked when it was found; that one is its place if it has no other."""

    file: str
    diagnostic: Diagnostic


def to_sarif(findings: Iterable[Found], rules: Mapping[str, Rule], version: str, root: Path) -> dict[str, Any]:
    """Return findings as a SARIF log with one run.

    Args:
        findings: the findings, in order.
        rules: what is known of their codes; a code that is missing gets a rule without a text.
        version: the version of striate.
        root: the folder that file names are relative to; files below it get relative URIs.
    """
    items = list(findings)
    codes = sorted({item.diagnostic.code for item in items})
    driver = {
        "name": "striate",
        "version": version,
        "rules": [_rule(code, rules.get(code)) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True}],
        "results": [_result(item, codes.index(item.diagnostic.code), root) for item in items],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, rule: Rule | None) -> dict[str, Any]:
    level = Severity.ERROR if code.startswith("E") else Severity.WARNING
    entry: dict[str, Any] = {"id": code, "defaultConfiguration": {"level": str(level)}}
    if rule is not None:
        entry["shortDescription"] = {"text": f"{rule.title}."}
        entry["fullDescription"] = {"text": rule.why}
        entry["help"] = {"text": rule.page, "markdown": rule.page}
    return entry


def _result(item: Found, index: int, root: Path) -> dict[str, Any]:
    found = item.diagnostic
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": index,
        "level": str(found.severity),
        "message": {"text": _message(found)},
        "locations": [{"physicalLocation": _place(found.span, item.file, root)}],
    }
    if found.labels:
        result["relatedLocations"] = [_related(label, number, root) for number, label in enumerate(found.labels)]
    if found.fixes:
        result["fixes"] = [_fix(fix, root) for fix in found.fixes]
    return result


def _message(found: Diagnostic) -> str:
    advice = [f"help: {found.help}"] if found.help else []
    return "\n".join([found.message, *found.notes, *advice])


def _place(span: Span | None, file: str, root: Path) -> dict[str, Any]:
    if span is None:
        return {"artifactLocation": {"uri": file_uri(file, root)}}
    return {"artifactLocation": {"uri": file_uri(span.file, root)}, "region": _region(span)}


def _region(span: Span) -> dict[str, int]:
    """Return a place as SARIF counts: lines and columns from 1, the end exclusive, columns in code points."""
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _related(label: Label, number: int, root: Path) -> dict[str, Any]:
    place = _place(label.span, label.span.file, root)
    return {"id": number, "physicalLocation": place, "message": {"text": label.text}}


def _fix(fix: Fix, root: Path) -> dict[str, Any]:
    """Return a repair; the edits of one file stay together. Its grade says whether it may be applied unasked."""
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        replacement = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}
        changes.setdefault(file_uri(edit.span.file, root), []).append(replacement)
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {"artifactLocation": {"uri": uri}, "replacements": edits} for uri, edits in changes.items()
        ],
        "properties": {"grade": fix.grade},
    }


def file_uri(name: str, root: Path) -> str:
    """Return the URI of a file: relative to the root where the file lies below it, else absolute."""
    path = Path(name)
    if path.is_absolute():
        if not path.is_relative_to(root):
            return path.as_uri()
        path = path.relative_to(root)
    return quote(path.as_posix())
