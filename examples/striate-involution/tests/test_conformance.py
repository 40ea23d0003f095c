"""Everything that the plugin provides keeps the rules of plugins: a case for each record and check."""

from striate.conformance import plugin_tests

test_conformance = plugin_tests("involution")
