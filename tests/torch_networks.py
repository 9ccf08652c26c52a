"""Networks and loops of torch, trained by optimizers of gradstep and of torch side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

torch.set_num_threads(1)  # what is small is faster so

#: Those classes that torch has, too.
TORCHS = ("SGD", "Adagrad", "RMSprop", "Adam", "AdamW", "Adadelta", "Adamax", "NAdam", "RAdam", "Rprop")


class Recurrent(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 6)
        self.gru = nn.GRU(6, 8, batch_first=True)
        self.head = nn.Linear(8, 11)

    def forward(self, x: Any) -> Any:
        return self.head(self.gru(self.embedding(x))[0])


def perceptron() -> tuple[Any, Callable[[Any, Any], Any]]:
    """Two hidden layers, regression."""

    def loss(net: Any, generator: Any) -> Any:
        x = torch.randn(16, 8, generator=generator, dtype=dtype_of(net))
        return (net(x) - x.sum(1, keepdim=True).sin()).square().mean()

    return nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)), loss


def convolutional() -> tuple[Any, Callable[[Any, Any], Any]]:
    """Convolutions in another memory order, normalised, and a classifier."""

    def loss(net: Any, generator: Any) -> Any:
        x = torch.randn(8, 3, 8, 8, generator=generator, dtype=dtype_of(net))
        x = x.to(memory_format=torch.channels_last)
        return nn.functional.cross_entropy(net(x), (x.mean((1, 2, 3)) > 0).long())

    net = nn.Sequential(
        nn.Conv2d(
            3, 6, 3, bias=False
        ),  # whose gradient would be nothing but rounding, before a normalisation
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 4, 3),
        nn.Flatten(),
        nn.Linear(64, 2),
    )
    return net.to(memory_format=torch.channels_last), loss


def recurrent() -> tuple[Any, Callable[[Any, Any], Any]]:
    """An embedding, a recurrent layer, and a head."""

    def loss(net: Any, generator: Any) -> Any:
        x = torch.randint(11, (4, 9), generator=generator)
        return nn.functional.cross_entropy(net(x[:, :-1]).flatten(0, 1), x[:, 1:].flatten())

    return Recurrent(), loss


NETWORKS = {"perceptron": perceptron, "convolutional": convolutional, "recurrent": recurrent}


def made(name: str, dtype: Any = torch.float32) -> tuple[Any, Callable[[Any, Any], Any]]:
    """A network, always the same, and its loss."""
    torch.manual_seed(0)
    net, loss = NETWORKS[name]()
    return net.to(dtype), loss


def dtype_of(net: Any) -> Any:
    return next(net.parameters()).dtype


def trained(
    name: str,
    make: Callable[[Any], Any],
    steps: int = 30,
    then: Callable[[Any], None] | None = None,
    dtype: Any = torch.float32,
) -> tuple[Any, Any]:
    """Train a network; give it and its optimizer."""
    net, loss = made(name, dtype)
    opt = make(net.parameters())
    train(net, loss, opt, steps, then=then)
    return net, opt


def train(
    net: Any, loss: Any, opt: Any, steps: int, seed: int = 1, then: Callable[[Any], None] | None = None
) -> float:
    """Take steps; give the last loss."""
    generator = torch.Generator().manual_seed(seed)
    value = torch.zeros(())
    for _ in range(steps):
        opt.zero_grad()
        value = loss(net, generator)
        value.backward()
        opt.step()
        if then is not None:
            then(opt)
    return float(value.detach())


def apart(net: Any, other: Any) -> float:
    """The largest difference of their parameters, over the largest element of each."""
    pairs = zip(net.parameters(), other.parameters(), strict=True)
    return max(float((p - q).detach().abs().max() / q.detach().abs().max().clamp(min=1e-3)) for p, q in pairs)
