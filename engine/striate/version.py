"""The version of striate, one place for the package, the command line and what is written into files."""

__version__ = "0.1.0"
