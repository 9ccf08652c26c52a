"""The update rules in NumPy without temporaries: the best that one can do by hand.

Every operation has an `out=`, the scratch is one array for all parameters, made once, and constants are
folded into as few passes as the formulas allow.
"""

import math

import numpy as np

from gradstep.bench.textbook import Textbook
from gradstep.bench.workloads import Floats


class InPlace(Textbook):
    """An optimizer with scratch memory."""

    def __init__(self, params: list[Floats]) -> None:
        super().__init__(params)
        memory = np.empty(max(p.size for p in params), params[0].dtype)
        self.scratch = [memory[: p.size].reshape(p.shape) for p in params]


class SGD(InPlace):
    """Stochastic gradient descent."""

    def step(self, grads: list[Floats], lr: float) -> None:
        for p, g, x in zip(self.params, grads, self.scratch, strict=True):
            np.multiply(g, lr, out=x)
            p -= x


class Momentum(InPlace):
    """Heavy ball."""

    def __init__(self, params: list[Floats], momentum: float) -> None:
        super().__init__(params)
        self.momentum, self.b = momentum, self.zeros()

    def step(self, grads: list[Floats], lr: float) -> None:
        for p, g, b, x in zip(self.params, grads, self.b, self.scratch, strict=True):
            b *= self.momentum
            b += g
            np.multiply(b, lr, out=x)
            p -= x


class Adagrad(InPlace):
    """AdaGrad."""

    def __init__(self, params: list[Floats], eps: float) -> None:
        super().__init__(params)
        self.eps, self.s = eps, self.zeros()

    def step(self, grads: list[Floats], lr: float) -> None:
        for p, g, s, x in zip(self.params, grads, self.s, self.scratch, strict=True):
            np.multiply(g, g, out=x)
            s += x
            np.sqrt(s, out=x)
            x += self.eps
            np.divide(g, x, out=x)
            x *= lr
            p -= x


class RMSprop(InPlace):
    """RMSprop."""

    def __init__(self, params: list[Floats], alpha: float, eps: float) -> None:
        super().__init__(params)
        self.alpha, self.eps, self.v = alpha, eps, self.zeros()

    def step(self, grads: list[Floats], lr: float) -> None:
        for p, g, v, x in zip(self.params, grads, self.v, self.scratch, strict=True):
            np.multiply(g, g, out=x)
            x *= 1 - self.alpha
            v *= self.alpha
            v += x
            np.sqrt(v, out=x)
            x += self.eps
            np.divide(g, x, out=x)
            x *= lr
            p -= x


class Adam(InPlace):
    """Adam; both bias corrections are folded into the rate and ε."""

    def __init__(self, params: list[Floats], beta1: float, beta2: float, eps: float) -> None:
        super().__init__(params)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.m, self.v, self.t = self.zeros(), self.zeros(), 0

    def step(self, grads: list[Floats], lr: float) -> None:
        self.t += 1
        correction = math.sqrt(1 - self.beta2**self.t)
        rate = lr * correction / (1 - self.beta1**self.t)
        eps = self.eps * correction
        for p, g, m, v, x in zip(self.params, grads, self.m, self.v, self.scratch, strict=True):
            np.multiply(g, 1 - self.beta1, out=x)
            m *= self.beta1
            m += x
            np.multiply(g, g, out=x)
            x *= 1 - self.beta2
            v *= self.beta2
            v += x
            np.sqrt(v, out=x)
            x += eps
            np.divide(m, x, out=x)
            x *= rate
            p -= x


class AdamW(Adam):
    """AdamW."""

    def __init__(
        self, params: list[Floats], beta1: float, beta2: float, eps: float, weight_decay: float
    ) -> None:
        super().__init__(params, beta1, beta2, eps)
        self.weight_decay = weight_decay

    def step(self, grads: list[Floats], lr: float) -> None:
        for p in self.params:
            p *= 1 - lr * self.weight_decay
        super().step(grads, lr)


def clip_norm(grads: list[Floats], max_norm: float) -> None:
    """Scale the gradients in place to a global norm of at most `max_norm`, as torch does."""
    norm = math.sqrt(sum(float(np.vdot(g, g)) for g in grads))
    scale = min(1.0, max_norm / (norm + 1e-6))
    for g in grads:
        g *= scale
