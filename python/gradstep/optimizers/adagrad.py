"""AdaGrad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class Adagrad(Optimizer):
    r"""AdaGrad: the rate of each element falls with the sum of its squared gradients.

    .. math::
        g &← g + λp \\
        s &← s + g² \\
        p &← p − \frac{η}{1 + tδ} · \frac{g}{\sqrt{s + ρ} + ε}

    where t is the number of updates done before this one.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        lr_decay: δ ≥ 0, decay of the rate with 1/t.
        weight_decay: λ ≥ 0, added to the gradient.
        initial_accumulator_value: what s starts from, ≥ 0.
        eps: ε ≥ 0, outside the root.
        eps_root: ρ ≥ 0, added inside the root.
        options: what every optimizer takes; see `Optimizer`.

    State:
        sum: s.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.Adagrad(w, lr=0.5)
        >>> opt.step(np.array([3.0, -4.0]))
        True
        >>> w.round(6)
        array([0.5, 2.5])

    References:
        Duchi, Hazan, Singer 2011, "Adaptive Subgradient Methods for Online Learning and Stochastic
        Optimization". Computed as by ``torch.optim.Adagrad``. Keras and optax start s at 0.1 and have ε
        inside the root.
    """

    rule = "adagrad"
    lr_decay = Hyper()
    initial_accumulator_value = Hyper()
    eps = Hyper()
    eps_root = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-2,
        lr_decay: Rate = 0.0,
        weight_decay: Rate = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: Rate = 1e-10,
        *,
        eps_root: Rate = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
            eps_root=eps_root,
            **options,
        )
