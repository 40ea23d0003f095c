"""Classes of values that are made by the hundred thousand: read-only to the type checker, quick to make.

A frozen dataclass sets every attribute through a method, so that making one takes three times as long; reading a large
file is to a good part the making of such objects. These are held to be read-only by mypy and pyright instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Made = TypeVar("Made")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value_class(cls: type[Made]) -> type[Made]:
    """Make a dataclass with slots whose objects are equal, and hash alike, where their attributes are equal."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
