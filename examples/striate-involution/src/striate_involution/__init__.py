"""Involution layers, RedNet, a noise-tolerant loss, AdaBelief and ordinal regression, as a plugin of striate."""

from striate.plugin import (
    FileRecord,
    HeadRecord,
    LossRecord,
    OpRecord,
    OptimizerRecord,
    PluginContext,
    TaskRecord,
    hookimpl,
)
from striate_involution.involution import INVOLUTION
from striate_involution.parts import ADABELIEF, ORDINAL_HEAD, ORDINAL_TASK, REDNET, SYMMETRIC_CROSS_ENTROPY


@hookimpl
def striate_layers(context: PluginContext) -> list[OpRecord]:
    """Provide the layer."""
    return [INVOLUTION]


@hookimpl
def striate_files(context: PluginContext) -> list[FileRecord]:
    """Provide the architecture."""
    return [REDNET]


@hookimpl
def striate_losses(context: PluginContext) -> list[LossRecord]:
    """Provide the loss."""
    return [SYMMETRIC_CROSS_ENTROPY]


@hookimpl
def striate_optimizers(context: PluginContext) -> list[OptimizerRecord]:
    """Provide the optimizer."""
    return [ADABELIEF]


@hookimpl
def striate_heads(context: PluginContext) -> list[HeadRecord]:
    """Provide the task head."""
    return [ORDINAL_HEAD]


@hookimpl
def striate_tasks(context: PluginContext) -> list[TaskRecord]:
    """Provide what decodes the head's output."""
    return [ORDINAL_TASK]
