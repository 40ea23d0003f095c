"""What torch holds in memory while a network runs: the storages of all tensors after every operation.

`AliveStorages` sees every tensor, in forward, backward and the optimizer's step. What a kernel takes and gives back
while it runs (oneDNN lays kernels of convolutions out anew) is seen by the allocator alone: `allocated`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from striate.graph import Graph
from striate.lower.torch import Program

OPTIMIZERS: dict[str, Callable[[list[Tensor]], torch.optim.Optimizer]] = {
    "sgd": lambda weights: torch.optim.SGD(weights, lr=1e-4),
    "momentum": lambda weights: torch.optim.SGD(weights, lr=1e-4, momentum=0.9),
    "adam": lambda weights: torch.optim.Adam(weights, lr=1e-4),
}


class AliveStorages(TorchDispatchMode):
    """Adds up the storages of all tensors that are alive after each operation; `ignored` are those of weights."""

    def __init__(self, known: Iterable[Tensor], ignored: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self._ignored = {tensor.untyped_storage().data_ptr() for tensor in ignored}
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0
        self._count(known)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self._count(item for item in tree_leaves(result) if isinstance(item, Tensor))
        return result

    def _count(self, tensors: Iterable[Tensor]) -> None:
        self._alive = {key: found for key, found in self._alive.items() if not found[0].expired()}
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._ignored:
                self._alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self.peak = max(self.peak, sum(size for _, size in self._alive.values()))


class Trial:
    """A network in torch, ready to be run under a watch; weights are small, so that values stay in bounds."""

    def __init__(self, graph: Graph, lookup, *inputs: Tensor, optimizer: str = "sgd", autocast: bool = False) -> None:
        self.program = Program(graph, lookup)
        for weight in self.program.state_dict().values():
            weight.fill_(0.01)
        self.inputs, self._autocast = inputs, autocast
        weights = list(self.program.parameters())
        self._optimizer = OPTIMIZERS[optimizer](weights or [torch.zeros(1)])

    def evaluation(self) -> int:
        """Return the most bytes of inputs and values at once in evaluation; weights are left out."""
        self.program.eval()
        with torch.no_grad(), AliveStorages(self.inputs, self.program.state_dict().values()) as alive:
            self.program(*self.inputs)
        return alive.peak

    def training(self) -> int:
        """Return the most bytes at once in a second step of training, all of them counted."""
        self._train()
        with AliveStorages(self._there()) as alive:
            self._train()
        return alive.peak

    def allocated(self, *, training: bool) -> int:
        """Return the same as the allocator sees it, with what kernels take and give back; for a fresh trial."""
        run = self._train if training else self._evaluate
        there = [*self.program.state_dict().values(), *self.inputs] if training else self.inputs
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            # Both steps are watched: what was allocated before the watch began is not seen to be freed.
            run()
            run()
        events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
        alive = peak = sum(tensor.nbytes for tensor in there)
        for event in sorted(events, key=lambda event: event.start_ns()):
            alive += event.nbytes()
            peak = max(peak, alive)
        return peak

    def _evaluate(self) -> None:
        self.program.eval()
        with torch.no_grad():
            self.program(*self.inputs)

    def _train(self) -> None:
        """Make one step in the order of Lightning: forward, the old gradients freed, backward, step."""
        self.program.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=self._autocast):
            loss = _loss(self.program(*self.inputs))
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()

    def _there(self) -> list[Tensor]:
        state = [item for each in self._optimizer.state.values() for item in each.values()]
        gradients = [weight.grad for weight in self.program.parameters()]
        everything = [*self.program.state_dict().values(), *state, *gradients, *self.inputs]
        return [item for item in everything if isinstance(item, Tensor)]


def _loss(outputs: Tensor | dict[str, Tensor]) -> Tensor:
    """Return the mean of a class's log-probabilities, over every output."""
    several = outputs.values() if isinstance(outputs, dict) else (outputs,)
    losses = [-each.float().log_softmax(1)[:, 0].mean() for each in several]
    return torch.stack(losses).sum()
