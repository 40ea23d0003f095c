"""Averages of the weights over a run, which are measured and saved instead of the weights."""

from striate.plugin import Argument, AverageRecord, Factory, Flag, Integer, Real

AVERAGES = (
    AverageRecord(
        "ema",
        "Exponential moving average of weights and statistics, moved after every step.",
        Factory("striate_plugins.averages.shares:ema"),
        (
            Argument("decay", Real(0, 1, open_maximum=True), "Share of the average that is kept at a step.", 0.999),
            Argument("ramp", Flag(), "Whether the first steps keep less, so that a short run is averaged too.", False),
        ),
        reference="Polyak and Juditsky, 1992, Acceleration of stochastic approximation by averaging; "
        "the ramp as in TensorFlow's ExponentialMovingAverage",
        formula=("a₁ = θ₁,  aₙ₊₁ = d · aₙ + (1 - d) · θₙ₊₁,  d = decay\nwith ramp: d = min(decay, (1 + n) / (10 + n))"),
    ),
    AverageRecord(
        "swa",
        "Stochastic weight averaging: the plain mean of the weights at the ends of the last epochs.",
        Factory("striate_plugins.averages.shares:swa"),
        (
            Argument("start", Real(0, 1, open_maximum=True), "Share of the run behind which it begins.", 0.75),
            Argument("every", Integer(), "Epochs from one weight that is averaged to the next.", 1),
        ),
        reference="Izmailov et al., 2018, arXiv:1803.05407",
        recomputes=True,
        formula="a = (θ₁ + … + θₖ) / k;  statistics of norms: the mean over the training images, with the weights a",
    ),
)
