"""Profiles: named overrides of recipes and model parameters, `profile quick { train.epochs = 1; model.classes = 3 }`.

A profile belongs to its file and works for all its models: `model.classes` sets the parameter of those that have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from striate.elaborate.definitions import base_model, collect
from striate.elaborate.faults import Fault, meant, suggestion
from striate.elaborate.linked import LinkedFile
from striate.elaborate.settings import RecipeEnvironment, flat_settings, key_span, placed_settings
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Edit, Fix, Label
from striate_dsl.syntax import Argument, File, Section, Setting

RECIPE, MODEL = "train.", "model."


@dataclass(frozen=True, slots=True)
class Profile:
    """What a profile sets: arguments for models, and settings of recipes without their `train.`."""

    name: str
    model: tuple[Argument, ...] = ()
    recipe: tuple[Setting, ...] = ()

    def arguments(self, file: File, model: str) -> tuple[Argument, ...]:
        """Return the arguments for one model of the file: those that it has parameters for."""
        found = base_model(file, model) if self.model else None
        known = {parameter.name.text for parameter in found.parameters} if found else set()
        return tuple(item for item in self.model if item.name is not None and item.name.text in known)

    def settings(self, stronger: Iterable[Setting] = ()) -> tuple[Setting, ...]:
        """Return the profile's settings of the recipe, and behind them others that win over them."""
        stronger = tuple(stronger)
        taken = [_key(item) for item in stronger]
        kept = (item for item in self.recipe if not any(f"{_key(item)}.".startswith(f"{key}.") for key in taken))
        return (*kept, *stronger)


NO_PROFILE = Profile("")
"""What holds without `--profile`."""


def profile_sections(file: File) -> tuple[Section, ...]:
    """Return the profiles of a file as they are written."""
    return tuple(item for item in file.definitions if isinstance(item, Section) and item.kind == "profile")


def read_profile(file: File, name: str | None, recipe_keys: Collection[str]) -> Profile:
    """Return a profile of a file by name; without a name, the one that sets nothing.

    Args:
        file: the file with the profile.
        name: the profile's name.
        recipe_keys: the settings that a recipe has.

    Raises:
        DiagnosticError: E0408, there is no such profile, or two; E0401, E0402, a setting in it is wrong.
    """
    if name is None:
        return NO_PROFILE
    sections = profile_sections(file)
    found = [item for item in sections if item.name is not None and item.name.text == name]
    if not found:
        raise DiagnosticError(_unknown(name, [item.name.text for item in sections if item.name]))
    if len(found) > 1:
        raise DiagnosticError(_twice(found))
    return _read(found[0], name, file, recipe_keys)


def check_profiles(file: File, recipe_keys: Collection[str]) -> tuple[list[Profile], list[Diagnostic]]:
    """Return the profiles of a file that can be read, and what is wrong with the others."""
    profiles: list[Profile] = []
    findings: list[Diagnostic] = []
    for name in dict.fromkeys(item.name.text for item in profile_sections(file) if item.name):
        try:
            profiles.append(read_profile(file, name, recipe_keys))
        except DiagnosticError as error:
            findings += error.diagnostics
    return profiles, findings


def _read(section: Section, name: str, file: File, recipe_keys: Collection[str]) -> Profile:
    try:
        placed_settings(section.settings, RecipeEnvironment())
    except Fault as error:
        raise DiagnosticError(error.diagnostic) from None
    parameters = _parameters(file)
    arguments: list[Argument] = []
    settings: list[Setting] = []
    findings: list[Diagnostic] = []
    for path, setting in flat_settings(section.settings):
        key = ".".join(part.text for part in path)
        first, _, rest = key.partition(".")
        assert setting.value is not None, "flat settings have values"
        if f"{first}." == RECIPE and rest.partition(".")[0] in recipe_keys:
            settings.append(replace(setting, key=path[1:]))
        elif f"{first}." == MODEL and (rest in parameters or _torn(file)):
            arguments.append(Argument(setting.span, path[-1], setting.value))
        else:
            findings.append(_no_setting(key, setting, recipe_keys, parameters))
    if findings:
        raise DiagnosticError(*findings)
    return Profile(name, tuple(arguments), tuple(settings))


def _parameters(file: File) -> list[str]:
    """Return the parameters of all models that a file sees, each once."""
    models = (base_model(file, name) for name in collect(file, Diagnostics()).models)
    return list(dict.fromkeys(item.name.text for model in models if model is not None for item in model.parameters))


def _torn(file: File) -> bool:
    """Whether models of the file may be missing, because a file that it uses could not be had."""
    return isinstance(file, LinkedFile) and not file.complete


def _key(setting: Setting) -> str:
    return ".".join(part.text for part in setting.key)


def _no_setting(key: str, setting: Setting, recipe_keys: Iterable[str], parameters: Iterable[str]) -> Diagnostic:
    known = [*(RECIPE + name for name in recipe_keys), *(MODEL + name for name in parameters)]
    near = next((name for name in known if name.partition(".")[2] == key), None) or meant(key, known)
    place = key_span(setting)
    if key.startswith(MODEL):
        message = f"no model of this file has a parameter {key.removeprefix(MODEL)}"
    elif key.startswith(RECIPE):
        message = f"a recipe has no setting {key.removeprefix(RECIPE)}"
    else:
        message = f"a profile has no setting {key}"
    return Diagnostic(
        "E0402",
        message,
        place,
        notes=("a profile sets train.… for recipes and model.… for parameters of models",),
        help=f"did you mean {near}?" if near else None,
        fixes=(Fix(f"write {near}", (Edit(place, near),), "unsafe"),) if near and place.text == key else (),
    )


def _unknown(name: str, known: list[str]) -> Diagnostic:
    return Diagnostic(
        "E0408",
        f"there is no profile {name}",
        notes=(f"profiles of the file: {', '.join(known)}",) if known else (),
        help=suggestion(name, known) if known else f"write one in the file, e.g. profile {name} {{ train.epochs = 1 }}",
    )


def _twice(sections: list[Section]) -> Diagnostic:
    places = [item.name.span for item in sections if item.name is not None]
    return Diagnostic(
        "E0408",
        f"there are two profiles {places[1].text}",
        places[1],
        labels=(Label(places[0], "the first one"),),
        help="rename one of them",
    )
