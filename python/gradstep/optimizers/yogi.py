"""Yogi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class Yogi(Optimizer):
    r"""Yogi: Adam whose mean square moves by no more than a share of the square that it sees.

    .. math::
        p &← (1 − ηλ)p \\
        m &← β_1m + (1−β_1)g \\
        v &← v − (1−β_2)·\operatorname{sign}(v−g²)·g² \\
        p &← p − η · \frac{m/(1−β_1^t)}{\sqrt{v/(1−β_2^t) + ρ} + ε}

    where t counts this update, from 1.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), as in Adam; 1−β₂ is the share.
        eps: ε ≥ 0, outside the root.
        initial_accumulator_value: what m and v start from, ≥ 0.
        weight_decay: λ ≥ 0, decoupled: p ← (1 − ηλ)p comes first.
        eps_hat: add ε, and eps_root, before v is corrected for its start.
        eps_root: ρ ≥ 0, added inside the root.
        bias_correction: whether m and v are corrected for their start.
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
        >>> opt = gs.Yogi(w, lr=0.1)
        >>> opt.step(np.array([3.0, -0.1]))
        True
        >>> w.round(6)
        array([0.900039, 2.094437])

    References:
        Zaheer et al. 2018, "Adaptive Methods for Nonconvex Optimization". Computed as by ``optax.yogi``,
        which starts m too at 10⁻⁶, and has no weight decay of its own; this one is optax's
        ``add_decayed_weights`` after the rule.
    """

    rule = "yogi"
    decoupled_weight_decay = True
    beta1 = Hyper()
    beta2 = Hyper()
    eps = Hyper()
    initial_accumulator_value = Hyper()
    eps_hat = Fixed()
    eps_root = Hyper()
    bias_correction = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-2,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-3,
        initial_accumulator_value: float = 1e-6,
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
            initial_accumulator_value=initial_accumulator_value,
            weight_decay=weight_decay,
            eps_hat=eps_hat,
            eps_root=eps_root,
            bias_correction=bias_correction,
            **options,
        )
