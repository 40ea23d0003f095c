"""Metrics against scikit-learn and definitions in float64, in batches, for images and for pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn import metrics as reference

from striate_plugins.metrics import METRICS, counts, curves, detection, pictures

CLASSES = 4


def sample(seed, examples=60, classes=CLASSES):
    chance = torch.Generator().manual_seed(seed)
    targets = torch.randint(classes, (examples,), generator=chance)
    scores = 2 * torch.randn(examples, classes, generator=chance)
    scores[torch.arange(examples), targets] += 1
    return scores, targets


def measured(metric, scores, targets, cuts=(17, 40)):
    for part, right in zip(scores.tensor_split(cuts), targets.tensor_split(cuts), strict=True):
        if len(right):
            metric.update(part, right)
    return float(metric.compute())


def by_definition(answers, targets, average, rate):
    """The mean of a rate of TP, FP, FN, TN over the classes that occur among targets or answers."""
    table = {}
    for number in sorted({*answers.tolist(), *targets.tolist()}):
        hit, there = answers == number, targets == number
        table[number] = np.array(
            [(hit & there).sum(), (hit & ~there).sum(), (~hit & there).sum(), (~hit & ~there).sum()], dtype=float
        )
    if average == "micro":
        return rate(*sum(table.values()))
    weights = [1.0 if average == "macro" else row[0] + row[2] for row in table.values()]
    return np.average([rate(*row) for row in table.values()], weights=weights)


RATES = {
    "precision": lambda tp, fp, fn, tn: tp / max(tp + fp, 1),
    "recall": lambda tp, fp, fn, tn: tp / max(tp + fn, 1),
    "dice": lambda tp, fp, fn, tn: 2 * tp / max(2 * tp + fp + fn, 1),
    "f1": lambda tp, fp, fn, tn: 2 * tp / max(2 * tp + fp + fn, 1),
    "iou": lambda tp, fp, fn, tn: tp / max(tp + fp + fn, 1),
    "specificity": lambda tp, fp, fn, tn: tn / max(tn + fp, 1),
}


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", RATES)
@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), examples=st.integers(1, 60))
def test_rates(name, average, seed, examples):
    scores, targets = sample(seed, examples)
    answers = scores.argmax(1).numpy()
    if name == "specificity" and len({*answers.tolist(), *targets.tolist()}) < CLASSES:
        return  # of a class that does not occur, torchmetrics counts the negatives that are all right
    expected = by_definition(answers, targets.numpy(), average, RATES[name])
    assert measured(getattr(counts, name)(CLASSES, average), scores, targets) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_beta(beta):
    scores, targets = sample(3)
    expected = reference.fbeta_score(targets, scores.argmax(1), beta=beta, average="macro")
    assert measured(counts.f1(CLASSES, "macro", beta), scores, targets) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
@pytest.mark.parametrize("seed", range(5))
def test_agreement(weights, seed):
    scores, targets = sample(seed)
    given_weights = None if weights == "none" else weights
    expected = reference.cohen_kappa_score(targets, scores.argmax(1), weights=given_weights)
    assert measured(counts.kappa(CLASSES, weights), scores, targets) == pytest.approx(expected, abs=1e-5)
    expected = reference.matthews_corrcoef(targets, scores.argmax(1))
    assert measured(counts.matthews(CLASSES), scores, targets) == pytest.approx(expected, abs=1e-5)


def golden(table):
    """Return scores and targets with a confusion matrix."""
    pairs = [(row, column) for row, line in enumerate(table) for column, count in enumerate(line) for _ in range(count)]
    targets, answers = torch.tensor(pairs).T
    return torch.nn.functional.one_hot(answers, len(table)).float(), targets


@pytest.mark.parametrize(
    ("metric", "table", "value"),
    [
        (counts.kappa(2), [[20, 5], [10, 15]], 0.4),
        (counts.iou(2), [[20, 5], [10, 15]], 0.5357143),
        (counts.dice(2), [[20, 5], [10, 15]], (0.7272727 + 0.6666667) / 2),
        (counts.confusion(2), [[20, 5], [10, 15]], 0.7),
        (counts.iou(2), [[3, 1], [2, 4]], 0.5357143),
        (counts.iou(2, "micro"), [[3, 1], [2, 4]], 0.5384615),
        (counts.dice(2), [[3, 1], [2, 4]], (0.6666667 + 0.7272727) / 2),
        (counts.kappa(2), [[95, 0], [5, 0]], 0.0),
    ],
)
def test_golden_values_of_the_texts(metric, table, value):
    assert measured(metric, *golden(table), cuts=()) == pytest.approx(value, abs=1e-6)


# ------------------------------------------------------------------------------------------ curves


@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize("seed", range(6))
def test_areas(average, seed):
    scores, targets = sample(seed)
    shares = scores.double().softmax(1)
    expected = reference.roc_auc_score(targets, shares, average=average, multi_class="ovr")
    assert measured(curves.roc(CLASSES, average), scores, targets) == pytest.approx(expected, abs=1e-6)
    hot = torch.nn.functional.one_hot(targets, CLASSES)
    expected = reference.average_precision_score(hot, shares, average=average)
    assert measured(curves.pr(CLASSES, average), scores, targets) == pytest.approx(expected, abs=1e-6)


def test_areas_of_the_texts():
    score = torch.tensor([0.1, 0.4, 0.35, 0.8])
    shares, targets = torch.stack([1 - score, score], 1), torch.tensor([0, 0, 1, 1])
    metric = curves.pr(2)
    metric.update(shares, targets)
    assert float(metric.areas()[1]) == pytest.approx(0.8333333)
    assert measured(curves.roc(2), shares, targets, cuts=()) == pytest.approx(0.75)


@pytest.mark.parametrize("make", [curves.roc, curves.pr])
def test_many_thresholds_come_near_to_all_scores(make):
    scores, targets = sample(1, 400)
    exact = measured(make(CLASSES), scores, targets)
    assert measured(make(CLASSES, "macro", 500), scores, targets) == pytest.approx(exact, abs=0.01)
    weighted = measured(make(CLASSES, "weighted"), scores, targets)
    assert measured(make(CLASSES, "weighted", 500), scores, targets) == pytest.approx(weighted, abs=0.01)


@pytest.mark.parametrize("make", [curves.roc, curves.pr])
def test_classes_that_do_not_occur_are_left_out(make):
    scores, targets = sample(2)
    some = targets < 2
    both = measured(make(CLASSES), scores[some], targets[some], cuts=())
    metric = make(CLASSES)
    metric.update(scores[some], targets[some])
    assert both == pytest.approx(float(torch.stack(metric.areas()[:2]).mean()))
    alone = make(CLASSES)
    alone.update(scores[:3], torch.zeros(3, dtype=torch.long))
    assert np.isnan(float(alone.compute())), "one class alone has no curve"


def test_scores_between_0_and_1_are_scores_all_the_same():
    scores = torch.tensor([[0.9, 0.2, 0.1], [0.1, 0.3, 0.4]])
    torch.testing.assert_close(curves.probabilities(scores), scores.softmax(1))
    shares = scores.softmax(1)
    assert curves.probabilities(shares) is shares


@pytest.mark.parametrize(("norm", "bins"), [("l1", 15), ("l2", 10), ("max", 5)])
def test_calibration(norm, bins):
    scores, targets = sample(4, 500)
    shares = scores.double().softmax(1).numpy()
    sure, right = shares.max(1), shares.argmax(1) == targets.numpy()
    place = np.minimum((sure * bins).astype(int), bins - 1)
    parts = [(np.mean(place == each), abs(right[place == each].mean() - sure[place == each].mean()))
             for each in range(bins) if (place == each).any()]  # fmt: skip
    expected = {
        "l1": sum(share * gap for share, gap in parts),
        "l2": np.sqrt(sum(share * gap**2 for share, gap in parts)),
        "max": max(gap for _, gap in parts),
    }[norm]
    assert measured(curves.calibration_error(CLASSES, bins, norm), scores, targets) == pytest.approx(expected, abs=1e-5)


# ------------------------------------------------------------------------------------------ all of them


def made(record, classes=CLASSES):
    return record.factory(
        classes, **{item.name: item.kind.convert(item.default) for item in record.arguments if not item.required}
    )


OF_CLASSES = [pytest.param(record, id=record.name) for record in METRICS if not record.tasks]


@pytest.mark.parametrize("record", OF_CLASSES)
def test_maps_are_measured_pixel_by_pixel(record):
    scores, targets = sample(9, 48)
    maps = scores.reshape(2, 4, 6, CLASSES).permute(0, 3, 1, 2)
    of_maps, of_pixels = made(record), made(record)
    of_maps.update(maps, targets.reshape(2, 4, 6))
    of_pixels.update(scores, targets)
    assert float(of_maps.compute()) == pytest.approx(float(of_pixels.compute()), abs=1e-6)


@pytest.mark.parametrize(
    "record", [pytest.param(item, id=item.name) for item in METRICS if item.name != "accuracy" and not item.tasks]
)
def test_what_are_no_scores_of_classes_is_refused(record):
    for outputs, targets in (
        (torch.randn(8), torch.randint(2, (8,))),
        (torch.randn(8, CLASSES + 1), torch.randint(CLASSES, (8,))),
        (torch.randn(8, CLASSES), torch.randint(CLASSES, (8, CLASSES))),
    ):
        with pytest.raises(ValueError, match=r"it takes 4 scores where a class is to be told"):
            made(record).update(outputs, targets)


@pytest.mark.parametrize("record", OF_CLASSES)
def test_perfect_answers_are_the_best(record):
    scores = 30 * torch.eye(CLASSES).repeat(5, 1)
    metric = made(record)
    metric.update(scores, torch.arange(CLASSES).repeat(5))
    assert float(metric.compute()) == pytest.approx(1 if record.higher_is_better else 0, abs=1e-6)


@pytest.mark.parametrize("record", [pytest.param(record, id=record.name) for record in METRICS if record.picture])
@pytest.mark.parametrize("classes", [2, 4, 40])
def test_pictures(record, classes):
    metric = made(record, classes)
    metric.update(*sample(1, 200, classes))
    figure = record.picture(metric, tuple(f"class {number}" for number in range(classes)))
    assert isinstance(figure, Figure)
    (axis,) = figure.axes
    if record.name != "confusion":
        labels = [text.get_text() for text in axis.get_legend().get_texts()]
        assert len(labels) == min(classes, 12)
        areas = [float(label.rpartition(" ")[2]) for label in labels]
        assert areas == sorted(areas)
    else:
        assert bool(axis.texts) == (classes <= 24)


def test_the_confusion_matrix_is_drawn_as_it_was_asked_for():
    scores, targets = golden([[20, 5], [10, 15]])
    for show, cells in (
        ("counts", ["20", "5", "10", "15"]),
        ("truth", [".80", ".20", ".40", ".60"]),
        ("answers", [".67", ".25", ".33", ".75"]),
    ):
        metric = counts.confusion(2, show)
        metric.update(scores, targets)
        (axis,) = pictures.confusion(metric, ("a", "b")).axes
        assert [text.get_text() for text in axis.texts] == cells


# ------------------------------------------------------------------------------------------ boxes


def overlap(one, other):
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, low = min(one[2], other[2]), min(one[3], other[3])
    shared = max(right - left, 0) * max(low - top, 0)
    whole = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (whole - shared)


def average_precision(found, there, least):
    """COCO's average precision of one class: `found` (image, score, box) and `there` (image, box)."""
    if not there:
        return None
    free, hits = set(range(len(there))), []
    for image, _, box in sorted(found, key=lambda item: -item[1]):
        shares = {number: overlap(box, there[number][1]) for number in free if there[number][0] == image}
        best = max(shares, key=shares.get, default=None)
        hits.append(best is not None and shares[best] >= least)
        if hits[-1]:
            free.remove(best)
    gained = np.cumsum(hits)
    recall, precision = gained / len(there), gained / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return np.mean([precision[place] if place < len(precision) else 0.0 for place in places])


