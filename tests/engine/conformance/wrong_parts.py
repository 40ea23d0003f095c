"""Losses, optimizers, schedules, metrics, tasks and data sets that are wrong on purpose, and sound ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from striate.data import DataSplits, ImageArrays, ImageBatch
from striate.factories import AttributionRequest, Converted, ImportedText, Network, Subject, torch_program
from striate.plugin import (
    Argument,
    AugmentationRecord,
    AverageRecord,
    BackendRecord,
    CommandRecord,
    DataRecord,
    ExplainerRecord,
    ExporterRecord,
    Factory,
    HeadRecord,
    ImporterRecord,
    InitializerRecord,
    LossExample,
    LossRecord,
    MetricRecord,
    OptimizerRecord,
    PassRecord,
    Real,
    RegularizedWeight,
    RegularizerRecord,
    ScheduleRecord,
    TaskRecord,
    WeightInfo,
    WrapperRecord,
)

HERE = "tests.engine.conformance.wrong_parts"
NUMBERS = np.random.default_rng(0)

entropy = torch.nn.functional.cross_entropy


# ------------------------------------------------------------------------------------------- losses


def sound_loss(smoothing: float = 0.0) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda output, target: entropy(output, target, label_smoothing=smoothing)


def cut_off(smoothing: float = 0.0) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda output, target: entropy(output.detach(), target)


def one_per_example(smoothing: float = 0.0) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda output, target: entropy(output, target, reduction="none")


def logarithm_of_zero(smoothing: float = 0.0) -> Callable[[Tensor, Tensor], Tensor]:
    def loss(output: Tensor, target: Tensor) -> Tensor:
        chances = (output * 40).softmax(1)
        return -chances.gather(1, target[:, None]).log().mean()

    return loss


def drawn_loss(smoothing: float = 0.0) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda output, target: entropy(output, target) * (1 + 0.1 * torch.rand(()))


def changing_loss(smoothing: float = 0.0) -> Callable[[Tensor, Tensor], Tensor]:
    def loss(output: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            output -= output.mean()
        return entropy(output, target)

    return loss


def takes_nothing() -> Callable[[Tensor, Tensor], Tensor]:
    return entropy


# ------------------------------------------------------------------------------------------- optimizers


class Descent(torch.optim.Optimizer):
    """Plain descent with momentum; subclasses are wrong in one place each."""

    sign = -1.0

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # as torch has it
        value = None
        if closure is not None:
            with torch.enable_grad():
                value = closure()
        for group in self.param_groups:
            for place, weight in enumerate(group["params"]):
                if weight.grad is not None:
                    with torch.no_grad():
                        weight.add_(self.sign * group["lr"] * self.direction(weight, place))
        return value

    def direction(self, weight: Tensor, place: int) -> Tensor:
        kept = self.state[weight]
        kept["mean"] = 0.9 * kept.get("mean", torch.zeros_like(weight)) + 0.1 * weight.grad
        mean: Tensor = kept["mean"]
        return mean


class Ascent(Descent):
    sign = 1.0


class Forgetful(Descent):
    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        super().__init__(parameters, lr)
        self.own: dict[int, Tensor] = {}

    def direction(self, weight: Tensor, place: int) -> Tensor:
        self.own[place] = 0.9 * self.own.get(place, torch.zeros_like(weight)) + 0.1 * weight.grad
        return self.own[place]


class Normed(Descent):
    def direction(self, weight: Tensor, place: int) -> Tensor:
        assert weight.grad is not None
        return weight.grad / weight.grad.norm()


class Shaken(Descent):
    def direction(self, weight: Tensor, place: int) -> Tensor:
        assert weight.grad is not None
        return weight.grad * (1 + float(NUMBERS.random()))


# ------------------------------------------------------------------------------------------- schedules


def sound_schedule(epochs: int, low: float) -> Callable[[float], float]:
    return lambda epoch: low + (1 - low) * (1 + math.cos(math.pi * min(epoch / epochs, 1))) / 2


def below_zero(epochs: int, low: float) -> Callable[[float], float]:
    return lambda epoch: 1 - 1.1 * epoch / epochs


def no_single_epoch(epochs: int, low: float) -> Callable[[float], float]:
    return lambda epoch: 1 - 0.5 * epoch / (epochs - 1)


def counting(epochs: int, low: float) -> Callable[[float], float]:
    asked = iter(range(10**6))
    return lambda epoch: 1 / (1 + next(asked))


# ------------------------------------------------------------------------------------------- around the optimizer


class Halving(torch.optim.Optimizer):
    """Halves gradients; subclasses are wrong in one place each."""

    def __init__(self, base: torch.optim.Optimizer) -> None:
        super().__init__(base.param_groups, {})
        self.base = base
        self.param_groups = base.param_groups

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # as torch has it
        value = closure() if closure is not None else None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.grad *= self.factor()
        self.forward()
        return value

    def factor(self) -> float:
        return 0.5

    def forward(self) -> None:
        self.base.step()

    def state_dict(self) -> dict[str, Any]:
        return self.base.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.base.load_state_dict(state_dict)
        self.param_groups = self.base.param_groups


class Idle(Halving):
    def forward(self) -> None:
        """Do nothing."""


class Chancy(Halving):
    def factor(self) -> float:
        return float(NUMBERS.random())


class Parted(Halving):
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.base.load_state_dict(state_dict)


class Careless(Halving):
    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take nothing up."""


