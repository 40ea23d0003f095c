"""What there is to look up: a page for every layer, plugin record and statement, made from the records themselves.

`striate explain` prints the pages; `python -m striate.reference` writes `docs/layers/` and
`docs/plugins-collection.md`. Numbers and messages on them are not typed but computed, by running the samples of the
records.
"""
