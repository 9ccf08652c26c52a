"""AdaBelief."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class AdaBelief(Optimizer):
    r"""AdaBelief: long steps where the gradient is as expected, short ones where it is not.

    .. math::
        p &← (1 − ηλ)p \\
        m &← β_1m + (1−β_1)g \\
        s &← β_2s + (1−β_2)(g−m)² + ρ \\
        p &← p − η · \frac{m/(1−β_1^t)}{\sqrt{s/(1−β_2^t)} + ε}

    where t counts this update, from 1.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), the decay of the running mean of (g−m)².
        eps: ε ≥ 0, outside the root.
        eps_root: ρ ≥ 0, added to s at each update.
        weight_decay: λ ≥ 0, decoupled: p ← (1 − ηλ)p comes first.
        eps_hat: add ε before s is corrected for its start.
        bias_correction: whether m and s are corrected for their start.
        options: what every optimizer takes; see `Optimizer`.

    State:
        exp_avg: m.
        exp_avg_var: s.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.AdaBelief(w, lr=0.1)
        >>> opt.step(np.array([3.0, -0.1]))
        True
        >>> w.round(6)
        array([0.888889, 2.111111])

    References:
        Zhuang et al. 2020, "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients",
        arXiv:2010.07468. Computed as by ``optax.adabelief``, which has no weight decay of its own; this
        one is optax's ``add_decayed_weights`` after the rule. The paper has ε = 10⁻⁸ for both.
    """

    rule = "adabelief"
    decoupled_weight_decay = True
    beta1 = Hyper()
    beta2 = Hyper()
    eps = Hyper()
    eps_root = Hyper()
    eps_hat = Fixed()
    bias_correction = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-16,
        eps_root: Rate = 1e-16,
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
            eps_root=eps_root,
            weight_decay=weight_decay,
            eps_hat=eps_hat,
            bias_correction=bias_correction,
            **options,
        )
