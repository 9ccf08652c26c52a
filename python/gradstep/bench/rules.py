"""Which updates are compared, with the hyperparameters that every contender uses."""

from dataclasses import dataclass

LR = 1e-3
MOMENTUM = 0.9
ALPHA = 0.99
BETA1, BETA2 = 0.9, 0.999
EPS = 1e-8
ADAGRAD_EPS = 1e-10
WEIGHT_DECAY = 0.01
MAX_NORM = 1.0


@dataclass(frozen=True)
class Rule:
    """An update rule and its traffic.

    Attributes:
        key: its name on the command line.
        title: its name in the report.
        written: arrays that a step reads and writes: the parameter and its state.
        read: arrays that a step only reads: the gradient, once more where its norm is needed first.
    """

    key: str
    title: str
    written: int
    read: int = 1

    @property
    def bytes_per_element(self) -> int:
        """What a step moves between memory and the cores for one float32 element, at the least."""
        return 4 * (self.read + 2 * self.written)


RULES = {
    rule.key: rule
    for rule in (
        Rule("sgd", "SGD", written=1),
        Rule("momentum", "SGD, momentum", written=2),
        Rule("adagrad", "Adagrad", written=2),
        Rule("rmsprop", "RMSprop", written=2),
        Rule("adam", "Adam", written=3),
        Rule("adamw", "AdamW", written=3),
        Rule("adam-clip", "Adam, clip_norm", written=3, read=2),
    )
}
