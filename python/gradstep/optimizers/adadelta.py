"""Adadelta."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class Adadelta(Optimizer):
    r"""Adadelta: each element's steps are in proportion to those that it made before.

    .. math::
        g &← g + λp \\
        v &← ρv + (1−ρ)g² \\
        Δ &= \sqrt{\frac{u + ε}{v + ε}} · g \\
        u &← ρu + (1−ρ)Δ² \\
        p &← p − ηΔ

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0; 1 is the method.
        rho: ρ in [0, 1), the decay of both running mean squares.
        eps: ε ≥ 0, inside both roots. It decides how long the first steps are: with 0 there are none.
        weight_decay: λ ≥ 0, added to the gradient: g ← g + λp; with ``decoupled=True`` as of `AdamW`.
        options: what every optimizer takes; see `Optimizer`.

    State:
        square_avg: v.
        acc_delta: u.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.Adadelta(w, eps=0.01)
        >>> opt.step(np.array([3.0, -0.1]))
        True
        >>> w.round(6)
        array([0.685515, 2.095346])

    References:
        Zeiler 2012, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701. Computed as by
        ``torch.optim.Adadelta``, with one root of the ratio instead of a ratio of roots. Keras has
        ``lr=1e-3, rho=0.95, eps=1e-7``.
    """

    rule = "adadelta"
    rho = Hyper()
    eps = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1.0,
        rho: Rate = 0.9,
        eps: Rate = 1e-6,
        weight_decay: Rate = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            rho=rho,
            eps=eps,
            weight_decay=weight_decay,
            **options,
        )
