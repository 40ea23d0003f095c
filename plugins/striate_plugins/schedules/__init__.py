"""Learning-rate schedules: pure functions of the epoch, so that a resumed run goes on exactly where it stopped.

`plateau` is one of the epoch and of the finished epochs' scores, which the run keeps anyway.
"""

from dataclasses import dataclass
from typing import Any

from striate.plugin import (
    Argument,
    ArgumentError,
    Choice,
    Factory,
    Flag,
    Integer,
    OneOf,
    Optional,
    Real,
    ScheduleRecord,
)


@dataclass(frozen=True, slots=True)
class _Increasing:
    """Numbers above 0, each above the one before."""

    def describe(self) -> str:
        return "a list of growing numbers above 0"

    def convert(self, value: Any) -> list[float]:
        items = list(value) if isinstance(value, list | tuple) else [value]
        numbers = [Real().convert(item) for item in items]
        if not numbers or any(after <= before for before, after in zip([0.0, *numbers], numbers, strict=False)):
            raise ArgumentError(f"must be {self.describe()}")
        return numbers


@dataclass(frozen=True, slots=True)
class _Momenta:
    """A pair: the lowest and the highest momentum."""

    def describe(self) -> str:
        return "a pair (lowest, highest) of numbers from 0 below 1"

    def convert(self, value: Any) -> tuple[float, float]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ArgumentError(f"must be {self.describe()}")
        low, high = (Real(0, 1, open_maximum=True).convert(item) for item in value)
        if low > high:
            raise ArgumentError(f"must be {self.describe()}")
        return low, high


_WARMUP = Argument("warmup", Real(0), "Epochs over which the rate grows evenly from 0.", 0.0)
_FLOOR = Argument("floor", Real(0, 1), "Share of the rate that is left at the end.", 0.0)
_FACTOR = Argument("factor", Real(0), "By which the rate is multiplied.", 0.1)


def _curve(name: str) -> Factory:
    return Factory(f"striate_plugins.schedules.curves:{name}")


FALLING = (
    ScheduleRecord(
        "constant",
        "The rate stays as it is, after the warm-up.",
        _curve("constant"),
        (_WARMUP,),
        reference="Goyal et al., 2017, arXiv:1706.02677, section 2.2 (gradual warm-up)",
        formula="factor(e) = min(e / warmup, 1)",
    ),
    ScheduleRecord(
        "cosine",
        "Half a cosine wave from the full rate down to its smallest.",
        _curve("cosine"),
        (_WARMUP, _FLOOR),
        reference="Loshchilov and Hutter, 2016, arXiv:1608.03983, without restarts",
        formula="factor(e) = floor + (1 - floor) · (1 + cos(π·t)) / 2,  t = (e - warmup) / (E - warmup)",
    ),
    ScheduleRecord(
        "step",
        "The rate is multiplied by a factor every so many epochs.",
        _curve("step"),
        (Argument("every", Integer(), "Epochs between two changes."), _FACTOR, _WARMUP),
        reference="He et al., 2015, arXiv:1512.03385, section 3.4",
        formula="factor(e) = factor^⌊e / every⌋",
    ),
    ScheduleRecord(
        "multi_step",
        "The rate is multiplied by a factor at each of some epochs.",
        _curve("multi_step"),
        (Argument("at", _Increasing(), "The epochs, in order."), _FACTOR, _WARMUP),
        reference="He et al., 2015, arXiv:1512.03385, section 4.2",
        formula="factor(e) = factor^k,  k = number of entries of `at` that are ≤ e",
    ),
    ScheduleRecord(
        "exponential",
        "The rate is multiplied by the same factor after every epoch, or a little after every step.",
        _curve("exponential"),
        (
            Argument("factor", Real(0, 1), "By which the rate is multiplied per epoch.", 0.95),
            Argument("smooth", Flag(), "Whether it falls at every step, not at the ends of epochs.", False),
            _WARMUP,
        ),
        reference="Robbins and Monro, 1951, for why rates must fall; the form is common usage",
        formula="factor(e) = factor^⌊e⌋;  with smooth, factor^e",
    ),
    ScheduleRecord(
        "polynomial",
        "A power of the share of the run that is left.",
        _curve("polynomial"),
        (Argument("power", Real(0), "The power; 1 is a straight line.", 0.9), _FLOOR, _WARMUP),
        reference="Chen et al., 2016, arXiv:1606.00915, section 4.1",
        formula="factor(e) = floor + (1 - floor) · (1 - t)^power,  t = (e - warmup) / (E - warmup)",
    ),
)

