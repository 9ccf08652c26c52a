"""Which updates are compared."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """An update rule and its traffic.

    Attributes:
        key: its name on the command line.
        title: its name in the report.
        brief: the same, at the head of a column.
        written: arrays that a step reads and writes: the parameter and its state.
        read: arrays that a step only reads: the gradient, once more where its norm is needed first.
    """

    key: str
    title: str
    brief: str
    written: int
    read: int = 1

    @property
    def bytes_per_element(self) -> int:
        """What a step moves between memory and the cores for one float32 element, at the least."""
        return 4 * (self.read + 2 * self.written)


RULES = {
    rule.key: rule
    for rule in (
        Rule("sgd", "SGD", "SGD", written=1),
        Rule("momentum", "SGD, momentum", "momentum", written=2),
        Rule("adagrad", "Adagrad", "Adagrad", written=2),
        Rule("rmsprop", "RMSprop", "RMSprop", written=2),
        Rule("adam", "Adam", "Adam", written=3),
        Rule("adamw", "AdamW", "AdamW", written=3),
        Rule("adam-clip", "Adam, clip_norm", "+ clip", written=3, read=2),
    )
}
