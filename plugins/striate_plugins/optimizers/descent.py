"""Records of the optimizers that follow the gradient with or without momentum."""

from striate.plugin import Argument, Choice, Flag, OneOf, OptimizerRecord, Real
from striate_plugins.optimizers.written import DECAY, made_by, rate, weight_decay

_MOMENTUM = "Share of the last step that is kept."
_VELOCITY = Argument(
    "velocity",
    OneOf(("gradients", "steps")),
    "What the velocity adds up: gradients, and the rate multiplies it at every step (torch), or steps, each with the "
    "rate of its time (Sutskever, Caffe). They differ when the rate changes.",
    Choice("gradients"),
)
_SUTSKEVER = "Sutskever et al., 2013, On the importance of initialization and momentum in deep learning"


def _momentum(default: float) -> Argument:
    return Argument("momentum", Real(0, 1, open_maximum=True), _MOMENTUM, default)


DESCENT = (
    OptimizerRecord(
        "sgd",
        "Stochastic gradient descent, with momentum if wanted.",
        made_by("momentum", "sgd"),
        (
            rate(),
            _momentum(0.0),
            weight_decay(),
            Argument("nesterov", Flag(), "Look ahead along the momentum (Nesterov, 1983).", False),
            DECAY,
            _VELOCITY,
        ),
        reference=_SUTSKEVER,
        formula=(
            "g ← ∇L(θ) + weight_decay · θ\n"
            "v ← momentum · v + g,  θ ← θ - lr · v;  nesterov: θ ← θ - lr · (g + momentum · v)\n"
            "velocity = steps: v ← momentum · v + lr · g,  θ ← θ - v;  nesterov: θ ← θ - (lr · g + momentum · v)\n"
            "decay = decoupled: without weight_decay in g, but first θ ← θ - lr · weight_decay · θ"
        ),
    ),
    OptimizerRecord(
        "momentum",
        "Gradient descent with momentum, 0.9 unless said otherwise.",
        made_by("momentum", "sgd"),
        (rate(), _momentum(0.9), weight_decay(), DECAY, _VELOCITY),
        reference="Polyak, 1964, Some methods of speeding up the convergence of iteration methods; " + _SUTSKEVER,
        formula=("v ← momentum · v + g,  θ ← θ - lr · v\nvelocity = steps: v ← momentum · v + lr · g,  θ ← θ - v"),
    ),
    OptimizerRecord(
        "nag",
        "Nesterov's accelerated gradient, in terms of the weights at which the gradient is taken.",
        made_by("momentum", "nag"),
        (rate(), _momentum(0.9), weight_decay(), DECAY, _VELOCITY),
        reference="Nesterov, 1983; " + _SUTSKEVER,
        formula=(
            "v ← momentum · v + g,  θ ← θ - lr · (g + momentum · v)\n"
            "velocity = steps: v ← momentum · v + lr · g,  θ ← θ - (lr · g + momentum · v)"
        ),
    ),
)
