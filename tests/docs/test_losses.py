"""The page of losses: its files check, every loss of recipes is in its table, its Python runs."""

from __future__ import annotations

import re

import pytest
import torch

from striate.checking import check_source
from striate.host.validation import checked
from striate.plugin import LossRecord
from striate_dsl.source import Source
from striate_plugins.losses import LOSSES


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "losses.md").read_text(encoding="utf-8")


def test_its_files_check(page):
    files = re.findall(r"```cnn (\S+)\n(.*?)```", page, re.DOTALL)
    assert len(files) == 3
    for name, text in files:
        assert [item.message for item in check_source(Source(name, text)).diagnostics] == [], name


def test_its_table_has_losses_that_recipes_can_name(page):
    table = page.partition("## Which one")[2].partition("\n\nLosses")[0]
    named = set(re.findall(r"`(\w+)`", table)) - {"softmax", "log_softmax"}
    usable = {record.name for record in LOSSES if record.in_recipes}
    assert named <= usable
    assert usable - named == {
        "categorical_cross_entropy", "categorical_cross_entropy_from_probabilities",
        "binary_cross_entropy_from_probabilities",
    }, "which differ from others of the table in what Python may give them"  # fmt: skip


def test_its_python_runs(page):
    code, _ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    boxes = torch.tensor([[0.0, 0, 2, 2], [1.0, 1, 3, 3]])
    given = {
        "predicted": boxes, "true": boxes, "offsets": torch.zeros(1, 2, 4), "scores": torch.zeros(1, 2, 3),
        "anchors": boxes, "true_boxes": [boxes[:1]], "labels": [torch.tensor([1])],
        "network": lambda images: images.square().sum(dim=1), "real": torch.ones(2, 3), "fake": torch.zeros(2, 3),
    }  # fmt: skip
    exec(code, given)
    assert [tuple(weight.shape) for weight in given["faces"].parameters()] == [(1000, 64)]


def test_its_record_is_sound(page):
    _, code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    given: dict[str, LossRecord] = {}
    exec(code, given)
    assert checked(given["BRIER"], LossRecord, "striate_losses") is given["BRIER"]
