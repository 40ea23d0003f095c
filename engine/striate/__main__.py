"""`python -m striate` is the `striate` command."""

from striate.cli import main

main()
