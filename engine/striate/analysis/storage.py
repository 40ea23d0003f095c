"""Storages and who holds them, and which layers give their input's storage on instead of a new one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from striate.graph import Graph, Node, TensorType
from striate.ops.record import OpRecord

Holder = Hashable


class Storages:
    """Bytes by storage and who holds them; a storage is freed with its last holder."""

    def __init__(self) -> None:
        self.alive = 0
        self.peak = 0
        self._storage: dict[Holder, int] = {}
        self._made_for: list[Holder] = []
        self._size: dict[int, int] = {}
        self._holders: dict[int, int] = {}

    def make(self, holder: Holder, size: int) -> None:
        """Give a holder a storage of its own."""
        storage = len(self._made_for)
        self._made_for.append(holder)
        self._storage[holder], self._size[storage], self._holders[storage] = storage, size, 1
        self.alive += size
        self.peak = max(self.peak, self.alive)

    def share(self, holder: Holder, other: Holder) -> None:
        """Let a holder hold the storage of another; one without a storage reads the tensor of its owner."""
        storage = self._storage.get(other)
        if storage is not None:
            self._storage[holder] = storage
            self._holders[storage] += 1

    def drop(self, holder: Holder) -> None:
        """Take a holder away, and its storage where nobody else holds it."""
        storage = self._storage.pop(holder, None)
        if storage is None:
            return
        self._holders[storage] -= 1
        if not self._holders[storage]:
            self.alive -= self._size.pop(storage)

    def rename(self, holder: Holder, name: Holder) -> None:
        """Let another holder take the place of one."""
        self.share(name, holder)
        self.drop(holder)

    def holds(self, holder: Holder) -> bool:
        """Return whether somebody of that name holds a storage."""
        return holder in self._storage

    def is_alone(self, holder: Holder) -> bool:
        """Return whether nobody else holds the same storage."""
        return self._holders[self._storage[holder]] == 1

    def sizes(self) -> Iterator[tuple[Holder, int]]:
        """Yield the storages that are alive, each by the holder for whom it was made, with its bytes."""
        return ((self._made_for[storage], size) for storage, size in self._size.items())


def is_view(graph: Graph, node: Node, record: OpRecord, *, training: bool = False) -> bool:
    """Return whether the output lies in the memory of the first input."""
    if record.work.view or (record.inference == "same" and not training):
        return True
    return record.keeps_order and not is_rearranged(graph.types[node.inputs[0]])


def is_rearranged(kind: TensorType) -> bool:
    """Return whether memory with channels last holds an image in another order than rows of its channels."""
    return kind.rank == 3 and kind.shape[0] != 1 and any(extent != 1 for extent in kind.shape[1:])
