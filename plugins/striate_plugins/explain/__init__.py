"""Explainers: which pixels of an image an answer hangs on."""

from striate.plugin import ExplainerRecord, Factory

EXPLAINERS = (
    ExplainerRecord(
        "saliency",
        "How fast the score changes with each pixel: |d score / d pixel|, the largest over the channels.",
        Factory("striate_plugins.explain.saliency:saliency"),
        reference="Simonyan et al., 2014, arXiv:1312.6034, section 3",
    ),
    ExplainerRecord(
        "grad_cam",
        "What a feature map says for the score: relu(sum_k a_k A_k), a_k the mean of d score / d A_k over channel k.",
        Factory("striate_plugins.explain.grad_cam:grad_cam"),
        reference="Selvaraju et al., 2017, arXiv:1610.02391, equations 1 and 2",
    ),
)