def scene(seed, pictures=4, classes=3):
    chance = np.random.default_rng(seed)
    found, there = [], []
    for _ in range(pictures):
        count = int(chance.integers(0, 6))
        corners = chance.uniform(0, 100, (count, 2))
        boxes = np.concatenate([corners, corners + chance.uniform(8, 60, (count, 2))], axis=1)
        labels = chance.integers(0, classes, count)
        more = int(chance.integers(0, 4))
        noise = chance.normal(0, 3, (count, 4))
        extra = chance.uniform(0, 50, (more, 2))
        seen = np.concatenate([boxes + noise, np.concatenate([extra, extra + 20], axis=1)])
        there.append({"boxes": torch.tensor(boxes), "labels": torch.tensor(labels)})
        found.append(
            {
                "boxes": torch.tensor(seen),
                "labels": torch.tensor(np.concatenate([labels, chance.integers(0, classes, more)])),
                "scores": torch.tensor(chance.random(count + more)),
            }
        )
    return found, there


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("least", [None, 0.5, 0.75])
def test_mean_average_precision(seed, least):
    found, there = scene(seed)
    metric = detection.mean_average_precision(3, least)
    metric.update(found[:1], there[:1])
    metric.update(found[1:], there[1:])
    areas = []
    for bound in np.linspace(0.5, 0.95, 10).round(2) if least is None else [least]:
        for number in range(3):
            of_class = [
                (image, float(score), box.tolist())
                for image, item in enumerate(found)
                for box, label, score in zip(item["boxes"], item["labels"], item["scores"], strict=True)
                if label == number
            ]
            objects = [
                (image, box.tolist())
                for image, item in enumerate(there)
                for box, label in zip(item["boxes"], item["labels"], strict=True)
                if label == number
            ]
            areas.append(average_precision(of_class, objects, bound))
    expected = np.mean([area for area in areas if area is not None])
    assert float(metric.compute()) == pytest.approx(expected, abs=1e-6)


