"""Which `train` section of a file belongs to which model, and which one is meant."""

from __future__ import annotations

from striate.elaborate.definitions import lineage
from striate.elaborate.faults import suggestion
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.syntax import File, Model, Section, Variant

DEFAULT = "default"
"""What a recipe without a name of its own is called."""


def recipe_name(section: Section) -> str:
    """Return a recipe's own name, `long` in `train Net as long { … }`."""
    return section.alias.text if section.alias else DEFAULT


def train_sections(file: File) -> tuple[Section, ...]:
    """Return all `train` sections of a file."""
    return tuple(item for item in file.definitions if isinstance(item, Section) and item.kind == "train")


def sections_of(file: File, model: str) -> tuple[Section, ...]:
    """Return the recipes of a model: its own, or where it has none those of the model it is a variant of.

    A section without a model's name is for every model of its file.
    """
    sections = train_sections(file)
    for name in _ancestry(file, model):
        own = tuple(item for item in sections if item.name is not None and item.name.text == name)
        if own:
            return own
    return tuple(item for item in sections if item.name is None)


def choose_section(file: File, model: str, recipe: str | None = None) -> Section:
    """Return the recipe to use.

    Args:
        file: the file with model and recipes.
        model: the model or variant to train.
        recipe: the recipe's own name; may be left out where the model has one recipe, or one without a name.

    Raises:
        DiagnosticError: E0406, there is none, none of that name, or several to choose from.
    """
    sections = sections_of(file, model)
    names = [recipe_name(item) for item in sections]
    wanted = recipe or (names[0] if len(sections) == 1 else DEFAULT)
    found = [item for item, name in zip(sections, names, strict=True) if name == wanted]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        raise DiagnosticError(_several(model, found[1], f"two recipes of {model} have the same name", wanted))
    if not sections:
        raise DiagnosticError(_none(file, model))
    if recipe is None:
        raise DiagnosticError(_several(model, sections[0], f"{model} has several recipes: which one?", *names))
    raise DiagnosticError(
        Diagnostic(
            "E0406",
            f"{model} has no recipe {recipe}",
            sections[0].span if len(sections) == 1 else None,
            notes=(f"recipes of {model}: {', '.join(names)}",),
            help=suggestion(recipe, names),
        )
    )


def models_with_recipes(file: File) -> tuple[str, ...]:
    """Return the models that `train` sections name, in order, each once."""
    return tuple(dict.fromkeys(item.name.text for item in train_sections(file) if item.name is not None))


def _ancestry(file: File, model: str) -> list[str]:
    """Return a model's name and those of the models it is a variant of, nearest first, as the file writes them."""
    return [model, *(name for name in lineage(file, model) if name != model)]


def _several(model: str, section: Section, message: str, *names: str) -> Diagnostic:
    return Diagnostic(
        "E0406",
        message,
        (section.alias or section.name or section).span,
        notes=(f"recipes of {model}: {', '.join(names)}",),
        help=f"name one with --recipe {names[-1]}" if len(names) > 1 else "name it: train Model as another { … }",
    )


def _none(file: File, model: str) -> Diagnostic:
    others = models_with_recipes(file)
    named = (item for item in file.definitions if isinstance(item, (Model, Variant)))
    place = next((item.name.span for item in named if item.name.text == model), file.span)
    return Diagnostic(
        "E0406",
        f"{model} has no recipe",
        place,
        notes=(f"there are recipes for {', '.join(others)}",) if others else (),
        help=f"add one: train {model} {{ data = …; loss = …; optimizer = …; epochs = … }}",
    )
