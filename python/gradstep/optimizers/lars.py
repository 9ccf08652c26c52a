"""LARS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class LARS(Optimizer):
    r"""LARS: momentum, at a length in proportion to each array's own norm.

    .. math::
        g &← g + λp \\
        r &= ν·\frac{‖p‖}{‖g‖ + ε} \\
        b &← μb + η·r·g \\
        p &← p − b, \quad\text{or with Nesterov } p ← p − (η·r·g + μb)

    The norms are those of one array; where one of them is 0, r is 1.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0. The buffer holds it: a change acts on the gradients from then on.
        momentum: μ in [0, 1).
        trust_coefficient: ν ≥ 0, the length of a step at η = 1, as a share of the array's norm.
        eps: ε ≥ 0.
        weight_decay: λ ≥ 0, added to the gradient before its norm is taken.
        nesterov: look ahead along the momentum.
        options: what every optimizer takes; see `Optimizer`.

    State:
        momentum_buffer: b.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([3.0, 4.0])
        >>> opt = gs.LARS(w, lr=1.0, trust_coefficient=0.5)
        >>> opt.step(np.array([30.0, -40.0]))
        True
        >>> w
        array([1.5, 6. ])

    References:
        You, Gitman, Ginsburg 2017, arXiv:1708.03888, "Large Batch Training of Convolutional Networks".
        Computed as by ``optax.lars``. In the paper r is ν‖p‖/(‖g‖ + λ‖p‖). The update takes two passes over
        memory: one for the norms, one that writes.
    """

    rule = "lars"
    momentum = Hyper()
    trust_coefficient = Hyper()
    eps = Hyper()
    nesterov = Fixed()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-1,
        momentum: Rate = 0.9,
        trust_coefficient: Rate = 1e-3,
        eps: Rate = 0.0,
        weight_decay: Rate = 0.0,
        *,
        nesterov: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            trust_coefficient=trust_coefficient,
            eps=eps,
            weight_decay=weight_decay,
            nesterov=nesterov,
            **options,
        )
