"""How tensors lie in memory for kernels: pixel by pixel with all channels side by side, perhaps within a wider one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value of `N x C x H x W` lies: as `N x H x W x stride`, its channels from `start` on.

    A flat value of `N x C` is an image of one pixel.

    Attributes:
        channels, height, width: the size of one image.
        stride: the channels of the memory that it lies in, its own or those of a wider value.
        start: its first channel there.
    """

    channels: int
    height: int = 1
    width: int = 1
    stride: int = 0
    start: int = 0

    @property
    def pixels(self) -> int:
        """The pixels of one image."""
        return self.height * self.width

    @property
    def row(self) -> int:
        """The numbers from one pixel to the next."""
        return self.stride or self.channels


def place_of(shape: tuple[int, ...]) -> Place:
    """Return the place of a value in memory of its own.

    Raises:
        ValueError: it is neither flat nor an image.
    """
    if len(shape) == 1:
        return Place(shape[0])
    if len(shape) == 3:
        return Place(shape[0], shape[1], shape[2])
    raise ValueError(f"a value of {len(shape)} axes is neither flat nor an image")
