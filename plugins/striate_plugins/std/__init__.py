"""Blocks that many networks are made of, written in the language itself; `use std.blocks` brings them in."""

from striate.plugin import FileRecord

FILES = (
    FileRecord(
        "std.blocks",
        "Blocks from the literature: residual, inverted, dense, attention and others.",
        "striate_plugins",
        "std/blocks.cnn",
    ),
)
