"""Arguments that several optimizers have in common, and the names of their factories."""

from striate.plugin import Argument, Choice, Factory, OneOf, Real

COUPLED, DECOUPLED = "coupled", "decoupled"

BETA1 = Argument("beta1", Real(0, 1, open_maximum=True), "Memory of the mean of the gradients.", 0.9)
BETA2 = Argument("beta2", Real(0, 1, open_maximum=True), "Memory of the mean of their squares.", 0.999)
DECAY = Argument(
    "decay",
    OneOf((COUPLED, DECOUPLED)),
    "Whether weight decay is part of the gradient (coupled: weight_decay / 2 times the sum of squares in the loss) or "
    "a step of its own (decoupled).",
    Choice(COUPLED),
)


def rate(default: float | None = None) -> Argument:
    """Return the learning rate, which must be written if there is no default."""
    summary = "Learning rate."
    return Argument("lr", Real(0), summary) if default is None else Argument("lr", Real(0), summary, default)


def eps(default: float) -> Argument:
    """Return the number that keeps a quotient finite."""
    return Argument("eps", Real(0), "Added to the root of the squares.", default)


def weight_decay(default: float = 0.0) -> Argument:
    """Return the weight decay."""
    return Argument("weight_decay", Real(0), "Share of every weight taken away per step and unit of rate.", default)


def made_by(module: str, function: str) -> Factory:
    """Return a factory of this package."""
    return Factory(f"striate_plugins.optimizers.{module}:{function}")
