"""Prodigy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper, Option

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class Prodigy(Optimizer):
    r"""Prodigy: Adam whose rate is an estimate of how far the parameters have to go.

    .. math::
        γ &= d·η \\
        m &← β_1m + d(1−β_1)g, \quad v ← β_2v + d²(1−β_2)g² \\
        s &← β_3s + \frac{d}{d_0}γg, \quad n ← β_3n + \frac{d}{d_0}γ·\sum g(p_0−p) \\
        \hat d &= κ·\frac{n}{\sum |s|} \\
        d &← \min(\max(\hat d \text{ so far}), \; d·\text{growth\_rate}) \\
        p &← p − γ\left(\frac{m}{\sqrt{v} + dε} + λp\right)

    p₀ are the parameters at the start, and the sums are over all arrays together. In the last line γ is that
    of the first line, d is already the new one. A d that is still d₀ rises to d̂ before it grows.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, a factor on the estimated rate, ≥ 0; 1 is the method, a schedule that falls from 1 to 0 helps.
            Arrays whose rate is 0 rest: they change nothing, and count for nothing.
        beta1: β₁ in [0, 1), the decay of the running mean; with 0, m is g times the new d.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        beta3: β₃ in [0, 1), the decay of the sums of the estimate; None for √β₂.
        eps: ε ≥ 0, outside the root.
        d0: d₀ > 0, what d starts from; less than the right rate.
        d_coef: κ > 0; what to change if the method goes too fast or too slow.
        growth_rate: what d may grow by in an update, ≥ 1; 1.02 warms up.
        weight_decay: λ ≥ 0, the parameter shrinks by γλ.
        safeguard_warmup: leave η out of s, if it rises from small values: s ← β₃s + d²/d₀·g.
        use_bias_correction: correct m and v for their start: γ = d·η·√(1−β₂ᵗ)/(1−β₁ᵗ), where t counts this
            update, from 1.
        options: what every optimizer takes; see `Optimizer`.

    State:
        exp_avg: m.
        exp_avg_sq: v.
        s: s.
        p0: p₀.

    Scalars:
        d: d.
        d_max: the largest d̂ so far.
        d_numerator: n.
        last_d: d in γ of the last update; 0 if nothing moved.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([3.0, 4.0])
        >>> opt = gs.Prodigy(w)
        >>> for _ in range(300):
        ...     _ = opt.step(w)  # the gradient of w²/2
        >>> float(np.abs(w).max().round(1))
        0.0

    References:
        Mishchenko, Defazio 2024, arXiv:2306.06101, "Prodigy: An Expeditiously Adaptive Parameter-Free
        Learner". Computed as by ``prodigyopt.Prodigy``, to which groups of several rates are an error; here
        all share d as far as their other hyperparameters agree. The update takes two passes over memory.
    """

    rule = "prodigy"
    beta1 = Hyper()
    beta2 = Hyper()
    beta3 = Option()
    eps = Hyper()
    d0 = Hyper()
    d_coef = Hyper()
    growth_rate = Hyper()
    safeguard_warmup = Fixed()
    use_bias_correction = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1.0,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        beta3: Rate | None = None,
        eps: Rate = 1e-8,
        d0: Rate = 1e-6,
        d_coef: Rate = 1.0,
        growth_rate: Rate = float("inf"),
        weight_decay: Rate = 0.0,
        *,
        safeguard_warmup: bool = False,
        use_bias_correction: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            beta3=beta3,
            eps=eps,
            d0=d0,
            d_coef=d_coef,
            growth_rate=growth_rate,
            weight_decay=weight_decay,
            safeguard_warmup=safeguard_warmup,
            use_bias_correction=use_bias_correction,
            **options,
        )
