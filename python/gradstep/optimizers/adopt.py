"""ADOPT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class ADOPT(Optimizer):
    r"""ADOPT: momentum of gradients, each over the root of the mean square before it.

    .. math::
        p &← (1 − ηλ)p \\
        n &= \operatorname{clamp}(g/\max(\sqrt v, ε), ±t^{1/4}) \\
        m &← β_1m + (1−β_1)n \\
        v &← β_2v + (1−β_2)g² \\
        p &← p − ηm

    where t is the number of updates done before this one. The first update sets v to g², and does no more.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        eps: ε ≥ 0, the least denominator. With 0, an element whose gradients were all 0 becomes NaN.
        weight_decay: λ ≥ 0, decoupled: p ← (1 − ηλ)p comes first.
        use_clipping: whether n is held within ±t^¼.
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
        >>> opt = gs.ADOPT(w, lr=0.1)
        >>> for _ in range(2):
        ...     _ = opt.step(np.array([3.0, -0.1]))
        >>> w.round(6)
        array([0.99, 2.01])

    References:
        Taniguchi et al. 2024, "ADOPT: Modified Adam Can Converge with Any β₂ with the Optimal Rate",
        arXiv:2411.02853. Computed as by ``optax.contrib.adopt``, which has no weight decay of its own;
        this one is optax's ``add_decayed_weights`` after the rule.
    """

    rule = "adopt"
    decoupled_weight_decay = True
    beta1 = Hyper()
    beta2 = Hyper()
    eps = Hyper()
    use_clipping = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.9999,
        eps: Rate = 1e-6,
        weight_decay: Rate = 0.0,
        *,
        use_clipping: bool = True,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            use_clipping=use_clipping,
            **options,
        )
