"""Reading a range test (Smith, 2017): from the loss of every step, at rates that grow, to a rate that suits."""

from __future__ import annotations

import math
from collections.abc import Sequence

Trace = Sequence[tuple[float, float]]
"""Rate and loss of every step, in order."""

MEMORY = 0.9
"""Share of the running mean of the losses that is kept from step to step."""

APART = 4.0
"""Times the lowest mean loss at which the test is over."""


def smoothed(losses: Sequence[float]) -> list[float]:
    """Return the running mean of losses, corrected for its start at 0."""
    mean, result = 0.0, []
    for step, loss in enumerate(losses, start=1):
        mean = MEMORY * mean + (1 - MEMORY) * loss
        result.append(mean / (1 - MEMORY**step))
    return result


def comes_apart(trace: Trace, loss: float) -> bool:
    """Whether a test ends with this loss: it is not finite, or takes the mean far above its lowest."""
    if not math.isfinite(loss):
        return True
    means = smoothed([*(seen for _, seen in trace), loss])
    return means[-1] > APART * min(means)


def suggested_rate(trace: Trace) -> float | None:
    """Return the rate at which the mean loss falls most steeply over the logarithm of the rate.

    Only rates below that of the lowest mean loss count. None where the loss never falls, or there are too few steps.
    """
    points = [(rate, loss) for rate, loss in trace if rate > 0]
    means = smoothed([loss for _, loss in points])
    if len(points) < 3:
        return None
    lowest = means.index(min(means))
    steepest: tuple[float, float] | None = None
    for place in range(1, lowest + 1):
        (before, _), (rate, _) = points[place - 1], points[place]
        if rate <= before:
            continue
        slope = (means[place] - means[place - 1]) / math.log(rate / before)
        if slope < 0 and (steepest is None or slope < steepest[0]):
            steepest = slope, rate
    return None if steepest is None else steepest[1]
