"""Learning-rate schedules: pure functions of the epoch, so that a resumed run goes on exactly where it stopped."""

from striate.plugin import Argument, Factory, Integer, Real, ScheduleRecord

_WARMUP = Argument("warmup", Real(0), "Epochs over which the rate grows evenly from 0.", 0.0)

SCHEDULES = (
    ScheduleRecord(
        "constant",
        "The rate stays as it is, after the warm-up.",
        Factory("striate_plugins.schedules.curves:constant"),
        (_WARMUP,),
    ),
    ScheduleRecord(
        "cosine",
        "Half a cosine wave from the full rate down to its smallest.",
        Factory("striate_plugins.schedules.curves:cosine"),
        (_WARMUP, Argument("floor", Real(0, 1), "Share of the rate that is left at the end.", 0.0)),
        reference="Loshchilov and Hutter, 2016, arXiv:1608.03983, without restarts",
    ),
    ScheduleRecord(
        "step",
        "The rate is multiplied by a factor every so many epochs.",
        Factory("striate_plugins.schedules.curves:step"),
        (
            Argument("every", Integer(), "Epochs between two changes."),
            Argument("factor", Real(0), "By which the rate is multiplied.", 0.1),
            _WARMUP,
        ),
        reference="He et al., 2015, arXiv:1512.03385, section 3.4",
    ),
)
