"""Explainers: which pixels of an image an answer hangs on."""

from striate.plugin import Argument, ExplainerRecord, Factory, Integer, Real

EXPLAINERS = (
    ExplainerRecord(
        "saliency",
        "How fast the score changes with each pixel: |d score / d pixel|, the largest over the channels.",
        Factory("striate_plugins.explain.saliency:saliency"),
        reference="Simonyan et al., 2014, arXiv:1312.6034, section 3",
    ),
    ExplainerRecord(
        "integrated_gradients",
        "How the score's change from a blank image is shared out: (x - b) * integral of d score / dx on the way to x.",
        Factory("striate_plugins.explain.integrated_gradients:integrated_gradients"),
        (
            Argument("steps", Integer(1), "Points at which the integral is taken.", 64),
            Argument("baseline", Real(), "What every entry of the blank image is, as the network takes it.", 0.0),
        ),
        signed=True,
        reference="Sundararajan et al., 2017, arXiv:1703.01365, section 3",
    ),
    ExplainerRecord(
        "occlusion",
        "How far the score falls when a square is covered, for each pixel the mean over the squares that cover it.",
        Factory("striate_plugins.explain.occlusion:occlusion"),
        (
            Argument("size", Integer(1), "Side of the square in pixels.", 8),
            Argument("stride", Integer(1), "How far it moves.", 4),
            Argument("value", Real(), "What covered entries are, as the network takes them.", 0.0),
        ),
        signed=True,
        reference="Zeiler and Fergus, 2014, arXiv:1311.2901, section 4.2",
    ),
    ExplainerRecord(
        "grad_cam",
        "What a feature map says for the score: relu(sum_k a_k A_k), a_k the mean of d score / d A_k over channel k.",
        Factory("striate_plugins.explain.grad_cam:grad_cam"),
        reference="Selvaraju et al., 2017, arXiv:1610.02391, equations 1 and 2",
    ),
)