def ranked(hits, objects):
    """Boxes of one image: `objects` far apart, and detections by falling score that hit the next one or nothing."""
    places = torch.tensor([[20.0 * number, 0, 20.0 * number + 10, 10] for number in range(objects)])
    nowhere, boxes, next_one = torch.tensor([0.0, 500, 10, 510]), [], 0
    for hit in hits:
        boxes.append(places[next_one] if hit else nowhere)
        next_one += hit
    found = {
        "boxes": torch.stack(boxes),
        "labels": torch.zeros(len(hits), dtype=torch.long),
        "scores": torch.linspace(0.9, 0.1, len(hits)),
    }
    return [found], [{"boxes": places, "labels": torch.zeros(objects, dtype=torch.long)}]


def test_the_ranking_of_the_texts():
    metric = detection.mean_average_precision(1, 0.5)
    metric.update(*ranked([True, False, True, True, False], 4))
    assert float(metric.compute()) == pytest.approx(0.6287129, abs=1e-6), (
        "at 101 recalls; .7033 would be the text's slip"
    )


def test_formats_are_of_the_same_boxes():
    found, there = scene(1)
    values = []
    for form in ("xyxy", "xywh", "cxcywh"):
        metric = detection.mean_average_precision(3, None, form)
        metric.update([{**item, "boxes": rewritten(item["boxes"], form)} for item in found],
                      [{**item, "boxes": rewritten(item["boxes"], form)} for item in there])  # fmt: skip
        values.append(float(metric.compute()))
    assert values == pytest.approx([values[0]] * 3, abs=1e-9)


