"""Checks of initialisers, regularisers and augmentations: what a recipe draws, adds and changes besides the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.schema import argument_sets, written
from striate.conformance.subject import Subject, first_line
from striate.host.weight_info import RegularizedWeight, WeightInfo
from striate.train.image_batch import ImageBatch

CLASSES = 4

WEIGHTS = (
    WeightInfo("conv1.weight", (8, 4, 3, 3), 36, 72, layer="conv"),
    WeightInfo("conv2.weight", (8, 1, 3, 3), 9, 9, groups=8, layer="conv"),
    WeightInfo("deconv1.weight", (4, 8, 4, 4), 64, 128, output_axis=1, layer="deconv"),
    WeightInfo("dense1.weight", (6, 10), 10, 6, layer="dense"),
    WeightInfo("dense1.bias", (6,), 10, 6, layer="dense"),
    WeightInfo("scale1.factor", (), 1, 1, layer="scale"),
)
"""Kernels of convolutions (plain, with groups, transposed), of a dense layer, a bias, and a number."""


def _made(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Yield what the factory makes, with the call in words: by default, then with drawn arguments."""
    from_host = {"weights"}  # striate's own argument, which says for which weights a recipe means it
    for number, settled in enumerate(argument_sets(subject)):
        own = {name: value for name, value in settled.items() if name not in from_host}
        words = written(subject, own)
        try:
            yield words, subject.record.factory(**own)
        except ValueError as error:
            if number == 0:
                raise CheckFailedError(f"its factory refuses the defaults: {first_line(error)}", words) from None
        except ImportError as error:
            raise NotApplicableError(f"a package that it needs is not installed: {first_line(error)}") from None
        except Exception as error:  # a stranger's factory may raise anything
            raise CheckFailedError(
                f"its factory answers with {type(error).__name__}: {first_line(error)}", words
            ) from None


# ----------------------------------------------------------------------------------------------- initialisers


def start(subject: Subject) -> str | None:
    """A rule gives finite numbers of the weight's size, the same for the same generator, and draws from it alone."""
    tried = 0
    for words, rule in _made(subject):
        for info in WEIGHTS:
            example = f"{words} for {info.name} ({' x '.join(map(str, info.shape)) or 'a number'})"
            first = _drawn(rule, info, example)
            if first is None:
                continue
            tried += 1
            again = _drawn(rule, info, example)
            if again is None or not np.array_equal(first, again):
                raise CheckFailedError("the same generator gives two starts", example, "draw from the generator alone")
    if not tried:
        raise CheckFailedError("it refuses all weights that were tried", ", ".join(info.name for info in WEIGHTS))
    return f"{tried} starts"


def _state() -> Any:
    """Return where numpy's global generator is, which must not be used."""
    return np.random.get_state()


def _drawn(rule: Any, info: WeightInfo, example: str) -> Any:
    """Return a start; None where the rule refuses a weight of this size by a ValueError."""
    state = _state()
    try:
        values = np.asarray(rule(info, np.random.default_rng(5)))
    except ValueError:
        return None
    except Exception as error:  # a stranger's rule may raise anything
        raise CheckFailedError(f"{type(error).__name__}: {first_line(error)}", example) from None
    if not np.array_equal(state[1], _state()[1]):
        raise CheckFailedError("it draws from numpy's global generator", example, "draw from the generator alone")
    if values.shape != info.shape:
        raise CheckFailedError(f"it gives the size {values.shape}", example)
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise CheckFailedError(f"it gives {values.dtype} numbers that are not all finite", example)
    return values


# ----------------------------------------------------------------------------------------------- regularisers


