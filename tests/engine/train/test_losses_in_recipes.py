"""Losses in recipes: all that fit train; sums, vectors and reconstructions; what does not fit is said before."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from safetensors.numpy import load_file

from striate.checking import check_source
from striate.train import fit
from striate.train.fit import train
from striate.train.neighbours import nearest_scores
from striate.train.objective import Objective
from striate.train.run_folder import RunFolder
from striate.train.storage import read_state
from striate.train.subject import assemble
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source
from striate_plugins.losses import LOSSES
from tests.engine.train.blobs import BLOBS
from tests.engine.train.networks import load_with_recipe

NET = """model Net(classes = 10) {
  input image: 1 x 8 x 8
  conv(4, 3) -> relu -> flatten -> END
  output found
}
train Net {
  data = digits(limit = 100)
  loss = LOSS
  optimizer = adam(lr = 0.01)
  epochs = 2
  batch = 24
  seed = 5
}
"""
ENDS = {
    "scores": "dense(classes)",
    "values": "dense(classes)",
    "probabilities": "dense(classes) -> softmax",
    "log_probabilities": "dense(classes) -> log_softmax",
    "embeddings": "dense(6)",
    "directions": "dense(6)",
}
MAPS = """model Net {
  input image: 1 x 10 x 10
  conv(6, 3, pad = 1) -> relu -> conv(3, 1)
  output found
}
train Net { data = digits; loss = LOSS; optimizer = adam(lr = 0.05); metrics = [accuracy]; epochs = 2; batch = 10 }
"""
COPY = """model Net {
  input image: 1 x 8 x 8
  conv(8, 3, pad = 1) -> relu -> conv(1, 3, pad = 1)END
  output copy
}
train Net { data = digits(limit = 100); loss = LOSS; optimizer = adam(lr = 0.01); epochs = 2; batch = 24 }
"""
USABLE = [record for record in LOSSES if record.in_recipes]


def text_for(loss: str, output: str = "scores") -> str:
    return NET.replace("LOSS", loss).replace("END", ENDS[output])


def subject(text: str, **settings: str):
    return assemble(*load_with_recipe(text, {key.replace("_", ".", 1): value for key, value in settings.items()}))


def of_maps(recipe):
    return replace(recipe, data=replace(recipe.data, record=BLOBS, arguments={}))


# ------------------------------------------------------------------------------------------ every loss


@pytest.mark.parametrize("record", USABLE, ids=lambda record: record.name)
def test_every_loss_that_a_recipe_can_name_trains(record, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "_finish", lambda *ignored: None)  # pictures and report take longer than the training
    result = train(subject(text_for(record.name, record.output), train_epochs="4"), RunFolder(tmp_path / "run"))
    losses = [score.train_loss for score in result.run.history]
    assert all(map(math.isfinite, [*losses, result.test.loss]))
    assert min(losses[1:]) < losses[0], "the loss of what was trained on falls"
    assert result.test.answers == 20
    best = load_file(tmp_path / "run" / "best.safetensors")
    assert not any("loss" in name or "weight.0" in name for name in best), "weights of losses are none of the network"


@pytest.mark.parametrize("record", [item for item in LOSSES if not item.in_recipes], ids=lambda record: record.name)
def test_losses_of_several_tensors_are_refused_with_the_way_to_call_them(record):
    found = check_source(Source("net.cnn", text_for(record.name))).diagnostics
    (finding,) = [item for item in found if item.code.startswith("E")]
    assert (finding.code, finding.span.text) == ("E0403", record.name)
    assert finding.message.startswith(f"{record.name} takes several tensors")
    assert finding.help == f'call it in a training loop of your own: striate.loss("{record.name}")'


@pytest.mark.parametrize("loss", ["dice", "tversky(gamma = 0.75)", "iou(per = image)", "focal", "multi_class_hinge",
                                  "brier", "sum(dice, cross_entropy, weights = [1, 0.5])"])  # fmt: skip
def test_maps_of_classes(loss, tmp_path):
    model, recipe = load_with_recipe(MAPS.replace("LOSS", loss))
    result = train(assemble(model, of_maps(recipe)), RunFolder(tmp_path / "run"))
    assert result.run.history[1].train_loss < result.run.history[0].train_loss
    assert result.test.answers == 10 * 100
    assert result.test.confusion.shape == (3, 3)


# ------------------------------------------------------------------------------------------ sums


def test_a_sum_is_the_weighted_sum_of_its_terms():
    chance = torch.Generator().manual_seed(2)
    outputs, targets = torch.randn(6, 10, generator=chance), torch.randint(10, (6,), generator=chance)
    value = {}
    for loss in ("brier", "mse", "hinge", "sum(brier, sum(mse, hinge, weights = [2, 1]), weights = [1, 0.5])"):
        value[loss] = float(Objective(load_with_recipe(text_for(loss))[1].loss)(outputs, targets))
    assert value.popitem()[1] == pytest.approx(value["brier"] + value["mse"] + 0.5 * value["hinge"])


@pytest.mark.parametrize(
    ("loss", "written"),
    [
        ("sum(cross_entropy)", "cross_entropy"),
        ("sum(dice, brier)", "sum(dice, brier, weights = [1.0, 1.0])"),
        ("sum(dice(per = image), brier, weights = [2, 0.5])",
         "sum(dice(per = image), brier, weights = [2.0, 0.5])"),
    ],
)  # fmt: skip
def test_a_sum_written_out_reads_as_the_same(loss, written):
    recipe = load_with_recipe(text_for(loss))[1]
    assert recipe.settings()["loss"] == written
    assert load_with_recipe(text_for(written))[1].settings() == recipe.settings()


def test_weights_of_a_sum_can_be_set_from_outside():
    recipe = load_with_recipe(text_for("sum(dice, brier)"), {"train.loss.weights": "[1, 3]"})[1]
    assert [term.weight for term in recipe.loss.terms] == [1, 3]


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        ("sum(dise, brier)", [("E0405", "there is no loss dise", "dise")]),
        ("sum(dice(smoth = 1), triplett)", [("E0402", "dice has no argument smoth", "smoth"),
                                            ("E0405", "there is no loss triplett", "triplett")]),
        ("sum(dice, brier, weights = [1])",
         [("E0403", "sum: weights has 1 entries for 2 losses", "[1]")]),
        ("sum(dice, brier, weights = 3)",
         [("E0403", "sum: weights must be a list with one number per loss, not 3", "3")]),
        ("sum(dice, brier, factors = [1, 2])", [("E0402", "sum has no argument factors", "factors")]),
        ("sum()", [("E0404", "sum needs losses", "sum()")]),
        ("sum(dice, 2)", [("E0403", "loss must be a name, with arguments if it has any, not 2", "2")]),
        ("sum(dice, yolo)", [("E0403", "yolo takes several tensors, which a recipe cannot give it: training knows "
                                       "one output and one target", "yolo")]),
    ],
)  # fmt: skip
def test_mistakes_in_a_sum_are_told_where_they_are(loss, found):
    with pytest.raises(DiagnosticError) as caught:
        load_with_recipe(text_for(loss))
    assert [(item.code, item.message, item.span.text) for item in caught.value.diagnostics] == found


def test_lints_look_at_the_terms_of_a_sum():
    text = text_for("sum(mse, cross_entropy)", "probabilities")
    assert [item.code for item in check_source(Source("net.cnn", text)).diagnostics] == ["W0103"]


# ------------------------------------------------------------------------------------------ vectors


def test_embeddings_answer_with_their_nearest_neighbour(tmp_path):
    text = text_for("triplet", "embeddings").replace("epochs = 2", "epochs = 8; metrics = [accuracy]")
    text = text.replace("limit = 100", "limit = 400")  # four of each digit to validate: each has a neighbour
    result = train(subject(text), RunFolder(tmp_path / "run"))
    assert result.run.history[-1].metrics["accuracy"] > 0.5, "guessing has 0.1"
    assert result.test.metrics["accuracy"] == pytest.approx(result.test.accuracy)
    assert (tmp_path / "run" / "confusion.png").exists()


@pytest.mark.parametrize("angles", [False, True])
def test_scores_of_neighbours(angles):
    chance = np.random.default_rng(0)
    vectors, targets = chance.normal(size=(300, 4)), chance.integers(0, 3, 300)
    targets[0] = 4
    found = nearest_scores(torch.from_numpy(vectors), torch.from_numpy(targets), 5, angles=angles).numpy()
    placed = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if angles else vectors
    for one in (0, 1, 255, 256, 299):
        for number in range(5):
            others = [other for other in range(300) if other != one and targets[other] == number]
            apart = [np.linalg.norm(placed[one] - placed[other]) for other in others]
            assert found[one, number] == pytest.approx(-min(apart) if apart else np.finfo(np.float64).min)


class Dying(Callback):
    """Ends the run before a step, counted over all epochs."""

    def __init__(self, step: int) -> None:
        self.left = step

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.left -= 1
        if self.left == 0:
            raise KeyError("died")


@pytest.mark.parametrize("loss", ["arcface(scale = 8)", "sum(cosface(margin = 0), centre, weights = [1, 0.1])"])
@pytest.mark.parametrize("step", [2, 4, 6])
def test_weights_of_losses_are_trained_kept_and_resumed(loss, step, tmp_path):
    text = text_for(loss, "directions")
    train(subject(text), RunFolder(tmp_path / "whole"))
    with pytest.raises(KeyError, match="died"):
        train(subject(text), RunFolder(tmp_path / "cut"), callbacks=(Dying(step),), save_interval=0)
    result = train(subject(text), RunFolder(tmp_path / "cut"), resume=True)
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    states = [read_state(tmp_path / name / "resume.safetensors") for name in ("cut", "whole")]
    kept = [{key: value for key, value in state["state_dict"].items() if "objective" in key} for state in states]
    assert len(kept[0]) == loss.count("face") + loss.count("centre")
    begun = dict(subject(text).objective().state_dict())
    for key, value in kept[0].items():
        assert torch.equal(value, kept[1][key])
        assert not torch.equal(value, begun[key.removeprefix("objective.")]), "it has moved"
    assert result.run.best_loss_weights.keys() == begun.keys()


def test_a_finished_run_measures_its_best_weights_with_the_losses_of_then(tmp_path):
    text = text_for("arcface(scale = 8)", "directions")
    first = train(subject(text), RunFolder(tmp_path / "run"))
    again = train(subject(text), RunFolder(tmp_path / "run"), resume=True)
    assert again.test.loss == first.test.loss


def test_the_seed_decides_where_weights_of_losses_begin():
    text = text_for("arcface", "directions")
    torch.manual_seed(1)
    first = subject(text).objective().state_dict()["losses.0.weight"]
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), drawn), "and nobody's random numbers move on"
    assert torch.equal(subject(text).objective().state_dict()["losses.0.weight"], first)
    assert not torch.equal(subject(text, train_seed="6").objective().state_dict()["losses.0.weight"], first)


# ------------------------------------------------------------------------------------------ reconstruction


@pytest.mark.parametrize(("loss", "end"), [("mse", " -> sigmoid"), ("mae", ""), ("binary_cross_entropy", "")])
def test_a_network_that_gives_its_input_back(loss, end, tmp_path):
    result = train(subject(COPY.replace("LOSS", loss).replace("END", end)), RunFolder(tmp_path / "run"))
    assert result.run.history[1].train_loss < result.run.history[0].train_loss
    assert result.test.answers == 0
    assert not (tmp_path / "run" / "confusion.png").exists()
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Classes</h2>" not in report
    assert f'<p class="big">{result.test.loss:.4f}</p>' in report


def test_reconstructions_are_compared_with_the_image_and_not_with_what_the_contract_makes_of_it():
    text = COPY.replace("LOSS", "mse").replace("END", "").replace("8 x 8", "8 x 8 { mean = [0.5]; std = [0.25] }", 1)
    made = subject(text)
    images = torch.rand(3, 1, 8, 8)
    assert made.goal == "images"
    assert float(made.objective()(images, torch.zeros(3, dtype=torch.long), images)) == 0


# ------------------------------------------------------------------------------------------ what does not fit


@pytest.mark.parametrize(
    ("text", "message", "help_text"),
    [
        (
            text_for("cross_entropy_from_probabilities"),
            "cross_entropy_from_probabilities takes probabilities, but the output goes from ",
            "or take loss = cross_entropy, which works on scores",
        ),
        (text_for("nll"), "nll takes logarithms of probabilities, but the output goes from ", "log_softmax"),
        (
            text_for("sum(triplet, cross_entropy)"),
            "triplet compares vectors of images and cross_entropy does not: one output cannot be both",
            None,
        ),
        (
            COPY.replace("LOSS", "triplet").replace("END", ""),
            "triplet needs one vector per image, but output copy of Net is 1 x 8 x 8",
            "end the network with flatten -> dense(64)",
        ),
        (
            COPY.replace("LOSS", "cross_entropy").replace("END", ""),
            "digits has one class per image, but output copy of Net is 1 x 8 x 8",
            "end the network with flatten -> dense(10)",
        ),
        (
            COPY.replace("LOSS", "mse; metrics = [accuracy]").replace("END", ""),
            "accuracy needs classes, but Net is trained to give its input back",
            "leave metrics out: the loss says which epoch is best",
        ),
        (
            text_for("focal(class_weights = [1, 2])"),
            "focal cannot be worked out: class_weights has 2 entries, but there are 10 classes",
            None,
        ),
        (
            text_for("triplet", "embeddings").replace("epochs", "metrics = [accuracy(top = 11)]; epochs"),
            "accuracy cannot be worked out: top = 11 asks for more classes than there are (10)",
            None,
        ),
    ],
)
def test_what_does_not_fit_is_said_before_a_folder_is_made(text, message, help_text, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(DiagnosticError) as caught:
        train(subject(text), RunFolder(folder))
    (finding,) = caught.value.diagnostics
    assert finding.code == "E0507"
    assert finding.message.startswith(message), finding.message
    assert help_text is None or help_text in (finding.help or "")
    assert finding.span is not None
    assert not folder.exists()


def test_vectors_of_pixels_are_not_compared():
    model, recipe = load_with_recipe(MAPS.replace("LOSS", "triplet"))
    with pytest.raises(DiagnosticError, match="triplet needs one class per image, but blobs has one per pixel"):
        assemble(model, of_maps(recipe))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("torch.nn:CosineEmbeddingLoss", "cannot be worked out: "),  # takes three tensors
        ("builtins:dict", "cannot be worked out: 'dict' object is not callable"),
        ("tests.engine.train.test_losses_in_recipes:every_image", "it must give one number, a tensor without axes"),
    ],
)
def test_losses_of_strangers_that_are_none_are_told_apart(target, words, tmp_path):
    model, recipe = load_with_recipe(text_for("mse"))
    (term,) = recipe.loss.terms
    record = replace(term.part.record, factory=replace(term.part.record.factory, target=target))
    loss = replace(recipe.loss, terms=(replace(term, part=replace(term.part, record=record)),))
    with pytest.raises(DiagnosticError) as caught:
        train(assemble(model, replace(recipe, loss=loss)), RunFolder(tmp_path / "run"))
    assert words in caught.value.diagnostics[0].message


def every_image():
    """Return a loss that forgets to take the mean."""
    return lambda output, target: (output - target).square().mean(dim=1)
