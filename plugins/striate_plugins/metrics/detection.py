"""Mean average precision of boxes as COCO defines it, worked out by faster-coco-eval.

torchmetrics' own metric of this name needs torchvision, whose binary must match torch's; this one does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from faster_coco_eval import COCO, COCOeval_faster
from torch import Tensor
from torchmetrics import Metric

_OVERLAPS = tuple(np.linspace(0.5, 0.95, 10).round(2).tolist())
_RANGES = {"all": (0, 1e10), "small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 1e10)}
_SIDE = 10_000
"""A side of the image, which the evaluation wants to know and makes no use of for boxes."""

Boxes = Mapping[str, Tensor]
"""`boxes` (`K x 4`, pixels), `labels` (`K`, class numbers), and of detections `scores` (`K`)."""


def mean_average_precision(
    classes: int, overlap: float | None = None, format: str = "xyxy", size: str = "all", most: int = 100
) -> MeanAveragePrecision:
    """Return the metric.

    Args:
        classes: number of classes; those without objects are left out of the mean.
        overlap: the least IoU at which a box counts as found, or None for the mean over 0.50, 0.55, … 0.95.
        format: `xyxy` (left, top, right, bottom), `xywh` (left, top, width, height) or `cxcywh` (middle, size).
        size: which objects count, by their area.
        most: how many boxes of an image count.
    """
    return MeanAveragePrecision(classes, overlap, format, size, most)


class MeanAveragePrecision(Metric):
    """COCO's mAP: boxes matched one to one by falling score, precision interpolated at 101 recalls."""

    full_state_update = False
    higher_is_better = True
    is_differentiable = False

    detections: list[Tensor]
    objects: list[Tensor]
    images: Tensor

    def __init__(self, classes: int, overlap: float | None, format: str, size: str, most: int) -> None:
        super().__init__()
        self.classes, self.format, self.size, self.most = classes, format, size, most
        self.overlaps = _OVERLAPS if overlap is None else (overlap,)
        # Rows: image, class, left, top, width, height, and the score or whether the object is a crowd.
        self.add_state("detections", default=[], dist_reduce_fx="cat")
        self.add_state("objects", default=[], dist_reduce_fx="cat")
        self.add_state("images", default=torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, found: Sequence[Boxes], there: Sequence[Boxes]) -> None:
        """Take in the boxes of some images.

        Args:
            found: per image what the network found.
            there: per image what is in it; `iscrowd` (`K`) may mark crowds, in which any number of boxes is allowed.

        Raises:
            ValueError: the two are of another number of images, or boxes, labels and scores of another number.
        """
        if len(found) != len(there):
            raise ValueError(f"there are detections of {len(found)} images, but objects of {len(there)}")
        for detected, objects in zip(found, there, strict=True):
            number = int(self.images)
            self.detections.append(self._rows(number, detected, detected["scores"]))
            crowd = objects.get("iscrowd", torch.zeros(len(objects["labels"])))
            self.objects.append(self._rows(number, objects, crowd))
            self.images += 1

    def compute(self) -> Tensor:
        """Return the mean average precision, not a number where there are no objects."""
        objects = self._table(self.objects)
        detections = self._table(self.detections)
        if len(objects) == 0:
            return torch.tensor(torch.nan)
        truth = self._dataset([_annotation(row, number) for number, row in enumerate(objects, 1)])
        results = [{**_annotation(row, number), "score": row[6]} for number, row in enumerate(detections, 1)]
        judged = COCOeval_faster(truth, self._dataset(results), "bbox", print_function=lambda *_: None)
        judged.params.iouThrs = np.array(self.overlaps)
        judged.params.maxDets = [self.most]
        judged.params.areaRng, judged.params.areaRngLbl = [list(_RANGES[self.size])], [self.size]
        judged.evaluate()
        judged.accumulate()
        precision = judged.eval["precision"]  # overlaps x recalls x classes x 1 x 1; -1 where there are no objects
        known = precision[precision > -1]
        return torch.tensor(known.mean() if known.size else np.nan, dtype=torch.float32)

    def _rows(self, number: int, given: Boxes, last: Tensor) -> Tensor:
        boxes, labels = given["boxes"].reshape(-1, 4).double(), given["labels"]
        if not len(boxes) == len(labels) == len(last):
            raise ValueError(f"image {number} has {len(boxes)} boxes, {len(labels)} labels and {len(last)} scores")
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
            raise ValueError(f"image {number} has labels outside of 0 to {self.classes - 1}")
        first, second = boxes[:, :2], boxes[:, 2:]
        if self.format == "xyxy":
            second = second - first
        elif self.format == "cxcywh":
            first = first - second / 2
        counted = torch.full((len(boxes), 1), float(number), device=boxes.device)
        columns = [counted, labels[:, None].double(), first, second, last[:, None].double()]
        return torch.cat(columns, dim=1)

    def _table(self, parts: list[Tensor] | Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
        whole = torch.cat(parts) if isinstance(parts, list) and parts else parts
        return np.zeros((0, 7)) if isinstance(whole, list) else whole.cpu().numpy()

    def _dataset(self, annotations: list[dict[str, Any]]) -> COCO:
        images = [{"id": number, "height": _SIDE, "width": _SIDE} for number in range(int(self.images))]
        categories = [{"id": number, "name": str(number)} for number in range(self.classes)]
        made = COCO(print_function=lambda *_: None)
        made.dataset = {"images": images, "categories": categories, "annotations": annotations}
        made.createIndex()
        return made


def _annotation(row: np.ndarray[Any, np.dtype[np.float64]], number: int) -> dict[str, Any]:
    box = row[2:6].tolist()
    area = box[2] * box[3]
    return {
        "id": number,
        "image_id": int(row[0]),
        "category_id": int(row[1]),
        "bbox": box,
        "area": area,
        "iscrowd": int(row[6] == 1),
    }
