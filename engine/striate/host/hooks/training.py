"""Hooks for what acts on weights and images in training: initialisers, regularisers and augmentations."""

from __future__ import annotations

from striate.host.markers import PluginContext, hookspec
from striate.host.records import AugmentationRecord, InitializerRecord, RegularizerRecord


class TrainingHooks:
    """What recipes name beside data, loss, optimizer, schedule and metrics."""

    @hookspec
    def striate_initializers(self, context: PluginContext) -> list[InitializerRecord]:  # type: ignore[empty-body]
        """Provide initialisers, written in a recipe as `init = scaled_normal(deviation = 0.5)`.

        When and how often. A record is used by `train` and `search`. The factory is called once per run; the rule that
        it returns once for every weight that the recipe means by `weights = …`, an argument that striate adds (kernels,
        biases, all, or names such as `"stage1.*"`) and the factory is not given.

        Returned. `factory(**arguments)` returns a rule of a `WeightInfo` (name, shape, fans, layer) and a
        `numpy.random.Generator`, seeded by the run's seed and the weight's name. The rule returns an array of the
        weight's shape, of any real type. It must draw from that generator alone: a weight then starts the same whatever
        else is in the network.

        Checked. Arguments by their kinds before the call; that `weights` means some weight of the network; the array's
        shape and type, and that its entries are finite.

        On failure. At the recipe's line, and no run begins: a `ValueError` with its words, as what the weight lacks
        (E0507), anything else that is raised with the plugin's name (E0720), and an array that is not as it should be
        (E0721).

        Example, `my_plugin.py`::

            from striate.plugin import Argument, Factory, InitializerRecord, Real, hookimpl

            def scaled_normal(deviation):
                def rule(info, generator):
                    return deviation / info.fan_in**0.5 * generator.standard_normal(info.shape)

                return rule

            @hookimpl
            def striate_initializers(context):
                deviation = Argument("deviation", Real(0), "Standard deviation for one input.", 1.0)
                factory = Factory("my_plugin:scaled_normal")
                return [InitializerRecord("scaled_normal", "Normal, by the fan-in.", factory, (deviation,))]
        """

    @hookspec
    def striate_regularizers(self, context: PluginContext) -> list[RegularizerRecord]:  # type: ignore[empty-body]
        """Provide regularisers, written in a recipe as `regularize = [log_barrier(rate = 0.01)]`.

        When and how often. A record is used by `train` and `search`. The factory is called once per run and once to try
        it; the function that it returns once per step, with the weights that the recipe means by `weights = …`, an
        argument that striate adds and the factory is not given.

        Returned. `factory(**arguments)` returns a function of a tuple of `RegularizedWeight`s (name, tensor, rows). It
        returns a scalar tensor, which is added to the loss before the gradients are taken; the loss that is reported
        stays the recipe's. With `after_step = True` in the record it is called after the optimizer's step, without
        gradients, changes the tensors in place and returns nothing. It draws no random numbers, or a resumed run would
        not go on alike.

        Checked. Arguments by their kinds before the call; that `weights` means some weight of the network; that a term
        is a scalar tensor. Every regulariser is tried once before a run begins, and leaves the weights as they were.

        On failure. At the recipe's line: a `ValueError` with its words (E0507), anything else that is raised with the
        plugin's name (E0720), and what is no scalar tensor (E0721). No run begins; one that is under way ends, and its
        last checkpoint stays.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, Factory, Real, RegularizerRecord, hookimpl

            def log_barrier(rate):
                def term(weights):
                    return rate * sum((1 + weight.tensor.square()).log().sum() for weight in weights)

                return term

            @hookimpl
            def striate_regularizers(context):
                rate = Argument("rate", Real(0), "How much it counts.", 0.01)
                factory = Factory("my_plugin:log_barrier")
                return [RegularizerRecord("log_barrier", "Sum of log(1 + w²).", factory, (rate,))]
        """

    @hookspec
    def striate_augmentations(self, context: PluginContext) -> list[AugmentationRecord]:  # type: ignore[empty-body]
        """Provide augmentations, written in a recipe as `augment = [darken(most = 0.5)]`.

        When and how often. A record is used by `train` and `search`. The factory is called once per run, once to try it
        and once for the report's picture; the function that it returns once per training batch, in the order of the
        recipe, never for validation or test images.

        Returned. `factory(**arguments)` returns a function of a `striate.data.ImageBatch` (images `N x C x H x W`,
        float32 from 0 to 1, before the pixel contract; targets with their shares) and a `torch.Generator` on the
        processor, seeded by the seed and the place in the run. It must draw from that alone: a resumed run then sees
        the same images. It returns a batch of the same size and type, made with `with_images` (colours), `moved`
        (pixels, and maps of classes with them) or `mixed` (images mixed with others of the batch).

        Checked. Arguments by their kinds before the call; sizes, types and shares at every batch.

        On failure. At the recipe's line: a `ValueError` with its words, as what the images lack (E0507), anything else
        that is raised with the plugin's name (E0720), and a batch that is not as it should be (E0721). It is tried
        before a run begins; a run that is under way ends, and its last checkpoint stays.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, AugmentationRecord, Factory, Real, hookimpl

            def darken(most):
                def augment(batch, chance):
                    import torch

                    factors = 1 - most * torch.rand(len(batch.images), 1, 1, 1, generator=chance)
                    return batch.with_images(batch.images * factors.to(batch.images))

                return augment

            @hookimpl
            def striate_augmentations(context):
                most = Argument("most", Real(0, 1), "The largest share of brightness taken away.", 0.5)
                return [AugmentationRecord("darken", "Darker images.", Factory("my_plugin:darken"), (most,))]
        """