def _weights() -> tuple[RegularizedWeight, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(
        RegularizedWeight(info.name, torch.randn(info.shape, generator=generator).requires_grad_(), info.output_axis)
        for info in WEIGHTS[:4]
    )


def regularise(subject: Subject) -> str | None:
    """A term is one finite number with gradients; a change after the step is in place, finite, and always the same."""
    for words, function in _made(subject):
        if subject.record.after_step:
            _changes(function, words)
        else:
            _term(function, words)
    return None


def _term(function: Any, words: str) -> None:
    weights = _weights()
    term = function(weights)
    if not isinstance(term, Tensor) or term.dim() > 0 or not bool(term.isfinite()):
        raise CheckFailedError(f"it gives {term!r:.60}, where one finite number is due", words)
    if not torch.equal(term, function(weights)):
        raise CheckFailedError("the same weights give two terms", words)
    if not term.requires_grad:
        raise CheckFailedError("no gradient reaches the weights", words, "compute by torch, without detach()")
    found: tuple[Tensor | None, ...] = torch.autograd.grad(term, [item.tensor for item in weights], allow_unused=True)
    if not all(item is None or bool(item.isfinite().all()) for item in found):
        raise CheckFailedError("a gradient is not finite", words)
    if all(item is None for item in found):
        raise CheckFailedError("no gradient reaches the weights", words, "compute by torch, without detach()")


def _changes(function: Any, words: str) -> None:
    ends = []
    for _ in range(2):
        weights = _weights()
        with torch.no_grad():
            returned = function(weights)
        if returned is not None:
            raise CheckFailedError(f"it returns {returned!r:.60}, where weights are to be changed in place", words)
        ends.append([item.tensor.detach().clone() for item in weights])
        if not all(bool(item.isfinite().all()) for item in ends[-1]):
            raise CheckFailedError("weights are not finite afterwards", words)
    if any(not torch.equal(one, other) for one, other in zip(*ends, strict=True)):
        raise CheckFailedError("the same weights are changed in two ways", words)


# ----------------------------------------------------------------------------------------------- augmentations


def _batch(channels: int, *, maps: bool) -> ImageBatch:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((6, channels, 12, 16), generator=generator)
    size = (6, 12, 16) if maps else (6,)
    return ImageBatch(images, ((1.0, torch.randint(CLASSES, size, generator=generator)),))


def augment(subject: Subject) -> str | None:
    """It gives images from 0 to 1 of the same size, shares that add up to 1, and draws from the generator."""
    taken: dict[str, None] = {}
    for words, function in _made(subject):
        for channels, maps in ((3, False), (3, True), (1, False)):
            form = f"{'coloured' if channels == 3 else 'grey'} images with {'maps' if maps else 'classes'}"
            if _augmented(function, _batch(channels, maps=maps), f"{words}: {form}"):
                taken[form] = None
    if not taken:
        raise CheckFailedError("it refuses all batches that were tried: coloured and grey ones, with classes and maps")
    return "; ".join(taken)


def _augmented(function: Any, batch: ImageBatch, example: str) -> bool:
    """Hold what is made of a batch to the terms; return whether it was taken at all."""
    kept = batch.images.clone()
    made: list[Any] = []
    for seed in (1, 1, 2):
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(len(made))
                made.append(function(batch, torch.Generator().manual_seed(seed)))
        except ValueError:
            return False
        except Exception as error:  # a stranger's function may raise anything
            raise CheckFailedError(f"{type(error).__name__}: {first_line(error)}", example) from None
        _sound_batch(made[-1], batch, example)
    if not torch.equal(batch.images, kept):
        raise CheckFailedError("it changes the batch that it is given", example, "return a new batch")
    if not torch.equal(made[0].images, made[1].images):
        raise CheckFailedError("the same generator gives two batches", example, "draw from the generator alone")
    return True


def _sound_batch(after: Any, before: ImageBatch, example: str) -> None:
    if not isinstance(after, ImageBatch):
        raise CheckFailedError(f"it gives a {type(after).__name__}, no ImageBatch", example)
    if after.images.shape != before.images.shape or after.images.dtype is not torch.float32:
        raise CheckFailedError(f"it gives images {tuple(after.images.shape)}, {after.images.dtype}", example)
    least, most = float(after.images.min()), float(after.images.max())
    if not (least >= -1e-5 and most <= 1 + 1e-5):
        raise CheckFailedError(f"images go from {least:g} to {most:g}, not 0 to 1", example, "clamp them to 0 to 1")
    total = sum(share for share, _ in after.targets)
    if abs(total - 1) > 1e-5:
        raise CheckFailedError(f"the shares of the targets add up to {total:g}", example)
    for _, target in after.targets:
        if target.shape != before.targets[0][1].shape or target.dtype is not torch.int64:
            raise CheckFailedError(f"it gives targets {tuple(target.shape)}, {target.dtype}", example)
        if not (int(target.min()) >= 0 and int(target.max()) < CLASSES):
            raise CheckFailedError(f"a target is {int(target.max())}, and there are {CLASSES} classes", example)
