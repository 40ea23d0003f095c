"""The networks that come with striate are written in the form that the language reference shows."""

from __future__ import annotations

import pytest

from striate_dsl.syntax import Model
from tests.dsl.trees import tree, zoo


@pytest.mark.parametrize("name", sorted(zoo()))
def test_every_network_of_the_zoo_parses_and_says_what_it_is(name):
    text = zoo()[name]
    assert any(isinstance(node, Model) for node in tree(text).definitions)
    assert text.startswith("# ")
    assert text.endswith("}\n") or text.endswith(")\n")
    assert "\t" not in text
