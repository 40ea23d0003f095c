"""ONNX's own backend tests through the importer: no result may be wrong, and what was read once stays readable.

`benchmarks/results/onnx-backend.md` says which tests pass, and why others are refused.
"""

from __future__ import annotations

import warnings
from collections import Counter

import pytest

from benchmarks.onnx_backend import cases, run_case

PASSED = {"node": 620, "simple": 7, "pytorch-converted": 80, "pytorch-operator": 34}
"""Tests of each kind that pass; newer versions of onnx bring more of them."""


@pytest.mark.parametrize("kind", PASSED)
def test_no_result_is_wrong(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = [run_case(case) for case in cases([kind])]
    assert [(item.name, item.reason) for item in results if item.verdict == "wrong"] == []
    assert Counter(item.verdict for item in results)["passed"] >= PASSED[kind]
