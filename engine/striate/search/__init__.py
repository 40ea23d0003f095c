"""The search for good settings: the space that a `search` section states, its points, their check, and the trials.

A point is a set of settings as text, `train.optimizer.lr = 0.01` and `model.width = 32`, laid over a recipe and a model
like those of a profile. Everything but the trials themselves works without torch: every point is known to be a network
and a recipe without mistakes before the first one is trained.
"""
