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
    AugmentationRecord,
    DataRecord,
    FileRecord,
    HeadRecord,
    InitializerRecord,
    LossRecord,
    MetricRecord,
    OptimizerRecord,
    RegularizerRecord,
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
    def striate_initializers(self, context: PluginContext) -> list[InitializerRecord]:  # type: ignore[empty-body]
        """Provide initialisers, written in a recipe as `init = scaled_normal(deviation = 0.02)`.

        Called once, when a recipe first names something that no loaded plugin has. The factory is called once per run
        with the written arguments; the rule that it returns is called once for every weight that the recipe means by
        `weights = …`, an argument that striate adds (kernels, biases, all, or names such as `"stage1.*"`). It gets a
        `WeightInfo` (name, shape, fans) and a numpy generator seeded by the run's seed and the weight's name. It must
        draw from that alone: a weight then starts the same whatever else is in the network. It returns an array of the
        weight's shape, in any real type; striate checks shape and type, and that all numbers are finite. A `ValueError`
        is shown to the user at the recipe's line, as what the weight lacks; any other exception as the plugin's fault.
        In both cases no run begins. `my_plugin.py`::

            from striate.plugin import Argument, Factory, InitializerRecord, Real, hookimpl

            def scaled_normal(deviation):
                def rule(info, generator):
                    return deviation / info.fan_in**0.5 * generator.standard_normal(info.shape)

                return rule

            @hookimpl
            def striate_initializers(context):
                deviation = Argument("deviation", Real(0), "Standard deviation for one input.", 1.0)
                factory = Factory("my_plugin:scaled_normal")
                return [InitializerRecord("scaled_normal", "Normal, scaled by the fan-in.", factory, (deviation,))]
        """

    @hookspec
    def striate_regularizers(self, context: PluginContext) -> list[RegularizerRecord]:  # type: ignore[empty-body]
        """Provide regularisers, written in a recipe as `regularize = [log_barrier(0.01)]`.

        Called once, when a recipe first names something that no loaded plugin has. The factory is called once per run
        with the written arguments. The function that it returns is called at every step with a tuple of
        `RegularizedWeight`s, those that the recipe means by `weights = …`, an argument that striate adds. It returns a
        scalar tensor, which is added to the loss before the gradients are taken; the loss that is reported stays the
        recipe's. With `after_step = True` in the record it is called after the optimizer's step instead, without
        gradients, changes the tensors in place, and returns nothing. striate checks that a term is a scalar tensor, and
        tries every regulariser once before a run begins. It must draw no random numbers, or a resumed run would not go
        on alike. What it raises is shown at the recipe's line, with the plugin's name. `my_plugin.py`::

            from striate.plugin import Argument, Factory, Real, RegularizerRecord, hookimpl

            def log_barrier(rate):
                def term(weights):
                    return rate * sum((1 + weight.tensor.square()).log().sum() for weight in weights)

                return term

            @hookimpl
            def striate_regularizers(context):
                rate = Argument("rate", Real(0), "How much it counts.")
                factory = Factory("my_plugin:log_barrier")
                return [RegularizerRecord("log_barrier", "Sum of log(1 + w²).", factory, (rate,))]
        """

    @hookspec
    def striate_augmentations(self, context: PluginContext) -> list[AugmentationRecord]:  # type: ignore[empty-body]
        """Provide augmentations, written in a recipe as `augment = [darken(0.5)]`.

        Called once, when a recipe first names something that no loaded plugin has. The factory is called once per run
        with the written arguments; the function that it returns is called for every training batch, in the order of
        the recipe, never for validation or test images. It gets a `striate.data.ImageBatch` (images `N x C x H x W`,
        float32 from 0 to 1, before the pixel contract is applied; targets with their shares) and a `torch.Generator`
        on the processor, seeded by the seed and the place in the run. It must draw from that alone: a resumed run then
        sees the same images. It returns a batch of the same size and type, made with `with_images` (colours), `moved`
        (pixels, and the maps of classes with them) or `mixed` (images mixed with others of the batch). striate checks
        sizes, types and shares at every batch, and tries every augmentation before a run begins. A `ValueError` is
        shown as what the images lack, any other exception as the plugin's fault. `my_plugin.py`::

            from striate.plugin import Argument, AugmentationRecord, Factory, Real, hookimpl

            def darken(most):
                def augment(batch, chance):
                    import torch

                    factors = 1 - most * torch.rand(len(batch.images), 1, 1, 1, generator=chance)
                    return batch.with_images(batch.images * factors.to(batch.images))

                return augment

            @hookimpl
            def striate_augmentations(context):
                most = Argument("most", Real(0, 1), "The largest share of brightness that is taken away.", 0.5)
                return [AugmentationRecord("darken", "Darker images.", Factory("my_plugin:darken"), (most,))]
        """

    @hookspec
    def striate_metrics(self, context: PluginContext) -> list[MetricRecord]:  # type: ignore[empty-body]
        """Provide metrics, written in a recipe as `metrics = [accuracy, misses]`.

        Called once, when a recipe first names something that no loaded plugin has. The factory gets the number of
        classes and the written arguments, once for every split that is measured, and returns a torchmetrics `Metric`.
        Its `update` is called with the scores of every batch (`N x classes`, or `N x classes x H x W`) and the class
        numbers (`N`, or `N x H x W`), its `compute` once at the end of the split; the result must be one number. The
        first metric of a recipe decides which epoch is best, by `higher_is_better`. Where the record names a `picture`,
        that function gets the metric and the class names after the last epoch, on the test split, and returns a
        matplotlib `Figure` for the report. `tasks` names the tasks whose outputs the metric takes; none stands for
        classes. Every metric is tried on two images before a run begins; what it raises is shown at the recipe's line.
        `my_plugin.py`::

            from striate.plugin import Factory, MetricRecord, hookimpl

            def misses(classes):
                from torchmetrics import SumMetric

                class Misses(SumMetric):
                    def update(self, outputs, targets):
                        super().update((outputs.argmax(dim=1) != targets).sum())

                return Misses()

            @hookimpl
            def striate_metrics(context):
                return [MetricRecord("misses", "Wrong answers.", Factory("my_plugin:misses"), higher_is_better=False)]
        """
