"""Plugins that no distribution brings: made by a function instead of an import."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace

from striate.host.installed import find_plugins
from striate.host.plugins import Plugins
from striate.host.policy import Policy
from striate.plugin import hookimpl


class Entry(EntryPoint):
    """An entry point whose plugin is made by a function instead of an import."""

    def __new__(cls, name, make):
        return super().__new__(cls)

    def __init__(self, name, make):
        super().__init__(name, "module", "striate.plugins")
        vars(self)["make"] = make

    def load(self):
        return vars(self)["make"]()


def providing(**answers):
    """Return a plugin whose hooks give these answers."""
    plugin = SimpleNamespace()
    for hook, answer in answers.items():

        def call(context, answer=answer):
            return answer

        setattr(plugin, hook, hookimpl(call, specname=hook))
    return lambda: plugin


def load_plugins(entries) -> Plugins:
    """Return the plugins of some entry points, all loaded."""
    plugins = Plugins(find_plugins(entries), Policy())
    plugins.load_all()
    return plugins
