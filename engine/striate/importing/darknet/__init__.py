"""Darknet's cfg files, with or without their weights, read as networks of the language."""
