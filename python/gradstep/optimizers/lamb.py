"""LAMB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class LAMB(Optimizer):
    r"""LAMB: Adam's direction, at a length in proportion to each array's own norm.

    .. math::
        m &← β_1m + (1−β_1)g, \quad v ← β_2v + (1−β_2)g² \\
        u &= \frac{m/(1−β_1^t)}{\sqrt{v/(1−β_2^t)} + ε} + λp \\
        p &← p − η·\frac{‖p‖}{‖u‖}·u

    The norms are those of one array; where one of them is 0, their ratio counts as 1. t is the number of this
    update, counted from 1.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        eps: ε ≥ 0, outside the root.
        weight_decay: λ ≥ 0, added to the direction before its norm is taken.
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
        >>> w = np.array([3.0, 4.0])
        >>> opt = gs.LAMB(w, lr=0.1, eps=0.0)
        >>> opt.step(np.array([3.0, -4.0]))
        True
        >>> w.round(6)
        array([2.646447, 4.353553])

    References:
        You et al. 2020, "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes". Computed
        as by ``optax.lamb``. The update takes two passes over memory: one for the norms, one that writes.
    """

    rule = "lamb"
    beta1 = Hyper()
    beta2 = Hyper()
    eps = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-6,
        weight_decay: Rate = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params, lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay, **options
        )
