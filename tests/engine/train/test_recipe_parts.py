"""Initialisers, regularisers and augmentations of a recipe: when they act, on what, and how they may fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from safetensors.numpy import load_file

from striate.checking import check_source
from striate.host.catalogue import HostCatalogue
from striate.lower.torch import Program, initialise
from striate.model import load_source
from striate.ops.arguments import Choice
from striate.plugin import (
    Argument,
    AugmentationRecord,
    DataRecord,
    Factory,
    InitializerRecord,
    MetricRecord,
    RegularizerRecord,
)
from striate.train.augmenting import Augmenter
from striate.train.evaluation import evaluate
from striate.train.fit import train
from striate.train.image_batch import ImageBatch
from striate.train.recipe import read_recipe
from striate.train.regularizing import Regularizers
from striate.train.run_folder import RunFolder
from striate.train.sections import choose_section
from striate.train.starting import start_weights
from striate.train.subject import assemble, try_out
from striate.train.weight_parts import check_weights
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.engine.stand_ins import Entry, load_plugins, providing
from tests.engine.train.networks import TINY, load_with_recipe

HERE = "tests.engine.train.test_recipe_parts"


def with_lines(*lines: str, text: str = TINY) -> str:
    return text.replace("  epochs = 2\n", "".join(f"  {line}\n" for line in lines) + "  epochs = 2\n")


def subject(*lines: str, **settings: str):
    text = with_lines(*lines)
    return assemble(*load_with_recipe(text, {key.replace("_", ".", 1): value for key, value in settings.items()}))


def program_of(built) -> Program:
    return Program(built.model.graph, built.model.catalogue.lookup)


def started(*lines: str) -> dict[str, np.ndarray]:
    built = subject(*lines)
    check_weights(built.recipe, built.model.graph)
    program = start_weights(program_of(built), built.recipe)
    return {name: value.numpy().copy() for name, value in program.state_dict().items()}


# ------------------------------------------------------------------------------------------ initialisers


def test_without_initialisers_the_layers_decide():
    built = subject()
    expected = initialise(program_of(built), built.recipe.seed).state_dict()
    assert all(np.array_equal(value, expected[name].numpy()) for name, value in started().items())


def test_kernels_start_as_the_recipe_says_and_everything_else_as_the_layer_does():
    plain, changed = started(), started("init = xavier_uniform")
    differing = {name for name in plain if not np.array_equal(plain[name], changed[name])}
    assert differing == {"conv1.weight", "conv2.weight", "dense1.weight"}
    assert np.abs(changed["dense1.weight"]).max() <= np.sqrt(6 / (128 + 10))


def test_the_default_rule_of_layers_can_be_named():
    plain, changed = started(), started("init = he_normal")
    assert all(np.allclose(plain[name], changed[name], rtol=1e-6) for name in plain)


def test_the_last_one_that_means_a_weight_decides():
    found = started('init = [zeros(all), constant(3, weights = ["conv*", biases]), ones(weights = "conv2.bias")]')
    assert {name: float(value.flat[0]) for name, value in found.items() if "running" not in name} == {
        "conv1.weight": 3, "bn1.weight": 0, "bn1.bias": 3, "conv2.weight": 3, "conv2.bias": 1, "dense1.weight": 0,
        "dense1.bias": 3,
    }  # fmt: skip
    assert found["bn1.running_var"].tolist() == [1.0] * 4, "statistics are no weights to start"


def test_another_layer_changes_nobody_elses_start():
    longer = TINY.replace("-> relu -> flatten", "-> relu -> conv(8, 1) as more -> relu -> flatten")
    for text in (TINY, longer):
        built = assemble(*load_with_recipe(with_lines("init = orthogonal", text=text)))
        found = start_weights(program_of(built), built.recipe).state_dict()
        if text is TINY:
            before = {name: value.clone() for name, value in found.items()}
    assert all(torch.equal(found[name], value) for name, value in before.items())
    assert "more.weight" in found


def test_runs_begin_with_these_weights(tmp_path):
    built = subject("init = constant(0.25)", train_epochs="1", train_optimizer="sgd(lr = 0)")
    train(built, RunFolder(tmp_path))
    assert (load_file(tmp_path / "last.safetensors")["conv1.weight"] == 0.25).all()


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ('init = zeros(weights = "cnov1.*")', "E0403", 'no trained weight of Net is meant by weights = "cnov1.*"'),
        ('regularize = [l1(1), l2(1, weights = ["conv1.weight", "x"])]', "E0403", 'meant by weights = "x"'),
        ("init = bilinear", "E0507", "bilinear cannot start conv1.weight (4 x 1 x 3 x 3): it takes the kernel of"),
        ("init = uniform(2, 1)", "E0507", "uniform cannot begin: low = 2 is above high = 1"),
        ("init = [orthogonal(weights = biases)]", "E0507", "orthogonal cannot start bn1.bias (4): it takes"),
        ("augment = crop(8, fill = reflect)", "E0507", "crop cannot be applied to the training images: pad = 8"),
        ("augment = [hflip, grey]", "E0507", "grey cannot be applied to the training images: it takes"),
        ("metrics = [mean_average_precision]", "E0507", "is for detection, but digits is for classification"),
    ],
)
def test_what_does_not_fit_is_said_at_its_place_before_a_folder_is_made(tmp_path, line, code, words):
    text = TINY.replace("metrics = [accuracy]", line) if line.startswith("metrics") else with_lines(line)
    with pytest.raises(DiagnosticError) as caught:
        train(assemble(*load_with_recipe(text)), RunFolder(tmp_path / "run"))
    (finding,) = caught.value.diagnostics
    assert (finding.code, words in finding.message) == (code, True), finding.message
    assert finding.span.text in line
    assert not (tmp_path / "run").exists()


def test_names_that_were_meant_are_suggested():
    built = subject('init = zeros(weights = "conv1.wieght")')
    with pytest.raises(DiagnosticError) as caught:
        check_weights(built.recipe, built.model.graph)
    assert caught.value.diagnostics[0].help == "did you mean conv1.weight?"


# ------------------------------------------------------------------------------------------ regularisers


def test_a_term_is_trained_but_not_scored(tmp_path):
    lengths, losses = {}, {}
    for line in ("regularize = []", "regularize = l2(1)"):
        built = subject(line, train_epochs="1", train_optimizer="sgd(lr = 0.05)")
        result = train(built, RunFolder(tmp_path / str(len(line))))
        losses[line] = result.run.history[0].train_loss
        kernel = load_file(result.folder.last)["dense1.weight"]
        lengths[line] = float(np.square(kernel).sum())
    free, held = lengths.values()
    assert held < 0.9 * free
    assert all(1 < value < 4 for value in losses.values()), "the term itself would be several times as much"


def test_terms_are_those_of_their_weights_alone():
    built = subject('regularize = [l2(0.5), l1(2, weights = "conv1.*"), l2_half(1, weights = biases)]')
    program = start_weights(program_of(built), built.recipe)
    with torch.no_grad():
        program.get_parameter("dense1.bias").fill_(3.0)
    found = {name: value.detach().double() for name, value in program.named_parameters()}
    kernels = sum(float(found[f"{name}.weight"].square().sum()) for name in ("conv1", "conv2", "dense1"))
    expected = 0.5 * kernels + 2 * float(found["conv1.weight"].abs().sum()) + 9 * 10 / 2
    penalty = Regularizers(program, built.recipe).penalty()
    assert float(penalty.detach()) == pytest.approx(expected, rel=1e-6)
    penalty.backward()
    assert program.get_parameter("bn1.weight").grad is None


def test_l2_half_trains_as_weight_decay_does(tmp_path):
    weights = []
    for lines, optimizer in (
        (["regularize = l2_half(0.1, weights = all)"], "sgd(lr = 0.05, momentum = 0.9)"),
        ([], "sgd(lr = 0.05, momentum = 0.9, weight_decay = 0.1)"),
    ):
        folder = RunFolder(tmp_path / str(len(lines)))
        train(subject(*lines, train_optimizer=optimizer), folder)
        weights.append(load_file(folder.last))
    for name, value in weights[0].items():
        np.testing.assert_allclose(value, weights[1][name], rtol=1e-3, atol=1e-5, err_msg=name)


class Watching(Callback):
    """Notes the lengths of a weight's rows after every step."""

    def __init__(self) -> None:
        self.longest: list[float] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        kernel = pl_module.program.get_parameter("dense1.weight")
        self.longest.append(float(kernel.norm(dim=1).max()))


