"""Whether the points of a space work: every one is a recipe that can be read and a model whose sizes fit.

Models and recipes are looked at apart, since settings of one do not change the other, save for the size of the images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from striate.elaborate import elaborate, visible_models
from striate.elaborate.linked import LinkedFile
from striate.host.catalogue import HostCatalogue
from striate.search.points import points_to_check
from striate.search.space import MODEL, RECIPE, Point, Space, merged, read_space, search_sections, sections_for
from striate.train.overrides import read_overrides  # noqa: TID253  # of this room only what needs no torch
from striate.train.recipe import KEYS, Recipe, read_recipe  # noqa: TID253  # the same
from striate.train.sections import models_with_recipes, sections_of  # noqa: TID253  # the same
from striate.train.sizes import input_size  # noqa: TID253  # the same
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Severity
from striate_dsl.syntax import File, Section

if TYPE_CHECKING:
    from striate.elaborate import Elaboration

TESTED = 24
"""Points of the model and of the recipe that `striate check` looks at."""

_SIZE = "train.size"
"""The one setting of a recipe that the sizes of a model depend on."""

Sizes: TypeAlias = dict[tuple[int, int] | None, Point]
"""The sizes of images that the recipes of the points ask for, each with the setting that does."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the points of a space are laid over.

    Attributes:
        file: the file.
        section: the recipe.
        catalogue: where layers and records are found.
        settings: what holds for all points: a profile's settings and the user's, keys as in a space.
    """

    file: File
    section: Section
    catalogue: HostCatalogue
    settings: Point

    def recipe(self, space: Space, point: Point) -> Recipe:
        """Return the recipe of a point; raises DiagnosticError where it has mistakes."""
        chosen = {key: text for key, text in merged(self.settings, point).items() if key.startswith(RECIPE)}
        overrides = read_overrides(chosen, self.file, space.model, KEYS)
        return read_recipe(self.file, self.section, space.model, self.catalogue, overrides.recipe)

    def model(self, space: Space, point: Point) -> Elaboration:
        """Return the model of a point, with what is wrong with it."""
        return elaborate(self.file, space.model, self.catalogue, model_arguments(merged(self.settings, point)))

    def is_sound(self, space: Space) -> bool:
        """Whether model and recipe have no mistakes of their own, which every point would repeat."""
        try:
            self.recipe(space, {})
        except DiagnosticError:
            return False
        return self.model(space, {}).graph is not None


def model_arguments(settings: Point) -> dict[str, str]:
    """Return the settings of a model by the names of its parameters."""
    return {key.removeprefix(MODEL): text for key, text in settings.items() if key.startswith(MODEL)}


def check_searches(file: File, catalogue: HostCatalogue, *, whole: bool) -> Iterator[Diagnostic]:
    """Yield what is wrong with the search sections of a file, and with the points of their spaces.

    Of a file that is not `whole`, because definitions in it cannot be read, points are not looked at.
    """
    models = visible_models(file)
    torn = not whole or (isinstance(file, LinkedFile) and file.lacks_names)
    for section in search_sections(file):
        owners = [section.name.text] if section.name else _served(section, file)
        if not owners and not torn:
            yield _nothing_to_search(section)
        for model in owners:
            if model in models:
                yield from _check(section, file, model, catalogue, torn=torn)


def check_points(space: Space, ground: Ground, points: Sequence[Point]) -> Iterator[Diagnostic]:
    """Yield a finding for each kind of mistake among points of a space; see `check_searches`."""
    sizes: Sizes = {}
    seen: set[tuple[str, str]] = set()
    for point in _parts(points, RECIPE):
        try:
            size = {key: text for key, text in point.items() if key == _SIZE}
            sizes.setdefault(ground.recipe(space, point).size, size)
        except DiagnosticError as error:
            yield from _unseen(_of_recipe(space, point, error), seen)
    working: Point | None = None
    for point in _parts(points, MODEL):
        mistake = _model_mistake(space, ground, point, sizes)
        if mistake is None:
            working = working or point
            continue
        found, asked = mistake
        culprits = point if working is None else _culprits(space, ground, point, working, sizes, found)
        yield from _unseen([_failing(space, {**culprits, **asked}, found)], seen)


def _check(section: Section, file: File, model: str, catalogue: HostCatalogue, *, torn: bool) -> Iterator[Diagnostic]:
    """Check one section for one model; of a file that lacks definitions only what does not depend on them."""
    try:
        space = read_space(section, file, model)
    except DiagnosticError as error:
        yield from error.diagnostics
        return
    recipes = sections_of(file, model)
    if torn:
        return
    if not recipes:
        yield _no_recipe(section, model)
        return
    points = [*points_to_check(space.part(RECIPE), TESTED), *points_to_check(space.part(MODEL), TESTED)]
    grounds = [Ground(file, recipe, catalogue, {}) for recipe in recipes]
    # A space is for one of the model's recipes: which one is said when it is searched.
    found = [list(check_points(space, ground, points)) for ground in grounds if ground.is_sound(space)]
    yield from min(found, key=len, default=[])


def _served(section: Section, file: File) -> list[str]:
    """Return the models with recipes that a section without a name is for."""
    return [model for model in models_with_recipes(file) if section in sections_for(file, model)]


def _parts(points: Sequence[Point], prefix: str) -> list[Point]:
    """Return what the points say about recipe or model, each once."""
    parts = ({key: text for key, text in point.items() if key.startswith(prefix)} for point in points)
    found = {tuple(part.items()): part for part in parts}
    if len(found) > 1:
        found.pop((), None)
    return list(found.values())


def _model_mistake(space: Space, ground: Ground, point: Point, sizes: Sizes) -> tuple[Diagnostic, Point] | None:
    """Return the first error of the model of a point, with the size of images that it takes; None without errors."""
    built = ground.model(space, point)
    if built.graph is None or built.domain is None:
        return next(item for item in built.diagnostics if item.severity is Severity.ERROR), {}
    for size, setting in sizes.items():
        try:
            input_size(built.graph, built.domain, size)
        except DiagnosticError as error:
            return error.diagnostics[0], setting
    return None


def _culprits(
    space: Space,
    ground: Ground,
    point: Point,
    working: Point,
    sizes: Sizes,
    found: Diagnostic,
) -> Point:
    """Return the settings of a failing point without those that make no difference to its mistake."""
    kept = dict(point)
    for key in point:
        tried = _model_mistake(space, ground, {**kept, key: working[key]}, sizes)
        if tried is not None and tried[0].code == found.code:
            kept[key] = working[key]
    return {key: text for key, text in kept.items() if text != working[key]}


def _of_recipe(space: Space, point: Point, error: DiagnosticError) -> list[Diagnostic]:
    found = []
    for item in error.diagnostics:
        # An override is quoted as the text of its own that it is: `train.optimizer.lr=0.1`.
        key = item.span.source.text.partition("=")[0] if item.span else ""
        found.append(_failing(space, {key: point[key]} if key in point else point, item))
    return found


def _failing(space: Space, point: Point, inner: Diagnostic) -> Diagnostic:
    entries = [entry for entry in space.entries if entry.key in point]
    settings = ", ".join(f"{entry.key} = {point[entry.key]}" for entry in entries)
    own = inner.span is not None and inner.span.source is space.span.source
    place = (f"{inner.code} at {inner.span!r}",) if own else (inner.code,)
    return Diagnostic(
        "E0412",
        f"with {settings}: {inner.message}" if settings else inner.message,
        entries[0].span if entries else space.span,
        notes=(f"this is {place[0]}", *inner.notes),
        help=inner.help or "leave such values out of the search section",
    )


def _unseen(found: Sequence[Diagnostic], seen: set[tuple[str, str]]) -> Iterator[Diagnostic]:
    """Yield findings of a kind and at a place of which there was none yet."""
    for item in found:
        key = (item.notes[0], repr(item.span))
        if key not in seen:
            seen.add(key)
            yield item


def _nothing_to_search(section: Section) -> Diagnostic:
    return Diagnostic(
        "E0413",
        "no model with a recipe is left for this search section",
        section.span,
        help="add a recipe: train Model { … }",
    )


def _no_recipe(section: Section, model: str) -> Diagnostic:
    place = section.name.span if section.name else section.span
    return Diagnostic(
        "E0413",
        f"{model} has no recipe to search with",
        place,
        help=f"add one: train {model} {{ data = …; loss = …; optimizer = …; epochs = … }}",
    )
