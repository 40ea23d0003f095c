"""The `striate` command: a thin group whose commands are imported when they run.

Exit codes: 0 all well, 1 findings (mistakes in a file, a failed verification), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from striate.cli.boundary import FINDINGS, run_guarded
from striate.version import __version__

COMMANDS = {
    "check": "check",
    "fmt": "fmt",
    "expand": "expand",
    "diff": "diff",
    "summary": "summary",
    "compile": "compile",
    "train": "train",
    "search": "search",
    "eval": "evaluate",
    "predict": "predict",
    "attribute": "attribute",
    "export": "export",
    "import": "importing",
    "explain": "explain",
    "plugins": "plugins",
    "lsp": "lsp",
}
"""Command name to the module in `striate.cli` whose `command` it is."""

SUMMARIES = {
    "check": "Check .cnn files: names, arguments, sizes, contracts.",
    "fmt": "Write .cnn files in canonical form.",
    "expand": "Write one model out: blocks, loops and defaults resolved.",
    "diff": "Show what differs between two networks, files or revisions.",
    "summary": "Show a network's layers, sizes, parameters and costs.",
    "compile": "Show how a network is cut into kernels, and what they move.",
    "train": "Train a network by the recipe in its file.",
    "search": "Try many settings of a recipe and a network, and keep the best.",
    "eval": "Measure a trained network on its data.",
    "predict": "Apply a trained network to images.",
    "attribute": "Draw which pixels of an image speak for an answer.",
    "export": "Write a network as ONNX and verify it in ONNX Runtime.",
    "import": "Read an ONNX file as a .cnn file and its weights, or weights for a network.",
    "explain": "Say what a finding's code, a layer or another name means.",
    "plugins": "Show installed plugins, check what they provide; disable and enable them.",
    "lsp": "Serve an editor: findings, sizes, completion, renaming.",
}


NO_PLUGINS, STRICT_PLUGINS = "--no-plugins", "--strict-plugins"


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is used."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the options about plugins, which may stand anywhere, and hand them on as the environment does."""
        own = args[: args.index("--")] if "--" in args else args
        for argument in own:
            if argument == NO_PLUGINS or argument.startswith(f"{NO_PLUGINS}="):
                os.environ["STRIATE_NO_PLUGINS"] = argument.partition("=")[2] or "all"
            elif argument == STRICT_PLUGINS:
                os.environ["STRIATE_STRICT_PLUGINS"] = "1"
        left = [item for item in own if item.partition("=")[0] != NO_PLUGINS and item != STRICT_PLUGINS]
        return super().parse_args(ctx, [*left, *args[len(own) :]])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of a project's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command: one of striate's own, or else one of a plugin."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            from striate.cli.plugin_commands import plugin_command

            return plugin_command(cmd_name)
        command: click.Command = import_module(f"striate.cli.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Add the nearest command's name to the message about one that neither striate nor a plugin has."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from striate.cli.plugin_commands import listed_commands, plugin_command
            from striate_dsl.names import nearest

            found = plugin_command(args[0])
            if found is not None:
                return args[0], found, args[1:]
            known = [*COMMANDS, *(name for name, _ in listed_commands())]
            near = nearest(args[0], known)
            hint = f" Did you mean {near}?" if near else f" Commands: {', '.join(known)}."
            raise click.UsageError(f"there is no command {args[0]}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES[name]) for name in COMMANDS])
        from striate.cli.plugin_commands import listed_commands

        further = listed_commands()
        if further:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(further)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    NO_PLUGINS,
    is_flag=True,
    expose_value=False,
    help="Use no plugins but striate's own; --no-plugins=acme,boxes leaves these out. May stand behind any command.",
)
@click.option(
    STRICT_PLUGINS,
    is_flag=True,
    expose_value=False,
    help="A plugin that cannot be loaded is an error. May stand behind any command.",
)
@click.version_option(__version__, "-V", "--version", message="striate %(version)s")
def group() -> None:
    """Compile convolutional networks written in .cnn files: check, train, export."""


def main() -> None:
    """Run the command line and exit, also where a plugin has left a thread behind that does not end."""
    code = FINDINGS
    try:
        code = run_guarded(group)
    finally:
        disturbed = sys.modules.get("striate.host.surroundings")
        if disturbed is not None and disturbed.stray_threads():
            if sys.exc_info()[0] is not None:
                sys.excepthook(*sys.exc_info())
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    sys.exit(code)
