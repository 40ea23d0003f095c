"""The hooks a plugin may implement, and the two markers that plugins import.

The hooks of a plugin are called once, when the plugin is loaded: when a run first needs a name that it has. Each
returns a list of records; the host checks every one and names the plugin in every complaint. A hook that a plugin does
not implement is simply not there: nothing needs to be returned. Hooks must be quick and must not import torch: records
name their factories as `"package.module:function"`, and those modules may import whatever they need.

Each specification says when its records are used and how often their functions are called, what these may return, what
the host checks, what happens when they fail, and shows a whole plugin. `docs/hooks.md` is made from these texts, and
the tests install every example and use it. What networks are written with, what is done with whole networks, what
people look at them with, and what acts on weights and images in training is in `hooks/`; below is the rest of what
recipes name.
"""

from __future__ import annotations

from striate.host.hooks.graphs import GraphHooks
from striate.host.hooks.networks import NetworkHooks
from striate.host.hooks.tools import ToolHooks
from striate.host.hooks.training import TrainingHooks
from striate.host.markers import API_VERSION, PROJECT, PluginContext, hookimpl, hookspec
from striate.host.records import (
    DataRecord,
    LossRecord,
    MetricRecord,
    OptimizerRecord,
    ScheduleRecord,
)

__all__ = ["API_VERSION", "PROJECT", "Hooks", "PluginContext", "hookimpl", "hookspec"]


