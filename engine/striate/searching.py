"""From a file and the user's options to a planned search: space, recipe, what holds for all points, and their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from striate.elaborate.profiles import read_profile
from striate.graph import fingerprint
from striate.host.catalogue import HostCatalogue
from striate.model import Model, only_model
from striate.project.linking import parse_linked
from striate.search.checking import Ground, check_points
from striate.search.points import random_points
from striate.search.record import Purpose, SearchFolder
from striate.search.space import MODEL, RECIPE, Point, Space, choose_space, merged, read_space, search_sections
from striate.train.overrides import read_overrides  # noqa: TID253  # of this room only what needs no torch
from striate.train.recipe import KEYS  # noqa: TID253  # the same
from striate.train.sections import choose_section, models_with_recipes  # noqa: TID253  # the same
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.reading import read_source
from striate_dsl.syntax import File


@dataclass(frozen=True, slots=True)
class Plan:
    """A search before anything is run: the space, what its points are laid over, and what the record will say of it."""

    space: Space
    ground: Ground
    purpose: Purpose

    @property
    def points(self) -> Iterator[Point]:
        """The points in the order in which they are tried."""
        return random_points(self.space, self.purpose.seed)

    def check(self, points: Sequence[Point]) -> None:
        """Check the points that will be tried; raises DiagnosticError E0412 where one does not work."""
        findings = list(check_points(self.space, self.ground, points))
        if findings:
            raise DiagnosticError(*findings)

    def model(self, point: Point) -> Model:
        """Return the model of a point; raises DiagnosticError where it has mistakes."""
        built, ground = self.ground.model(self.space, point), self.ground
        if built.graph is None or built.domain is None:
            raise DiagnosticError(*built.diagnostics)
        return Model(built.model, built.graph, ground.file, built.domain, built.diagnostics, ground.catalogue)

    def folder(self, path: Path | None) -> SearchFolder:
        """Return the folder of the search: the one that is named, or one below `runs`."""
        name = f"search-{self.space.name}" if self.space.name else "search"
        return SearchFolder(path or Path("runs") / self.space.model / name)


def plan_search(
    path: Path,
    *,
    model: str | None = None,
    recipe: str | None = None,
    space: str | None = None,
    settings: Mapping[str, str] | None = None,
    profile: str | None = None,
    seed: int = 0,
) -> Plan:
    """Read a file and plan the search that it asks for.

    Args:
        path: the file.
        model: the model; may be left out where one is searched only, or where the file has one only.
        recipe: the recipe's own name, where the model has several.
        space: the search section's own name, where the model has several.
        settings: the user's settings by key, `train.…` or the name of a parameter, which win over the profile's.
        profile: the name of a profile whose settings hold for all points.
        seed: what the order of the points is made from.

    Raises:
        DiagnosticError: the file, its search section, its recipe, the profile or a setting has mistakes.
    """
    catalogue = HostCatalogue()
    parsed = parse_linked(read_source(path), catalogue)
    file = parsed.file
    if file is None or parsed.diagnostics.has_errors:
        raise DiagnosticError(*parsed.diagnostics)
    name = model or _searched(file)
    read_overrides(settings or {}, file, name, KEYS)
    fixed = merged(_of_profile(file, profile, name), _of_user(settings or {}))
    ground = Ground(file, choose_section(file, name, recipe), catalogue, fixed)
    found = read_space(choose_space(file, name, space), file, name)
    base = ground.model(found, {})
    if base.graph is None:
        raise DiagnosticError(*base.diagnostics)
    texts = {entry.key: entry.text for entry in found.entries}
    return Plan(found, ground, Purpose(name, ground.recipe(found, {}).settings(), fingerprint(base.graph), texts, seed))


def _searched(file: File) -> str:
    """Return the model that is meant where none is named."""
    named = list(dict.fromkeys(item.name.text for item in search_sections(file) if item.name))
    for names in (named, models_with_recipes(file)):
        if len(names) == 1:
            return names[0]
    return only_model(file)


def _of_profile(file: File, name: str | None, model: str) -> Point:
    profile = read_profile(file, name, KEYS)
    arguments = {MODEL + item.name.text: item.value.span.text for item in profile.arguments(file, model) if item.name}
    recipe = {
        RECIPE + ".".join(part.text for part in item.key): item.value.span.text for item in profile.recipe if item.value
    }
    return {**arguments, **recipe}


def _of_user(settings: Mapping[str, str]) -> Point:
    return {key if key.startswith(RECIPE) else MODEL + key: text for key, text in settings.items()}
