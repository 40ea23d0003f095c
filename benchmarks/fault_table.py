"""Faulty networks put to striate and its peers, and their answers scored by the same rules: benchmarks/faults."""

from __future__ import annotations

import tempfile
from pathlib import Path

from arguments import Choices, parse
from faults.cases import CASES, ENDINGS, Case
from faults.score import score
from faults.tools import ask, available
from report import Report, Row, start

FIELDS = ("detected", "before_running", "line", "column", "cause", "both_values", "repair")
_RULES = (
    "Every file differs from a valid network in the fault alone (benchmarks/faults/cases.py). detected: the exit code "
    "is not 0. before_running: it is so before anything is computed, for torch before a forward pass on the meta "
    "device, and the fault is named. line, column: those of the faulty token are told, by numbers or by a mark beneath "
    "the quoted line. cause: the words of the fault are in the message. both_values: all numbers that are in conflict "
    "are. repair: a name or a value is proposed that works. The rules are regular expressions, the same for all tools "
    "(cases.py, score.py); a case that a tool cannot express does not count against it.",
)


def run(choices: Choices) -> None:
    """Ask all tools about all cases, print, and save if asked to."""
    report = start("faults", "Faulty networks: what is found, where, and what is proposed")
    tools = available()
    rows = {tool: _rows(tool, 1 if choices.quick else choices.runs) for tool in tools}
    faulty = {tool: [row for row in found if row["faults"]] for tool, found in rows.items()}
    report.add("In one line", [_summary(tool, rows[tool]) for tool in tools], *_RULES)
    fine = {tool: [row for row in found if not row["faults"]] for tool, found in rows.items()}
    report.add(
        "Found before running, for the right reason",
        [_matrix(case, faulty, "before_running") for case in CASES if case.faults],
    )
    report.add("Repair proposed", [_matrix(case, faulty, "repair") for case in CASES if case.faults])
    report.add("Accepted: networks that are fine", [_matrix(c, fine, "accepted") for c in CASES if not c.faults])
    for tool in tools:
        report.add(f"{tool} {tools[tool]}", [{k: v for k, v in row.items() if k != "faults"} for row in faulty[tool]])
    _missing(report, tools)
    report.finish(save=choices.save)


def _rows(tool: str, runs: int) -> list[Row]:
    """Return a row per case that the tool can express; networks that are fine have the exit code alone."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            written = case.text(tool)
            if written is None:
                continue
            text, places = written
            answer = ask(tool, text, Path(folder), runs)
            name = f"faulty.{ENDINGS[tool]}"
            row: Row = {"case": case.name, "fault": case.title, "faults": len(case.faults)}
            fine = {"accepted": "yes" if answer.code == 0 else "NO"}
            rows.append(row | (score(case, answer, name, text, places).row() if case.faults else fine))
    return rows


def _summary(tool: str, rows: list[Row]) -> Row:
    faulty = [row for row in rows if row["faults"]]
    fine = [row for row in rows if not row["faults"]]
    found: Row = {"tool": tool, "cases": len(faulty)}
    for field in FIELDS:
        asked = [row for row in faulty if row[field] != "-"]
        found[field] = f"{sum(row[field] == 'yes' for row in asked)} of {len(asked)}"
    found["all_at_once"] = " ".join(f"{row['case']}: {row['all_at_once']}" for row in faulty if row["faults"] > 1)
    lines = sorted(int(row["lines"]) for row in faulty)
    found["median_lines"] = lines[len(lines) // 2]
    found["tracebacks"] = sum(row["traceback"] == "yes" for row in faulty)
    seconds = sorted(float(row["seconds"]) for row in faulty)
    found["median_s"] = seconds[len(seconds) // 2]
    found["fine_accepted"] = f"{sum(row['accepted'] == 'yes' for row in fine)} of {len(fine)}"
    return found


def _matrix(case: Case, rows: dict[str, list[Row]], field: str) -> Row:
    found: Row = {"case": case.name, "fault": case.title}
    for tool, own in rows.items():
        found[tool] = next((row[field] for row in own if row["case"] == case.name), "n/e")
    return found


def _missing(report: Report, tools: dict[str, str]) -> None:
    missing = [tool for tool in ENDINGS if tool not in tools]
    notes = [f"Not asked, because not installed here: {', '.join(missing)} (`python benchmarks/peer_tools.py`)."]
    report.add(
        "Not asked",
        [],
        *(notes if missing else ()),
        "Seconds include the start of the process; with other work on the machine they say little.",
        "n/e: the tool cannot express the fault, because it works the value out (a dense layer's inputs) itself.",
        "ultralytics, ludwig: they install a torch of their own with CUDA (6 GB each). neural-dsl 0.2.9: installs, and "
        "its compile command then asks for packages that it does not declare.",
    )


if __name__ == "__main__":
    run(parse(__doc__ or ""))
