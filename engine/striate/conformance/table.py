"""Which checks there are, by kind of record.

A new kind of record gets a row in `CHECKS`; a kind without one is held to what all records have in common.
"""

from __future__ import annotations

from collections.abc import Mapping

from striate.conformance.check import COMMON, DOCUMENTATION, Check
from striate.conformance.layer_table import LAYERS

LOSSES = (
    *COMMON,
    Check(
        "values",
        "The loss is one finite number, for every form of its arguments, and that of its examples.",
        "return the mean over the batch, and keep logarithms away from 0",
        "losses:values",
    ),
    Check(
        "gradient",
        "The gradient reaches the output, is finite, and is that of the values.",
        "compute in torch from output to loss, without detach() or item()",
        "losses:gradient",
    ),
    Check(
        "deterministic",
        "The same output and target give the same loss, and neither is changed.",
        "draw nothing at random, and leave what is given as it is",
        "losses:deterministic",
    ),
)

OPTIMIZERS = (
    *COMMON,
    Check(
        "quadratic",
        "It reduces a quadratic, with the learning rate that is its own or a small one.",
        "check the sign of the step, and that the gradient is read at every step",
        "optimizers:quadratic",
    ),
    Check(
        "finite",
        "Weights stay finite for every legal setting, with zero gradients and without some.",
        "skip parameters whose grad is None, and keep divisors away from 0",
        "optimizers:finite",
    ),
    Check(
        "deterministic",
        "The same steps give the same weights.",
        "draw nothing at random, or from torch's own generator",
        "optimizers:deterministic",
    ),
    Check(
        "resume",
        "With its state saved and loaded it goes on exactly as without.",
        "keep all that changes in self.state and self.param_groups",
        "optimizers:resume",
    ),
)

SCHEDULES = (
    *COMMON,
    Check(
        "factors",
        "The factor is finite and not below 0 over the whole run.",
        "check the ends: 0, the last step, runs of one epoch",
        "schedules:factors",
    ),
    Check(
        "pure",
        "The factor depends on the epoch alone, in whatever order it is asked for.",
        "compute it from the epoch, and keep no count: a resumed run asks from the middle",
        "schedules:pure",
    ),
)

WRAPPERS = (*COMMON, *(check for check in OPTIMIZERS if check.name in ("quadratic", "deterministic", "resume")))

AVERAGES = (
    *COMMON,
    Check(
        "shares",
        "The average moves by a share from 0 to 1, which depends on epoch and count alone.",
        "compute the share from the two numbers, and keep no count: a resumed run asks from the middle",
        "schedules:shares",
    ),
)

METRICS = (
    *COMMON,
    Check(
        "values",
        "It is one finite number after an update.",
        "return one number from compute(), also where a class does not occur",
        "metrics:values",
    ),
    Check(
        "reset",
        "After reset() it begins anew.",
        "declare everything that is counted by add_state",
        "metrics:reset",
    ),
    Check(
        "batches",
        "It is the same however the examples come in batches.",
        "gather counts or sums in update(), and divide in compute()",
        "metrics:batches",
    ),
    Check(
        "direction",
        "Right answers score better than wrong ones, in the direction that the record says.",
        "correct higher_is_better",
        "metrics:direction",
    ),
)

FILES = (
    DOCUMENTATION,
    Check(
        "check",
        "The file checks without a finding.",
        "run striate check on it",
        "language:check_text",
    ),
    Check(
        "models",
        "Every model in it has a size for every value, at the smallest legal input.",
        "run striate summary on it",
        "language:models",
    ),
    Check(
        "runs",
        "Its smallest model computes finite numbers.",
        "train or initialise it and look for the first layer that is not finite",
        "language:runs",
    ),
)

HEADS = (
    DOCUMENTATION,
    Check(
        "block",
        "Its text is one sound block.",
        "run striate check on the block, in a file of its own",
        "language:head_block",
    ),
    Check(
        "attaches",
        "A network with the head compiles and computes finite numbers.",
        "try it in a file: head NAME(classes = 3) behind a convolution",
        "language:head_attaches",
    ),
    Check(
        "task",
        "The task that it names is there.",
        "name a task that this plugin or striate provides",
        "language:head_task",
    ),
)

