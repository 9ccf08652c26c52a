"""Adan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Literal, Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class Adan(Optimizer):
    r"""Adan: Adam with a mean of the differences of gradients, which looks one step ahead.

    .. math::
        p &← (1 − ηλ)p \\
        d &= g − g' \\
        m &← β_1m + (1−β_1)g \\
        v &← β_2v + (1−β_2)d \\
        n &← β_3n + (1−β_3)(g + ad)² \\
        p &← p − η · \frac{m/(1−β_1^t) + a·v/(1−β_2^t)}{\sqrt{n/(1−β_3^t) + ρ} + ε}

    where g' is the gradient of the update before (at the first d = 0), t counts this update, from 1, and
    a = 1−β₂.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), the decay of the running mean of differences.
        beta3: β₃ in [0, 1), the decay of the running mean square.
        eps: ε ≥ 0, outside the root.
        eps_root: ρ ≥ 0, added inside the root.
        weight_decay: λ ≥ 0, decoupled: p ← (1 − ηλ)p comes first.
        difference_form: how much of the difference enters, a: ``"optax"`` for 1−β₂, ``"paper"`` for β₂.
        eps_hat: add ε, and eps_root, before n is corrected for its start.
        bias_correction: whether m, v and n are corrected for their start.
        options: what every optimizer takes; see `Optimizer`.

    State:
        exp_avg: m.
        exp_avg_diff: v.
        exp_avg_sq: n.
        prev_grad: g'.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.Adan(w, lr=0.1, eps=0.0, eps_root=0.0)
        >>> for _ in range(2):
        ...     _ = opt.step(np.array([3.0, -0.1]))
        >>> w.round(6)
        array([0.8, 2.2])

    References:
        Xie et al. 2022, "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models",
        arXiv:2208.06677, which writes 1−β for what is β here. Computed as by ``optax.adan``. The paper,
        and its authors' program, have a = β₂ in this notation; the paper decays by a division, p ← p/(1 +
        ηλ), after the step, and corrects no mean.
    """

    rule = "adan"
    decoupled_weight_decay = True
    beta1 = Hyper()
    beta2 = Hyper()
    beta3 = Hyper()
    eps = Hyper()
    eps_root = Hyper()
    difference_form = Fixed()
    eps_hat = Fixed()
    bias_correction = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-3,
        beta1: Rate = 0.98,
        beta2: Rate = 0.92,
        beta3: Rate = 0.99,
        eps: Rate = 1e-8,
        eps_root: Rate = 1e-8,
        weight_decay: Rate = 0.0,
        *,
        difference_form: Literal["optax", "paper"] = "optax",
        eps_hat: bool = False,
        bias_correction: bool = True,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            beta3=beta3,
            eps=eps,
            eps_root=eps_root,
            weight_decay=weight_decay,
            difference_form=difference_form,
            eps_hat=eps_hat,
            bias_correction=bias_correction,
            **options,
        )
