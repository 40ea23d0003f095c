"""One layer by itself in evaluation, as its torch rule computes it."""

from __future__ import annotations

import torch

from striate.graph import TensorType
from striate.ops import Check, TorchCall, convert_all
from striate.ops.record import all_results


def samples_of(record):
    """Return the record's legal samples of one output that name no value among their arguments."""
    named = {argument.name for argument in record.value_arguments}
    return [item for item in record.samples if item.fails is None and not named & set(item.arguments)]


def evaluated(record, sample):
    """Return the first output for random input, the first input, and the function from the one to the other."""
    types = tuple(TensorType(shape) for shape in sample.inputs)
    attributes = record.settle(convert_all(record.arguments, dict(sample.arguments)), types)
    record.shape(attributes, types, Check())
    torch.manual_seed(1)
    # Not their starts: some layers begin as one that passes its input through.
    weights = {spec.role: torch.rand(spec.shape) * 0.8 + 0.1 for spec in record.weights(attributes, types)}
    first, *rest = (torch.rand(2, *shape) * 0.8 + 0.1 for shape in sample.inputs)

    def run(values):
        call = TorchCall(torch, attributes, [values, *rest], weights, training=False)
        return all_results(record.torch(call))[0]

    return run(first), first, run
