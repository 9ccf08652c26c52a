"""The update rules as they are usually written in NumPy, to compare with.

One line per line of the paper, a new temporary for every operation. They get every advantage that such code
can have: a flat list of arrays, no checks, and a learning rate that somebody else has computed.
"""

from abc import ABC, abstractmethod

import numpy as np

from gradstep.bench.workloads import Floats


class Textbook(ABC):
    """An optimizer for a list of arrays."""

    def __init__(self, params: list[Floats]) -> None:
        self.params = params

    @abstractmethod
    def step(self, grads: list[Floats], lr: float) -> None:
        """Update the parameters in place."""

    def zeros(self) -> list[Floats]:
        """Make a state of zeros, one array for every parameter."""
        return [np.zeros_like(p) for p in self.params]


class SGD(Textbook):
    """Stochastic gradient descent: p ← p − ηg."""

    def step(self, grads: list[Floats], lr: float) -> None:
        for p, g in zip(self.params, grads, strict=True):
            p -= lr * g


class Momentum(Textbook):
    """Heavy ball: b ← μb + g; p ← p − ηb."""

    def __init__(self, params: list[Floats], momentum: float) -> None:
        super().__init__(params)
        self.momentum = momentum
        self.b = self.zeros()

    def step(self, grads: list[Floats], lr: float) -> None:
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.b[i] = self.momentum * self.b[i] + g
            p -= lr * self.b[i]


class Adagrad(Textbook):
    """Duchi et al. 2011: s ← s + g²; p ← p − ηg/(√s + ε)."""

    def __init__(self, params: list[Floats], eps: float = 1e-10) -> None:
        super().__init__(params)
        self.eps = eps
        self.s = self.zeros()

    def step(self, grads: list[Floats], lr: float) -> None:
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.s[i] = self.s[i] + g**2
            p -= lr * g / (np.sqrt(self.s[i]) + self.eps)


class RMSprop(Textbook):
    """Tieleman and Hinton 2012: v ← αv + (1−α)g²; p ← p − ηg/(√v + ε)."""

    def __init__(self, params: list[Floats], alpha: float = 0.99, eps: float = 1e-8) -> None:
        super().__init__(params)
        self.alpha, self.eps = alpha, eps
        self.v = self.zeros()

    def step(self, grads: list[Floats], lr: float) -> None:
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.v[i] = self.alpha * self.v[i] + (1 - self.alpha) * g**2
            p -= lr * g / (np.sqrt(self.v[i]) + self.eps)


class Adam(Textbook):
    """Kingma and Ba 2015: m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − ηm̂/(√v̂ + ε)."""

    def __init__(
        self, params: list[Floats], beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        super().__init__(params)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.m, self.v, self.t = self.zeros(), self.zeros(), 0

    def step(self, grads: list[Floats], lr: float) -> None:
        self.t += 1
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g**2
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            v_hat = self.v[i] / (1 - self.beta2**self.t)
            p -= lr * m_hat / (np.sqrt(v_hat) + self.eps)


class AdamW(Adam):
    """Loshchilov and Hutter 2019: p ← p − ηλp, then Adam."""

    def __init__(self, params: list[Floats], weight_decay: float) -> None:
        super().__init__(params)
        self.weight_decay = weight_decay

    def step(self, grads: list[Floats], lr: float) -> None:
        for p in self.params:
            p -= lr * self.weight_decay * p
        super().step(grads, lr)


def clip_norm(grads: list[Floats], max_norm: float) -> list[Floats]:
    """Scale the gradients to a global norm of at most `max_norm`, as torch's clip_grad_norm_ does."""
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    scale = min(1.0, float(max_norm / (norm + 1e-6)))
    return [g * scale for g in grads]
