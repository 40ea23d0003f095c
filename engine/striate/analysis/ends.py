"""What an exported file may do beside the network: turn images of a camera into its input, and scores into answers.

This module says what is to be done, from the pixel contract of the inputs and the task of the outputs; torch and ONNX
compute it each in their own room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from striate.graph import Graph, Input, format_shape
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Answering = Literal["softmax", "sigmoid", "argmax", "top"]
PREPROCESS = ("pixels", "resize")
CAMERAS = ("rgb", "bgr")
POSTPROCESS = ("head", "softmax", "sigmoid", "argmax", "top")

OF_TASK: Mapping[str, Answering] = {"classification": "top", "segmentation": "argmax"}
"""What answers a task, by the name of its record."""

USUAL_TOP = 5
"""How many classes `top` names, where the network tells as many apart."""

_COLOR_CHANNELS = {"rgb": 3, "bgr": 3, "grey": 1}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: `preprocess`, `camera`, `postprocess` and `top` of an export section or a command line."""

    preprocess: str | None = None
    camera: str | None = None
    postprocess: str | None = None
    top: int | None = None

    def over(self, section: Wanted) -> Wanted:
        """Return what a section wants, but for what is said here."""
        return Wanted(
            self.preprocess or section.preprocess,
            self.camera or section.camera,
            self.postprocess or section.postprocess,
            self.top or section.top,
        )

    @property
    def anything(self) -> bool:
        """Whether something is to be done beside the network."""
        return self != Wanted()


@dataclass(frozen=True, slots=True)
class Pixels:
    """How images of 8 bits, `N x H x W x C`, become an input `N x C x H x W` of the network.

    In this order: brought to `size` by the filter `resize` (smoothed where they shrink, as training does it), channels
    turned round if `flip`, 0 to 255 stretched to `low` to `high`, `mean` subtracted, divided by `std`.

    Attributes:
        name: the input.
        channels: its channels.
        camera: the order of the channels in the images: `rgb`, `bgr` or `grey`.
        flip: whether the network has them the other way round.
        low: what 0 becomes.
        high: what 255 becomes.
        mean: one number per channel.
        std: one number per channel.
        resize: the filter, None where images must have the network's size.
        size: the network's height and width, where images are brought to it.
    """

    name: str
    channels: int
    camera: str
    flip: bool
    low: float
    high: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str | None = None
    size: tuple[int, int] | None = None

    @property
    def scale(self) -> tuple[float, ...]:
        """What a value of 0 to 255 is multiplied by, per channel, before `shift` is added."""
        return tuple((self.high - self.low) / 255 / each for each in self.std)

    @property
    def shift(self) -> tuple[float, ...]:
        """What is added to a value of 0 to 255 after the multiplication, per channel."""
        return tuple((self.low - mean) / std for mean, std in zip(self.mean, self.std, strict=True))

    def described(self) -> dict[str, object]:
        """Return what the file says about the input."""
        size = "any height and width" if self.resize else "the network's height and width"
        return {"type": "uint8", "layout": "N x H x W x C", "color": self.camera, "size": size}


@dataclass(frozen=True, slots=True)
class Answer:
    """How an output, scores `N x C …`, becomes answers: the kind, how many, and the names of the new outputs.

    `softmax` and `sigmoid` give one array as large as the scores, `argmax` the index of the largest channel, and `top`
    the shares of the likeliest `count` classes and their indices, the likeliest first.
    """

    output: str
    kind: Answering
    names: tuple[str, ...]
    count: int = 0
    is_shares: bool = False

    def described(self) -> dict[str, object]:
        """Return what the file says about the new outputs."""
        return {"from": self.output, "by": self.kind, **({"count": self.count} if self.count else {})}


@dataclass(frozen=True, slots=True)
class Ends:
    """What is done before and behind the network."""

    pixels: tuple[Pixels, ...] = ()
    answers: tuple[Answer, ...] = ()

    def output_names(self, outputs: Iterable[str]) -> tuple[str, ...]:
        """Return the outputs of the file, in the order of the network's."""
        named = {answer.output: answer.names for answer in self.answers}
        return tuple(name for output in outputs for name in named.get(output, (output,)))

    def words(self) -> str:
        """Return what is in the file, in words."""
        parts = [f"{item.name} takes 8-bit images N x H x W x {item.channels} ({item.camera})" for item in self.pixels]
        parts += [f"{item.output} becomes {' and '.join(item.names)} ({item.kind})" for item in self.answers]
        return "; ".join(parts)


