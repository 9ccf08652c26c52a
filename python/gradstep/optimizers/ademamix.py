"""AdEMAMix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class AdEMAMix(Optimizer):
    r"""AdEMAMix: Adam with a second mean, so slow that it remembers thousands of gradients.

    .. math::
        p &← (1 − ηλ)p \\
        m_1 &← β_1m_1 + (1−β_1)g \\
        m_2 &← β_3m_2 + (1−β_3)g \\
        v &← β_2v + (1−β_2)g² \\
        p &← p − η · \frac{m_1/(1−β_1^t) + αm_2}{\sqrt{v/(1−β_2^t) + ρ} + ε}

    where t counts this update, from 1.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the fast mean.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        beta3: β₃ in [0, 1), the decay of the slow mean. The paper lets it rise from β₁, by a schedule.
        alpha: α ≥ 0, how much of the slow mean enters. The paper lets it rise from 0, by a schedule.
        eps: ε ≥ 0, outside the root.
        weight_decay: λ ≥ 0, decoupled: p ← (1 − ηλ)p comes first.
        eps_hat: add ε, and eps_root, before v is corrected for its start.
        eps_root: ρ ≥ 0, added inside the root.
        bias_correction: whether m₁ and v are corrected for their start.
        options: what every optimizer takes; see `Optimizer`.

    State:
        exp_avg_fast: m₁.
        exp_avg_slow: m₂.
        exp_avg_sq: v.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.AdEMAMix(w, lr=0.1, alpha=gs.schedules.Linear(0.0, 5.0, steps=100))
        >>> opt.step(np.array([3.0, -0.1]))
        True
        >>> w.round(6)
        array([0.9, 2.1])

    References:
        Pagliardini et al. 2024, "The AdEMAMix Optimizer: Better, Faster, Older", arXiv:2409.03137.
        Computed as by ``optax.contrib.ademamix``.
    """

    rule = "ademamix"
    decoupled_weight_decay = True
    beta1 = Hyper()
    beta2 = Hyper()
    beta3 = Hyper()
    alpha = Hyper()
    eps = Hyper()
    eps_hat = Fixed()
    eps_root = Hyper()
    bias_correction = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        beta3: Rate = 0.9999,
        alpha: Rate = 5.0,
        eps: Rate = 1e-8,
        weight_decay: Rate = 0.0,
        *,
        eps_hat: bool = False,
        eps_root: Rate = 0.0,
        bias_correction: bool = True,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            beta3=beta3,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            eps_hat=eps_hat,
            eps_root=eps_root,
            bias_correction=bias_correction,
            **options,
        )
