"""Which pixels of an image an answer hangs on: a plugin's explainer applied to a trained network.

The explainer gives numbers; choosing class and feature map, and holding the numbers to the explainer's terms, is done
here and in `train.attribution`, the same for all. The picture is `view.heat_map`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.elaborate.faults import Fault
from striate.elaborate.settings import RecipeEnvironment, placed_settings
from striate.host.catalogue import HostCatalogue
from striate.host.provided import Provided, shown
from striate.host.work_records import ExplainerRecord
from striate.train.parts import Part, read_part  # noqa: TID253 - of this room only what needs no torch
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.names import nearest
from striate_dsl.parser import parse
from striate_dsl.source import Source
from striate_dsl.syntax import Section

if TYPE_CHECKING:
    import numpy as np

    from striate.graph import Graph
    from striate.model import Model
    from striate.train.attribution import Question

    Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Attribution:
    """How much each pixel speaks for an answer.

    Attributes:
        values: `H x W` of the network's input, float32; entries below 0 speak against the answer.
        image: the image that was explained, `C x H x W` in the network's size, from 0 to 1.
        method: the explainer's name as it was written.
        owner: the plugin that provides it.
        target: the class's name.
        score: the network's output for it.
        layer: the value whose feature map was looked at, for methods that look at one; empty where there is none.
        signed: whether entries below 0 are meant to be there.
    """

    values: Array
    image: Array
    method: str
    owner: str
    target: str
    score: float
    layer: str
    signed: bool


def attribute(
    model: Model,
    image: str | Path,
    *,
    weights: str | Path,
    method: str = "saliency",
    target: str | None = None,
    layer: str | None = None,
    device: str = "cpu",
) -> Attribution:
    """Say which pixels of an image speak for an answer.

    Args:
        model: a network with one image as its input and one output, of scores by class or a map of them.
        image: the image file.
        weights: the checkpoint.
        method: an explainer, with arguments if it has any, as a recipe writes its parts: `grad_cam`.
        target: the class to be explained, by name or number; without one, the likeliest.
        layer: the layer whose feature map methods such as Grad-CAM look at; without one, the last that has rows and
            columns and comes before the output.
        device: where torch computes: `auto`, `cpu` or `cuda`.

    Raises:
        DiagnosticError: E0402 to E0405, the method or an argument of it is wrong; E0725, there is no such class or
            layer, or the method does not go with the network; E0720 or E0721, the method failed; E0507 or E0509, the
            network or the file is not made for that.
    """
    from striate.train.attribution import ask

    part = read_method(method, model.catalogue)
    name = method.partition("(")[0].strip()
    found = Provided(part.record, "explainer", name, part.owner, model.catalogue.plugins.plugin(part.owner))
    chosen = _layer(model.graph, layer)
    asked = ask(model, Path(image), Path(weights), target, chosen, device)
    values = _computed(found, asked, part.arguments)
    signed = found.record.signed
    return Attribution(values, asked.image, found.name, found.owner, asked.target, asked.score, chosen, signed)


def read_method(written: str, catalogue: HostCatalogue) -> Part[ExplainerRecord]:
    """Return the explainer that is written as a recipe writes its parts: `grad_cam`, `smooth_grad(samples = 16)`.

    Raises:
        DiagnosticError: E0402 to E0405, its name or an argument is wrong; E0725, it cannot be read.
    """
    parsed = parse(Source("<--method>", f"train {{\nmethod = {written}\n}}"))
    sections = [item for item in parsed.file.definitions if isinstance(item, Section)] if parsed.file else []
    if len(sections) != 1 or len(sections[0].settings) != 1:
        message = next((item.message for item in parsed.diagnostics), "one method is expected")
        raise DiagnosticError(
            Diagnostic("E0725", f"cannot read the method {written}: {message}", help="for example --method grad_cam")
        )
    try:
        value, setting = placed_settings(sections[0].settings, RecipeEnvironment())["method"]
    except (Fault, KeyError) as error:
        told = error.diagnostic if isinstance(error, Fault) else Diagnostic("E0725", f"{written} is no method")
        raise DiagnosticError(told) from None
    assert setting.value is not None, "settings that are placed have a value"
    return read_part(ExplainerRecord, "method", (value, setting.value), (), catalogue, {})


def _layer(graph: Graph, wanted: str | None) -> str:
    """Return the value with a feature map to look at: the one that is named, or the last before the output.

    It is empty where none is named and there is none.
    """
    maps = [
        value.name
        for node in graph.nodes
        for value in node.outputs
        if value.type.rank == 3 and value.type.shape[1:] != (1, 1)
    ]
    if wanted is None:
        outputs = set(graph.outputs.values())
        before = [name for name in maps if name not in outputs] or maps
        return before[-1] if before else ""
    if wanted in maps:
        return wanted
    if wanted in graph.types:
        message = f"layer {wanted} gives no map with rows and columns"
    else:
        near = nearest(wanted, maps)
        message = f"{graph.name} has no layer {wanted}" + (f": did you mean {near}?" if near else "")
    raise DiagnosticError(Diagnostic("E0725", message, notes=(f"layers with a map: {', '.join(maps[-12:])}",)))


def _computed(found: Provided[ExplainerRecord], asked: Question, arguments: Mapping[str, Any]) -> Array:
    """Return what the explainer gives, in the image's size and held to its terms."""
    import numpy as np

    from striate.formats.subject import RefusedError
    from striate.train.images import resize_image

    with found.blamed(RefusedError):
        try:
            given = found.record.factory(asked.request, **arguments)
        except RefusedError as error:
            raise DiagnosticError(Diagnostic("E0725", f"{found.name} cannot explain this answer: {error}")) from error
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    found.demand(isinstance(given, np.ndarray), f"returned {shown(given)} where an array H x W is due")
    found.demand(given.ndim == 2 and given.size > 0, f"returned an array of the size {given.shape} where H x W is due")
    values = np.asarray(given, dtype=np.float32)
    found.demand(bool(np.isfinite(values).all()), "returned numbers that are not finite")
    if not found.record.signed:
        found.demand(bool((values >= 0).all()), "returned numbers below 0, and its record does not say signed = True")
    resized: Array = resize_image(values[None], *asked.size)[0]
    return resized
