"""Metrics."""

from striate.plugin import Argument, Factory, Integer, MetricRecord

METRICS = (
    MetricRecord(
        "accuracy",
        "Share of right answers; with top = k an answer is right if the class is among the k highest scores.",
        Factory("striate_plugins.metrics.accuracy:accuracy"),
        (Argument("top", Integer(), "How many of the highest scores count as answers.", 1),),
        percent=True,
    ),
)
