"""One build and one environment for all tests of this folder."""

from __future__ import annotations

import pytest

from tests.packaging.installed import Distribution, Environment, build, create_environment


@pytest.fixture(scope="session")
def distribution(tmp_path_factory) -> Distribution:
    """The sdist and the wheel built from it."""
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def installed(tmp_path_factory, distribution) -> Environment:
    """An environment with the wheel, where nothing of the source tree can be imported."""
    return create_environment(tmp_path_factory.mktemp("installed") / "environment", distribution.wheel)
