"""Checks of a layer's weights and costs: all that is trained is declared, used, counted, saved and loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from striate.conformance.layer_call import NODE, Configuration, LayerCall
from striate.conformance.results import CheckFailedError, NotApplicableError
from striate.conformance.subject import Subject
from striate.lower.torch import Program, load_arrays
from striate.runtime.checkpoint import CheckpointInfo, read_weights, write_weights


def parameters(subject: Subject) -> str | None:
    """Every entry of every declared weight is used somewhere, and nothing else is trained."""
    declared = False
    unused: dict[str, str] = {}
    used: set[str] = set()
    for call in subject.calls:

        def test(layer: LayerCall, tried: Configuration) -> None:
            nonlocal declared
            _declared_soundly(layer)
            _nothing_hidden(layer, tried)
            declared = declared or bool(layer.specs)
            for role, is_used in _uses(layer, tried):
                used.add(role) if is_used else unused.setdefault(role, str(tried))

        subject.each([call], test)
    for role, example in unused.items():
        if role not in used:
            raise CheckFailedError(
                f"of the weight {role} some rows never change the output, in no call that was tried",
                example,
                "declare the size that the torch rule uses: parameters are counted by it",
            )
    if not declared:
        return "it has no weights"
    return None


def _declared_soundly(layer: LayerCall) -> None:
    roles = [spec.role for spec in layer.specs]
    if len(set(roles)) < len(roles):
        raise CheckFailedError(f"two weights have the same role: {', '.join(roles)}")
    for spec in layer.specs:
        if not spec.role.isidentifier():
            raise CheckFailedError(f"the role {spec.role!r} is no identifier")
        sizes: tuple[Any, ...] = spec.shape  # a stranger's rule may put anything there
        if not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise CheckFailedError(f"the weight {spec.role} has the size {spec.shape}")
    try:
        layer.weights()
    except (KeyError, ValueError) as error:
        raise CheckFailedError(
            f"a weight cannot be initialised: {type(error).__name__}: {error}",
            repair='name one of striate\'s initialisers with its settings: Initializer("constant", {"value": 1.0})',
        ) from None


def _nothing_hidden(layer: LayerCall, call: Configuration) -> None:
    """Look for tensors that train and are not among the weights: their gradient has a leaf of its own."""
    for training in (False, True):
        results = layer.results(layer.tensors(call.shapes, 2), layer.weights(), training=training)
        hidden = [leaf for result in results for leaf in _leaves(result)]
        if hidden:
            sizes = " and ".join(" x ".join(map(str, leaf.shape)) or "a number" for leaf in hidden)
            raise CheckFailedError(
                f"it trains a tensor that is none of its declared weights ({sizes})",
                repair="declare it by `weights` and take it from call.weights, or no checkpoint holds it",
            )


def _leaves(result: Tensor) -> Iterator[Tensor]:
    """Yield the tensors at which the gradient of a result ends."""
    seen: set[Any] = set()
    waiting = [result.grad_fn]
    if result.requires_grad and result.grad_fn is None:
        yield result
    while waiting:
        function = waiting.pop()
        if function is None or function in seen:
            continue
        seen.add(function)
        leaf = getattr(function, "variable", None)
        if leaf is not None:
            yield leaf
        waiting += [following for following, _ in function.next_functions]


def _uses(layer: LayerCall, call: Configuration) -> Iterator[tuple[str, bool]]:
    """Yield for every trained weight whether each of its rows, along every axis, changes the output."""
    trained = [spec.role for spec in layer.specs if spec.trainable]
    if not trained:
        return
    weights = {role: item.requires_grad_(role in trained) for role, item in layer.weights(dtype=torch.float64).items()}
    total: dict[str, Tensor] = {role: torch.zeros_like(weights[role]) for role in trained}
    for seed in (0, 1):
        values = layer.tensors(call.shapes, 3, seed=seed, dtype=torch.float64)
        for training in (False, True):
            given = {role: item if role in trained else item.clone() for role, item in weights.items()}
            results = [item for item in layer.results(values, given, training=training) if item.requires_grad]
            if not results:
                continue
            summed = torch.stack([(item * torch.rand_like(item)).sum() for item in results]).sum()
            found = torch.autograd.grad(summed, [weights[role] for role in trained], allow_unused=True)
            for role, gradient in zip(trained, found, strict=True):
                _add(total[role], gradient)
    for role in trained:
        yield role, all(bool((row > 0).all()) for row in _rows(total[role]))


def _add(total: Tensor, gradient: Tensor | None) -> None:
    if gradient is not None:
        total += gradient.abs()


def _rows(value: Tensor) -> Iterator[Tensor]:
    """Yield the sums over all axes but one, for each axis; of a number the number."""
    if value.dim() < 2:
        yield value.reshape(-1)
        return
    for axis in range(value.dim()):
        yield value.movedim(axis, 0).flatten(1).sum(1)


def macs(subject: Subject) -> str | None:
    """The multiply-adds are at least about those of convolutions and products, and not above all that torch multiplies.

    The bounds are a factor of two apart from what is counted: a rule may count a border that torch leaves out. Products
    of a layer without weights are a way to compute something else (windows, interpolation), and need not be counted.
    """
    counts: list[tuple[int, int | None]] = []

    def test(layer: LayerCall, call: Configuration) -> None:
        said, products, multiplied = _costs(layer, call)
        counts.append((said, multiplied))
        if products and layer.specs and not said:
            raise CheckFailedError(f"the rule says that there are no multiply-adds, torch does {products:,} per image")
        if layer.specs and said < products / 2:
            raise CheckFailedError(f"the rule says {said:,} multiply-adds, torch does {products:,} per image")
        if multiplied is not None and 0 < 2 * multiplied < said:
            raise CheckFailedError(f"the rule says {said:,} multiply-adds, torch multiplies {multiplied:,} times")

    subject.each(subject.calls, test, most=25)
    if any(said and multiplied == 0 for said, multiplied in counts):
        return "torch multiplies nothing here, so the rule's number stands as it is"
    return None if any(said for said, _ in counts) else "it says that it has none"


_OPAQUE = ("attention", "lstm", "gru", "rnn")
"""What operations of torch are called whose products cannot be counted from outside."""


class _Multiplications(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it without annotations
    """Counts the entries that torch multiplies one by one, and notes whether it does more in one operation."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the same
        self.count = 0
        self.is_opaque = False

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), named: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation, and count it where it multiplies."""
        result = function(*arguments, **(named or {}))
        self.is_opaque |= any(part in function.__name__ for part in _OPAQUE)
        if "mul" in function.__name__ and isinstance(result, Tensor):
            self.count += result.numel()
        return result


def _costs(layer: LayerCall, call: Configuration) -> tuple[int, int, int | None]:
    """Return the multiply-adds for one image by the rule, torch's in convolutions and products, and all of torch's.

    All of torch's are None where it does an operation whose inside cannot be counted.
    """
    said = layer.record.macs(layer.attributes, layer.inputs, layer.outputs)
    if isinstance(said, bool) or not isinstance(said, int) or said < 0:
        raise CheckFailedError(f"the rule for multiply-adds gives {said!r}, which is no count")
    values, weights = layer.tensors(call.shapes, 1), layer.weights()
    with FlopCounterMode(display=False) as counter:
        layer.results(values, weights)
    with _Multiplications() as single:
        layer.results(values, weights)
    products = int(counter.get_total_flops()) // 2
    return said, products, None if single.is_opaque else products + single.count


def save_load(subject: Subject) -> str | None:
    """Weights written to a checkpoint and read again compute the same, and training leaves nothing behind elsewhere."""
    subject.each(subject.calls, _save_load, most=8)
    return None


def _save_load(layer: LayerCall, call: Configuration) -> None:

    values, weights = layer.tensors(call.shapes, 2), layer.weights()
    before = layer.results(values, weights)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        other = layer.tensors(call.shapes, 3, seed=7)
        layer.results(other, {role: item.clone() for role, item in weights.items()}, training=True)
    after = layer.results(values, weights)
    if any(not torch.equal(old, new) for old, new in zip(before, after, strict=True)):
        raise CheckFailedError(
            "after a step of training the old weights compute something else: the layer keeps something of its own",
            repair="keep statistics in weights that are not trained: WeightSpec(…, trainable=False)",
        )
    if not weights:
        raise NotApplicableError("it has no weights")
    restored = _round_trip(layer, weights)
    for old, new in zip(before, layer.results(values, restored), strict=True):
        if not torch.equal(old, new):
            raise CheckFailedError("weights that were saved and loaded compute something else")


def _round_trip(layer: LayerCall, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Write the weights as a checkpoint of a network of this layer, read it, and return them."""
    graph = layer.graph()
    with tempfile.TemporaryDirectory(prefix="striate-conformance-") as folder:
        path = Path(folder) / "layer.safetensors"
        write_weights(
            path, {f"{NODE}.{role}": item.numpy() for role, item in weights.items()}, CheckpointInfo("OneLayer")
        )
        program = load_arrays(Program(graph, {layer.record.name: layer.record}.__getitem__), read_weights(path, graph))
    state = program.state_dict()
    if set(state) != set(graph.weights):
        raise CheckFailedError(f"the state dict has {', '.join(state)}, the layer declares {', '.join(graph.weights)}")
    # A network keeps kernels in channels-last memory, where torch may add up in another order.
    return {role: state[f"{NODE}.{role}"].contiguous() for role in weights}
