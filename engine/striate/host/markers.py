"""The two markers of pluggy under striate's name, and what every hook is told."""

from __future__ import annotations

from dataclasses import dataclass

import pluggy

PROJECT = "striate"
API_VERSION = "1.1"
"""The version of this interface: it grows within a major version, and plugins name the window that they work with."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What a hook is told. It grows by new fields only, so a plugin written today keeps working."""

    api_version: str = API_VERSION
