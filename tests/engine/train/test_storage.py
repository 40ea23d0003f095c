"""The state of a run comes back as it was, and is nothing but data."""

from __future__ import annotations

import json
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from striate.runtime.checkpoint import STATE, read_info
from striate.train.storage import StateFile, read_state
from striate_dsl.diagnostics import DiagnosticError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
STATES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=12,
)


def same(left, right) -> bool:
    """Whether two states are equal to the last bit, with types and not-a-number."""
    if type(left) is not type(right):
        return False
    if isinstance(left, torch.Tensor):
        return left.dtype == right.dtype and left.stride() == right.stride() and torch.equal(left, right)
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return repr(left) == repr(right)  # so that not-a-number equals itself and 0.0 is not -0.0


@given(STATES)
def test_plain_values_come_back(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("state") / "resume.safetensors"
    StateFile().save_checkpoint({"value": value}, path)
    assert same(read_state(path), {"value": value})


def test_tensors_come_back_with_their_order_in_memory(tmp_path):
    kernel = torch.randn(8, 4, 3, 3).contiguous(memory_format=torch.channels_last)
    state = {
        "state": {0: {"momentum": kernel, "step": torch.tensor(3.0)}, 1: {"exp": torch.randn(3, dtype=torch.float64)}},
        "same memory twice": [kernel, kernel],
        "part of another": torch.arange(10)[2:5],
        "flags": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
        "groups": [{"lr": 0.1, "betas": (0.9, 0.999), "foreach": None, "params": [0, 1]}],
    }
    path = tmp_path / "resume.safetensors"
    StateFile().save_checkpoint(state, path)
    assert same(read_state(path), state)
    assert same(StateFile().load_checkpoint(path), state)


def test_it_is_tensors_and_json(tmp_path):
    path = tmp_path / "resume.safetensors"
    StateFile().save_checkpoint({"a": [torch.ones(2), 3]}, path)
    with safe_open(path, framework="np") as stored:
        assert list(stored.keys()) == ["0"]
        assert json.loads(stored.metadata()[STATE]) == {"map": [["a", [{"tensor": "0", "channels_last": False}, 3]]]}


def test_what_would_need_code_is_not_stored(tmp_path):
    with pytest.raises(TypeError, match="a object cannot be stored"):
        StateFile().save_checkpoint({"a": object()}, tmp_path / "resume.safetensors")
    assert not (tmp_path / "resume.safetensors").exists()


def spoilt_description(path):
    save_file({"0": torch.ones(2)}, path, {STATE: '{"map": [["a", {"tensor": "7", "channels_last": false}]]}'})


def weights_only(path):
    save_file({"0": torch.ones(2)}, path)


def a_pickle(path):
    path.write_bytes(pickle.dumps({"epoch": 3}))


def half_of_it(path):
    StateFile().save_checkpoint({"a": torch.ones(200)}, path)
    path.write_bytes(path.read_bytes()[:500])


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (spoilt_description, "E0503", "damaged"),
        (weights_only, "E0502", "is not the state of a training run"),
        (a_pickle, "E0502", "a Python pickle"),
        (half_of_it, "E0503", "damaged or not complete"),
    ],
)
def test_other_files(tmp_path, make, code, words):
    path = tmp_path / "resume.safetensors"
    make(path)
    with pytest.raises(DiagnosticError) as caught:
        read_state(path)
    (finding,) = caught.value.diagnostics
    assert (finding.code, words in finding.message) == (code, True), finding.message


def test_a_state_is_no_set_of_weights(tmp_path):
    path = tmp_path / "resume.safetensors"
    StateFile().save_checkpoint({}, path)
    with pytest.raises(DiagnosticError, match="is the state of a training run, not a set of weights") as caught:
        read_info(path)
    assert "best.safetensors" in (caught.value.diagnostics[0].help or "")


def test_it_can_be_removed(tmp_path):
    path = tmp_path / "resume.safetensors"
    StateFile().save_checkpoint({}, path)
    StateFile().remove_checkpoint(path)
    assert not path.exists()