NO_ENDS = Ends()
"""Nothing but the network."""


@dataclass(frozen=True, slots=True)
class EndsReader:
    """Works out the ends of a network.

    Attributes:
        graph: the network.
        wanted: what is asked for.
        contracts: pixel contracts by input that count more than the file's: those that weights were trained with.
        task_of: from a head's name to the name of its task.
        shares: the outputs that are shares already, because a layer like softmax makes them.
    """

    graph: Graph
    wanted: Wanted
    contracts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    task_of: Mapping[str, str] = field(default_factory=dict)
    shares: frozenset[str] = frozenset()

    def read(self) -> Ends:
        """Return the ends.

        Raises:
            DiagnosticError: E0640, an image has no pixel contract; E0641, an input or its contract does not go with
                what is asked; E0642, an output has no such answer.
        """
        if self.wanted.camera and not self.wanted.preprocess:
            raise DiagnosticError(
                Diagnostic(
                    "E0641",
                    f"camera = {self.wanted.camera} is about images, and the file takes none",
                    help="ask for preprocess = pixels, or leave camera out",
                )
            )
        pixels = tuple(self._pixels()) if self.wanted.preprocess else ()
        answers = tuple(self._answers()) if self.wanted.postprocess else ()
        if self.wanted.top is not None and not any(item.kind == "top" for item in answers):
            raise DiagnosticError(
                Diagnostic(
                    "E0642",
                    f"top = {self.wanted.top} is how many classes are named, and the file names none in order",
                    help="ask for postprocess = top, or leave top out",
                )
            )
        return Ends(pixels, answers)

    # ------------------------------------------------------------------------------------ pixels

    def _pixels(self) -> Iterator[Pixels]:
        images = [item for item in self.graph.inputs if item.value.type.rank == 3]
        if not images:
            sizes = ", ".join(f"{item.value.name}: {format_shape(item.value.type)}" for item in self.graph.inputs)
            raise DiagnosticError(
                Diagnostic("E0641", "no input is an image C x H x W, so there are no pixels to prepare", notes=(sizes,))
            )
        without = [item for item in images if not self._contract(item)]
        if without:
            raise DiagnosticError(*(_no_contract(item) for item in without))
        for item in images:
            yield self._of_image(item, self._contract(item))

    def _contract(self, item: Input) -> Mapping[str, Any]:
        return self.contracts.get(item.value.name) or item.contract

    def _of_image(self, item: Input, contract: Mapping[str, Any]) -> Pixels:
        channels, height, width = item.value.type.shape
        if not isinstance(channels, int):
            raise DiagnosticError(_not_fitting(item, "its channels are open", "write their number in the input line"))
        usual = "grey" if channels == 1 else "rgb"
        color = contract.get("color", usual)
        if _COLOR_CHANNELS[color] != channels:
            reason = f"it has {channels} channels, and {color} has {_COLOR_CHANNELS[color]}"
            raise DiagnosticError(
                _not_fitting(item, reason, "give it one or three channels, or leave --preprocess out")
            )
        low, high = contract.get("range", (0.0, 1.0))
        camera = "grey" if channels == 1 else self.wanted.camera or "rgb"
        made = Pixels(
            item.value.name,
            channels,
            camera,
            camera != color,
            low,
            high,
            _per_channel(contract, "mean", channels, 0.0),
            _per_channel(contract, "std", channels, 1.0),
        )
        if self.wanted.preprocess != "resize":
            return made
        if not isinstance(height, int) or not isinstance(width, int):
            reason = f"its size is open ({format_shape(item.value.type)}), so there is none to bring images to"
            raise DiagnosticError(
                _not_fitting(item, reason, "fix the size in the input line, or ask for --preprocess pixels")
            )
        filter_name = contract.get("resize", "bilinear")
        return Pixels(
            made.name, channels, camera, made.flip, low, high, made.mean, made.std, filter_name, (height, width)
        )

    # ------------------------------------------------------------------------------------ answers

    def _answers(self) -> Iterator[Answer]:
        outputs = self._scored()
        for output, kind in outputs.items():
            yield self._answer(output, kind, alone=len(outputs) == 1)

    def _scored(self) -> dict[str, Answering]:
        """Return the outputs that are scores, each with what answers it."""
        asked = self.wanted.postprocess
        of_heads = {name: task for task in self.graph.tasks for name in task.outputs}
        if asked == "head":
            if not of_heads:
                raise DiagnosticError(_no_head(self.graph))
            return {name: self._of_task(task.name) for name, task in of_heads.items()}
        kind: Answering = asked  # type: ignore[assignment] # the others are answers
        if of_heads:
            return dict.fromkeys(of_heads, kind)
        if len(self.graph.outputs) > 1:
            raise DiagnosticError(_which_output(self.graph))
        return dict.fromkeys(self.graph.outputs, kind)

    def _of_task(self, head: str) -> Answering:
        task = self.task_of.get(head, head)
        if task in OF_TASK:
            return OF_TASK[task]
        raise DiagnosticError(
            Diagnostic(
                "E0642",
                f"the outputs of head {head} cannot be turned into answers in the file",
                notes=(f"striate can for the tasks {', '.join(OF_TASK)}, not for {task}",),
                help="leave --postprocess out and decode the outputs where the file is run",
            )
        )

    def _answer(self, output: str, kind: Answering, *, alone: bool) -> Answer:
        size = self.graph.types[self.graph.outputs[output]]
        if kind in ("softmax", "sigmoid") and output in self.shares:
            raise DiagnosticError(
                Diagnostic(
                    "E0642",
                    f"output {output} is made of shares already, {kind} would be taken twice",
                    help="leave --postprocess out, or ask for argmax or top",
                )
            )
        names = {"argmax": ("classes",), "top": ("scores", "classes")}.get(kind, ("probabilities",))
        taken = {*self.graph.types, *self.graph.outputs}
        if not alone or taken.intersection(names):
            names = tuple(f"{output}_{name}" for name in names)
        if kind != "top":
            return Answer(output, kind, names)
        classes = size.channels
        if size.rank != 1 or not isinstance(classes, int):
            raise DiagnosticError(
                Diagnostic(
                    "E0642",
                    f"output {output} is {format_shape(size)}, and top is for one score per class and image",
                    help="ask for argmax: the class of every pixel",
                )
            )
        count = min(USUAL_TOP, classes) if self.wanted.top is None else self.wanted.top
        if count > classes:
            raise DiagnosticError(
                Diagnostic("E0642", f"top = {count} of {classes} classes", help=f"ask for at most {classes}")
            )
        return Answer(output, kind, names, count, output in self.shares)


