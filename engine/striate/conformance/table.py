"""Which checks there are, by kind of record: what each asks, what to do where the answer is no.

A new kind of record gets a row in `CHECKS`; a kind without one is held to what all records have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from striate.conformance.subject import Subject


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a record.

    Attributes:
        name: its stable name.
        question: what must hold, in a sentence.
        repair: what to do where it does not, unless the failure says something closer.
        target: the function that answers, as `"module:function"` within this package: it is imported when it runs.
    """

    name: str
    question: str
    repair: str
    target: str

    def run(self, subject: Subject) -> str | None:
        """Answer the question; return what else there is to say.

        Raises:
            CheckFailedError: what is asked does not hold.
            NotApplicableError: there is nothing to ask.
        """
        module, _, function = self.target.partition(":")
        answer: Callable[[Subject], str | None] = getattr(import_module(f"striate.conformance.{module}"), function)
        return answer(subject)


DOCUMENTATION = Check(
    "documentation",
    "The summary and those of the arguments are sentences.",
    "write a sentence that says what it computes or is for: explain, hover texts and the reference pages show it",
    "schema:documentation",
)
ARGUMENTS = Check(
    "arguments",
    "Arguments have plain names, legal defaults, and refuse by an ArgumentError what they do not take.",
    "choose a kind and a default that fit each other; kinds of your own raise ArgumentError, and nothing else",
    "schema:arguments",
)
FACTORY = Check(
    "factory",
    "What the record names as package.module:function can be imported.",
    "correct the name in Factory(…), and list what the module needs in the distribution's dependencies",
    "schema:factories",
)
COMMON = (DOCUMENTATION, ARGUMENTS, FACTORY)
"""What every record is held to."""

LAYERS = (
    DOCUMENTATION,
    ARGUMENTS,
    Check(
        "samples",
        "Samples are legal where they should be, refused where they say so, and show every argument.",
        "add Samples: two legal ones at least, one not square, each argument once, and one that fails",
        "schema:samples",
    ),
    Check(
        "rules",
        "Rules change nothing that they are given, and take the values that they settled on.",
        "return new values from settle, and leave attributes and inputs as they are",
        "layer_sizes:rules",
    ),
    Check(
        "shape-rule",
        "What the shape rule takes, torch computes to the very size.",
        "correct `shape`, or refuse by LayerError what the torch rule cannot compute",
        "layer_sizes:shape_rule",
    ),
    Check(
        "open-sizes",
        "The shape rule says the same of open sizes as of known ones.",
        "state every condition through `check`, and compute sizes from the sizes of the input only",
        "layer_sizes:open_sizes",
    ),
    Check(
        "parameters",
        "Every row of every declared weight is used, and nothing else is trained.",
        "make `weights` and `torch` agree on what is trained",
        "layer_weights:parameters",
    ),
    Check(
        "macs",
        "The multiply-adds are about those that torch does.",
        "give `macs` the multiply-adds of convolutions and products for one image (striate's convention: one each)",
        "layer_weights:macs",
    ),
    Check(
        "gradients",
        "Gradients are those of what is computed, in float64.",
        "compute by torch's own operations, or correct the backward of your autograd.Function",
        "layer_values:gradients",
    ),
    Check(
        "evaluation",
        "In evaluation nothing is random and nothing changes.",
        "do what is random, and update statistics, only where call.training is true",
        "layer_values:evaluation",
    ),
    Check(
        "training",
        "In training the result is finite and follows the seed, and only statistics change.",
        "draw from torch's generator, and write to weights with trainable=False only",
        "layer_values:training",
    ),
    Check(
        "batch",
        "An image gives the same alone and in a batch.",
        "treat axis 0 as the batch, and take means over other axes only",
        "layer_values:batches",
    ),
    Check(
        "save-load",
        "Saved and loaded weights compute the same; the layer keeps nothing else.",
        "keep everything that changes in declared weights",
        "layer_weights:save_load",
    ),
    Check(
        "lowering",
        "Memory order, precision, and the network around it change nothing.",
        "do not rely on contiguous memory (.view) or on float32",
        "layer_values:lowering",
    ),
    Check(
        "onnx",
        "ONNX Runtime computes what torch does, for every argument.",
        "make the ONNX rule compute what the torch rule does",
        "layer_onnx:onnx",
    ),
    Check(
        "composition",
        "In a network it compiles, trains and exports.",
        "try the network that is shown: striate check, and striate export, say more",
        "layer_networks:composition",
    ),
)

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

WRAPPERS = (
    *COMMON,
    Check(
        "quadratic",
        "Around gradient descent it reduces a quadratic.",
        "check that the inner optimizer steps, and with which gradient",
        "wrappers:quadratic",
    ),
    Check(
        "groups",
        "Its groups are those of the inner optimizer, also behind a state that was loaded.",
        "set self.param_groups = base.param_groups in __init__ and load_state_dict",
        "wrappers:groups",
    ),
    Check(
        "deterministic",
        "The same steps give the same weights.",
        "draw nothing at random, or from torch's own generator",
        "wrappers:deterministic",
    ),
    Check(
        "resume",
        "With its state saved and loaded, that of the inner optimizer in it, it goes on exactly as without.",
        "put the inner optimizer's state_dict() into its own",
        "wrappers:resume",
    ),
)

AVERAGES = (
    *COMMON,
    Check(
        "shares",
        "Every share is a number from 0 to 1 or None, and some step of every run moves the average.",
        "check the ends: runs of one epoch, the first and the last step",
        "averages:shares",
    ),
    Check(
        "pure",
        "The share depends on epoch and count alone, in whatever order it is asked for.",
        "compute it from its two arguments, and keep nothing: a resumed run asks from the middle",
        "averages:pure",
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
