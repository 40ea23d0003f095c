"""What plugins hand to striate beside layers: files, task heads, data sets, losses, optimizers, schedules, metrics.

Records are light: declaring one imports neither torch nor a data library. The work is done by factories, named as
`"package.module:function"` and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

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
    """A loss. `factory(**arguments)` returns a callable `(output, target) -> scalar tensor`, mean over the batch.

    `applies` names the function that the loss applies to the output before it compares, e.g. `"softmax"`: a lint then
    says that the network must not end in one.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    reference: str = ""
    applies: str | None = None


@dataclass(frozen=True, slots=True)
class OptimizerRecord:
    """An optimizer. `factory(parameters, **arguments)` returns a `torch.optim.Optimizer`."""

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A learning-rate schedule.

    `factory(epochs, **arguments)` returns a function from the epoch (a float that advances with every step, 0 at the
    start, `epochs` at the end) to the factor by which the optimizer's rate is multiplied. Being a pure function, it
    resumes exactly.
    """

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    reference: str = ""


@dataclass(frozen=True, slots=True)
class MetricRecord:
    """A metric. `factory(classes, **arguments)` returns a torchmetrics `Metric` fed with outputs and targets."""

    name: str
    summary: str
    factory: Factory
    arguments: tuple[Argument, ...] = ()
    higher_is_better: bool = True
    percent: bool = False
