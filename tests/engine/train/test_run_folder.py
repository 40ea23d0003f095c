"""Whether a run may begin or go on in a folder."""

from __future__ import annotations

import pytest

from striate.train.run_folder import RunFolder
from striate_dsl.diagnostics import DiagnosticError

NOTHING: tuple[str, ...] = ()
STATE = ("resume.safetensors",)
WEIGHTS = ("best.safetensors", "report.html")


@pytest.mark.parametrize(
    ("files", "resume", "overwrite", "outcome"),
    [
        (NOTHING, False, False, False),
        (NOTHING, True, False, False),
        (NOTHING, False, True, False),
        (("notes.txt",), False, False, False),
        (STATE, True, False, True),
        (STATE, False, True, False),
        (STATE, False, False, "already holds a run"),
        (WEIGHTS, False, False, "already holds a run"),
        (WEIGHTS, True, False, "holds a run without its state"),
        (WEIGHTS, False, True, False),
        (STATE + WEIGHTS, True, False, True),
    ],
)
def test_check(tmp_path, files, resume, overwrite, outcome):
    for name in files:
        (tmp_path / name).write_text("x")
    folder = RunFolder(tmp_path)
    if isinstance(outcome, bool):
        assert folder.check(resume=resume, overwrite=overwrite) is outcome
    else:
        with pytest.raises(DiagnosticError, match=outcome):
            folder.check(resume=resume, overwrite=overwrite)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)


@pytest.mark.parametrize("keep", [True, False])
def test_prepare(tmp_path, keep):
    folder = RunFolder(tmp_path / "a" / "b")
    folder.prepare(keep=True)
    for name in (*STATE, *WEIGHTS, "notes.txt", ".best.safetensors.1-2.part"):
        (folder.path / name).write_text("x")
    folder.prepare(keep=keep)
    left = {path.name for path in folder.path.iterdir()}
    assert left == ({*STATE, *WEIGHTS, "notes.txt"} if keep else {"notes.txt"})
