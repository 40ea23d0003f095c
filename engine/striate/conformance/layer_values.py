"""Checks of what a layer computes in torch: gradients, evaluation, training, batches, memory orders and precisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from striate.conformance.layer_call import NODE, Configuration, LayerCall
from striate.conformance.results import CheckFailedError
from striate.conformance.subject import Subject, first_line
from striate.lower.torch import Program

MOST_GRADIENTS = 12
"""Calls whose gradients are taken: numeric ones cost much more than the layer itself."""


def gradients(subject: Subject) -> str | None:
    """The gradients of the values and of every trained weight are those of what is computed, in float64."""
    number = subject.each(subject.calls, _gradients, most=MOST_GRADIENTS)
    return f"{number} calls, against differences in float64"


def _gradients(layer: LayerCall, call: Configuration) -> None:

    weights = layer.weights(dtype=torch.float64)
    roles = [spec.role for spec in layer.specs if spec.trainable]
    values = layer.tensors(call.shapes, 2, dtype=torch.float64)
    moved = layer.variables(values)

    def compute(*variables: Tensor) -> tuple[Tensor, ...]:
        trained = dict(zip(roles, variables[len(moved) :], strict=True))
        given = {**dict(enumerate(values)), **dict(zip(moved, variables, strict=False))}
        return layer.results([given[index] for index in range(len(values))], {**weights, **trained})

    variables = [
        item.detach().clone().requires_grad_()
        for item in (*(values[place] for place in moved), *(weights[r] for r in roles))
    ]
    names = [*(f"input {place}" for place in moved), *roles]
    if not variables:
        return
    wide = [result.dtype for result in compute(*variables) if result.is_floating_point()]
    if any(dtype is not torch.float64 for dtype in wide):
        raise CheckFailedError(
            f"given float64, it computes {str(wide[0]).removeprefix('torch.')}",
            repair="make constants in the type of the input: torch.zeros(…, dtype=value.dtype), value.new_zeros(…)",
        )
    if any(result.requires_grad for result in compute(*variables)):
        _reaches(compute, variables, names)
    try:
        torch.autograd.gradcheck(compute, variables, fast_mode=True)
    except (RuntimeError, ValueError) as error:
        raise CheckFailedError(f"gradients are not those of the values: {first_line(error)}") from None


Compute = Callable[..., tuple[Tensor, ...]]


def _reaches(compute: Compute, variables: list[Tensor], names: list[str]) -> None:
    """Look for a gradient that is cut off: gradcheck finds it as well, and does not say where."""
    outputs = [item for item in compute(*variables) if item.requires_grad]
    found: tuple[Tensor | None, ...] = torch.autograd.grad(
        torch.stack([_weighed(item) for item in outputs]).sum(), variables, allow_unused=True
    )
    for name, variable, gradient in zip(names, variables, found, strict=True):
        if gradient is None and _matters(compute, variables, variable):
            raise CheckFailedError(
                f"the output depends on {name}, and no gradient reaches it",
                repair="leave out .detach(), .data, .item() and torch.no_grad() on the way from it to the output",
            )


def _weighed(value: Tensor) -> Tensor:
    """Return a sum in which every entry counts differently."""
    return (value * torch.linspace(0.5, 1.5, value.numel(), dtype=value.dtype).reshape(value.shape)).sum()


def _matters(compute: Compute, variables: list[Tensor], variable: Tensor) -> bool:
    """Whether small changes of a variable change the output smoothly: not where the output is made of steps."""
    with torch.no_grad():
        before = compute(*variables)
        moved = [item + 1e-4 * torch.ones_like(item) if item is variable else item for item in variables]
        after = compute(*moved)
    return any(bool(((old - new).abs() > 1e-9).any()) for old, new in zip(before, after, strict=True))


def evaluation(subject: Subject) -> str | None:
    """In evaluation the same inputs give the same outputs, finite ones; nothing is drawn, no weight changes."""
    subject.each(subject.calls, _evaluation)
    return None


def _evaluation(layer: LayerCall, call: Configuration) -> None:

    values, weights = layer.tensors(call.shapes, 2), layer.weights()
    given = [item.clone() for item in values]
    kept = {role: item.clone() for role, item in weights.items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first = layer.results(values, weights)
        state = torch.get_rng_state()
        torch.manual_seed(1)
        drawn = not torch.equal(torch.get_rng_state(), state)
        torch.manual_seed(2)
        second = layer.results(values, weights)
    for one, other in zip(first, second, strict=True):
        if not torch.equal(one, other) and not bool((one.isnan() & other.isnan()).any()):
            raise CheckFailedError(
                "the same input gives two outputs in evaluation",
                repair="draw random numbers only where call.training is true",
            )
        if not bool(one.isfinite().all()):
            raise CheckFailedError(
                "numbers that are not finite come out of finite ones",
                repair="keep divisors away from 0, or say by the record's `domain` which inputs the layer takes",
            )
    if drawn:
        raise CheckFailedError(
            "random numbers are drawn in evaluation", repair="draw random numbers only where call.training is true"
        )
    _unchanged(weights, kept, set(), "evaluation")
    if any(not torch.equal(new, old) for new, old in zip(values, given, strict=True)):
        raise CheckFailedError(
            "it changes its input in place", repair="leave out operations that end in _ on call.inputs"
        )


def _unchanged(weights: Mapping[str, Tensor], kept: Mapping[str, Tensor], allowed: set[str], when: str) -> None:

    for role, item in weights.items():
        if role not in allowed and not torch.equal(item, kept[role]):
            raise CheckFailedError(
                f"{when} changes the weight {role}",
                repair="change statistics only (WeightSpec(…, trainable=False)), and only where call.training is true",
            )


def training(subject: Subject) -> str | None:
    """In training the output is finite and the same under the same seed, and only statistics change."""
    subject.each(subject.calls, _training)
    return None


def _training(layer: LayerCall, call: Configuration) -> None:

    values, start = layer.tensors(call.shapes, 3), layer.weights()
    results = []
    for _ in range(2):
        weights = {role: item.clone() for role, item in start.items()}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            results.append(layer.results(values, weights, training=True))
        _unchanged(weights, start, {spec.role for spec in layer.specs if not spec.trainable}, "training")
    for one, other in zip(*results, strict=True):
        if not bool(one.isfinite().all()):
            raise CheckFailedError("numbers that are not finite come out of finite ones in training")
        if not torch.equal(one, other):
            raise CheckFailedError(
                "two runs in training under the same seed differ",
                repair="draw random numbers from torch's own generator, which a run seeds, and from no other",
            )


def batches(subject: Subject) -> str | None:
    """In evaluation an image gives the same alone and in a batch of three."""
    subject.each(subject.calls, _batches)
    return None


def _batches(layer: LayerCall, call: Configuration) -> None:
    weights = layer.weights()
    alone, together = (layer.results(layer.tensors(call.shapes, batch), weights) for batch in (1, 3))
    for one, three in zip(alone, together, strict=True):
        if one.shape[1:] != three.shape[1:] or not _close(one[0], three[0]):
            raise CheckFailedError(
                "an image gives something else in a batch of three than alone",
                repair="leave axis 0 alone: it is the batch in every tensor",
            )


def _close(one: Tensor, other: Tensor, tolerance: float = 1e-4) -> bool:

    largest = max(1.0, float(other.double().abs().max())) if other.numel() else 1.0
    return torch.allclose(one.double(), other.double(), rtol=tolerance, atol=tolerance / 10 * largest, equal_nan=True)


def lowering(subject: Subject) -> str | None:
    """The layer computes the same in channels-last memory, in float64, without values, and alone in a network."""
    subject.each(subject.calls, _lowering, most=20)
    return None


def _lowering(layer: LayerCall, call: Configuration) -> None:

    weights, values = layer.weights(), layer.tensors(call.shapes, 2)
    wanted = layer.results(values, weights)
    last = {4: torch.channels_last, 5: torch.channels_last_3d}
    order = [item.contiguous(memory_format=last.get(item.dim(), torch.contiguous_format)) for item in values]
    wide = layer.results([item.double() for item in values], {role: item.double() for role, item in weights.items()})
    program = Program(layer.graph(), {layer.record.name: layer.record}.__getitem__).eval()
    stored = program.state_dict(keep_vars=True)
    with torch.no_grad():
        for role, item in weights.items():
            stored[f"{NODE}.{role}"].copy_(item)
        whole = program(*values)
    made = tuple(whole.values()) if isinstance(whole, dict) else (whole,)
    ways = {
        "in channels-last memory": (layer.results(order, weights), 1e-4),
        "in float64": (wide, 1e-3),
        "as a network's only layer": (made, 1e-4),
    }
    for way, (found, tolerance) in ways.items():
        for one, other in zip(found, wanted, strict=True):
            if one.shape != other.shape or not _close(one, other, tolerance):
                raise CheckFailedError(f"{way} it computes something else")
    _without_values(layer, call)


def _without_values(layer: LayerCall, call: Configuration) -> None:
    """Hold the sizes of tensors without values against the rule: compilers and memory forecasts run layers so."""
    empty = [torch.empty((2, *shape), device="meta") for shape in call.shapes]
    try:
        found = [tuple(item.shape) for item in layer.results(empty, layer.weight_sizes())]
    except Exception as error:  # whatever a stranger's rule raises
        raise CheckFailedError(
            f"it cannot be run on tensors that have sizes and no values: {first_line(error)}",
            repair="do not look at values in Python (.item(), if tensor), and make new tensors on value.device",
        ) from None
    if found != [tuple(size) for size in layer.sizes(2)]:
        raise CheckFailedError(f"on tensors without values it gives the sizes {found}, the rule says {layer.sizes(2)}")