def test_constraints_hold_after_every_step(tmp_path):
    for lines, holds in ((["regularize = max_norm(0.7)"], True), ([], False)):
        watching = Watching()
        train(subject(*lines, train_epochs="1"), RunFolder(tmp_path / str(holds)), callbacks=(watching,))
        assert len(watching.longest) == 3
        assert all(length <= 0.7 + 1e-5 for length in watching.longest) is holds


def test_trying_a_constraint_out_changes_nothing():
    built = subject("regularize = [max_norm(0.01), unit_norm(weights = biases)]")
    program = start_weights(program_of(built), built.recipe)
    before = {name: value.clone() for name, value in program.state_dict().items()}
    try_out(built, program)
    assert all(torch.equal(value, before[name]) for name, value in program.state_dict().items())


# ------------------------------------------------------------------------------------------ augmentations

RECIPE = load_with_recipe(with_lines("augment = [hflip, crop(1), noise(0.1), noise(0.2)]"))[1]
IMAGES = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
TARGETS = torch.arange(8)


def test_draws_depend_on_seed_epoch_and_batch():
    def seen(seed=5, epoch=0, batch=0):
        return Augmenter(RECIPE.augment, seed)(IMAGES, TARGETS, epoch, batch).images.numpy().tobytes()

    assert seen() == seen()
    assert len({seen(), seen(seed=6), seen(epoch=1), seen(batch=1)}) == 4


