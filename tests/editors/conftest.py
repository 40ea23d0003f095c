"""One installation of the extension's packages for all tests of this folder."""

from __future__ import annotations

import pytest

from tests.editors.workshop import Workshop, prepared


@pytest.fixture(scope="session")
def editors(repository):
    """The folder with what the editors get."""
    return repository / "dsl" / "editors"


@pytest.fixture(scope="session")
def workshop(repository) -> Workshop:
    """Node.js with the packages of the extension's lock file."""
    return prepared(repository)