def rewritten(boxes, form):
    first, size = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    if form == "xyxy":
        return boxes
    return torch.cat([first if form == "xywh" else first + size / 2, size], 1)


def test_sizes_of_objects():
    found, there = ranked([True, True], 2)
    for size, value in (("small", 1.0), ("all", 1.0), ("large", float("nan"))):
        metric = detection.mean_average_precision(1, 0.5, "xyxy", size)
        metric.update(found, there)
        assert float(metric.compute()) == pytest.approx(value, nan_ok=True)


def test_only_so_many_boxes_count():
    metric = detection.mean_average_precision(1, 0.5, most=1)
    metric.update(*ranked([True, True], 2))
    assert float(metric.compute()) == pytest.approx(51 / 101)


def test_crowds_take_any_number_of_boxes():
    found, there = ranked([True, True, True], 3)
    crowd = {**there[0], "iscrowd": torch.tensor([0, 0, 1])}
    metric = detection.mean_average_precision(1, 0.5)
    metric.update(found, [crowd])
    assert float(metric.compute()) == pytest.approx(1.0)


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_nothing_and_mistakes():
    assert np.isnan(float(detection.mean_average_precision(1).compute()))
    metric = detection.mean_average_precision(2)
    found, there = scene(1)
    with pytest.raises(ValueError, match="detections of 4 images, but objects of 3"):
        metric.update(found, there[:3])
    with pytest.raises(ValueError, match="labels outside of 0 to 1"):
        metric.update(found, there)
    with pytest.raises(ValueError, match="boxes"):
        metric.update([{**found[1], "scores": found[1]["scores"][:1]}], there[1:2])


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_resetting_forgets():
    metric = detection.mean_average_precision(3)
    metric.update(*scene(1))
    metric.reset()
    assert np.isnan(float(metric.compute()))