def test_one_more_augmentation_changes_nobody_elses_draws():
    first, padded, noisy, _ = RECIPE.augment
    added = [
        Augmenter(parts, 5)(IMAGES, TARGETS, 0, 0).images - Augmenter(parts[:-1], 5)(IMAGES, TARGETS, 0, 0).images
        for parts in ((noisy,), (first, noisy))
    ]
    flat = torch.full((8, 1, 8, 8), 0.5)
    alone, after = (Augmenter(parts, 5)(flat, TARGETS, 0, 0).images for parts in ((noisy,), (first, padded, noisy)))
    assert torch.equal(alone, after)
    assert added[0].abs().max() > 0
    twice = Augmenter((noisy, noisy), 5)(flat, TARGETS, 0, 0).images
    assert not torch.allclose(twice - alone, alone - flat, atol=1e-3), "the second of a name draws for itself"


def test_whole_numbers_become_shares():
    made = Augmenter((), 0)(torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8), TARGETS[:1], 0, 0)
    assert made.images.flatten().tolist() == pytest.approx([0, 0.2, 1])


def test_augmentations_are_for_training_images_alone(tmp_path):
    plain, changed = (
        train(subject(*lines, train_epochs="1", train_optimizer="sgd(lr = 0)"), RunFolder(tmp_path / str(len(lines))))
        for lines in ([], ["augment = invert(1)"])
    )
    assert changed.run.history[0].train_loss != plain.run.history[0].train_loss
    assert not plain.folder.augmented.exists()
    assert changed.folder.augmented.read_bytes().startswith(b"\x89PNG")
    assert "Augmented training images" in changed.folder.report.read_text()
    built = subject("augment = invert(1)")
    program = start_weights(program_of(built), built.recipe)
    assert evaluate(built, program, "validation").loss == evaluate(subject(), program, "validation").loss


