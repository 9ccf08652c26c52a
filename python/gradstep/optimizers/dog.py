"""DoG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Hyper

if TYPE_CHECKING:
    from typing import Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class DoG(Optimizer):
    r"""DoG: gradient descent whose rate is the distance from the start over the gradients so far.

    .. math::
        r &← \max(r, ‖p − x_0‖), \quad\text{at the first step } ρ(1 + ‖x_0‖) \\
        G &← G + ‖g‖² \\
        p &← p − η·\frac{r}{\sqrt{G + ε}}·g

    x₀ are the parameters at the start, and the norms are those of all arrays together.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, a factor on the estimated rate, ≥ 0; 1 is the method.
        reps_rel: ρ > 0, the length of the first step.
        eps: ε ≥ 0.
        weight_decay: λ ≥ 0, added to the gradient: g ← g + λp.
        options: what every optimizer takes; see `Optimizer`.

    State:
        init_params: x₀.

    Scalars:
        max_dist: r.
        sum_sq_grads: G.
        rate: η·r/√(G + ε), the rate of the last update.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([3.0, 4.0])
        >>> opt = gs.DoG(w)
        >>> for _ in range(300):
        ...     _ = opt.step(w)  # the gradient of w²/2
        >>> float(np.abs(w).max().round(1))
        0.0

    References:
        Ivgi, Hinder, Carmon 2023, "DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule",
        whose authors recommend it with an average of the parameters. Computed as by ``optax.contrib.dog``
        with its "heuristic" first step. The update takes two passes over memory.
    """

    rule = "dog"
    reps_rel = Hyper()
    eps = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1.0,
        reps_rel: Rate = 1e-6,
        eps: Rate = 1e-8,
        weight_decay: Rate = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(params, lr=lr, reps_rel=reps_rel, eps=eps, weight_decay=weight_decay, **options)
