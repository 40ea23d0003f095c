"""From syntax to graph: the one public function is `elaborate`."""

from striate.elaborate.models import Elaboration, elaborate, model_names

__all__ = ["Elaboration", "elaborate", "model_names"]
