"""Rewrites of a graph into a simpler one that computes the same, one pass per file."""

from striate.passes.contract import Condition, GraphPass, PassError, Rewritten, run_passes
from striate.passes.drop_inference_noops import DropInferenceNoops
from striate.passes.remove_dead_nodes import RemoveDeadNodes
from striate.passes.reparameterise import Reparameterised, reparameterise

__all__ = [
    "Condition",
    "DropInferenceNoops",
    "GraphPass",
    "PassError",
    "RemoveDeadNodes",
    "Reparameterised",
    "Rewritten",
    "reparameterise",
    "run_passes",
]
