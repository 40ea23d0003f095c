"""What plugins hand to striate beside layers: files, task heads, data sets, and all that a recipe names.

Records are light: declaring one imports neither torch nor a data library. The work is done by factories, named as
`"package.module:function"` and imported when a run needs them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from striate.host.loss_traits import LossExample
from striate.host.weight_choice import WEIGHTS
from striate.ops.arguments import Argument


@dataclass(frozen=True, slots=True)
class Factory:
    """A function named by module and attribute, imported on first use."""

    target: str

    def __call__(self, *positional: Any, **named: Any) -> Any:
        """Import the function and call it."""
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)(*positional, **named)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A `.cnn` file, for `use zoo.resnet`: one that lies in a plugin's package, or one whose text a function makes.

    Attributes:
        name: the dotted name used after `use`.
        summary: what is in it, in one sentence.
        package: the import package that holds it, e.g. `my_plugin`.
        resource: its path in there with `/`, e.g. `zoo/resnet.cnn`; it may use other files of the package.
        build: instead of these two, what makes the text: `build(**settings)` returns it, always the same.
        settings: the settled arguments of `build`.
    """

    name: str
    summary: str
    package: str = ""
    resource: str = ""
    build: Factory | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """A task head: its layers as a block in the language, the outputs it names, and how outputs become answers.

    Attributes:
        name: the name used after `head`.
        summary: what the head is for, in one sentence.
        block: text of a `.cnn` file with exactly one block; its parameters are the head's arguments.
        source: the name under which messages quote that text.
        outputs: the names of the outputs; the block's last value is the only one for now.
        task: the `TaskRecord` that decodes and scores the outputs.
        objects: the argument that says how large the objects are that the head is to find: a number of pixels, a pair
            (height, width), a list of such, or a list with such a list per value that the head is given. It may be a
            parameter of the block (`anchors`); if it is none, the head takes it all the same.
    """

    name: str
    summary: str
    block: str
    source: str
    outputs: tuple[str, ...]
    task: str
    objects: str = "objects"


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """How outputs become answers.

    `decode(logits, class_names)` returns one dictionary per image, e.g. `{"class": "3", "probability": 0.98}`;
    `report` names the pictures that `train` and `eval` draw for the task.
    """

    name: str
    summary: str
    decode: Factory
    report: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataRecord:
    """A data set. `factory(input_shape, **arguments)` returns a `striate.train.data.DataSplits`."""

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    task: str = "classification"


@dataclass(frozen=True, slots=True)
class LossRecord:
    """A loss. `factory(**arguments)` returns a callable that gives a scalar tensor, as a rule of output and target.

    Attributes:
        name: the name that a recipe writes.
        summary: what it measures, in one sentence.
        factory: makes it. Where what it returns is a `torch.nn.Module`, its parameters are trained with the network's,
            and its buffers kept with the run.
        arguments: what may be written in brackets.
        reference: the source.
        applies: the function that the loss applies to the output before it compares, e.g. `"softmax"`: a lint then
            says that the network must not end in one.
        formula: the definition in plain text.
        reduction: over what it takes the mean or sum, in a line.
        range: the smallest and the largest value that it can have, whatever its arguments are.
        output: what it takes from the network, one of `striate.host.loss_traits.OUTPUTS`.
        target: what it compares that with, one of `striate.host.loss_traits.TARGETS`.
        sizes: what the factory is given beside the arguments, where the loss has weights of its own: `features` (the
            entries of an embedding), `classes`.
        examples: values that it must have.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    reference: str = ""
    applies: str | None = None
    formula: str = ""
    reduction: str = "mean"
    range: tuple[float, float] = (-math.inf, math.inf)
    output: str = "scores"
    target: str = "classes"
    sizes: tuple[str, ...] = ()
    examples: tuple[LossExample, ...] = ()

    @property
    def in_recipes(self) -> bool:
        """Whether a recipe can name it: it compares one output with one target."""
        return self.output != "tensors"


@dataclass(frozen=True, slots=True)
class OptimizerRecord:
    """An optimizer.

    `factory(parameters, **arguments)` returns a `torch.optim.Optimizer`. `parameters` is what torch's own optimizers
    take: a list of parameters, or, where a recipe has groups, of dictionaries with `params`, `weight_decay` if the
    group says so, and entries that the optimizer leaves in the group as they are.

    `step` is called with a function that computes the loss and the gradients of the batch, with the same random numbers
    each time it is called; the optimizer calls it once or more. Everything that the next step depends on must be in
    `state_dict()`, as numbers, texts, tensors and lists and dictionaries of them. An optimizer that has `eval()` and
    `train()` is told so before and after the weights are measured and saved.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    reference: str = ""
    formula: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A learning-rate schedule.

    `factory(epochs, **arguments)` returns a function from the epoch (a float that advances with every step, 0 at the
    start, `epochs` at the end) to the factor by which the optimizer's rate is multiplied, or to a pair: this factor and
    the momentum (the first beta of an optimizer that has betas). Being a pure function, it resumes exactly.

    Attributes:
        watches: the function is also given the finished epochs, as a tuple of `EpochOutcome`.
        tests_rates: the run is there to find a rate: the loss of every step is kept, the run ends when it rises far
            above its lowest, and the report shows it over the rate.
        formula: the factor as a function of the epoch e of E epochs, in plain text.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    reference: str = ""
    watches: bool = False
    tests_rates: bool = False
    formula: str = ""


