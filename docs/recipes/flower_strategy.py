"""Flower: a strategy of the server that moves its arrays by any rule.

A strategy gets the clients' arrays and their weights, and gives the next ones. `FedAvg` has done all but the
step: the mean of what came back, less what was sent, is a direction to go, and a rule that ascends makes one
step along it. With `like("flower")` that is Flower's own `FedAdam`, with the same numbers; and any other
rule, schedule or limit fits in its place. Here the clients are functions in this process, behind Flower's
`Grid`.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAdam, FedAvg, Strategy
from flwr.supercore.task_identity import TaskIdentity

import gradstep as gs
from gradstep.demo.digits import Split, split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads

CLIENTS, ROUNDS, LOCAL_STEPS, BATCH_SIZE = 5, 15, 20, 32
Arrays = dict[str, np.ndarray]


class AnyRule(FedAvg):  # type: ignore[misc, unused-ignore]
    """Flower's averaging, and a step of gradstep along what it says.

    Args:
        opt: an optimizer without arrays, that ascends.
        options: those of FedAvg.
    """

    def __init__(self, opt: gs.Optimizer, **options: Any) -> None:
        super().__init__(**options)
        self.opt = opt
        self.sent: Arrays = {}

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Keep what is sent."""
        self.sent = {name: array.numpy() for name, array in arrays.items()}
        messages: Iterable[Message] = super().configure_train(server_round, arrays, config, grid)
        return messages

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Make a step towards the mean of what came back."""
        mean, metrics = super().aggregate_train(server_round, replies)
        if mean is None:
            return mean, metrics
        directions = {name: mean[name].numpy() - array for name, array in self.sent.items()}
        moved = self.opt.apply_gradients(directions, self.sent)
        return ArrayRecord({name: Array(array) for name, array in moved.items()}), metrics


class Here(Grid):  # type: ignore[misc, unused-ignore]
    """Clients that are called in this process.

    Args:
        clients: functions from arrays to trained arrays and how many examples they saw.
    """

    def __init__(self, clients: list[Callable[[Arrays], tuple[Arrays, int]]]) -> None:
        self.clients = clients
        # What Flower tells the process of a server app when it starts it.
        TaskIdentity.task_id = TaskIdentity.run_id = TaskIdentity.node_id = 1

    def get_node_ids(self) -> Iterable[int]:
        """Number the clients."""
        return range(len(self.clients))

    def send_and_receive(
        self,
        messages: Iterable[Message],
        *,
        timeout: float | None = None,  # noqa: ARG002
    ) -> Iterable[Message]:
        """Have every message answered at once."""
        return [self.answer(message) for message in messages]

    def answer(self, message: Message) -> Message:
        """Train where the message is sent to."""
        (record,) = message.content.array_records.values()
        train = self.clients[message.metadata.dst_node_id]
        trained, examples = train({name: array.numpy() for name, array in record.items()})
        content = RecordDict(
            {
                "arrays": ArrayRecord({name: Array(array) for name, array in trained.items()}),
                "metrics": MetricRecord({"num-examples": examples}),
            }
        )
        return Message(content, reply_to=message)

    def create_message(self, *args: Any, **kwargs: Any) -> Message:
        """Refuse: Flower itself asks for Message(…) instead."""
        raise NotImplementedError

    def set_run(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: there is one run."""

    @property
    def run(self) -> Any:
        """Give nothing: strategies do not ask."""
        return None

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Refuse: messages are answered at once."""
        raise NotImplementedError

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Refuse: messages are answered at once."""
        raise NotImplementedError


def client(number: int, data: Split) -> Callable[[Arrays], tuple[Arrays, int]]:
    """Make a client that has some of the images, mostly of two digits."""
    order = np.argsort((data.train_labels.astype(int) + 10 - 2 * number) % 10, kind="stable")
    mine = order[: len(order) // CLIENTS]

    def train(arrays: Arrays) -> tuple[Arrays, int]:
        params, rng = (
            nested({name: array.copy() for name, array in arrays.items()}),
            np.random.default_rng(number),
        )
        opt = gs.SGD(params, lr=0.05)
        for _ in range(LOCAL_STEPS):
            rows = rng.choice(mine, BATCH_SIZE)
            _, grads = loss_and_grads(params, data.train_images[rows], data.train_labels[rows])
            opt.step(grads)
        return flat(params), len(mine)

    return train


def flat(params: Params) -> Arrays:
    """Name the arrays as Flower wants them, without nesting."""
    return {
        f"{layer}.{name}": array for layer, of_layer in params.items() for name, array in of_layer.items()
    }


def nested(arrays: Arrays) -> Params:
    """Undo `flat`."""
    params: Params = {}
    for path, array in arrays.items():
        layer, name = path.split(".")
        params.setdefault(layer, {})[name] = array
    return params


def run(strategy: Strategy, data: Split) -> Arrays:
    """Run all rounds of a strategy, from the same arrays."""
    start = flat(initial_params(np.random.default_rng(0), (64, 32, 10)))
    first = ArrayRecord({name: Array(array) for name, array in start.items()})
    grid = Here([client(number, data) for number in range(CLIENTS)])
    last = strategy.start(grid, first, num_rounds=ROUNDS).arrays
    return {name: array.numpy() for name, array in last.items()}


def main() -> dict[str, float]:
    """Run Flower's FedAvg and FedAdam, the latter by gradstep, and a rule that Flower has not got."""
    logging.getLogger("flwr").setLevel(logging.ERROR)
    data = split()
    options: dict[str, Any] = {
        "fraction_evaluate": 0.0,
        "min_train_nodes": CLIENTS,
        "min_available_nodes": CLIENTS,
    }
    rate = gs.schedules.Cosine(0.05, steps=ROUNDS)
    ends = {
        "FedAvg": run(FedAvg(**options), data),
        "FedAdam": run(FedAdam(eta=0.03, tau=1e-3, **options), data),
        "gradstep, like FedAdam": run(AnyRule(gs.Adam.like("flower", lr=0.03, eps=1e-3), **options), data),
        "gradstep, AdaBelief": run(AnyRule(gs.AdaBelief(lr=rate, maximize=True), **options), data),
    }
    result = {
        name: accuracy(nested(arrays), data.test_images, data.test_labels) for name, arrays in ends.items()
    }
    for name, value in result.items():
        print(f"accuracy after {ROUNDS} rounds, {name}: {value:.2%}")
    a, b = ends["FedAdam"], ends["gradstep, like FedAdam"]
    result["largest difference"] = max(float(np.abs(a[name] - b[name]).max()) for name in a)
    print(f"largest difference to FedAdam: {result['largest difference']:.1e}")
    return result


if __name__ == "__main__":
    main()
