"""From syntax to graph: the one public function is `elaborate`."""

from striate.elaborate.models import Elaboration, elaborate, model_names, visible_models

__all__ = ["Elaboration", "elaborate", "model_names", "visible_models"]
