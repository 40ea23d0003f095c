"""What the page about answers names is there, and its example runs."""

from __future__ import annotations

import re

import numpy as np

from striate.host.catalogue import HostCatalogue
from striate.host.kinds import KIND_OF
from striate.host.work_records import BackendRecord, ExplainerRecord
from striate.model import load_source
from striate.ops.initializers import start_values
from striate.runtime.checkpoint import CheckpointInfo, write_weights
from striate_dsl.source import Source

NET = "model Net { input image: 3 x 32 x 32; conv(4, 3) -> global_avgpool -> flatten -> dense(2); output logits }"


def test_the_page_names_every_back_end_and_explainer_of_striate(repository):
    page = (repository / "docs" / "answers.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    catalogue = HostCatalogue()
    own = {
        name
        for kind in (BackendRecord, ExplainerRecord)
        for name, (owner, _) in catalogue.of(kind).items()
        if owner == "striate-plugins"
    }
    assert named == own | KIND_OF[BackendRecord].reserved


def test_the_example_runs(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (repository / "docs" / "answers.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "net.cnn").write_text(NET)
    graph = load_source(Source("net.cnn", NET)).graph
    arrays = {name: start_values(weight, 0) for name, weight in graph.weights.items()}
    write_weights(tmp_path / "best.safetensors", arrays, CheckpointInfo("Net", text=NET))
    names: dict[str, object] = {}
    exec(compile(example, "answers.md", "exec"), names)
    assert np.allclose(
        names["scores"],
        load_source(Source("net.cnn", NET)).runner(weights="best.safetensors")(
            {"image": np.zeros((1, 3, 32, 32), "float32")}
        )["logits"],
        atol=1e-6,
    )
