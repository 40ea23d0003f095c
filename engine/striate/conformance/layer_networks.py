"""The check that a layer lives in a network: written in the language, trained for a step, exported and verified."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from striate.conformance.layer_call import Configuration, infer
from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.subject import Subject, first_line
from striate.exporting import export_model
from striate.graph import TensorType
from striate.host.catalogue import HostCatalogue
from striate.model import load_source
from striate.ops.record import OpRecord
from striate.reference.sample_runs import named_value, written_call
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source

if TYPE_CHECKING:
    from striate.model import Model

MOST_NETWORKS = 3
CLASSES = 3
_MERGED = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class WithLayer(HostCatalogue):
    """Everything that is installed, and a layer that need not be."""

    def __init__(self, record: OpRecord) -> None:
        super().__init__()
        self._given_layer = record

    def known_layer(self, name: str) -> OpRecord | None:
        """Return a layer that can be named without asking plugins."""
        return self._given_layer if name == self._given_layer.name else super().known_layer(name)

    def layer(self, name: str) -> OpRecord | None:
        """Return a layer's record; of this name it is the one given."""
        return self._given_layer if name == self._given_layer.name else super().layer(name)

    def lookup(self, name: str) -> OpRecord:
        """Return the record of a layer that a graph holds; of this name it is the one given."""
        return self._given_layer if name == self._given_layer.name else super().lookup(name)


def composition(subject: Subject) -> str | None:
    """With a convolution before and a dense layer behind, it compiles, trains for a step, and goes to ONNX."""
    calls = [call for call in subject.samples if _fits(call)]
    if not calls:
        raise NotApplicableError("no sample has inputs that a convolution or a dense layer can make")
    written = [(call, network_text(call)) for call in calls[:MOST_NETWORKS]]
    for call, text in written:
        try:
            model = _compiled(subject.layer, text)
            steps = _trained(model)
            _exported(model)
        except CheckFailedError as failure:
            raise CheckFailedError(failure.message, f"{call}, in\n{text}", failure.repair) from None
        except DiagnosticError as error:
            finding = error.diagnostics[0]
            said = "; ".join([f"{finding.code}: {finding.message}", *finding.notes[:1]])
            raise CheckFailedError(f"the network does not compile: {said}", f"{call}, in\n{text}") from None
        if not steps:
            raise NotApplicableError("no gradient flows through it, so nothing before it can be trained")
    return f"{len(written)} networks"


def _fits(call: Configuration) -> bool:
    """Whether all inputs can be made, and the layer is not one whose inputs must be of a special kind."""
    return all(len(shape) <= 4 for shape in call.shapes) and call.record.domain is None


def network_text(call: Configuration) -> str:
    """Return a network with a call in it: its inputs come from convolutions (flat ones from dense layers)."""
    record, shapes = call.record, call.shapes
    names = _names(call)
    lines = ["model Net {"]
    for name, shape in zip(names, shapes, strict=True):
        lines.append(f"  input {name}_image: {' x '.join(map(str, (2, *shape[1:]) if len(shape) > 1 else (4,)))}")
    for name, shape in zip(names, shapes, strict=True):
        before = f"conv({shape[0]}, 1)" if len(shape) > 1 else f"dense({shape[0]})"
        lines.append(f"  {name}_image -> {before} as {name}")
    outputs = infer(record, call.arguments, shapes).outputs
    flat = "" if outputs[0].rank == 1 else " -> flatten"
    lines += [f"  {names[0]} -> {_call(call, names)}{flat} -> dense({CLASSES})", "  output logits", "}"]
    return "\n".join(lines)


def _names(call: Configuration) -> list[str]:
    if call.record.merge:
        return list(_MERGED[: len(call.shapes)])
    places = {
        call.arguments[item.name]: named_value(item)
        for item in call.record.value_arguments
        if item.name in call.arguments
    }
    return [places.get(place, "value") for place in range(len(call.shapes))]


def _call(call: Configuration, names: list[str]) -> str:
    """Return the call; values to be merged come before the arguments."""
    written = written_call(call.record, call.arguments)
    if not call.record.merge or len(names) < 2:
        return written
    name, _, arguments = written.removesuffix(")").partition("(")
    return f"{name}({', '.join([*names[1:], *([arguments] if arguments else [])])})"


def _compiled(record: OpRecord, text: str) -> Model:

    return load_source(Source("net.cnn", text), catalogue=WithLayer(record))


def _trained(model: Model) -> bool:
    """Train for a step; return whether a gradient came to the layers before."""
    program = model.to_torch(seed=0).train()
    generator = torch.Generator().manual_seed(0)
    images = [torch.randn((4, *_known(item.value.type)), generator=generator) for item in model.graph.inputs]
    targets = torch.arange(4) % CLASSES
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        output = program(*images)
        loss = torch.nn.functional.cross_entropy(output, targets)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without annotations
    before = {name: item.detach().clone() for name, item in program.named_parameters()}
    torch.optim.SGD(program.parameters(), lr=0.1).step()
    for name, item in program.named_parameters():
        if not bool(item.isfinite().all()):
            raise CheckFailedError(f"after a step of training {name} is not finite")
    reached = [name for name, item in program.named_parameters() if not torch.equal(item, before[name])]
    if not any(name.startswith("dense") for name in reached):
        raise CheckFailedError("a step of training changes nothing behind the layer: its output is always 0")
    return any(not name.startswith("dense") for name in reached) or len(reached) > 2


def _known(kind: TensorType) -> tuple[int, ...]:
    return tuple(size for size in kind.shape if isinstance(size, int))


def _exported(model: Model) -> None:

    if find_spec("onnxruntime") is None:
        return
    with tempfile.TemporaryDirectory(prefix="striate-conformance-") as folder:
        for opset in (17, 20):
            try:
                export_model(model, Path(folder) / "net.onnx", opset=opset)
            except NotImplementedError:  # it has no ONNX form, which another check says
                return
            except DiagnosticError as error:
                if opset == 17:
                    continue  # an operator may have come later
                raise CheckFailedError(f"the network cannot be exported: {first_line(error)}") from None
            return
