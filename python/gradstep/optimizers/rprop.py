"""Rprop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class Rprop(Optimizer):
    r"""Rprop: only the sign of the gradient counts; each element has its own length of step.

    .. math::
        s &← \min(\max(s·f, s_{min}), s_{max}), \quad
             f = η_+ \text{ if } gg' > 0, \; η_- \text{ if } gg' < 0, \text{ else } 1 \\
        g &← 0 \text{ if } gg' < 0 \\
        p &← p − s·\operatorname{sign}(g), \quad g' ← g

    where g' is the gradient of the update before, at first 0. It is meant for gradients of the whole
    data, not of batches.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: what s starts from, ≥ 0. It cannot be changed later; of a schedule, the value at 0 counts.
        eta_minus: η₋ in [0, 1), the factor where the sign has changed.
        eta_plus: η₊ ≥ 1, the factor where it has not.
        step_min: the least s, ≥ 0.
        step_max: the largest s, ≥ 0; it wins over step_min.
        weight_decay: λ ≥ 0, added to the gradient: g ← g + λp.
        options: what every optimizer takes; see `Optimizer`.

    State:
        prev: g'.
        step_size: s.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.
        AttributeError: on assignment to lr.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.Rprop(w, lr=0.1)
        >>> for _ in range(2):
        ...     _ = opt.step(np.array([3.0, -0.1]))
        >>> w.round(6)
        array([0.78, 2.22])

    References:
        Riedmiller, Braun 1993, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP
        Algorithm"; the form without a step back, iRprop⁻ of Igel, Hüsken 2000. Computed as by
        ``torch.optim.Rprop``, which has no weight decay.
    """

    rule = "rprop"
    eta_minus = Hyper()
    eta_plus = Hyper()
    step_min = Hyper()
    step_max = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-2,
        eta_minus: Rate = 0.5,
        eta_plus: Rate = 1.2,
        step_min: Rate = 1e-6,
        step_max: Rate = 50.0,
        weight_decay: Rate = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            eta_minus=eta_minus,
            eta_plus=eta_plus,
            step_min=step_min,
            step_max=step_max,
            weight_decay=weight_decay,
            **options,
        )
