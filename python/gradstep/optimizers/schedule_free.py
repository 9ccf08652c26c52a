"""Schedule-free SGD and AdamW."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Floats, Params, Rate


class _ScheduleFree(Optimizer):
    """What both have in common: the average."""

    warmup_steps = Hyper()
    r = Hyper()
    weight_lr_power = Hyper()

    def _averages(self) -> list[Floats]:
        """Compute x, the point for evaluation: y = (1−β)z + βx."""
        scalars = self.scalars
        mixes = [scalars[group]["mix"] for group in self._owners]
        return [
            _average(y, slots["z"], mix)
            for y, slots, mix in zip(self._arrays, self._state.values(), mixes, strict=True)
        ]


def _average(y: Floats, z: Floats, mix: float) -> Floats:
    x: Floats = np.subtract(z, y, out=np.empty_like(y))
    # Before the first update all three are one.
    x *= 1.0 - 1.0 / mix if mix else 0.0
    x += y
    return x


class ScheduleFreeSGD(_ScheduleFree):
    r"""Schedule-free SGD: an average of all points takes the place of a falling rate.

    .. math::
        γ &= η·\min(1, t/T) \\
        w_t &= t^r·γ_{max}^k, \quad c = w_t / \sum w \\
        z &← z − γ(g + λy) \\
        x &← (1−c)x + cz \\
        y &= (1−β)z + βx

    where t counts this update, from 1, and γ_max is the largest γ so far. The gradient is that at y, which is
    the parameter while one trains. The point for evaluation is x: `Optimizer.averaged` computes it, and
    there is nothing to be switched between training and evaluation.

    Args:
        params: y, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0; mostly a constant, and larger than for SGD.
        momentum: β in (0, 1), the share of x in y.
        warmup_steps: T, the updates until γ is η; a whole number.
        r: r ≥ 0, for a larger share of the later points in the average.
        weight_lr_power: k ≥ 0; 0 is for an average that does not look at the rates.
        weight_decay: λ ≥ 0, added to the gradient.
        options: what every optimizer takes; see `Optimizer`.

    Attributes:
        averaged: x, in new arrays in a new structure like the one of ``params``.

    State:
        z: z.

    Scalars:
        weight_sum: Σw.
        lr_max: γ_max.
        mix: β of the last update; 0 before the first one.
        last_mix: β of the one before.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.ScheduleFreeSGD(w, lr=0.5, momentum=0.5)
        >>> for _ in range(2):
        ...     _ = opt.step(np.array([1.0, -1.0]))
        >>> opt.state["0"]["z"], w, opt.averaged
        (array([0., 3.]), array([0.125, 2.875]), array([0.25, 2.75]))

    References:
        Defazio et al. 2024, arXiv:2405.15682, "The Road Less Scheduled". Computed as by
        ``SGDScheduleFree`` of the package ``schedulefree``, which moves the parameters between y and x by
        ``train()`` and ``eval()``. There a momentum that changes makes x jump; here x stays.
    """

    rule = "schedule_free_sgd"
    momentum = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1.0,
        momentum: Rate = 0.9,
        warmup_steps: Rate = 0,
        r: Rate = 0.0,
        weight_lr_power: Rate = 2.0,
        weight_decay: Rate = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            warmup_steps=warmup_steps,
            r=r,
            weight_lr_power=weight_lr_power,
            weight_decay=weight_decay,
            **options,
        )


class ScheduleFreeAdamW(_ScheduleFree):
    r"""Schedule-free AdamW: an average of all points takes the place of momentum and of a falling rate.

    .. math::
        v &← β_2v + (1−β_2)g² \\
        u &= \frac{g}{\sqrt{v/(1−β_2^t)} + ε} + λy \\
        z &← z − γu

    with γ, the average x and y = (1−β₁)z + β₁x as of `ScheduleFreeSGD`. t counts this update, from 1.

    Args:
        params: y, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0; mostly a constant, and one to ten times that of `AdamW`.
        beta1: β₁ in (0, 1), the share of x in y.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        eps: ε ≥ 0, outside the root.
        warmup_steps: T, the updates until γ is η; a whole number.
        r: r ≥ 0, for a larger share of the later points in the average.
        weight_lr_power: k ≥ 0; 0 is for an average that does not look at the rates.
        weight_decay: λ ≥ 0, added to the normalised gradient.
        options: what every optimizer takes; see `Optimizer`.

    Attributes:
        averaged: x, in new arrays in a new structure like the one of ``params``.

    State:
        z: z.
        exp_avg_sq: v.

    Scalars:
        As `ScheduleFreeSGD`.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([3.0, 4.0])
        >>> opt = gs.ScheduleFreeAdamW(w, lr=0.1)
        >>> for _ in range(500):
        ...     _ = opt.step(w)  # the gradient of w²/2 at the point where it is taken
        >>> float(np.abs(opt.averaged).max().round(1))
        0.0

    References:
        Defazio et al. 2024, arXiv:2405.15682, "The Road Less Scheduled". Computed as by
        ``AdamWScheduleFree`` of the package ``schedulefree``, which moves the parameters between y and x
        by ``train()`` and ``eval()``. There a β₁ that changes makes x jump; here x stays.
    """

    rule = "schedule_free_adamw"
    beta1 = Hyper()
    beta2 = Hyper()
    eps = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 2.5e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-8,
        warmup_steps: Rate = 0,
        r: Rate = 0.0,
        weight_lr_power: Rate = 2.0,
        weight_decay: Rate = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            warmup_steps=warmup_steps,
            r=r,
            weight_lr_power=weight_lr_power,
            weight_decay=weight_decay,
            **options,
        )