def test_the_loss_of_mixed_images_is_that_of_their_shares():
    from striate.train.module import TrainingModule
    from striate.train.run_state import RunState

    built = subject("augment = mixup(1)")
    program = start_weights(program_of(built), built.recipe).eval()
    module = TrainingModule(program, built.objective(), built, RunState(), 3)
    made = Augmenter(built.recipe.augment, built.recipe.seed)(IMAGES, TARGETS, 0, 0)
    (share, own), (rest, other) = made.targets
    soft = share * torch.nn.functional.one_hot(own, 10) + rest * torch.nn.functional.one_hot(other, 10)
    expected = torch.nn.functional.cross_entropy(program(made.images), soft)
    loss, added = module.loss_of(made, slice(8))
    assert added is None
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    # Of a part of the step, as losses see it that are worked out bit by bit, the shares are the same.
    half, _ = module.loss_of(made, slice(4))
    expected = torch.nn.functional.cross_entropy(program(made.images[:4]), soft[:4])
    assert float(half.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


# ------------------------------------------------------------------------------------------ whole runs

EVERYTHING = (
    "init = [he_normal(mode = fan_out), constant(0.1, weights = biases)]",
    "augment = [hflip, crop(1), color_jitter, mixup(0.4), cutmix(p = 0.5)]",
    "regularize = [l2_half(1e-3), max_norm(1.5)]",
)


class DiedError(Exception):
    pass


class Dying(Callback):
    def __init__(self, step: int) -> None:
        self.left = step

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.left -= 1
        if self.left == 0:
            raise DiedError


@pytest.mark.parametrize("step", [2, 3, 5])
def test_a_resumed_run_ends_with_the_same_bytes(tmp_path_factory, tmp_path, step):
    whole = tmp_path_factory.mktemp("whole")
    train(subject(*EVERYTHING), RunFolder(whole))
    with pytest.raises(DiedError):
        train(subject(*EVERYTHING), RunFolder(tmp_path), callbacks=(Dying(step),), save_interval=0)
    train(subject(*EVERYTHING), RunFolder(tmp_path), resume=True)
    for name in ("best.safetensors", "last.safetensors", "augmented.png"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()


def test_the_recipe_in_the_weights_says_it_all():
    recipe = subject(*EVERYTHING).recipe
    settings = recipe.settings()
    assert settings["init"] == "[he_normal(mode = fan_out), constant(value = 0.1, weights = biases)]"
    assert settings["regularize"] == "[l2_half(rate = 0.001), max_norm(limit = 1.5)]"
    again = with_lines(*(f"{key} = {settings[key]}" for key in ("init", "augment", "regularize")))
    assert load_with_recipe(again)[1].settings() == settings
    assert [part.record.name for part in recipe.parts][-3:] == ["l2_half", "max_norm", "accuracy"]
    assert not {"init", "augment", "regularize"} & set(subject().recipe.settings()), "old runs can go on"


# ------------------------------------------------------------------------------------------ a class for every pixel

SEGMENTING = """model Net(classes = 3) {
  input image: 1 x 12 x 12
  conv(8, 3, pad = 1) -> relu
  head segmentation(classes = classes)
}
train Net {
  data = squares; loss = cross_entropy; optimizer = adam(lr = 0.05); epochs = 12; batch = 8
  augment = [hflip, affine(30, 0.1), crop(2, fill = reflect), cutmix, mixup(p = 0.2)]
  metrics = [iou, dice]
}
"""


def squares(input_shape):
    """Bright and dim squares on a dark ground: three classes, which the brightness of a pixel tells."""
    from striate.data import DataSplits, ImageArrays

    chance = np.random.default_rng(0)
    maps = np.zeros((32, *input_shape[1:]), dtype="int64")
    for image in maps:
        for value in (1, 2):
            top, left = chance.integers(0, 8, 2)
            image[top : top + 5, left : left + 5] = value
    part = ImageArrays((maps[:, None] / 2).astype("float32"), maps)
    return DataSplits(part, part, part, ("ground", "dim", "bright"))


def test_classes_of_pixels_move_with_them(tmp_path):
    """What moved without its classes could not be learned to such a share."""
    record = DataRecord("squares", "Squares.", Factory(f"{HERE}:squares"), task="segmentation")
    built = with_plugin("", SEGMENTING, striate_data_sets=[record])
    result = train(built, RunFolder(tmp_path))
    assert result.test.metrics["iou"] > 0.97
    assert result.test.metrics["dice"] > result.test.metrics["iou"]
    assert (tmp_path / "augmented.png").read_bytes().startswith(b"\x89PNG")


# ------------------------------------------------------------------------------------------ broken plugins


def raising(kind):
    def make(*classes):
        def work(*given):
            raise kind("the\nwhole story")

        return work

    return make


def returning(value):
    return lambda *classes: lambda *given: value


wrong_value = raising(ValueError)
division = raising(ZeroDivisionError)
nothing = returning(None)
text = returning("text")
small = returning(np.zeros((2, 2)))
words = returning(np.array("words"))


def infinite():
    return lambda info, generator: np.full(info.shape, np.inf)


def cropping():
    return lambda batch, chance: batch.with_images(batch.images[:, :, 1:])


def doubling():
    return lambda batch, chance: ImageBatch(batch.images, batch.targets * 2)


def shortening():
    return lambda batch, chance: ImageBatch(batch.images, ((1.0, batch.targets[0][1][1:]),))


def several():
    return lambda weights: weights[0].tensor


def vector(classes):
    from torchmetrics.classification import MulticlassAccuracy

    return MulticlassAccuracy(classes, average=None)


def no_figure(metric, classes):
    return "a picture"


KEYS = {InitializerRecord: "init", RegularizerRecord: "regularize", AugmentationRecord: "augment"}


@pytest.mark.parametrize(
    ("kind", "function", "said"),
    [
        (InitializerRecord, "wrong_value", "cannot start conv1.weight (4 x 1 x 3 x 3): the"),
        (InitializerRecord, "division", "failed: ZeroDivisionError: the whole story"),
        (InitializerRecord, "small", "gave 2 x 2 of type float64 for conv1.weight, which is 4 x 1 x 3 x 3"),
        (InitializerRecord, "words", "gave a number of type <U5"),
        (InitializerRecord, "infinite", "numbers for conv1.weight that are not finite"),
        (RegularizerRecord, "division", "failed: ZeroDivisionError: the whole story"),
        (RegularizerRecord, "wrong_value", "cannot be worked out: the"),
        (RegularizerRecord, "nothing", "gave no scalar tensor"),
        (RegularizerRecord, "several", "gave no scalar tensor"),
        (AugmentationRecord, "division", "failed: ZeroDivisionError: the whole story"),
        (AugmentationRecord, "wrong_value", "cannot be applied to the training images: the"),
        (AugmentationRecord, "text", "gave a str instead of an ImageBatch"),
        (
            AugmentationRecord,
            "cropping",
            "gave images of 2 x 1 x 7 x 8 (float32), where 2 x 1 x 8 x 8 (float32) went in",
        ),
        (AugmentationRecord, "doubling", "gave targets whose shares add up to 2 instead of 1"),
        (AugmentationRecord, "shortening", "gave targets of 1 (int64), where 2 (int64) went in"),
    ],
)
def test_what_a_plugin_does_wrong_is_said_with_its_name(kind, function, said):
    record = kind("odd", "An odd one.", Factory(f"{HERE}:{function}"))
    hook = {InitializerRecord: "initializers", RegularizerRecord: "regularizers", AugmentationRecord: "augmentations"}
    built = with_plugin(f"{KEYS[kind]} = odd", **{f"striate_{hook[kind]}": [record]})
    with pytest.raises(DiagnosticError) as caught:
        try_out(built, start_weights(program_of(built), built.recipe))
    (finding,) = caught.value.diagnostics
    code = {"wrong_value": "E0507", "division": "E0720"}.get(function, "E0721")
    word = {InitializerRecord: "initialiser", RegularizerRecord: "regulariser", AugmentationRecord: "augmentation"}
    begin = "acme.odd " if code == "E0507" else f"the {word[kind]} odd of plugin acme "
    assert (finding.code, finding.message.startswith(begin), said in finding.message) == (code, True, True)
    assert ("whole story" in finding.message) is (code == "E0720")
    assert finding.span.text == "odd"


def with_plugin(line: str, text: str = TINY, **answers):
    """A subject whose recipe has a line that names something of the plugin acme."""
    from importlib.metadata import entry_points

    from striate.host.installed import GROUP

    plugins = load_plugins([*entry_points(group=GROUP), Entry("acme", providing(**answers))])
    catalogue = HostCatalogue(plugins=plugins)
    body = with_lines(line, text=text) if not line.startswith("metrics") else text.replace("metrics = [accuracy]", line)
    source = Source("net.cnn", body)
    file = parse(source).file
    assert file is not None
    model = load_source(source, "Net", {}, catalogue)
    return assemble(model, read_recipe(file, choose_section(file, "Net"), "Net", catalogue))


def test_a_metric_that_gives_several_numbers_is_found_before_the_run():
    record = MetricRecord("vector", "One number per class.", Factory(f"{HERE}:vector"))
    built = with_plugin("metrics = [vector]", striate_metrics=[record])
    with pytest.raises(DiagnosticError, match="vector cannot be worked out"):
        try_out(built, start_weights(program_of(built), built.recipe))


def test_a_picture_that_cannot_be_drawn_is_a_note_and_the_run_is_kept(tmp_path):
    accuracy = HostCatalogue().find(MetricRecord, "accuracy")
    record = replace(accuracy, name="drawn", picture=Factory(f"{HERE}:no_figure"))
    built = with_plugin("metrics = [drawn]", striate_metrics=[record])
    result = train(built, RunFolder(tmp_path))
    assert result.test.notes == ("acme.drawn cannot be drawn: a matplotlib Figure is due, not a str",)
    assert "drawn cannot be drawn" in (tmp_path / "report.html").read_text()


def test_pictures_of_metrics_are_in_the_report(tmp_path):
    text = TINY.replace("[accuracy]", "[accuracy, confusion, roc, pr(thresholds = 50)]")
    result = train(assemble(*load_with_recipe(text)), RunFolder(tmp_path))
    assert list(result.test.pictures) == ["confusion", "roc", "pr(thresholds = 50)"]
    report = (tmp_path / "report.html").read_text()
    assert report.count("data:image/png;base64") == 5
    assert "Test split: pr(thresholds = 50)" in report
    assert result.test.metrics["confusion"] == pytest.approx(result.test.accuracy)


def test_the_argument_weights_is_striates_own():
    given = Argument("value", Choice, "A value.")  # type: ignore[arg-type]  # never converted here
    record = InitializerRecord("one", "One.", Factory("a:b"), (given,))
    assert [item.name for item in record.arguments] == ["value", "weights"]
    assert replace(record, name="two").arguments == record.arguments


def test_a_check_finds_what_means_no_weight():
    def told(text):
        return [
            (item.code, item.message)
            for item in check_source(Source("net.cnn", text)).diagnostics
            if item.code[0] == "E"
        ]

    line = 'init = [zeros(weights = biases), ones(weights = "head.*")]'
    text = with_lines(line)
    message = 'ones: no trained weight of Net is meant by weights = "head.*"'
    assert told(text) == [("E0403", message)]
    assert told(with_lines("init = zeros(weights = biases)")) == []
    wide = "model Wide { input image: 1 x 8 x 8; flatten -> dense(10) as head; output y }\n"
    assert told(wide + text.replace("train Net", "train")) == [], "one of the models has it"


def test_terms_and_augmentations_are_worked_out_in_float32_whatever_the_network_computes_in():
    built = subject("regularize = [l2(0.5), orthogonal(0.1)]", "augment = [affine(20), blur]")
    program = start_weights(program_of(built), built.recipe)
    terms, augment = Regularizers(program, built.recipe), Augmenter(built.recipe.augment, 0)
    expected, seen = terms.penalty(), augment(IMAGES, TARGETS, 0, 0).images
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(terms.penalty(), expected)
        assert torch.equal(augment(IMAGES, TARGETS, 0, 0).images, seen)
