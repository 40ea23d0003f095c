"""The page about the hooks, made of their specifications: `docs/hooks.md`."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from striate import factories
from striate.host.kinds import KINDS, Kind
from striate.host.spec import API_VERSION, Hooks

_HEAD = f"""# Hooks

Made from the specifications in `striate.host.spec` by `python -m striate.reference`; the tests install every example
below as `my_plugin` and use it. This is version {API_VERSION} of the interface; a plugin says in its manifest which
versions it works with, e.g. `api = ">=1.1, <2"`. Version 1.0 had layers, files, heads, tasks, data sets, losses,
optimizers, schedules and metrics; all other hooks are new in 1.1.

A plugin is a package with an entry point in the group `striate.plugins` ([plugins.md](plugins.md) has the whole of it).
It implements the hooks that it needs as functions with striate's marker, `striate.plugin.hookimpl`. All of them are
called once, when the plugin is loaded, which is when a run first needs a name that its manifest lists. Each is given a
`striate.plugin.PluginContext`, which grows, and returns a list of records. The host holds every record to its type,
field by field, and to the manifest; if one is wrong, or a hook raises, the whole plugin is set aside (W0701) and the
others work. Records are light: what does the work is named as `Factory("package.module:function")` and imported when it
is needed. `striate.plugin` has what modules import that declare records, `striate.factories` and `striate.data` what
the functions behind them are given and return.

Whatever a plugin's function raises when it is used, the user is told in a sentence that names the plugin and the place
(E0720), never by a traceback.
"""


@dataclass(frozen=True, slots=True)
class Specification:
    """A hook as its text specifies it.

    Attributes:
        kind: the kind of things that it provides.
        summary: the first sentence.
        paragraphs: what there is to say.
        example: a whole plugin, the module `my_plugin`.
    """

    kind: Kind
    summary: str
    paragraphs: tuple[str, ...]
    example: str


def specifications() -> Iterator[Specification]:
    """Yield the hooks in the order of the table of kinds."""
    for kind in KINDS:
        function: Callable[..., Any] = getattr(Hooks, kind.hook)
        yield specification(kind, function.__doc__ or "")


def specification(kind: Kind, text: str) -> Specification:
    """Return the parts of a specification: paragraphs, then a sentence that ends in `::`, then a plugin.

    Raises:
        ValueError: there is no example.
    """
    words, mark, code = textwrap.dedent(f"        {text}").strip().partition("::\n")
    if not mark or not code.strip():
        raise ValueError(f"{kind.hook} shows no example: the text ends with a line `…::` and an indented module")
    summary, *paragraphs = (" ".join(each.split()) for each in words.split("\n\n"))
    return Specification(kind, summary, tuple(paragraphs), textwrap.dedent(code).strip() + "\n")


def hooks_page() -> str:
    """Return the page as Markdown."""
    found = list(specifications())
    listed = "\n".join(f"- [`{item.kind.hook}`](#{item.kind.hook}) {_first(item.summary)}" for item in found)
    given = (
        "What the functions behind records are given and return, and what helps them; `striate.factories` has it all."
    )
    names = [_public(name, getattr(factories, name)) for name in factories.__all__]
    return "\n".join([_HEAD, f"{listed}\n", *map(_section, found), f"## striate.factories\n\n{given}\n", *names])


def _public(name: str, item: Any) -> str:
    """Return what a public name says of itself, its attributes or arguments as a list."""
    text = inspect.getdoc(item) or ""
    call = f"({', '.join(inspect.signature(item).parameters)})" if inspect.isfunction(item) else ""
    words, _, rest = text.partition("\nAttributes:\n")
    if not rest:
        words, _, rest = text.partition("\nArgs:\n")
    listed = [
        " ".join(each.split())
        for each in re.split(r"\n    (?=\w+: )", "\n" + rest.partition("\n\n")[0])
        if each.strip()
    ]
    bullets = "\n".join(_wrapped(f"- `{entry.replace(': ', '`: ', 1)}") for entry in listed)
    return "\n\n".join(filter(None, [f"### {name}{call}", *map(_wrapped, words.strip().split("\n\n")), bullets])) + "\n"


def _first(summary: str) -> str:
    return summary.removeprefix("Provide ").split(":")[0].split(",")[0].rstrip(".")


def _section(item: Specification) -> str:
    told = [_wrapped(text) for text in (item.summary, *item.paragraphs)]
    told[-1] = re.sub(r"[,:]? ?$", ":", told[-1])
    example = re.sub(r"\n\n(?=@|def |class )", "\n\n\n", item.example)  # as formatters want a module
    return "\n\n".join([f"## {item.kind.hook}", *told, f"```python\n{example}```"]) + "\n"


def _wrapped(text: str) -> str:
    """Return a paragraph as lines, its label in bold."""
    labelled = re.sub(r"^(When and how often|Returned|Checked|On failure)\.", r"**\1.**", text)
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(labelled, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
