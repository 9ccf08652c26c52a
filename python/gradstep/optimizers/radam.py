"""RAdam."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class RAdam(Optimizer):
    r"""RAdam: plain momentum at first, Adam as soon as its mean square can be relied upon.

    .. math::
        g &← g + λp \\
        m &← β_1m + (1−β_1)g \\
        v &← β_2v + (1−β_2)g² \\
        l_∞ &= \frac{2}{1−β_2} − 1, \quad l = l_∞ − \frac{2tβ_2^t}{1−β_2^t} \\
        p &← p − \frac{η}{1−β_1^t} · m, \quad\text{or where } l > 5 \\
        p &← p − η\sqrt{\frac{(l−4)(l−2)l_∞}{(l_∞−4)(l_∞−2)l}} · \frac{\sqrt{1−β_2^t}}{1−β_1^t} ·
             \frac{m}{\sqrt{v + ρ} + ε}

    where t counts this update, from 1.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        eps: ε ≥ 0, outside the root.
        weight_decay: λ ≥ 0, added to the gradient: g ← g + λp; with ``decoupled=True`` as of `AdamW`.
        eps_hat: whether ε, and eps_root, are added before v is corrected for its start; if not, the
            denominator is √(v/(1−β₂ᵗ) + ρ) + ε.
        eps_root: ρ ≥ 0, added inside the root.
        options: what every optimizer takes; see `Optimizer`.

    State:
        exp_avg: m.
        exp_avg_sq: v.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.RAdam(w, lr=0.1)
        >>> opt.step(np.array([3.0, -0.1]))
        True
        >>> w.round(6)
        array([0.7 , 2.01])

    References:
        Liu et al. 2020, "On the Variance of the Adaptive Learning Rate and Beyond", arXiv:1908.03265.
        Computed as by ``torch.optim.RAdam``; optax has ``eps_hat=False``, and adapts from l = 5 on. With
        β₂ ≤ 2/3 it never does.
    """

    rule = "radam"
    beta1 = Hyper()
    beta2 = Hyper()
    eps = Hyper()
    eps_hat = Fixed()
    eps_root = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-8,
        weight_decay: Rate = 0.0,
        *,
        eps_hat: bool = True,
        eps_root: Rate = 0.0,
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
            eps_root=eps_root,
            **options,
        )