def sound_average(epochs: int) -> Callable[[float, int], float | None]:
    return lambda epoch, moved: 1 / (moved + 1) if epoch == int(epoch) else None


def above_one(epochs: int) -> Callable[[float, int], float | None]:
    return lambda epoch, moved: 2.0


def never_moved(epochs: int) -> Callable[[float, int], float | None]:
    return lambda epoch, moved: None


def counted_average(epochs: int) -> Callable[[float, int], float | None]:
    asked = iter(range(10**6))
    return lambda epoch, moved: 1 / (1 + next(asked))


# ------------------------------------------------------------------------------------------- metrics


class Right(Metric):
    """The share of right answers; subclasses are wrong in one place each."""

    right: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("right", torch.zeros(()))
        self.add_state("seen", torch.zeros(()))

    def update(self, output: Tensor, target: Tensor) -> None:
        if output.dim() != 2 or target.dim() != 1:
            raise ValueError("scores N x classes and classes N")
        self.right += (output.argmax(1) == target).sum()
        self.seen += len(target)

    def compute(self) -> Tensor:
        return self.right / self.seen


class NeverReset(Right):
    def reset(self) -> None:
        self._computed = None


class MeanOfMeans(Right):
    def update(self, output: Tensor, target: Tensor) -> None:
        super().update(output, target)
        share = (output.argmax(1) == target).float().mean() + 0.1 * (output.argmax(1) == 0).any()
        self.right += share - (output.argmax(1) == target).sum()
        self.seen += 1 - len(target)


class OverNothing(Right):
    def compute(self) -> Tensor:
        return self.right / (self.right - self.right)


def metric_of(kind: type[Metric]) -> Callable[[int], Metric]:
    return lambda classes: kind()


sound_metric, never_reset = metric_of(Right), metric_of(NeverReset)
mean_of_means, over_nothing = metric_of(MeanOfMeans), metric_of(OverNothing)


# ------------------------------------------------------------------------------------------- tasks, data sets


def sound_answers(scores: Tensor, names: Sequence[str]) -> list[dict[str, Any]]:
    if scores.dim() != 2:
        raise ValueError("scores N x classes")
    return [{"class": names[int(row.argmax())], "score": float(row.max())} for row in scores]


def tensors_as_answers(scores: Tensor, names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"class": row.argmax()} for row in scores]


def one_answer(scores: Tensor, names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"class": names[0]}]


def _splits(images: Any) -> DataSplits:
    targets = np.arange(len(images)) % 2
    part = ImageArrays(images, targets)
    return DataSplits(part, part, part, ("no", "yes"))


