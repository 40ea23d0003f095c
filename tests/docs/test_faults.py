"""The table of faults is what the corpus says."""

from __future__ import annotations


def test_the_page_is_up_to_date(repository):
    from tests.faults.page import GROUPS, page

    written = (repository / "docs" / "faults.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m tests.faults.page"
    assert {path.name for path in (repository / "tests" / "faults").iterdir() if path.is_dir()} - {
        "__pycache__"
    } == set(GROUPS)