class Hooks(NetworkHooks, GraphHooks, ToolHooks, TrainingHooks):
    """The hook specifications."""

    @hookspec
    def striate_data_sets(self, context: PluginContext) -> list[DataRecord]:  # type: ignore[empty-body]
        """Provide data sets, written in a recipe as `data = stripes(count = 60)`.

        When and how often. A record is used by commands that need data: `train`, `eval`, `search`, `predict --split`,
        `export --calibrate NAME`. The factory is called once per run, an example of a split once per epoch.

        Returned. `factory(input_shape, **arguments)` gets channels, height and width of the network's input and returns
        a `striate.data.DataSplits`: `train`, `validation` and `test`, each with a length and pairs of image and target
        by number, and the names of the classes. An image is float32, `C x H x W` in the size asked for, from 0 to 1,
        colours as red, green, blue; a target a class number, or a map `H x W` of such. The same arguments must give the
        same examples in the same order, or a run that is resumed would go on with others.

        Checked. Arguments by their kinds before the call. Of the data: that no split is empty, that the first image has
        the channels and the size that were asked for, that targets go with the network's output, and that it has as
        many scores as there are classes.

        On failure. What does not fit is E0507 at the recipe's line, before anything is trained.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, DataRecord, Factory, Integer, hookimpl

            def stripes(input_shape, count):
                import numpy as np
                from striate.data import DataSplits, ImageArrays

                targets = np.arange(count) % 2
                images = np.zeros((count, *input_shape), dtype="float32")
                images[targets == 0, :, ::2] = 1.0
                images[targets == 1, :, :, ::2] = 1.0
                part = ImageArrays(images, targets)
                return DataSplits(part, part, part, ("rows", "columns"))

            @hookimpl
            def striate_data_sets(context):
                count = Argument("count", Integer(2), "How many images there are.", 40)
                return [DataRecord("stripes", "Stripes of two kinds.", Factory("my_plugin:stripes"), (count,))]
        """

    @hookspec
    def striate_losses(self, context: PluginContext) -> list[LossRecord]:  # type: ignore[empty-body]
        """Provide losses, written in a recipe as `loss = margin(by = 2)`.

        When and how often. A record is used by `train`, `search` and `eval`. The factory is called once per run and
        once per split that is measured; what it returns once per batch.

        Returned. `factory(**arguments)` returns a function of output and target that gives one number, a scalar tensor
        through which gradients flow, as a rule the mean over the batch. Outputs are as the network gives them,
        `N x classes` or `N x classes x H x W`; targets are class numbers, `N` or `N x H x W`. It draws no random
        numbers, or a resumed run would not go on alike.

        Checked. Arguments by their kinds before the call. A few images go through network and loss before a run begins.
        `applies` says what the loss does to scores itself, such as `softmax`: `check` then warns of a network that ends
        in one.

        On failure. A `ValueError`, at that first try, is E0507 at the recipe's line with its words, and no run begins.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, Factory, LossRecord, Real, hookimpl

            def margin(by):
                def loss(scores, targets):
                    right = scores.gather(1, targets[:, None])
                    return (scores - right + by).clamp(min=0).mean() - by / scores.shape[1]

                return loss

            @hookimpl
            def striate_losses(context):
                by = Argument("by", Real(0), "How far the right class should lead.", 1.0)
                return [LossRecord("margin", "The mean hinge of all classes.", Factory("my_plugin:margin"), (by,))]
        """

    @hookspec
    def striate_optimizers(self, context: PluginContext) -> list[OptimizerRecord]:  # type: ignore[empty-body]
        """Provide optimizers, written in a recipe as `optimizer = signs(lr = 0.01)`.

        When and how often. A record is used by `train` and `search`. The factory is called once per run, also of one
        that is resumed; the optimizer's `step` once per batch.

        Returned. `factory(parameters, **arguments)` returns a `torch.optim.Optimizer`. The schedule multiplies the `lr`
        of its groups. Everything that a step depends on belongs into `state_dict()`: it is saved after every epoch, and
        a run that is killed and resumed must end with the same bytes.

        Checked. Arguments by their kinds before the call; an argument `lr` is what schedules and the report speak of.

        On failure. What the factory or a step raises ends the run; the checkpoint of the last epoch stays, and
        `train --resume` goes on from there.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, Factory, OptimizerRecord, Real, hookimpl

            def signs(parameters, lr):
                import torch

                class Signs(torch.optim.Optimizer):
                    @torch.no_grad()
                    def step(self, closure=None):
                        loss = torch.enable_grad()(closure)() if closure else None
                        for group in self.param_groups:
                            for weight in group["params"]:
                                if weight.grad is not None:
                                    weight.sub_(group["lr"] * weight.grad.sign())
                        return loss

                return Signs(parameters, {"lr": lr})

            @hookimpl
            def striate_optimizers(context):
                rate = Argument("lr", Real(0), "Learning rate.", 0.01)
                return [OptimizerRecord("signs", "Steps of one length.", Factory("my_plugin:signs"), (rate,))]
        """

    @hookspec
    def striate_schedules(self, context: PluginContext) -> list[ScheduleRecord]:  # type: ignore[empty-body]
        """Provide learning-rate schedules, written in a recipe as `schedule = triangle(peak = 0.3)`.

        When and how often. A record is used by `train` and `search`. The factory is called once per run, the function
        that it returns before every step.

        Returned. `factory(epochs, **arguments)` returns a function from the epoch to the factor of the optimizer's
        rate. The epoch is a float that grows with every step, 0 at the start and `epochs` at the end. The function must
        be pure, of the epoch alone: then a run that is resumed goes on exactly.

        Checked. Arguments by their kinds before the call.

        On failure. What the function raises ends the run; the checkpoint of the last epoch stays.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, Factory, Real, ScheduleRecord, hookimpl

            def triangle(epochs, peak):
                top = peak * epochs

                def factor(epoch):
                    return epoch / top if epoch < top else (epochs - epoch) / (epochs - top)

                return factor

            @hookimpl
            def striate_schedules(context):
                peak = Argument("peak", Real(0, 1, open_maximum=True), "Where the top is.", 0.3)
                return [ScheduleRecord("triangle", "Up and down.", Factory("my_plugin:triangle"), (peak,))]
        """

    @hookspec
    def striate_metrics(self, context: PluginContext) -> list[MetricRecord]:  # type: ignore[empty-body]
        """Provide metrics, written in a recipe as `metrics = [accuracy, misses]`.

        When and how often. A record is used by `train`, `search` and `eval`. The factory is called once per split that
        is measured, the metric's `update` once per batch, its `compute` at the end of the split.

        Returned. `factory(classes, **arguments)` gets the number of classes and returns a torchmetrics `Metric`, fed
        with outputs (`N x classes` or `N x classes x H x W`) and class numbers (`N` or `N x H x W`), whose result is
        one number. The first metric of a recipe decides which epoch is best, by `higher_is_better`; `percent` is how it
        is shown. Where the record names a `picture`, that function gets the metric and the class names after the last
        epoch, on the test split, and returns a matplotlib `Figure` for the report. `tasks` names the tasks whose
        outputs the metric takes; none stands for classes.

        Checked. Arguments by their kinds before the call. Every metric is tried on a few images before a run begins:
        that it takes them, and that its result is one number.

        On failure. A `ValueError`, `RuntimeError` or `TypeError` at that try is E0507 at the recipe's line with its
        words, and no run begins. A picture that cannot be drawn is a note in the report.

        Example, `my_plugin.py`::

            from striate.plugin import Factory, MetricRecord, hookimpl

            def misses(classes):
                from torchmetrics import SumMetric

                class Misses(SumMetric):
                    def update(self, outputs, targets):
                        super().update((outputs.argmax(1) != targets).sum())

                return Misses()

            @hookimpl
            def striate_metrics(context):
                return [MetricRecord("misses", "Wrong answers.", Factory("my_plugin:misses"), higher_is_better=False)]
        """