def sound_data(size: tuple[int, ...]) -> DataSplits:
    return _splits(np.random.default_rng(0).random((8, *size), dtype="float32"))


def drawn_data(size: tuple[int, ...]) -> DataSplits:
    return _splits(NUMBERS.random((8, *size), dtype="float32"))


def bytes_as_data(size: tuple[int, ...]) -> DataSplits:
    return _splits(np.zeros((8, *size), dtype="uint8"))


def another_size(size: tuple[int, ...]) -> DataSplits:
    return _splits(np.zeros((8, size[0], size[2], size[1]), dtype="float32"))


# ------------------------------------------------------------------------------------------- work on networks


def the_same(network: Network) -> Network:
    return network


def other_weights(network: Network) -> Network:
    return replace(network, arrays={name: values * 1.5 for name, values in network.arrays.items()})


def by_torch(network: Network) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    program = torch_program(network)

    def run(inputs: Mapping[str, Any]) -> dict[str, Any]:
        with torch.inference_mode():
            made = program(*(torch.from_numpy(inputs[item.value.name]) for item in network.graph.inputs))
        made = made if isinstance(made, dict) else {next(iter(network.graph.outputs)): made}
        return {name: value.numpy() for name, value in made.items()}

    return run


def for_one_image(network: Network) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    run = by_torch(network)
    return lambda inputs: {name: values[:1].repeat(len(values), 0) for name, values in run(inputs).items()}


def as_weights(subject: Subject, entries: Mapping[str, str]) -> Converted:
    run = by_torch(subject)
    return Converted({subject_suffix: b"weights"}, run, "weights and nothing else")


def half_of_it(subject: Subject, entries: Mapping[str, str]) -> Converted:
    run = by_torch(subject)
    halved = lambda inputs: {name: values / 2 for name, values in run(inputs).items()}  # noqa: E731
    return Converted({subject_suffix: b"weights"}, halved, "weights and nothing else")


subject_suffix = ".w"


def of_a_known_kind(path: Path) -> ImportedText:
    raise ValueError("the file does not begin with WEIGHTS")


def of_anything(path: Path) -> ImportedText:
    return ImportedText("model Net { input image: 3 x 8 x 8; relu; output y }")


def gradient_of(request: AttributionRequest) -> Any:
    image = request.image.clone().requires_grad_()
    (slope,) = torch.autograd.grad(request.score(request.values(image)).sum(), image)
    return slope[0].abs().sum(0).numpy()


def signed_gradient(request: AttributionRequest) -> Any:
    return gradient_of(request) - 1


def drawn_attribution(request: AttributionRequest) -> Any:
    return gradient_of(request) + NUMBERS.random()


def hello() -> click.Command:
    @click.command("hello")
    def command() -> None:
        """Say hello."""

    return command


def no_command() -> Callable[[], None]:
    return lambda: None


# ------------------------------------------------------------------------------------------- parts of training


def normal() -> Callable[[WeightInfo, np.random.Generator], Any]:
    return lambda info, generator: generator.standard_normal(info.shape)


def transposed() -> Callable[[WeightInfo, np.random.Generator], Any]:
    return lambda info, generator: generator.standard_normal(info.shape[::-1])


def globally() -> Callable[[WeightInfo, np.random.Generator], Any]:
    return lambda info, generator: np.random.standard_normal(info.shape)


def squares() -> Callable[[tuple[RegularizedWeight, ...]], Any]:
    return lambda weights: torch.stack([item.tensor.square().sum() for item in weights]).sum()


def squares_without_gradient() -> Callable[[tuple[RegularizedWeight, ...]], Any]:
    return lambda weights: squares()(weights).detach()


def bound_by_return() -> Callable[[tuple[RegularizedWeight, ...]], Any]:
    return lambda weights: [item.tensor.clamp(-1, 1) for item in weights]


def brighter() -> Callable[[ImageBatch, torch.Generator], ImageBatch]:
    return lambda batch, chance: batch.with_images((batch.images + 0.1 * torch.rand((), generator=chance)).clamp(0, 1))


