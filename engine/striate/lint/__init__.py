"""What is legal and yet probably not meant: findings about networks that have no errors.

`lint` is the one public function; `LINTS` is the table of what it looks for. `allow.py` reads comments that silence.
"""

from striate.lint.record import Lint
from striate.lint.registry import LINTS, lint
from striate.lint.subject import Loss, Network, Subject

__all__ = ["LINTS", "Lint", "Loss", "Network", "Subject", "lint"]
