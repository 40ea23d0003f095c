"""Optimizers; all of them are torch's own, under the names and defaults of their papers."""

from striate.plugin import Argument, Factory, Flag, OptimizerRecord, Real

_WEIGHT_DECAY = Argument("weight_decay", Real(0), "Share of every weight taken away per step and unit of rate.", 0.0)
_BETAS = (
    Argument("beta1", Real(0, 1, open_maximum=True), "Memory of the mean of the gradients.", 0.9),
    Argument("beta2", Real(0, 1, open_maximum=True), "Memory of the mean of their squares.", 0.999),
    Argument("eps", Real(0), "Added to the root of the squares.", 1e-8),
)

OPTIMIZERS = (
    OptimizerRecord(
        "sgd",
        "Stochastic gradient descent with momentum.",
        Factory("torch.optim:SGD"),
        (
            Argument("lr", Real(0), "Learning rate."),
            Argument("momentum", Real(0, 1, open_maximum=True), "Share of the last step that is kept.", 0.0),
            _WEIGHT_DECAY,
            Argument("nesterov", Flag(), "Look ahead along the momentum (Nesterov, 1983).", False),
        ),
        reference="Sutskever et al., 2013, On the importance of initialization and momentum in deep learning",
    ),
    OptimizerRecord(
        "adam",
        "Adam: steps scaled by the running mean of the squared gradients.",
        Factory("striate_plugins.optimizers.adam:adam"),
        (Argument("lr", Real(0), "Learning rate.", 0.001), *_BETAS, _WEIGHT_DECAY),
        reference="Kingma and Ba, 2014, arXiv:1412.6980",
    ),
    OptimizerRecord(
        "adamw",
        "Adam with the weight decay apart from the gradient.",
        Factory("striate_plugins.optimizers.adam:adamw"),
        (
            Argument("lr", Real(0), "Learning rate.", 0.001),
            *_BETAS,
            Argument("weight_decay", Real(0), "Share of every weight taken away per step and unit of rate.", 0.01),
        ),
        reference="Loshchilov and Hutter, 2017, arXiv:1711.05101",
    ),
)
