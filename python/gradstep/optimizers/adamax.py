"""Adamax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class Adamax(Optimizer):
    r"""Adamax: momentum over the largest recent gradient of each element.

    .. math::
        g &← g + λp \\
        m &← β_1m + (1−β_1)g \\
        u &← \max(β_2u, |g| + ε) \\
        p &← p − \frac{η}{1−β_1^t} · \frac{m}{u}

    where t counts this update, from 1.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), how fast a large gradient is forgotten.
        eps: ε ≥ 0, added to the gradient's magnitude. With 0, an element whose first gradient is 0
            becomes NaN.
        weight_decay: λ ≥ 0, added to the gradient: g ← g + λp; with ``decoupled=True`` as of `AdamW`.
        eps_hat: add ε to u where it divides, and not to the magnitude:
            u ← max(β₂u, abs(g)), p ← p − η/(1−β₁ᵗ)·m/(u + ε).
        bias_correction: whether m is corrected for its start.
        options: what every optimizer takes; see `Optimizer`.

    State:
        exp_avg: m.
        exp_inf: u.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.Adamax(w, lr=0.1)
        >>> opt.step(np.array([3.0, -0.1]))
        True
        >>> w.round(6)
        array([0.9, 2.1])

    References:
        Kingma, Ba 2015, "Adam: A Method for Stochastic Optimization", section 7.1, arXiv:1412.6980.
        Computed as by ``torch.optim.Adamax``. The paper has no ε; Keras and MLX have ``eps_hat``.
    """

    rule = "adamax"
    beta1 = Hyper()
    beta2 = Hyper()
    eps = Hyper()
    eps_hat = Fixed()
    bias_correction = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 2e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-8,
        weight_decay: Rate = 0.0,
        *,
        eps_hat: bool = False,
        bias_correction: bool = True,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            eps_hat=eps_hat,
            bias_correction=bias_correction,
            **options,
        )
