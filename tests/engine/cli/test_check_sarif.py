"""`striate check --format sarif`: one run over all files, with the rules of the catalogue."""

from __future__ import annotations

import json

from striate.codes import catalogue
from striate.version import __version__
from tests.dsl.test_sarif import validate_log


def test_a_fine_file_gives_an_empty_run(run, net):
    result = run("check", "net.cnn", "--format", "sarif")
    assert (result.code, result.err) == (0, "")
    log = json.loads(result.out)
    validate_log(log)
    assert log["runs"][0]["results"] == []


def test_findings_of_several_files_are_one_run(run, net, tmp_path):
    (tmp_path / "blocks.cnn").write_text("block Unit { covn(3, 1) }\n")
    (tmp_path / "bad.cnn").write_text(net.read_text().replace("conv(4, 3)", "conv(4, 11) -> Unit"))
    (tmp_path / "bad.cnn").write_text('use "blocks.cnn"\n' + (tmp_path / "bad.cnn").read_text())
    result = run("check", tmp_path / "bad.cnn", "lost.cnn", "net.cnn", "--format", "sarif")
    assert result.code == 1
    log = json.loads(result.out)
    validate_log(log)
    (only,) = log["runs"]
    assert only["tool"]["driver"]["version"] == __version__
    places = [
        (item["ruleId"], item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for item in only["results"]
    ]
    assert places == [("E0202", "bad.cnn"), ("E0301", "blocks.cnn"), ("E0131", "lost.cnn")]
    for rule in only["tool"]["driver"]["rules"]:
        page = catalogue()[rule["id"]]
        assert rule["shortDescription"]["text"] == f"{page.title}."
        assert rule["help"]["markdown"] == page.text


def test_every_computed_fix_is_in_the_log(run, net):
    net.write_text(net.read_text().replace("conv(4, 3)", "conv(4 3)"))
    log = json.loads(run("check", "net.cnn", "--format", "sarif").out)
    validate_log(log)
    (fix,) = log["runs"][0]["results"][0]["fixes"]
    assert fix["artifactChanges"][0]["artifactLocation"]["uri"] == "net.cnn"
    assert fix["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] == ","
