"""Optimizers, under the names and defaults of their papers; torch's own wherever torch has them."""

from striate_plugins.optimizers.adaptive import ADAPTIVE
from striate_plugins.optimizers.descent import DESCENT
from striate_plugins.optimizers.layerwise import LAYERWISE

OPTIMIZERS = (*DESCENT, *ADAPTIVE, *LAYERWISE)
