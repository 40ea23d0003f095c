"""Every complete example of the language page checks without a finding."""

from __future__ import annotations

import re

from striate.checking import check_source
from striate_dsl.source import Source


def examples(repository):
    text = (repository / "docs" / "language.md").read_text(encoding="utf-8")
    return re.findall(r"```cnn\n(.*?)```", text, re.DOTALL)


def test_every_example_checks(repository):
    found = examples(repository)
    assert len(found) >= 7
    for number, text in enumerate(found):
        checked = check_source(Source(f"example {number}", text))
        assert not checked.diagnostics, [(item.message, item.span) for item in checked.diagnostics]
        assert checked.domains
