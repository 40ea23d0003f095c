"""The `train` section: what it means, and every way in which it can be wrong."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.host.catalogue import HostCatalogue
from striate.host.installed import GROUP
from striate.host.records import Factory, LossRecord, OptimizerRecord
from striate.ops.arguments import Argument, Real
from striate.train.recipe import KEYS, check_recipes, read_recipe
from striate.train.sections import train_sections
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.engine.stand_ins import Entry, load_plugins, providing
from tests.engine.train.networks import TINY, child_environment, load_with_recipe

CATALOGUE = HostCatalogue()
WHOLE = "data = digits()\nloss = cross_entropy\noptimizer = sgd(lr = 0.1)\nepochs = 3\n"


def read(body: str):
    file = parse(Source("net.cnn", f"train Net {{\n{body}\n}}\n")).file
    assert file is not None
    return read_recipe(file, train_sections(file)[0], "Net", CATALOGUE)


def mistakes(body: str):
    with pytest.raises(DiagnosticError) as caught:
        read(body)
    return caught.value.diagnostics


def test_the_settings_of_a_recipe():
    _, recipe = load_with_recipe()
    assert recipe.settings() == {
        "data": "digits(limit = 120)",
        "loss": "cross_entropy",
        "optimizer": "adam(lr = 0.01)",
        "schedule": "cosine(warmup = 1.0)",
        "metrics": "[accuracy]",
        "epochs": "2",
        "batch": "32",
        "seed": "5",
        "precision": "float32",
    }
    assert recipe.optimizer.arguments == {
        "lr": 0.01,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "decay": "coupled",
    }
    assert recipe.optimizer.owner == "striate-plugins"


def test_defaults():
    recipe = read(WHOLE)
    assert (recipe.batch, recipe.seed, recipe.patience, recipe.clip_norm, recipe.size) == (32, 0, None, None, None)
    assert (recipe.schedule, recipe.metrics, recipe.precision, recipe.name) == (None, (), "float32", "default")
    assert (recipe.wrap, recipe.average, recipe.groups, recipe.no_decay) == ((), None, (), None)
    assert (recipe.clip_value, recipe.accumulate, recipe.step_images) == (None, None, 32)


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        read(WHOLE).epochs = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("line", "attribute", "value"),
    [
        ("patience = 5", "patience", 5),
        ("patience = none", "patience", None),
        ("clip_norm = 1", "clip_norm", 1.0),
        ("clip_value = 0.5", "clip_value", 0.5),
        ("accumulate = 4", "step_images", 128),
        ("no_decay = biases_and_norms", "no_decay", "biases_and_norms"),
        ("precision = bfloat16", "precision", "bfloat16"),
        ("size = 64", "size", (64, 64)),
        ("size = (64, 96)", "size", (64, 96)),
        ("batch = 2 * 64", "batch", 128),
    ],
)
def test_settings_of_their_own(line, attribute, value):
    assert getattr(read(WHOLE + line), attribute) == value


@pytest.mark.parametrize(
    ("line", "key", "text"),
    [
        ("wrap = sam", "wrap", "[sam]"),
        ("optimizer.velocity = steps", "optimizer", "sgd(lr = 0.1, velocity = steps)"),
        ("wrap = [sam(rho = 0.1), lookahead]", "wrap", "[sam(rho = 0.1), lookahead]"),
        ("average = ema(0.99)", "average", "ema(decay = 0.99)"),
        ("average = swa", "average", "swa"),
        ("average = swa; average.start = 0.5", "average", "swa(start = 0.5)"),
        ('groups = group("*.bias", rate = 2)', "groups", '[group("*.bias", rate = 2.0)]'),
        (
            'groups = [group("a.*"), group("b", 0.1, weight_decay = 0)]',
            "groups",
            '[group("a.*"), group("b", rate = 0.1, weight_decay = 0.0)]',
        ),
        ("accumulate = 4", "accumulate", "4"),
    ],
)
def test_what_is_around_the_optimizer(line, key, text):
    assert read(WHOLE + line).settings()[key] == text


@pytest.mark.parametrize(
    ("line", "code", "words", "marked"),
    [
        ("wrap = som", "E0405", "there is no wrapper of optimizers som", "som"),
        ("average = eam", "E0405", "there is no average of weights eam", "eam"),
        ("wrap = [sam, sam(roh = 1)]", "E0402", "sam has no argument roh", "roh"),
        ("wrap.rho = 1", "E0402", "a recipe has no setting wrap.rho", "wrap.rho"),
        ("groups = 3", "E0403", "each of these must be group(weights, rate = 1.0, weight_decay = none)", "3"),
        ('groups = ["a.*"]', "E0403", "each of these must be group(", '"a.*"'),
        ("groups = [sgd(lr = 1)]", "E0403", "each of these must be group(", "sgd(lr = 1)"),
        ("groups = [group(3)]", "E0403", "group: weights must be a text for names of weights", "3"),
        ('groups = [group("a", ratte = 3)]', "E0402", "group has no argument ratte", "ratte"),
        ("groups = [group(rate = 3)]", "E0404", "group needs weights", "group"),
        ('groups = [group("a", rate = -1)]', "E0403", "group: rate must be a number of at least 0", "-1"),
        ("no_decay = norms", "E0403", "no_decay must be one of biases_and_norms, not norms", "norms"),
        ("accumulate = 0", "E0403", "accumulate must be a whole number of at least 1", "0"),
    ],
)
def test_what_is_wrong_around_the_optimizer(line, code, words, marked):
    (finding,) = mistakes(WHOLE + line)
    assert (finding.code, finding.span.text) == (code, marked)
    assert words in finding.message


def test_weight_decay_of_an_optimizer_that_has_none():
    record = OptimizerRecord("bare", "Nothing but a rate.", Factory("math:sqrt"), (Argument("lr", Real(0), "Rate."),))
    catalogue = HostCatalogue(plugins=load_plugins([Entry("acme", providing(striate_optimizers=[record]))]))
    text = "data = digits()\nloss = x\noptimizer = bare(lr = 1)\nepochs = 3\nno_decay = biases_and_norms\n"
    file = parse(
        Source("net.cnn", f'train Net {{\n{text}groups = [group("a", weight_decay = 1), group("b")]\n}}\n')
    ).file
    assert file is not None
    with pytest.raises(DiagnosticError) as caught:
        read_recipe(file, train_sections(file)[0], "Net", catalogue)
    marked = [item.span.text for item in caught.value.diagnostics if item.message.endswith("bare has no weight decay")]
    assert marked == ['group("a", weight_decay = 1)', "no_decay"]


@pytest.mark.parametrize(
    ("line", "lr", "momentum"),
    [
        ("optimizer.lr = 0.2", 0.2, 0.0),
        ("optimizer.momentum = 0.9", 0.1, 0.9),
        ("optimizer { lr = 0.3; momentum = 0.5 }", 0.3, 0.5),
    ],
)
def test_arguments_set_apart_win(line, lr, momentum):
    arguments = read(WHOLE + line).optimizer.arguments
    assert (arguments["lr"], arguments["momentum"]) == (lr, momentum)


def test_an_override_of_a_whole_part_forgets_what_was_set_apart():
    text = TINY.replace("epochs = 2", "epochs = 2\n  optimizer.eps = 0.1")
    assert load_with_recipe(text)[1].optimizer.arguments["eps"] == 0.1
    changed = load_with_recipe(text, {"train.optimizer": "adam(lr = 1)"})[1].optimizer.arguments
    assert (changed["lr"], changed["eps"]) == (1.0, 1e-8)
    both = load_with_recipe(text, {"train.optimizer": "adam", "train.optimizer.lr": "3"})[1].optimizer.arguments
    assert both["lr"] == 3.0


@pytest.mark.parametrize(
    ("body", "code", "words", "marked", "help_text"),
    [
        (WHOLE + "epcohs = 3", "E0402", "a recipe has no setting epcohs", "epcohs", "did you mean epochs?"),
        (WHOLE + "epochs.x = 3", "E0402", "a recipe has no setting epochs.x", "epochs.x", None),
        (WHOLE + "schedule.warmup = 3", "E0402", "no setting schedule.warmup", "schedule.warmup", None),
        (WHOLE + "metrics.top = 3", "E0402", "no setting metrics.top", "metrics.top", None),
        (WHOLE + "batch = 0", "E0403", "batch must be a whole number of at least 1, not 0", "0", None),
        (WHOLE + "batch = 1.5", "E0403", "not 1.5", "1.5", None),
        (WHOLE + "batch = true", "E0403", "not true", "true", None),
        (WHOLE + "seed = -1", "E0403", "seed must be a whole number of at least 0, not -1", "-1", None),
        (WHOLE + "precision = float8", "E0403", "one of float32, bfloat16", "float8", None),
        (WHOLE + "clip_norm = 0", "E0403", "clip_norm must be", "0", None),
        (WHOLE + "metrics = accuracy(top = 0)", "E0403", "accuracy: top must be", "0", None),
        (WHOLE + "metrics = [accuracy, 3]", "E0403", "metric must be a name", "3", None),
        (WHOLE + 'schedule = "cosine"', "E0403", "schedule must be a name", '"cosine"', "without quotes: schedule ="),
        (WHOLE + "schedule = cosin", "E0405", "there is no schedule cosin", "cosin", "did you mean cosine?"),
        (
            WHOLE + "init = kaiming_normal",
            "E0405",
            "no initialiser kaiming_normal",
            "kaiming_normal",
            "mean he_normal?",
        ),
        (WHOLE + "augment = [hflip, RandomCrop]", "E0405", "augmentation RandomCrop", "RandomCrop", "mean crop?"),
        (WHOLE + "regularize = l1_l2(1, 1)", "E0405", "no regulariser l1_l2", "l1_l2", "did you mean elastic_net?"),
        (WHOLE + "metrics = [auroc]", "E0405", "there is no metric auroc", "auroc", "did you mean roc?"),
        (WHOLE + "augment.p = 1", "E0402", "no setting augment.p", "augment.p", None),
        (
            WHOLE + "init = zeros(weights = kernel)",
            "E0403",
            "zeros: weights must be kernels, biases, all",
            "kernel",
            None,
        ),
        (WHOLE + "augment = resized_crop((1, 0.5))", "E0403", "must be a pair (low, high)", "(1, 0.5)", None),
        (WHOLE + "schedule = cosine(wramup = 1)", "E0402", "cosine has no argument wramup", "wramup", "warmup?"),
        (WHOLE + "schedule = cosine(1, 0, 2)", "E0402", "cosine takes 2 arguments", "2", None),
        (WHOLE + "schedule = cosine(1, warmup = 2)", "E0402", "warmup is given twice", "warmup", None),
        (WHOLE + "schedule = step", "E0404", "step needs every", "step", "whole number of at least 1"),
        (WHOLE + "epochs = 4", "E0401", "epochs is set twice", "epochs", None),
    ],
)
def test_mistakes(body, code, words, marked, help_text):
    findings = mistakes(body)
    assert len(findings) == 1, [item.message for item in findings]
    assert findings[0].code == code
    assert words in findings[0].message
    assert findings[0].span.text == marked
    assert help_text is None or help_text in (findings[0].help or "")


def test_what_is_missing():
    findings = mistakes("")
    assert [(item.code, item.message) for item in findings] == [
        ("E0404", f"the recipe does not say its {key}") for key in ("data", "loss", "optimizer", "epochs")
    ]
    assert {item.span.text for item in findings} == {"Net"}
    assert findings[1].help == "for example loss = cross_entropy"


def test_all_mistakes_are_found_at_once():
    body = "data = digit()\nloss = cross_entropy(3)\noptimizer = sgd\nepochs = 0\nx = 1"
    assert sorted(item.code for item in mistakes(body)) == ["E0402", "E0403", "E0403", "E0404", "E0405"]


def test_a_broken_plugin_is_named_where_a_name_is_missing(monkeypatch):
    from striate.host.loading import PluginFailure

    catalogue = HostCatalogue()
    catalogue.plugins.failures.append(PluginFailure("other", "ImportError: no module named foo"))
    file = parse(Source("net.cnn", f"train Net {{\n{WHOLE}metrics = [fid]\n}}\n")).file
    assert file is not None
    (finding,) = check_recipes(file, catalogue)
    assert "plugin other, which may provide it, cannot be loaded: ImportError: no module named foo" in finding.notes


def test_a_name_that_two_plugins_provide(monkeypatch):
    record = CATALOGUE.find(LossRecord, "cross_entropy")
    other = Entry("other", providing(striate_losses=[record]))
    catalogue = HostCatalogue(plugins=load_plugins([*entry_points(group=GROUP), other]))
    file = parse(Source("net.cnn", f"train Net {{\n{WHOLE}}}\n")).file
    assert file is not None
    (finding,) = check_recipes(file, catalogue)
    assert (finding.code, finding.span.text) == ("E0702", "cross_entropy")
    assert "other and striate-plugins" in finding.message


def test_check_reads_every_recipe():
    text = TINY + "train Net as long { epochs = 0 }\ntrain Net as short { loss = telepathy }\n"
    file = parse(Source("net.cnn", text)).file
    assert file is not None
    assert {item.code for item in check_recipes(file, CATALOGUE)} == {"E0403", "E0404", "E0405"}


@given(
    epochs=st.integers(1, 10**6),
    batch=st.integers(1, 10**6),
    seed=st.integers(0, 2**62),
    patience=st.none() | st.integers(1, 99),
    lr=st.floats(0, 10, allow_subnormal=False),
    smoothing=st.floats(0, 0.99, allow_subnormal=False),
    weights=st.none() | st.lists(st.floats(0, 9, allow_subnormal=False), min_size=1, max_size=4),
    nesterov=st.booleans(),
)
def test_a_recipe_written_out_reads_as_the_same(epochs, batch, seed, patience, lr, smoothing, weights, nesterov):
    listed = "none" if weights is None else f"[{', '.join(map(str, weights))}]"
    recipe = read(
        f"data = digits\nloss = cross_entropy({smoothing}, class_weights = {listed})\n"
        f"optimizer = sgd(lr = {lr}, nesterov = {str(nesterov).lower()})\n"
        f"epochs = {epochs}; batch = {batch}; seed = {seed}; patience = {patience or 'none'}\n"
        "metrics = [accuracy(top = 2)]"
    )
    again = read("\n".join(f"{key} = {value}" for key, value in recipe.settings().items()))
    assert again.settings() == recipe.settings()
    assert (
        again.loss.parts[0].arguments
        == recipe.loss.parts[0].arguments
        == {"label_smoothing": smoothing, "class_weights": tuple(weights) if weights is not None else None}
    )
    assert again.optimizer.arguments["nesterov"] is nesterov


def test_keys_are_those_of_the_dataclass():
    assert set(KEYS) <= {field.name for field in dataclasses.fields(type(read(WHOLE)))}


def test_reading_a_recipe_needs_no_torch():
    program = (
        "import sys\nfrom tests.engine.train.networks import load_with_recipe\nload_with_recipe()\n"
        "heavy = {'torch', 'lightning', 'torchmetrics', 'sklearn', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, env=child_environment())
