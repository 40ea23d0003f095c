"""The language server, `striate lsp`: answers about texts while they are written.

`serving.py`, `features.py` and `wire.py` speak the protocol; everything else takes texts and offsets, gives answers of
our own types, and knows no protocol.
"""
