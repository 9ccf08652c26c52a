"""Lion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class Lion(Optimizer):
    r"""Lion: steps of one length, in the direction that a running mean points to.

    .. math::
        p &← (1 − ηλ)p \\
        p &← p − η · \operatorname{sign}(β_1m + (1−β_1)g) \\
        m &← β_2m + (1−β_2)g

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0: how far every element moves; a third to a tenth of what suits Adam.
        beta1: β₁ in [0, 1), how much of the running mean enters the direction.
        beta2: β₂ in [0, 1), the decay of the running mean.
        weight_decay: λ ≥ 0, decoupled: p ← (1 − ηλ)p comes first. Three to ten times of what suits AdamW.
        options: what every optimizer takes; see `Optimizer`.

    State:
        exp_avg: m.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.Lion(w, lr=0.25)
        >>> opt.step(np.array([3.0, -0.1]))
        True
        >>> w.round(6)
        array([0.75, 2.25])

    References:
        Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675. Computed as
        by ``optax.lion``, whose weight decay is 1e-3 unless told otherwise. Where the mean is 0, nothing
        moves.
    """

    rule = "lion"
    decoupled_weight_decay = True
    beta1 = Hyper()
    beta2 = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-4,
        beta1: Rate = 0.9,
        beta2: Rate = 0.99,
        weight_decay: Rate = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            weight_decay=weight_decay,
            **options,
        )
