"""Every optimizer, wrapper, schedule and average from a recipe: a run that died goes on to the same bytes."""

from __future__ import annotations

import math

import pytest

from striate.train.fit import train
from striate.train.run_folder import RunFolder
from striate.train.subject import assemble
from striate_plugins.averages import AVERAGES
from striate_plugins.optimizers import OPTIMIZERS
from striate_plugins.schedules import SCHEDULES
from striate_plugins.wrappers import WRAPPERS
from tests.engine.train.networks import TINY, load_with_recipe
from tests.engine.train.test_fit import DiedError, Doing, die

_REQUIRED = {"lr": "0.01", "every": "1", "at": "[0.5, 1]", "first": "0.7"}


def written(record) -> str:
    """Return a record as a recipe writes it, with the arguments that must be written."""
    required = [f"{item.name} = {_REQUIRED[item.name]}" for item in record.arguments if item.required]
    return f"{record.name}({', '.join(required)})" if required else record.name


SETTINGS = [
    *(pytest.param({"train.optimizer": written(item)}, id=item.name) for item in OPTIMIZERS),
    *(pytest.param({"train.schedule": written(item)}, id=item.name) for item in SCHEDULES),
    *(pytest.param({"train.wrap": written(item)}, id=item.name) for item in WRAPPERS),
    *(pytest.param({"train.average": written(item)}, id=item.name) for item in AVERAGES),
    pytest.param(
        {
            "train.optimizer": "muon(dense = adamw)",
            "train.wrap": "[lookahead(k = 2), sam(adaptive = true)]",
            "train.average": "ema(decay = 0.9, ramp = true)",
            "train.schedule": "plateau(patience = 0, threshold = 0.9)",
            "train.batch": "10",
            "train.accumulate": "3",
            "train.clip_value": "0.1",
            "train.clip_norm": "1",
            "train.no_decay": "biases_and_norms",
            "train.groups": '[group("conv1.*", rate = 0.5, weight_decay = 0.1), group("bn*", rate = 2)]',
        },
        id="all-at-once",
    ),
    pytest.param(
        {
            "train.optimizer": "momentum(lr = 0.01, velocity = steps, weight_decay = 0.1, decay = decoupled)",
            "train.average": "swa(start = 0)",
            "train.schedule": "one_cycle(momenta = (0.8, 0.95))",
            "train.precision": "bfloat16",
        },
        id="swa-and-one-cycle",
    ),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_run_that_died_goes_on_to_the_same_bytes(tmp_path, settings):
    built = assemble(*load_with_recipe(TINY, settings))
    whole = train(built, RunFolder(tmp_path / "whole"))
    assert math.isfinite(whole.test.loss)
    parted = RunFolder(tmp_path / "parted")
    for step in (2, 4):  # in the first epoch, and (two steps after the state) in the second one
        with pytest.raises(DiedError):
            train(built, parted, resume=True, callbacks=(Doing(step, die),), save_interval=0)
    train(built, parted, resume=True)
    for name in ("best.safetensors", "last.safetensors"):
        assert (parted.path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
