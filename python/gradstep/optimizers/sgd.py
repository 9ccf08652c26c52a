"""Stochastic gradient descent, plain or with momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Literal, Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class SGD(Optimizer):
    r"""Stochastic gradient descent, plain or with momentum.

    .. math::
        g &← g + λp \\
        b &← μb + (1−d)g  \quad\text{(at the first step } b ← g) \\
        p &← p − ηb, \quad\text{or with Nesterov } p ← p − η(g + μb)

    Without momentum there is no buffer, and p ← p − ηg.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        momentum: μ in [0, 1).
        dampening: d in [0, 1].
        weight_decay: λ ≥ 0, added to the gradient.
        nesterov: look ahead along the momentum; wants momentum > 0 and dampening 0.
        momentum_form: ``"torch"``, as above; ``"keras"``, with the rate inside the buffer: b ← μb + ηg,
            p ← p − b, or with Nesterov p ← p − (ηg + μb); ``"average"``: b ← μb + (1−μ)g from b = 0,
            p ← p − ηb, or with Nesterov p ← p − η((1−μ)g + μb). The latter two want dampening 0.
        options: what every optimizer takes; see `Optimizer`.

    State:
        momentum_buffer: b, only with momentum.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.SGD(w, lr=0.5, momentum=0.9)
        >>> opt.step(np.array([1.0, -1.0]))
        True
        >>> w
        array([0.5, 2.5])

    References:
        Polyak 1964; Sutskever, Martens, Dahl, Hinton 2013 (the Nesterov form). Computed as by
        ``torch.optim.SGD``. With the rate inside the buffer, as in Keras and scikit-learn, the path is the
        same while η is constant; HIPS autograd and OpenAI's evolution strategies have the average.
    """

    rule = "sgd"
    momentum = Hyper()
    dampening = Hyper()
    nesterov = Fixed()
    momentum_form = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-3,
        momentum: Rate = 0.0,
        dampening: Rate = 0.0,
        weight_decay: Rate = 0.0,
        nesterov: bool = False,
        *,
        momentum_form: Literal["torch", "keras", "average"] = "torch",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            momentum_form=momentum_form,
            **options,
        )
