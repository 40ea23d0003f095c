"""The hooks a plugin may implement, and the two markers that plugins import.

Every hook is called once per plugin, when a run first needs something that only plugins provide. It returns a list of
records; the host checks each one and names the plugin in every complaint. A hook that a plugin does not implement is
simply not there: nothing needs to be returned. Hooks must be quick and must not import torch: records name their
factories as `"package.module:function"`, and those modules may import whatever they need.
"""

from __future__ import annotations

from dataclasses import dataclass

import pluggy

from striate.host.records import (
    DataRecord,
    FileRecord,
    HeadRecord,
    LossRecord,
    MetricRecord,
    OptimizerRecord,
    ScheduleRecord,
    TaskRecord,
)
from striate.ops.record import OpRecord

PROJECT = "striate"
API_VERSION = "1.0"
"""The version of this interface: it grows within a major version, and plugins name the window that they work with."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What a hook is told. It grows by new fields only, so a plugin written today keeps working."""

    api_version: str = API_VERSION


class Hooks:
    """The hook specifications."""

    @hookspec
    def striate_layers(self, context: PluginContext) -> list[OpRecord]:  # type: ignore[empty-body]
        """Provide layers.

        Called when a file uses a layer name that is not built in. Return `striate.plugin.OpRecord`s: the same type
        that describes the built-in layers, with the shape rule, the torch rule and the ONNX rule in one place::

            @hookimpl
            def striate_layers(context):
                return [OpRecord(name="dcn", summary="Deformable convolution", shape=..., torch=..., onnx=...)]

        A layer is then written in a `.cnn` file like a built-in one: `dcn(64, 3)`.
        """

    @hookspec
    def striate_files(self, context: PluginContext) -> list[FileRecord]:  # type: ignore[empty-body]
        """Provide files in the language: blocks and models for `use`.

        Called when a file has a statement such as `use zoo.resnet`. The file lies in the plugin's package and is read
        when it is used::

            @hookimpl
            def striate_files(context):
                return [FileRecord("zoo.resnet", "ResNet (He et al., 2015)", "my_plugin", "zoo/resnet.cnn")]

        Names have at least two parts; the first one tells where the file is from.
        """

    @hookspec
    def striate_heads(self, context: PluginContext) -> list[HeadRecord]:  # type: ignore[empty-body]
        """Provide task heads.

        Called when a model has a `head` statement. A head is a block in the language and the name of the task that
        decodes its output::

            @hookimpl
            def striate_heads(context):
                block = "block Head(classes) { conv(classes, 1) }"
                return [HeadRecord("segmentation", "One class per pixel", block, "segmentation.cnn", ("logits",),
                                   "segmentation")]
        """

    @hookspec
    def striate_tasks(self, context: PluginContext) -> list[TaskRecord]:  # type: ignore[empty-body]
        """Provide tasks: how the output of a network becomes an answer.

        Called by `eval` and `predict`, and by `train` for its report. The decoder gets the output tensor of a batch
        and the class names, and returns one dictionary per image::

            @hookimpl
            def striate_tasks(context):
                return [TaskRecord("classification", "One class per image", Factory("my.tasks:decode"))]
        """

    @hookspec
    def striate_data_sets(self, context: PluginContext) -> list[DataRecord]:  # type: ignore[empty-body]
        """Provide data sets, written in a recipe as `data = digits()`.

        Called by commands that need data. The factory gets the input's size and the written arguments and returns the
        splits with class names::

            @hookimpl
            def striate_data_sets(context):
                return [DataRecord("digits", "Handwritten digits", Factory("my.data:digits"))]
        """

    @hookspec
    def striate_losses(self, context: PluginContext) -> list[LossRecord]:  # type: ignore[empty-body]
        """Provide losses, written in a recipe as `loss = cross_entropy`.

        Called by commands that train or evaluate. The factory gets the written arguments and returns a callable of
        output and target::

            @hookimpl
            def striate_losses(context):
                return [LossRecord("mse", "Mean squared error", Factory("torch.nn:MSELoss"))]
        """

    @hookspec
    def striate_optimizers(self, context: PluginContext) -> list[OptimizerRecord]:  # type: ignore[empty-body]
        """Provide optimizers, written in a recipe as `optimizer = sgd(lr = 0.05)`.

        Called by `train`. The factory gets the parameters and the written arguments::

            @hookimpl
            def striate_optimizers(context):
                return [OptimizerRecord("adam", "Adam", Factory("torch.optim:Adam"), (LEARNING_RATE,))]
        """

    @hookspec
    def striate_schedules(self, context: PluginContext) -> list[ScheduleRecord]:  # type: ignore[empty-body]
        """Provide learning-rate schedules, written in a recipe as `schedule = cosine(warmup = 1)`.

        Called by `train`. The factory gets the number of epochs and the written arguments and returns a pure function
        from the epoch (a float) to a factor::

            @hookimpl
            def striate_schedules(context):
                return [ScheduleRecord("constant", "No change", Factory("my.schedules:constant"))]
        """

    @hookspec
    def striate_metrics(self, context: PluginContext) -> list[MetricRecord]:  # type: ignore[empty-body]
        """Provide metrics, written in a recipe as `metrics = [accuracy]`.

        Called by commands that train or evaluate. The factory gets the number of classes and the written arguments and
        returns a torchmetrics `Metric`::

            @hookimpl
            def striate_metrics(context):
                return [MetricRecord("accuracy", "Share of right answers", Factory("my.metrics:accuracy"))]
        """
