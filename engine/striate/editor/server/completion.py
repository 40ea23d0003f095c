"""What can be written at a place, gathered from the text, the files it uses, the layers and the plugins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from striate.codes import catalogue as pages
from striate.editor.server import describe, proposals
from striate.editor.server.context import Context, Wanted, context_at
from striate.editor.server.documents import MOST_FILES, Document, Library
from striate.editor.server.instances import Instances
from striate.editor.server.names import OVERRIDING, Sight, called, parameters
from striate.editor.server.proposals import Proposal
from striate.editor.server.recipes import arguments_of, called_network, part_of
from striate.editor.server.values import written
from striate.editor.server.words import CallSite, Definition, Role
from striate.host.catalogue import NameClashError
from striate.host.identity import FIRST_PARTY, qualifier
from striate.host.installed import installed_plugins
from striate.host.kinds import PLURAL_OF
from striate.host.records import FileRecord, HeadRecord
from striate.host.work_records import PassRecord
from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate.project.shelves import project_of
from striate.settings import parts_of, scalars_of
from striate_dsl.diagnostics import DiagnosticError


@dataclass(frozen=True, slots=True)
class Completion:
    """Proposals for the text from `start` to `end`."""

    start: int
    end: int
    proposals: list[Proposal]


def complete(library: Library, document: Document, offset: int) -> Completion:
    """Return what may be written at an offset; an editor filters it by what is typed."""
    text = document.source.text
    context = context_at(text, offset)
    finder = _Finder(library, document, library.sight(document), context, offset)
    found: dict[str, Proposal] = {}
    try:
        for item in finder.find():
            found.setdefault(item.label, item)
    except DiagnosticError:  # two plugins provide a name: checking says so
        pass
    called_already = text[offset : offset + 1] in ("(", "=")
    items = [replace(item, snippet=None) if called_already else item for item in found.values()]
    return Completion(context.start, offset, sorted(items, key=lambda item: (item.group, item.label)))


@dataclass(eq=False, slots=True)
class _Finder:
    """Finds proposals for one context."""

    library: Library
    document: Document
    sight: Sight
    context: Context
    offset: int

    def find(self) -> Iterator[Proposal]:
        rules: dict[Wanted, Callable[[], Iterator[Proposal]]] = {
            Wanted.DEFINITION: lambda: proposals.keywords(proposals.DEFINITIONS),
            Wanted.STATEMENT: self._statements,
            Wanted.STEP: self._steps,
            Wanted.AFTER_STEP: lambda: iter([Proposal("as", "keyword", text=describe.KEYWORDS["as"])]),
            Wanted.VALUE: self._values,
            Wanted.ARGUMENT: self._arguments,
            Wanted.ATTRIBUTE: self._attributes,
            Wanted.OUTPUT: lambda: self._named((Role.ALIAS, Role.INPUT)),
            Wanted.HEAD: lambda: self._records(HeadRecord),
            Wanted.MODEL: self._models,
            Wanted.FILE: self._files,
            Wanted.PATH: self._paths,
            Wanted.PLUGIN: self._plugins,
            Wanted.KEY: self._keys,
            Wanted.SETTING: self._setting_values,
            Wanted.CODE: self._codes,
        }
        rule = rules.get(self.context.wanted)
        return rule() if rule else iter(())

    @property
    def home(self) -> Definition | None:
        """The block or model around the place, with all its words."""
        found = self.sight.scan.definition_at(self.offset)
        return found if found is not None and found.is_network else None

    # ------------------------------------------------------------------------------------------ bodies

    def _statements(self) -> Iterator[Proposal]:
        yield from self._steps()
        yield from proposals.keywords(proposals.STATEMENTS)
        yield Proposal("else", "keyword", text=describe.KEYWORDS["else"], group=6)

    def _steps(self) -> Iterator[Proposal]:
        starts = (Role.ALIAS, Role.INPUT) if self.context.wanted is Wanted.STATEMENT else ()
        yield from self._named((Role.PARAMETER, Role.LET, *starts))
        yield from self._blocks()
        yield from self._layers()

    def _named(self, roles: tuple[Role, ...]) -> Iterator[Proposal]:
        """Yield the names that the body has given before the place."""
        home = self.home
        instances = Instances(self.library, self.document)
        for name, words in self.sight.bindings(home).items():
            word = words[0]
            is_made = self.sight.scan.text[word.end : self.context.start].strip(" \t") not in ("", "=")
            if word.role in roles and is_made:
                values = written(instances.values(self.sight, home, name)).replace("`", "")
                yield Proposal(name, "value", values, group=1)

    def _blocks(self) -> Iterator[Proposal]:
        for name, other, item in self.sight.visible():
            if item.kind == "block" and "." not in name:
                yield proposals.block(name, other, item)
        yield from (Proposal(prefix, "file", group=2) for prefix in self.sight.prefixes())

    def _layers(self) -> Iterator[Proposal]:
        yield from (proposals.layer(name, BUILTIN[name]) for name in BUILTIN)
        yield from (proposals.layer(name, record) for name, record in self._provided(OpRecord))

    def _provided(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        """Yield the plugins' records of a kind by what is to be written: the file's names, whole ones in a clash."""
        catalogue = self.library.catalogue
        for name, whole in self.sight.renamed.items():
            found = catalogue.provided(whole)
            if found is not None and PLURAL_OF[kind] in found.kinds:
                yield name, catalogue.find(kind, whole)
        for name in catalogue.names(kind):
            try:
                ways = {name: catalogue.find(kind, name)}
            except NameClashError as error:
                ways = {way: catalogue.find(kind, way) for way in error.ways.values()}
            for way, record in ways.items():
                if record is not None and way not in self.sight.renamed and not (kind is OpRecord and way in BUILTIN):
                    yield way, record

    def _values(self) -> Iterator[Proposal]:
        """Yield what an expression may name."""
        call = self.context.call
        if call is not None and self.context.argument is not None:
            yield from self._choices(call, self.context.argument)
        if self.context.frame.section and call is not None:
            return
        yield from self._named((Role.PARAMETER, Role.LOOP, Role.LET, Role.ALIAS, Role.INPUT))
        yield Proposal("in", "keyword", text=describe.KEYWORDS["in"])
        yield from proposals.table(describe.FUNCTIONS.items(), "function")
        if self.context.frame.statement == "assert":
            yield from proposals.table(describe.TOTALS.items(), "value")
        takes_layers = self.context.frame.statement == "let" or self.context.frame.kind == "params"
        if takes_layers or (call is not None and not isinstance(called(call, self.sight), str)):
            yield from self._blocks()
            yield from (replace(item, snippet=None) for item in self._layers())

    def _attributes(self) -> Iterator[Proposal]:
        before = self.context.before
        if before is not None and before.text in self.sight.prefixes():
            for name, other, item in self.sight.visible():
                if name.startswith(f"{before.text}.") and item.kind == "block":
                    yield proposals.block(name.removeprefix(f"{before.text}."), other, item)
            return
        yield from proposals.table(describe.ATTRIBUTES.items(), "attribute")

    # ------------------------------------------------------------------------------------------ arguments

    def _arguments(self) -> Iterator[Proposal]:
        call = self.context.call
        if call is None:
            return
        target = called_network(self.library.catalogue, call, self.sight)
        given = {word.text for word in call.named}
        if isinstance(target, str):
            yield from self._of_layer(call, target, given)
        elif target is not None:
            other, item = target
            names = parameters(other, item)[0 if call.named else len(call.commas) :]
            yield from (
                Proposal(name, "argument", f"of {item.name.text}" if item.name else "", snippet=f"{name} = $0", group=0)
                for name in names
                if name not in given
            )
        if not call.named:
            yield from self._values()

    def _of_layer(self, call: CallSite, target: str, given: set[str]) -> Iterator[Proposal]:
        record = None if call.callee.setting else self.library.catalogue.layer(target)
        arguments = arguments_of(self.library.catalogue, call.callee, target)
        if isinstance(record, OpRecord) and record.merge:
            yield from self._named((Role.ALIAS, Role.INPUT))
        remaining = arguments[0 if call.named else len(call.commas) :]
        yield from (proposals.argument(item) for item in remaining if item.name not in given)
        if remaining and not call.named:
            yield from proposals.choices(remaining[0].kind)

    def _choices(self, call: CallSite, name: str) -> Iterator[Proposal]:
        target = called(call, self.sight)
        if isinstance(target, str):
            for item in arguments_of(self.library.catalogue, call.callee, target):
                if item.name == name:
                    yield from proposals.choices(item.kind)

    # ------------------------------------------------------------------------------------------ top level

    def _models(self) -> Iterator[Proposal]:
        for name, other, item in self.sight.visible():
            if item.kind == "model" and (
                self.context.definition is None or item.start != self.context.definition.start
            ):
                yield replace(proposals.block(name, other, item), snippet=None)

    def _files(self) -> Iterator[Proposal]:
        """Yield plugins' files; behind a dot only the rest of their names."""
        before = f"{self.context.before.dotted}." if self.context.before else ""
        for item in self._records(FileRecord):
            if item.label.startswith(before):
                yield replace(item, label=item.label.removeprefix(before), kind="file")
        for plugin in self.library.catalogue.plugins.installed:
            whole = [f"{qualifier(plugin.name)}.{name}" for name in self.library.catalogue.provides(plugin.name)]
            for name in whole:
                if name.startswith(before) and (before or plugin.name != FIRST_PARTY):
                    yield Proposal(name.removeprefix(before), "record", plugin.label, group=6)
        if not before:
            yield Proposal('"…"', "file", "a file of the project", snippet='"$0.cnn"', group=0)

    def _records(self, kind: type) -> Iterator[Proposal]:
        for name, record in self._provided(kind):
            whole = self.sight.renamed.get(name, name)
            yield proposals.record(name, record, self.library.catalogue.owner(kind, whole))

    def _paths(self) -> Iterator[Proposal]:
        shelf, path = project_of(self.document.source.name)
        own = shelf.root / path
        for found in self.library.texts.networks_below(shelf.root, MOST_FILES):
            if found != own:
                relative = Path(os.path.relpath(found, own.parent)).as_posix()
                yield Proposal(relative, "file", group=relative.count("/"))

    def _plugins(self) -> Iterator[Proposal]:
        for plugin in installed_plugins():
            yield Proposal(plugin.name.replace("-", "_"), "file", f"{plugin.distribution} {plugin.version}")

    # ------------------------------------------------------------------------------------------ settings

    def _keys(self) -> Iterator[Proposal]:
        frame, before = self.context.frame, self.context.before
        prefix = before.setting if before is not None else frame.path
        if frame.section in OVERRIDING:
            yield from self._profile_keys(prefix)
        elif not prefix:
            yield from self._section_keys(frame.section)

    def _section_keys(self, section: str) -> Iterator[Proposal]:
        definition = self.sight.scan.definition_at(self.offset)
        words = definition.words if definition is not None else []
        taken = {word.setting for word in words if word.role is Role.SETTING and word.start != self.context.start}
        for part in parts_of(section).values():
            if part.name not in taken:
                yield Proposal(part.name, "setting", text=part.summary, snippet=f"{part.name} = $0", group=1)
        for item in scalars_of(section).values():
            if item.name not in taken:
                yield replace(proposals.argument(item), kind="setting", group=2)

    def _profile_keys(self, prefix: str) -> Iterator[Proposal]:
        if prefix == "train":
            yield from self._section_keys("train")
        elif prefix == "model":
            models = {
                name
                for _, other, item in self.sight.visible()
                if item.is_network and item.kind == "model"
                for name in parameters(other, item)
            }
            yield from (Proposal(name, "setting", "parameter", snippet=f"{name} = $0") for name in sorted(models))
        elif not prefix:
            yield Proposal("train", "setting", "settings of recipes", snippet="train.$0")
            yield Proposal("model", "setting", "parameters of models", snippet="model.$0")

    def _setting_values(self) -> Iterator[Proposal]:
        frame = self.context.frame
        section = "train" if frame.section in OVERRIDING else frame.section
        part = part_of(frame.key) if section == "train" else None
        if part is not None:
            yield from self._records(part.record)
        if section == "export" and frame.key == "passes":
            yield from self._records(PassRecord)
        if frame.section == "search":
            yield from proposals.table(describe.RANGES.items(), "function")
        if frame.key.startswith("model."):
            yield from self._blocks()
            yield from (replace(item, snippet=None) for item in self._layers())
        scalar = scalars_of(section).get(frame.key.removeprefix("train."))
        if scalar is not None:
            yield from proposals.choices(scalar.kind)

    def _codes(self) -> Iterator[Proposal]:
        for code, page in pages().items():
            if code.startswith("W01"):
                yield Proposal(code, "code", page.title, page.why)
