"""Hooks for tools around networks: explainers of answers, and commands of the command line."""

from __future__ import annotations

from striate.host.markers import PluginContext, hookspec
from striate.host.work_records import CommandRecord, ExplainerRecord


class ToolHooks:
    """What people look at networks with."""

    @hookspec
    def striate_explainers(self, context: PluginContext) -> list[ExplainerRecord]:  # type: ignore[empty-body]
        """Provide explainers, which pixels an answer hangs on: `striate attribute … --method product(power = 2)`.

        When and how often. The factory is called once per image with the arguments written behind its name; it may run
        the network as often as it needs.

        Returned. It is given a `striate.factories.AttributionRequest`: the network in torch, the image
        `1 x C x H x W` as the network takes it, the class, and the name of a feature map. `values(images)` runs the
        network and returns every value by name, with gradients; `score(values)` is the number to be explained. It
        returns an array or tensor `H x W`, or smaller: it is enlarged to the image. Entries say how much a pixel speaks
        for the class; with `signed = True` those below 0 speak against it.

        Checked. Arguments by their kinds before the call; then that the array has two axes, that its entries are finite
        and, unless the record says `signed`, not below 0. Drawing, and writing the picture whole or not at all, is the
        host's.

        On failure. No picture is written. A `striate.factories.RefusedError` says that the method does not go with the
        network (E0725); E0720 (it raised something else) and E0721 (no such array) name the method and the plugin.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, ExplainerRecord, Factory, Integer, hookimpl

            def product(request, power):
                import torch

                image = request.image.clone().requires_grad_()
                (gradient,) = torch.autograd.grad(request.score(request.values(image)).sum(), image)
                return (gradient * image)[0].sum(0) ** power

            @hookimpl
            def striate_explainers(context):
                power = Argument("power", Integer(1), "What the product is raised to.", 1)
                factory = Factory("my_plugin:product")
                return [ExplainerRecord("product", "Gradient times input.", factory, (power,), signed=True)]
        """

    @hookspec
    def striate_commands(self, context: PluginContext) -> list[CommandRecord]:  # type: ignore[empty-body]
        """Provide commands of the command line: `striate count net.cnn`.

        When and how often. `striate --help` lists the commands that manifests name, without importing a plugin. The
        factory is called once per run, when the command is called or its own `--help` is asked for.

        Returned. A `click.Command` without arguments that have been read: it gets everything that is written behind its
        name. It is called by the record's name, whatever name it was made with. Exit codes are click's; a finding of
        striate, `striate.DiagnosticError`, may be raised and is printed as striate prints its own.

        Checked. That the factory makes a `click.Command`. A name of one of striate's own commands sets the plugin aside
        whole, and the message names both. A name that two plugins have is an error that names them; each can still be
        called as `acme.count`.

        On failure. What the command raises is E0720: it names the command, the plugin and the place, exit code 1, and
        no traceback. Wrong usage is click's own message, exit code 2.

        Example, `my_plugin.py`::

            from striate.plugin import CommandRecord, Factory, hookimpl

            def count():
                import click
                import striate

                @click.command()
                @click.argument("file", type=click.Path())
                def command(file):
                    click.echo(f"{striate.load(file).parameters:,} parameters")

                return command

            @hookimpl
            def striate_commands(context):
                return [CommandRecord("count", "Count the parameters of a network.", Factory("my_plugin:count"))]
        """
