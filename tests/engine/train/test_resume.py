"""`kill -9` at any moment, also while a file is written: the resumed run ends with the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.train.networks import child_environment


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")
def test_killed_runs_end_with_the_same_weights(tmp_path):
    program = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=500,
        env=child_environment(),
    )
    results = json.loads(done.stdout)
    assert {name: len(digests) for name, digests in results.items()} == {"plain": 11, "averaged": 6, "swa": 6}
    for name, digests in results.items():
        assert len(set(digests.values())) == 1, (name, digests)
    assert len({digests["uninterrupted"] for digests in results.values()}) == 3
    assert not list(tmp_path.rglob("*.part")), "what killed processes left half written is cleared away"