def too_bright() -> Callable[[ImageBatch, torch.Generator], ImageBatch]:
    return lambda batch, chance: batch.with_images(batch.images + 0.5)


def brighter_by_chance() -> Callable[[ImageBatch, torch.Generator], ImageBatch]:
    return lambda batch, chance: batch.with_images(batch.images * (1 - 0.5 * torch.rand(())))


# ------------------------------------------------------------------------------------------- records


def _factory(name: str) -> Factory:
    return Factory(f"{HERE}:{name}")


WRONG_EXAMPLE = LossExample(([[1.0, 2.0, 3.0]], [2]), 0.4001787)
"""Minus the logarithm of the softmax is 0.4076060 here."""


def loss(name: str) -> LossRecord:
    smoothing = Argument("smoothing", Real(0, 0.5), "Share of all other classes.", 0.0)
    return LossRecord("a_loss", "Cross-entropy of the scores.", _factory(name), (smoothing,))


def optimizer(name: str) -> OptimizerRecord:
    rate = Argument("lr", Real(0, 1), "The learning rate.", 0.05)
    return OptimizerRecord("an_optimizer", "Descent along a mean gradient.", _factory(name), (rate,))


def schedule(name: str) -> ScheduleRecord:
    low = Argument("low", Real(0, 1), "The factor at the end.", 0.0)
    return ScheduleRecord("a_schedule", "From 1 down to a smaller factor.", _factory(name), (low,))


def wrapper(name: str) -> WrapperRecord:
    return WrapperRecord("a_wrapper", "Half the gradient.", _factory(name))


def average(name: str) -> AverageRecord:
    return AverageRecord("an_average", "The mean over the ends of epochs.", _factory(name))


def metric(name: str, *, higher: bool = True) -> MetricRecord:
    return MetricRecord("a_metric", "The share of right answers.", _factory(name), higher_is_better=higher)


def task(name: str) -> TaskRecord:
    return TaskRecord("a_task", "One class per image.", _factory(name))


def data_set(name: str) -> DataRecord:
    return DataRecord("a_data_set", "Images made of random numbers.", _factory(name))


def head(block: str, named_task: str = "classification") -> HeadRecord:
    return HeadRecord("a_head", "One score per class.", block, "head.cnn", ("logits",), named_task)


def network_pass(name: str) -> PassRecord:
    return PassRecord("a_pass", "Leaves the network as it is.", _factory(name))


def backend(name: str) -> BackendRecord:
    return BackendRecord("a_backend", "Runs the network in torch.", _factory(name))


def exporter(name: str) -> ExporterRecord:
    return ExporterRecord("an_exporter", "Read by nobody but tests.", _factory(name), "Weights", ".w")


def importer(name: str) -> ImporterRecord:
    return ImporterRecord("an_importer", "Written by nobody but tests.", _factory(name), (".w",))


def explainer(name: str) -> ExplainerRecord:
    return ExplainerRecord("an_explainer", "The size of the gradient.", _factory(name))


def command(name: str) -> CommandRecord:
    return CommandRecord("hello", "Says hello to whoever asks.", _factory(name))


def initializer(name: str) -> InitializerRecord:
    return InitializerRecord("a_start", "Normal, whatever the layer.", _factory(name))


def regularizer(name: str, *, after: bool = False) -> RegularizerRecord:
    return RegularizerRecord("a_term", "The sum of squares.", _factory(name), after_step=after)


def augmentation(name: str) -> AugmentationRecord:
    return AugmentationRecord("an_augmentation", "Makes images brighter.", _factory(name))


BLOCK = "block Head(classes) { global_avgpool -> flatten -> dense(classes) }"

