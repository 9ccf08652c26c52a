"""NAdam."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class NAdam(Optimizer):
    r"""NAdam: Adam whose momentum looks one step ahead, and grows as the run goes on.

    .. math::
        g &← g + λp \\
        μ_t &= β_1(1 − ½·0.96^{tψ}), \quad Π = μ_1·…·μ_t \\
        m &← β_1m + (1−β_1)g \\
        v &← β_2v + (1−β_2)g² \\
        p &← p − η · \left(\frac{μ_{t+1}m}{1−Πμ_{t+1}} + \frac{(1−μ_t)g}{1−Π}\right) /
             \left(\sqrt{v/(1−β_2^t) + ρ} + ε\right)

    where t counts this update, from 1.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        eps: ε ≥ 0, outside the root.
        momentum_decay: ψ ≥ 0, how fast μ rises from β₁/2 to β₁.
        weight_decay: λ ≥ 0, added to the gradient: g ← g + λp; with ``decoupled=True`` as of `AdamW`.
        eps_hat: add ε, and eps_root, before v is corrected for its start.
        eps_root: ρ ≥ 0, added inside the root.
        bias_correction: whether m, g and v are corrected for their start.
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
        >>> opt = gs.NAdam(w, lr=0.1)
        >>> opt.step(np.array([3.0, -0.1]))
        True
        >>> w.round(6)
        array([0.894355, 2.105645])

    References:
        Dozat 2016, "Incorporating Nesterov Momentum into Adam". Computed as by ``torch.optim.NAdam``, but
        that Π follows from t, as 1 − β₁ᵗ does in Adam, and is no part of the state: a run may be resumed
        at any t. So with schedules for beta1 or momentum_decay, Π is that of their values at this step.
        Keras has ``momentum_decay=1.0``.
    """

    rule = "nadam"
    beta1 = Hyper()
    beta2 = Hyper()
    eps = Hyper()
    momentum_decay = Hyper()
    eps_hat = Fixed()
    eps_root = Hyper()
    bias_correction = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 2e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-8,
        momentum_decay: Rate = 4e-3,
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
            eps=eps,
            momentum_decay=momentum_decay,
            weight_decay=weight_decay,
            eps_hat=eps_hat,
            eps_root=eps_root,
            bias_correction=bias_correction,
            **options,
        )
