"""Building the models of a text, version after version: only those that an edit can have changed.

A model is elaborated again when its own text changed, or that of anything it may depend on.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from striate.editor.server.builds import Build, Cost
from striate.elaborate import Elaboration, elaborate, model_names
from striate.elaborate.budget import LARGE, Budget
from striate.elaborate.definitions import collect_all
from striate.elaborate.linked import LinkedFile, reachable, renamed_in
from striate.elaborate.models import demand_few_layers
from striate.elaborate.trace import Trace
from striate.host.catalogue import HostCatalogue
from striate_dsl.diagnostics import Diagnostic, Diagnostics
from striate_dsl.syntax import Block, File, Model, Variant

_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(eq=False, slots=True)
class Builder:
    """Builds the models of one text, version after version."""

    builds: dict[str, Build] = field(default_factory=dict)
    sound: dict[str, Build] = field(default_factory=dict)

    def run(self, file: File, catalogue: HostCatalogue, *, afresh: bool = False) -> Iterator[Elaboration]:
        """Yield what comes of every model; what still holds is taken as it is, unless all must be of this text."""
        before, self.builds = self.builds, {}
        names = model_names(file)
        if not (isinstance(file, LinkedFile) and file.torn):  # else a model may be missing because it is being edited
            self.sound = {name: build for name, build in self.sound.items() if name in names}
        shared = tuple(_shared_findings(file)) if names else ()
        texts, budget = _Texts(file, catalogue.generation), _budget(file, names, catalogue)
        for count, name in enumerate(names):
            key = texts.key(name)
            build = before.get(name)
            holds = build is not None and build.key == key and _is_affordable(build, budget)
            if build is None or not holds or (afresh and build.file.span.source is not file.span.source):
                build = _build(file, name, catalogue, key, shared, budget)
            else:
                budget.layers -= build.cost.layers
                budget.steps -= build.cost.steps
            self.builds[name] = build
            if build.elaboration.graph is not None:
                self.sound[name] = build
            yield replace(build.elaboration, diagnostics=(*(() if count else shared), *build.elaboration.diagnostics))


def _budget(file: File, names: tuple[str, ...], catalogue: HostCatalogue) -> Budget:
    """Return what the models of a file share, as a check of all of them has it."""
    budget = Budget()
    if len(names) > 1:
        arguments = dict.fromkeys(names, ())
        budget.forecast = lambda: demand_few_layers(file, arguments, catalogue, {})
    return budget


def _is_affordable(build: Build, budget: Budget) -> bool:
    """Whether a model from before can be taken as it is.

    One with findings cannot: their words quote lines. Nor can one that would come upon a limit now.
    """
    if build.elaboration.diagnostics or build.elaboration.graph is None or budget.spent:
        return False
    made = budget.most_layers - budget.layers
    looks_ahead = budget.forecast is not None and made < LARGE <= made + build.cost.layers
    return not looks_ahead and build.cost.layers <= budget.layers and build.cost.steps_before <= budget.steps


def _build(
    file: File,
    name: str,
    catalogue: HostCatalogue,
    key: Hashable,
    shared: tuple[Diagnostic, ...],
    budget: Budget,
) -> Build:
    trace = Trace()
    layers, steps = budget.layers, budget.steps
    made = elaborate(file, name, catalogue, observer=trace, budget=budget)
    cost = Cost(layers - budget.layers, steps - budget.steps, steps)
    told = {(item.code, item.span, item.message) for item in shared}
    own = tuple(item for item in made.diagnostics if (item.code, item.span, item.message) not in told)
    return Build(replace(made, diagnostics=own), trace, file, key, catalogue, cost)


def _shared_findings(file: File) -> Iterable[Diagnostic]:
    """Return what is wrong with the definitions of a file together, which every elaboration repeats."""
    findings = Diagnostics()
    collect_all(file, findings)
    return findings


class _Texts:
    """The definitions of a file by name, to say on which texts a model depends."""

    def __init__(self, file: File, generation: int) -> None:
        self.words: dict[str, frozenset[str]] = {}
        self.texts: dict[str, str] = {}
        for item in file.definitions:
            if isinstance(item, (Block, Model, Variant)) and item.name.text not in self.texts:
                self.texts[item.name.text] = item.span.text
        others = tuple(other.span.source for other in reachable(file))[1:]
        lacks = (file.complete, file.torn) if isinstance(file, LinkedFile) else ()
        uses = [used.statement.span.text for used in file.uses] if isinstance(file, LinkedFile) else ()
        renamed = tuple(renamed_in(file).items())
        self.outside: Hashable = (others, lacks, tuple(uses), renamed, generation)

    def key(self, model: str) -> Hashable:
        """Return what tells apart everything that a model may depend on."""
        waiting, seen = [model], {model}
        while waiting:
            for word in self._mentioned(waiting.pop()):
                if word in self.texts and word not in seen:
                    seen.add(word)
                    waiting.append(word)
        return self.outside, tuple((name, self.texts.get(name)) for name in sorted(seen))

    def _mentioned(self, name: str) -> frozenset[str]:
        if name not in self.words:
            self.words[name] = frozenset(_WORD.findall(self.texts.get(name, "")))
        return self.words[name]