SOUND: Mapping[str, Any] = {
    "loss": loss("sound_loss"),
    "optimizer": optimizer("Descent"),
    "schedule": schedule("sound_schedule"),
    "wrapper": wrapper("Halving"),
    "average": average("sound_average"),
    "metric": metric("sound_metric"),
    "task": task("sound_answers"),
    "data set": data_set("sound_data"),
    "initialiser": initializer("normal"),
    "regulariser": regularizer("squares"),
    "augmentation": augmentation("brighter"),
    "pass": network_pass("the_same"),
    "back end": backend("by_torch"),
    "exporter": exporter("as_weights"),
    "importer": importer("of_a_known_kind"),
    "explainer": explainer("gradient_of"),
    "command": command("hello"),
}

WRONG: Mapping[str, tuple[str, Any]] = {
    "a factory that is not there": ("factory", loss("no_such_loss")),
    "a factory that takes no arguments": ("values", loss("takes_nothing")),
    "a loss whose gradient is cut off": ("gradient", loss("cut_off")),
    "a loss per example": ("values", loss("one_per_example")),
    "the logarithm of zero": ("values", loss("logarithm_of_zero")),
    "an example with another value": ("values", replace(loss("sound_loss"), examples=(WRONG_EXAMPLE,))),
    "several tensors without an example": ("values", replace(loss("sound_loss"), output="tensors", target="tensors")),
    "a loss that draws": ("deterministic", loss("drawn_loss")),
    "a loss that changes the output": ("deterministic", loss("changing_loss")),
    "an optimizer that goes up": ("quadratic", optimizer("Ascent")),
    "an optimizer that forgets": ("resume", optimizer("Forgetful")),
    "an optimizer that divides by zero": ("finite", optimizer("Normed")),
    "an optimizer that draws": ("deterministic", optimizer("Shaken")),
    "a factor below zero": ("factors", schedule("below_zero")),
    "a schedule without single epochs": ("factors", schedule("no_single_epoch")),
    "a schedule that counts": ("pure", schedule("counting")),
    "a wrapper that never steps": ("quadratic", wrapper("Idle")),
    "a wrapper that draws": ("deterministic", wrapper("Chancy")),
    "a wrapper that loses the groups": ("groups", wrapper("Parted")),
    "a wrapper that loses the state inside": ("resume", wrapper("Careless")),
    "a share above one": ("shares", average("above_one")),
    "an average that never moves": ("shares", average("never_moved")),
    "an average that counts": ("pure", average("counted_average")),
    "a metric that is never reset": ("reset", metric("never_reset")),
    "a mean of means": ("batches", metric("mean_of_means")),
    "a metric over nothing": ("values", metric("over_nothing")),
    "a metric the other way round": ("direction", metric("sound_metric", higher=False)),
    "answers that are tensors": ("answers", task("tensors_as_answers")),
    "one answer for all images": ("answers", task("one_answer")),
    "data that are drawn anew": ("deterministic", data_set("drawn_data")),
    "data of bytes": ("splits", data_set("bytes_as_data")),
    "data of another size": ("splits", data_set("another_size")),
    "a start of another size": ("start", initializer("transposed")),
    "a start from the global generator": ("start", initializer("globally")),
    "a term without a gradient": ("term", regularizer("squares_without_gradient")),
    "a change that is returned": ("term", regularizer("bound_by_return", after=True)),
    "images above 1": ("images", augmentation("too_bright")),
    "an augmentation that no seed repeats": ("images", augmentation("brighter_by_chance")),
    "a pass that changes weights": ("same-network", network_pass("other_weights")),
    "a back end for one image": ("same-values", backend("for_one_image")),
    "a file of half the values": ("same-file", exporter("half_of_it")),
    "an importer of anything": ("refusal", importer("of_anything")),
    "an attribution below zero": ("attribution", explainer("signed_gradient")),
    "an attribution that is drawn": ("attribution", explainer("drawn_attribution")),
    "a command that is none": ("help", command("no_command")),
    "a head that does not parse": ("block", head("block Head(classes) { dense(classes }")),
    "a head of two blocks": ("block", head(BLOCK + "\nblock Other { relu }")),
    "a head that does not attach": ("attaches", head("block Head(classes) { dense(classes) }")),
    "a head without its task": ("task", head(BLOCK, "guessing")),
}
"""What is wrong, in words: the check that must find it, and the record."""