CYCLIC = (
    ScheduleRecord(
        "warm_restarts",
        "Cosine waves, each from the full rate down to its smallest, and each longer than the one before.",
        _curve("warm_restarts"),
        (
            Argument("first", Real(0.01), "Epochs of the first wave."),
            Argument("times", Real(1), "How much longer each wave is than the one before.", 1.0),
            _FLOOR,
            _WARMUP,
        ),
        reference="Loshchilov and Hutter, 2016, arXiv:1608.03983 (SGDR)",
        formula=(
            "factor(e) = floor + (1 - floor) · (1 + cos(π · T / L)) / 2\n"
            "T: epochs since the last restart;  L: length of its wave, first · times^restarts"
        ),
    ),
    ScheduleRecord(
        "one_cycle",
        "The rate rises to that of the optimizer and falls to almost nothing, in one cycle over the whole run.",
        _curve("one_cycle"),
        (
            Argument("rise", Real(0, 1), "Share of the run in which it rises.", 0.3),
            Argument("start", Real(0, 1), "Share of the rate at the start.", 0.04),
            Argument("end", Real(0, 1), "Share of the rate at the end.", 4e-6),
            Argument("shape", OneOf(("cosine", "linear")), "How it rises and falls.", Choice("cosine")),
            Argument(
                "momenta",
                Optional(_Momenta()),
                "Momentum (or first beta) at the highest rate and at the lowest; none leaves it alone.",
                None,
            ),
        ),
        reference="Smith and Topin, 2017, arXiv:1708.07120; start and end as in torch's OneCycleLR",
        formula=(
            "t = e / E\n"
            "t < rise:  factor(e) = between(start, 1, t / rise)\n"
            "else:      factor(e) = between(1, end, (t - rise) / (1 - rise))\n"
            "between(a, b, s) = a + (b - a) · (1 - cos(π·s)) / 2;  linear: a + (b - a)·s"
        ),
    ),
)

MEASURING = (
    ScheduleRecord(
        "plateau",
        "The rate is multiplied by a factor whenever validation has not got better for some epochs.",
        Factory("striate_plugins.schedules.plateau:plateau"),
        (
            Argument("factor", Real(0, 1, open_maximum=True), "By which the rate is multiplied.", 0.1),
            Argument("patience", Integer(0), "Epochs without a better one that are waited out.", 10),
            Argument(
                "watch",
                OneOf(("loss", "metric")),
                "What has to get better on the validation split: the loss, or the first metric.",
                Choice("loss"),
            ),
            Argument("threshold", Real(0), "By how much an epoch must be better to count.", 1e-4),
            Argument(
                "threshold_mode",
                OneOf(("rel", "abs")),
                "Whether that is a share of the best value, or a number.",
                Choice("rel"),
            ),
            Argument("cooldown", Integer(0), "Epochs after a change in which none is counted.", 0),
            Argument("floor", Real(0, 1), "Share of the rate below which it never falls.", 0.0),
            _WARMUP,
        ),
        reference="torch.optim.lr_scheduler.ReduceLROnPlateau, which it is",
        watches=True,
        formula=(
            "bad: epochs without one better than the best, since that one or the last change\n"
            "whenever bad > patience:  factor(e) ← max(factor(e) · factor, floor)"
        ),
    ),
    ScheduleRecord(
        "range_test",
        "The rate grows from that of the optimizer; the report shows the loss over it, and a rate that suits.",
        _curve("range_test"),
        (
            Argument("times", Real(1), "How many times its start the rate is at the end.", 1e6),
            Argument("shape", OneOf(("exponential", "linear")), "How the rate grows.", Choice("exponential")),
        ),
        reference="Smith, 2015, arXiv:1506.01186, section 3.3",
        tests_rates=True,
        formula="factor(e) = times^(e / E);  linear: 1 + (times - 1) · e / E",
    ),
)

SCHEDULES = (*FALLING, *CYCLIC, *MEASURING)
