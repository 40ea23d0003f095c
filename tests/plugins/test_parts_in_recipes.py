"""Every initialiser, regulariser, augmentation and metric is reached from a `.cnn` file and trains a small network."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch

from striate.host.catalogue import HostCatalogue
from striate.host.records import AugmentationRecord, InitializerRecord, MetricRecord, RegularizerRecord
from striate.lower.torch import Program
from striate.model import load_source
from striate.train.augmenting import Augmenter
from striate.train.batches import loader
from striate.train.evaluation import evaluate
from striate.train.module import TrainingModule
from striate.train.recipe import read_recipe
from striate.train.run_state import RunState
from striate.train.sections import choose_section
from striate.train.starting import start_weights
from striate.train.subject import Subject, assemble, try_out
from striate_dsl.parser import parse
from striate_dsl.source import Source

CATALOGUE = HostCatalogue()

NET = """model Net(classes = 10) {
  input image: 3 x 8 x 8
  conv(6, 3, pad = 1) -> relu -> conv(6, 3, stride = 2, pad = 1) as down
  -> deconv(6, 4, stride = 2, pad = 1) as up -> relu -> global_avgpool -> flatten -> dense(classes)
  output logits
}
train Net {
  data = digits(limit = 100, channels = 3); loss = cross_entropy; optimizer = sgd(lr = 0.05)
  epochs = 1; batch = 16
  §
}
"""

WRITTEN = {
    ("init", "constant"): "constant(0.1)",
    ("init", "bilinear"): 'bilinear(weights = "up.weight")',
    ("regularize", "elastic_net"): "elastic_net(0.001, 0.001)",
    ("regularize", "elastic_net_half"): "elastic_net_half(0.001, 0.001)",
}
"""How those are written that need more than their name."""

RATE = ("l1", "l2", "l2_half", "group_lasso", "orthogonal", "spectral")

KINDS = {
    "init": InitializerRecord,
    "regularize": RegularizerRecord,
    "augment": AugmentationRecord,
    "metrics": MetricRecord,
}

NAMES = [
    (key, name)
    for key, kind in KINDS.items()
    for name, (owner, record) in CATALOGUE.of(kind).items()
    if owner == "striate-plugins" and name != "mean_average_precision"
]


@cache
def model():
    return load_source(Source("net.cnn", NET.replace("§", "")), "Net", {}, CATALOGUE)


def subject(line: str) -> Subject:
    file = parse(Source("net.cnn", NET.replace("§", line))).file
    assert file is not None
    return assemble(model(), read_recipe(file, choose_section(file, "Net"), "Net", CATALOGUE))


@pytest.mark.parametrize(("key", "name"), NAMES, ids=[f"{key}-{name}" for key, name in NAMES])
def test_it_trains(key, name):
    written = WRITTEN.get((key, name), f"{name}(0.001)" if key == "regularize" and name in RATE else name)
    built = subject(f"{key} = [{written}]")
    program = start_weights(Program(built.model.graph, CATALOGUE.lookup), built.recipe)
    try_out(built, program)
    module = TrainingModule(program, built.objective(), built, RunState(), 3)
    optimizer, augment = module.configure_optimizers(), Augmenter(built.recipe.augment, built.recipe.seed)
    before = {name: value.clone() for name, value in program.state_dict().items()}
    for number, batch in enumerate(loader(built.data.train, [list(range(start, start + 16)) for start in (0, 16, 32)])):
        optimizer.zero_grad()
        made = augment(*batch, 0, number)
        loss, added = module.loss_of(made, slice(len(made.images)))
        loss = loss if added is None else loss + added
        assert math.isfinite(float(loss.detach()))
        loss.backward()
        optimizer.step()
    changed = [not torch.equal(value, before[name]) for name, value in program.state_dict().items()]
    assert any(changed)
    assert all(bool(value.isfinite().all()) for value in program.state_dict().values())
    scores = evaluate(built, program, "validation", draw=True)
    assert math.isfinite(scores.loss) and scores.notes == ()
    if key == "metrics":
        assert math.isfinite(scores.metrics[name])
        assert bool(scores.pictures) == (name in {"confusion", "roc", "pr"})


def test_there_are_as_many_as_the_collection_promises():
    counted = {key: sum(one == key for one, _ in NAMES) for key in KINDS}
    assert counted == {"init": 17, "regularize": 11, "augment": 25, "metrics": 13}
