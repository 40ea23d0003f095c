"""The names that `import striate_dsl` offers."""

from __future__ import annotations

import striate_dsl

PUBLIC = """
Diagnostic DiagnosticError Diagnostics Edit Fix Label ParseResult Severity Source Span nearest parse read_source
render_text to_json
"""


def test_public_names_are_these_and_work_together(tmp_path):
    assert striate_dsl.__all__ == sorted(striate_dsl.__all__) == PUBLIC.split()
    path = tmp_path / "a.cnn"
    path.write_text("model A { conv(3 4) }", encoding="utf-8")
    findings = striate_dsl.parse(striate_dsl.read_source(path)).diagnostics
    assert "1 error" in striate_dsl.render_text(findings)
    assert striate_dsl.to_json(findings)[0]["code"] == "E0108"
