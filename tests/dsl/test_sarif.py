"""SARIF 2.1.0: the structure that its schema demands, and places, fixes and URIs as they are.

The tables are from the standard's schema: for every object that is written the properties it may have (the schema
allows no others, but for property bags) and those it must have.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from striate_dsl.diagnostics import Diagnostic, Edit, Fix, Label, Severity
from striate_dsl.sarif import Found, Rule, file_uri, to_sarif
from striate_dsl.source import Source, Span

ROOT = Path("/home/me")
TEXT = "model Net {\n  c\u00f6nv(64 3) \U0001f600\n}\n"
LEVELS = {"none", "note", "warning", "error"}
PROPERTIES = {
    "sarifLog": ({"$schema", "version", "runs", "inlineExternalProperties"}, {"version", "runs"}),
    "run": ({"tool", "results", "columnKind", "invocations", "artifacts", "originalUriBaseIds"}, {"tool"}),
    "tool": ({"driver", "extensions"}, {"driver"}),
    "driver": ({"name", "version", "semanticVersion", "informationUri", "rules"}, {"name"}),
    "rule": ({"id", "name", "shortDescription", "fullDescription", "help", "helpUri", "defaultConfiguration"}, {"id"}),
    "multiformat": ({"text", "markdown"}, {"text"}),
    "configuration": ({"enabled", "level", "rank", "parameters"}, set()),
    "invocation": ({"executionSuccessful", "exitCode", "commandLine"}, {"executionSuccessful"}),
    "result": (
        {"ruleId", "ruleIndex", "level", "message", "locations", "relatedLocations", "fixes", "partialFingerprints"},
        {"message"},
    ),
    "message": ({"text", "markdown", "id", "arguments"}, {"text"}),
    "location": ({"id", "physicalLocation", "message"}, set()),
    "physicalLocation": ({"artifactLocation", "region", "contextRegion"}, {"artifactLocation"}),
    "artifactLocation": ({"uri", "uriBaseId", "index"}, {"uri"}),
    "region": ({"startLine", "startColumn", "endLine", "endColumn", "snippet"}, {"startLine"}),
    "fix": ({"description", "artifactChanges", "properties"}, {"artifactChanges"}),
    "artifactChange": ({"artifactLocation", "replacements"}, {"artifactLocation", "replacements"}),
    "replacement": ({"deletedRegion", "insertedContent"}, {"deletedRegion"}),
    "artifactContent": ({"text", "binary", "rendered"}, set()),
}
PARTS = {
    ("sarifLog", "runs"): "run",
    ("run", "tool"): "tool",
    ("run", "results"): "result",
    ("run", "invocations"): "invocation",
    ("tool", "driver"): "driver",
    ("driver", "rules"): "rule",
    ("rule", "shortDescription"): "multiformat",
    ("rule", "fullDescription"): "multiformat",
    ("rule", "help"): "multiformat",
    ("rule", "defaultConfiguration"): "configuration",
    ("result", "message"): "message",
    ("result", "locations"): "location",
    ("result", "relatedLocations"): "location",
    ("result", "fixes"): "fix",
    ("location", "physicalLocation"): "physicalLocation",
    ("location", "message"): "message",
    ("physicalLocation", "artifactLocation"): "artifactLocation",
    ("physicalLocation", "region"): "region",
    ("fix", "description"): "message",
    ("fix", "artifactChanges"): "artifactChange",
    ("artifactChange", "artifactLocation"): "artifactLocation",
    ("artifactChange", "replacements"): "replacement",
    ("replacement", "deletedRegion"): "region",
    ("replacement", "insertedContent"): "artifactContent",
}


def validate(kind, value):
    """Check an object and all objects in it against the tables, and the numbers and URIs in them."""
    assert isinstance(value, dict), kind
    allowed, required = PROPERTIES[kind]
    assert required <= value.keys() <= allowed, (kind, sorted(value))
    for key, part in value.items():
        inner = PARTS.get((kind, key))
        if inner:
            for item in part if isinstance(part, list) else [part]:
                validate(inner, item)
        elif key == "level":
            assert part in LEVELS
        elif key == "uri":
            assert " " not in part and "\\" not in part and part.isascii()
        elif kind == "region":
            assert isinstance(part, int) and part >= 1
    if kind == "region":
        assert (value["startLine"], value["startColumn"]) <= (value["endLine"], value["endColumn"])
    if kind == "artifactChange":
        assert value["replacements"]


def validate_log(log):
    validate("sarifLog", log)
    assert log["version"] == "2.1.0"
    assert urlsplit(log["$schema"]).path.endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def span(start, end, name="nets/a b.cnn"):
    return Span(Source(name, TEXT), start, end)


def finding(**changes):
    start = TEXT.index("3)")
    place = span(start, start + 1)
    fix = Fix("write a comma", (Edit(span(start - 1, start - 1), ","), Edit(span(0, 5, "other.cnn"), "")), "safe")
    given = {"labels": (Label(span(0, 5), "in this model"),), "notes": ("a note",), "help": "do it", "fixes": (fix,)}
    return Found("main.cnn", Diagnostic("E0108", "a comma is missing", place, **{**given, **changes}))


def test_a_log_has_the_structure_that_the_standard_demands():
    rules = {"E0108": Rule("E0108", "Two things", "Because.", "# page")}
    unplaced = Found("lost net.cnn", Diagnostic("E0131", "there is no file"))
    warning = Found("main.cnn", Diagnostic("W0999", "a plugin's own", span(0, 1), severity=Severity.WARNING))
    log = to_sarif([finding(), unplaced, warning, finding(fixes=(), labels=())], rules, "1.2.3", ROOT)
    validate_log(log)
    driver = log["runs"][0]["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("striate", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == ["E0108", "E0131", "W0999"]
    assert driver["rules"][0]["shortDescription"] == {"text": "Two things."}
    assert driver["rules"][0]["fullDescription"] == {"text": "Because."}
    levels = [rule["defaultConfiguration"]["level"] for rule in driver["rules"]]
    assert levels == ["error", "error", "warning"]


def test_a_result_holds_everything_that_the_finding_says():
    (result,) = to_sarif([finding()], {}, "1", ROOT)["runs"][0]["results"]
    assert result["message"]["text"] == "a comma is missing\na note\nhelp: do it"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "nets/a%20b.cnn"
    assert place["region"] == {"startLine": 2, "startColumn": 11, "endLine": 2, "endColumn": 12}
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "in this model"
    assert related["physicalLocation"]["region"]["startLine"] == 1
    (fix,) = result["fixes"]
    assert (fix["description"]["text"], fix["properties"]["grade"]) == ("write a comma", "safe")
    first, second = fix["artifactChanges"]
    assert first["replacements"] == [
        {
            "deletedRegion": {"startLine": 2, "startColumn": 10, "endLine": 2, "endColumn": 10},
            "insertedContent": {"text": ","},
        }
    ]
    assert second["artifactLocation"]["uri"] == "other.cnn"


def test_columns_count_code_points():
    position = TEXT.index("\n}")
    log = to_sarif([Found("m", Diagnostic("E0101", "m", span(position - 1, position)))], {}, "1", ROOT)
    region = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert (region["startColumn"], region["endColumn"]) == (14, 15)
    assert log["runs"][0]["columnKind"] == "unicodeCodePoints"


def test_a_finding_without_a_place_is_about_its_file():
    log = to_sarif([Found("lost net.cnn", Diagnostic("E0131", "m"))], {}, "1", ROOT)
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "lost%20net.cnn"}}


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("net.cnn", "net.cnn"),
        ("./nets/net.cnn", "nets/net.cnn"),
        ("../net.cnn", "../net.cnn"),
        ("/home/me/nets/net.cnn", "nets/net.cnn"),
        ("/elsewhere/a b.cnn", "file:///elsewhere/a%20b.cnn"),
        ("a:b#c?d.cnn", "a%3Ab%23c%3Fd.cnn"),
        ("gr\u00f6\u00dfe.cnn", "gr%C3%B6%C3%9Fe.cnn"),
        ("<--set>", "%3C--set%3E"),
    ],
)
def test_uris(name, uri):
    assert file_uri(name, ROOT) == uri
    assert unquote(uri).endswith(name.removeprefix("./").removeprefix("/home/me/"))


def test_without_findings_there_is_a_run_all_the_same():
    log = to_sarif([], {}, "1", ROOT)
    validate_log(log)
    assert log["runs"][0]["results"] == []
