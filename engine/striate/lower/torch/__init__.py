"""The graph as torch operations: correct for every layer, forward and backward, on CPU and GPU."""

from striate.lower.torch.program import Program
from striate.lower.torch.weights import initialise, load_arrays

__all__ = ["Program", "initialise", "load_arrays"]