@dataclass(frozen=True, slots=True)
class InitializerRecord:
    """An initialiser. `factory(**arguments)` returns a rule `(info, generator) -> array` for one weight.

    The rule gets a `WeightInfo` (name, shape, fans) and a `numpy.random.Generator` seeded by the run's seed and the
    weight's name; it draws from nothing else, and returns an array of the weight's shape. striate adds the argument
    `weights`, which says for which weights a recipe means it; the factory is not given it.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    formula: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        _add_weights(self)


@dataclass(frozen=True, slots=True)
class RegularizerRecord:
    """A regulariser: a term added to the loss, or with `after_step` a change made to the weights after every step.

    `factory(**arguments)` returns a function of a tuple of `RegularizedWeight`s. As a term it returns a scalar tensor,
    and gradients flow through it; after a step it changes the tensors in place and returns nothing. striate adds the
    argument `weights`, which the factory is not given.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    formula: str = ""
    reference: str = ""
    after_step: bool = False

    def __post_init__(self) -> None:
        _add_weights(self)


@dataclass(frozen=True, slots=True)
class AugmentationRecord:
    """An augmentation. `factory(**arguments)` returns a function `(batch, chance) -> batch` for training batches.

    `batch` is a `striate.data.ImageBatch`, `chance` a `torch.Generator` on the processor, seeded by the run's seed and
    the place in the run: what is drawn from it alone is drawn again when the run is resumed. `extra` is the package
    that the factory imports and that striate's plain installation lacks, for the pages only.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    formula: str = ""
    reference: str = ""
    extra: str = ""


@dataclass(frozen=True, slots=True)
class MetricRecord:
    """A metric. `factory(classes, **arguments)` returns a torchmetrics `Metric` fed with outputs and targets.

    Attributes:
        name: the name that a recipe writes.
        summary: what is measured, in one sentence.
        factory: makes the metric; its `compute()` gives one number.
        arguments: what may be written in brackets.
        higher_is_better: whether a larger value is the better one.
        percent: whether the value is a share, shown in percent.
        formula: the definition in plain text.
        reference: where it is from.
        tasks: the tasks whose outputs it can be fed with; none stands for one class per image or pixel.
        picture: `picture(metric, classes)` returns a matplotlib `Figure` of what a metric has gathered, which the
            report shows; None where there is nothing to draw.
        extra: the package that the factory imports and that the extra `train` lacks, for the pages only.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    higher_is_better: bool = True
    percent: bool = False
    formula: str = ""
    reference: str = ""
    tasks: tuple[str, ...] = ()
    picture: Factory | None = None
    extra: str = ""


def _add_weights(record: InitializerRecord | RegularizerRecord) -> None:
    """Add the argument `weights` to those of a record, unless it is a copy that has it."""
    given: object = record.arguments  # a plugin may have put anything there; the host says so when it looks
    if isinstance(given, tuple) and WEIGHTS not in given:
        object.__setattr__(record, "arguments", (*given, WEIGHTS))
