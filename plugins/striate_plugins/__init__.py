"""First-party plugins: blocks, networks, heads, tasks, data sets, all that recipes name, back ends and explainers.

They come in by the same door as a stranger's: the hooks below return records, and the records name what they make,
which is imported when a run needs it.
"""

from striate.plugin import (
    AugmentationRecord,
    AverageRecord,
    BackendRecord,
    DataRecord,
    ExplainerRecord,
    FileRecord,
    HeadRecord,
    InitializerRecord,
    LossRecord,
    MetricRecord,
    OptimizerRecord,
    PluginContext,
    RegularizerRecord,
    ScheduleRecord,
    TaskRecord,
    WrapperRecord,
    hookimpl,
)
from striate_plugins.augmentations import AUGMENTATIONS
from striate_plugins.averages import AVERAGES
from striate_plugins.backends import BACKENDS
from striate_plugins.data import DATA_SETS
from striate_plugins.explain import EXPLAINERS
from striate_plugins.heads import HEADS
from striate_plugins.initializers import INITIALIZERS
from striate_plugins.losses import LOSSES
from striate_plugins.metrics import METRICS
from striate_plugins.optimizers import OPTIMIZERS
from striate_plugins.regularizers import REGULARIZERS
from striate_plugins.schedules import SCHEDULES
from striate_plugins.std import FILES as STANDARD
from striate_plugins.tasks import TASKS
from striate_plugins.wrappers import WRAPPERS
from striate_plugins.zoo import FILES as ZOO


@hookimpl
def striate_files(context: PluginContext) -> list[FileRecord]:
    """Provide the standard blocks and the networks of the zoo."""
    return [*STANDARD, *ZOO]


@hookimpl
def striate_heads(context: PluginContext) -> list[HeadRecord]:
    """Provide the task heads."""
    return list(HEADS)


@hookimpl
def striate_tasks(context: PluginContext) -> list[TaskRecord]:
    """Provide the tasks."""
    return list(TASKS)


@hookimpl
def striate_data_sets(context: PluginContext) -> list[DataRecord]:
    """Provide the data sets."""
    return list(DATA_SETS)


@hookimpl
def striate_losses(context: PluginContext) -> list[LossRecord]:
    """Provide the losses."""
    return list(LOSSES)


@hookimpl
def striate_optimizers(context: PluginContext) -> list[OptimizerRecord]:
    """Provide the optimizers."""
    return list(OPTIMIZERS)


@hookimpl
def striate_schedules(context: PluginContext) -> list[ScheduleRecord]:
    """Provide the learning-rate schedules."""
    return list(SCHEDULES)


@hookimpl
def striate_initializers(context: PluginContext) -> list[InitializerRecord]:
    """Provide the initialisers."""
    return list(INITIALIZERS)


@hookimpl
def striate_regularizers(context: PluginContext) -> list[RegularizerRecord]:
    """Provide the regularisers."""
    return list(REGULARIZERS)


@hookimpl
def striate_augmentations(context: PluginContext) -> list[AugmentationRecord]:
    """Provide the augmentations."""
    return list(AUGMENTATIONS)


@hookimpl
def striate_wrappers(context: PluginContext) -> list[WrapperRecord]:
    """Provide what works around an optimizer."""
    return list(WRAPPERS)


@hookimpl
def striate_averages(context: PluginContext) -> list[AverageRecord]:
    """Provide the averages of weights."""
    return list(AVERAGES)


@hookimpl
def striate_metrics(context: PluginContext) -> list[MetricRecord]:
    """Provide the metrics."""
    return list(METRICS)


@hookimpl
def striate_backends(context: PluginContext) -> list[BackendRecord]:
    """Provide the back ends."""
    return list(BACKENDS)


@hookimpl
def striate_explainers(context: PluginContext) -> list[ExplainerRecord]:
    """Provide the explainers."""
    return list(EXPLAINERS)