def _per_channel(contract: Mapping[str, Any], key: str, channels: int, usual: float) -> tuple[float, ...]:
    numbers = tuple(float(each) for each in contract.get(key, (usual,)))
    return numbers * channels if len(numbers) == 1 else numbers


def _no_contract(item: Input) -> Diagnostic:
    name, shape = item.value.name, item.value.type
    written = "color = grey; range = 0..1" if shape.channels == 1 else "color = rgb; range = 0..1"
    return Diagnostic(
        "E0640",
        f"input {name} does not say what its pixels are, so none can be prepared",
        item.origin.span,
        notes=("with mean = [...] and std = [...] where the weights were trained with them",),
        help=f"write it in the input's body: input {name}: {format_shape(shape)} {{ {written} }}",
    )


def _not_fitting(item: Input, reason: str, advice: str) -> Diagnostic:
    return Diagnostic("E0641", f"input {item.value.name} cannot take images: {reason}", item.origin.span, help=advice)


def _no_head(graph: Graph) -> Diagnostic:
    names = ", ".join(graph.outputs)
    return Diagnostic(
        "E0642",
        f"{graph.name} has no head that says what its outputs mean",
        notes=(f"its outputs are {names}",),
        help="end the model in head classification(…) or head segmentation(…), or say it: --postprocess softmax, "
        "sigmoid, argmax or top",
    )


def _which_output(graph: Graph) -> Diagnostic:
    return Diagnostic(
        "E0642",
        f"{graph.name} has {len(graph.outputs)} outputs, and no head says which of them are scores",
        notes=(f"its outputs are {', '.join(graph.outputs)}",),
        help="close the scores with a head: head classification(…)",
    )
