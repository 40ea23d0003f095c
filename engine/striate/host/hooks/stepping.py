"""Hooks for what stands around the optimizer of a recipe: wrappers of optimizers, and averages of weights."""

from __future__ import annotations

from striate.host.markers import PluginContext, hookspec
from striate.host.training_records import AverageRecord, WrapperRecord


class SteppingHooks:
    """What training does beside the optimizer's steps."""

    @hookspec
    def striate_wrappers(self, context: PluginContext) -> list[WrapperRecord]:  # type: ignore[empty-body]
        """Provide what works around an optimizer, written in a recipe as `wrap = noisy(share = 0.01)`.

        When and how often. A record is used by `train` and `search`. The factory is called once per run, also of one
        that is resumed; what it returns steps once per step of the run.

        Returned. `factory(optimizer, **arguments)` is given the optimizer, or what is around it already, and returns a
        `torch.optim.Optimizer`. `step(closure)` may call the closure as often as it needs: it computes the loss and the
        gradients of the step at the present weights, each time with the same random numbers. `param_groups` must be
        those of the inner optimizer, also behind `load_state_dict`, since that is where the rate is set. Everything
        that a step depends on belongs into `state_dict()`, as numbers, texts, tensors, lists and dictionaries: a run
        that is killed and resumed must end with the same bytes. One that has `eval()` and `train()` is told so before
        and after the weights are measured and saved, and may put others in their place.

        Checked. Arguments by their kinds before the call; that every step asks for gradients.

        On failure. What the factory or a step raises ends the run; the checkpoint of the last epoch stays, and
        `train --resume` goes on from there.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, Factory, Real, WrapperRecord, hookimpl

            def noisy(optimizer, share):
                import torch

                class Noisy(torch.optim.Optimizer):
                    def __init__(self):
                        super().__init__(optimizer.param_groups, {})

                    def step(self, closure):
                        loss = closure()
                        for group in self.param_groups:
                            for weight in group["params"]:
                                weight.grad += share * weight.grad.norm() * torch.randn_like(weight)
                        optimizer.step()
                        return loss

                    def state_dict(self):
                        return optimizer.state_dict()

                    def load_state_dict(self, state):
                        optimizer.load_state_dict(state)
                        self.param_groups = optimizer.param_groups

                return Noisy()

            @hookimpl
            def striate_wrappers(context):
                share = Argument("share", Real(0), "Noise as a share of the gradient's norm.", 0.01)
                return [WrapperRecord("noisy", "Adds noise to gradients.", Factory("my_plugin:noisy"), (share,))]
        """

    @hookspec
    def striate_averages(self, context: PluginContext) -> list[AverageRecord]:  # type: ignore[empty-body]
        """Provide averages of the weights, written in a recipe as `average = mean_of_ends(from_epoch = 1)`.

        When and how often. A record is used by `train` and `search`. The factory is called once per run, the function
        that it returns after every step.

        Returned. `factory(epochs, **arguments)` returns a function of the epoch behind the step, a float that is whole
        at the end of an epoch, and of how often the average has been moved so far. It says by which share of the
        difference the average moves towards the weights now, from 0 to 1, or None where it stays; the first time it
        becomes the weights, whatever the share. The function must be pure, of these two alone. The average itself is
        kept, resumed, measured and saved by `train`, from when it was first moved. With `recomputes` the statistics of
        norms are worked out anew from the training images for the averaged weights; otherwise they are averaged too.

        Checked. Arguments by their kinds before the call, and every share.

        On failure. A share that is none, or what the function raises, ends the run; the checkpoint of the last epoch
        stays.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, AverageRecord, Factory, Integer, hookimpl

            def mean_of_ends(epochs, from_epoch):
                def share(epoch, moved):
                    return 1 / (moved + 1) if epoch == int(epoch) and epoch >= from_epoch else None

                return share

            @hookimpl
            def striate_averages(context):
                first = Argument("from_epoch", Integer(), "The first epoch whose end counts.", 1)
                factory = Factory("my_plugin:mean_of_ends")
                return [AverageRecord("mean_of_ends", "Mean over epochs.", factory, (first,), recomputes=True)]
        """