TASKS = (
    *COMMON,
    Check(
        "answers",
        "The decoder gives a dictionary per image that JSON can hold.",
        "return plain numbers, texts and lists: float(value), not a tensor",
        "tasks:answers",
    ),
)

DATA_SETS = (
    *COMMON,
    Check(
        "splits",
        "It gives three splits of images in the size asked for, float32 from 0 to 1, with targets of its classes.",
        "return striate.data.DataSplits, with images C x H x W",
        "data_sets:splits",
    ),
    Check(
        "deterministic",
        "It is the same every time.",
        "shuffle by a fixed seed: a run that resumes must meet the same images",
        "data_sets:deterministic",
    ),
)

INITIALIZERS = (
    *COMMON,
    Check(
        "start",
        "It gives finite numbers of the weight's size, drawn from the generator alone.",
        "return an array of info.shape, and refuse by a ValueError the weights that it is not for",
        "training_parts:start",
    ),
)

REGULARIZERS = (
    *COMMON,
    Check(
        "term",
        "The term is one finite number with gradients, or the weights are changed in place.",
        "return a scalar tensor; with after_step change the tensors in place and return nothing",
        "training_parts:regularise",
    ),
)

AUGMENTATIONS = (
    *COMMON,
    Check(
        "images",
        "Images stay from 0 to 1 and in their size, targets classes, and draws follow the generator.",
        "return a new ImageBatch, and draw from the generator alone: a resumed run draws the same again",
        "training_parts:augment",
    ),
)

PASSES = (
    *COMMON,
    Check(
        "same-network",
        "After the pass a network is well formed and computes the same.",
        "change values only where every reader of theirs is changed with them, and keep inputs and outputs",
        "network_work:same_network",
    ),
)

BACKENDS = (
    *COMMON,
    Check(
        "same-values",
        "The back end computes what torch does, for any batch and size.",
        "leave the batch axis and open sizes open",
        "network_work:same_values",
    ),
)

EXPORTERS = (
    *COMMON,
    Check(
        "same-file",
        "A file computes what torch does, or its network is refused in words.",
        "raise striate.factories.RefusedError for what the format cannot hold",
        "network_work:same_file",
    ),
)

IMPORTERS = (
    *COMMON,
    Check(
        "refusal",
        "What is no such file is refused in words.",
        "look at the file's first bytes, and raise a ValueError that says what was expected",
        "network_work:refusal",
    ),
)

EXPLAINERS = (
    *COMMON,
    Check(
        "attribution",
        "It gives a finite number per pixel, the same every time.",
        "return an array H x W, or smaller, and say by `signed` whether entries may be below 0",
        "network_work:attribution",
    ),
)

COMMANDS = (
    *COMMON,
    Check(
        "help",
        "It is a command of click that says what it does.",
        "return a click.Command with a docstring",
        "network_work:helped",
    ),
)

CHECKS: Mapping[str, tuple[Check, ...]] = {
    "layers": LAYERS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "wrappers": WRAPPERS,
    "averages": AVERAGES,
    "metrics": METRICS,
    "files": FILES,
    "heads": HEADS,
    "tasks": TASKS,
    "data_sets": DATA_SETS,
    "initializers": INITIALIZERS,
    "regularizers": REGULARIZERS,
    "augmentations": AUGMENTATIONS,
    "passes": PASSES,
    "backends": BACKENDS,
    "exporters": EXPORTERS,
    "importers": IMPORTERS,
    "explainers": EXPLAINERS,
    "commands": COMMANDS,
}
"""The checks by kind of record, as manifests call it."""


def checks_of(plural: str) -> tuple[Check, ...]:
    """Return the checks of a kind, in order; what all records have in common for one that has none of its own."""
    return CHECKS.get(plural, COMMON)
