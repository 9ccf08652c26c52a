"""RMSProp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Literal, Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class RMSprop(Optimizer):
    r"""RMSProp: the gradient over the root of its running mean square.

    .. math::
        g &← g + λp \\
        v &← αv + (1−α)g² \\
        σ² &= v, \quad\text{or centered: } a ← αa + (1−α)g, \; σ² = \max(v − a², 0) \\
        p &← p − η·g/(\sqrt{σ² + ρ} + ε)

    With momentum b ← μb + g/(√(σ² + ρ) + ε) and p ← p − ηb.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        alpha: α in [0, 1), the decay of the running means.
        eps: ε ≥ 0, outside the root.
        weight_decay: λ ≥ 0, added to the gradient.
        momentum: μ in [0, 1).
        centered: divide by the running standard deviation instead of the root mean square.
        momentum_form: ``"torch"``, as above; ``"keras"``, with the rate inside the buffer:
            b ← μb + ηg/(√(σ² + ρ) + ε), p ← p − b.
        eps_root: ρ ≥ 0, added inside the root.
        initial_accumulator_value: what v starts from, ≥ 0.
        options: what every optimizer takes; see `Optimizer`.

    State:
        square_avg: v.
        grad_avg: a, only if centered.
        momentum_buffer: b, only with momentum.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.RMSprop(w, lr=0.1, alpha=0.75)
        >>> opt.step(np.array([3.0, -4.0]))
        True
        >>> w.round(6)
        array([0.8, 2.2])

    References:
        Tieleman, Hinton 2012, "Lecture 6.5: RMSProp"; Graves 2013 (centered). Computed as by
        ``torch.optim.RMSprop``, but where rounding makes v − a² negative, torch's root is NaN and ours
        is 0. Keras and optax have ε inside the root and the rate inside the buffer; HIPS autograd starts v
        at 1.
    """

    rule = "rmsprop"
    alpha = Hyper()
    eps = Hyper()
    momentum = Hyper()
    centered = Fixed()
    momentum_form = Fixed()
    eps_root = Hyper()
    initial_accumulator_value = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-2,
        alpha: Rate = 0.99,
        eps: Rate = 1e-8,
        weight_decay: Rate = 0.0,
        momentum: Rate = 0.0,
        centered: bool = False,
        *,
        momentum_form: Literal["torch", "keras"] = "torch",
        eps_root: Rate = 0.0,
        initial_accumulator_value: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            momentum_form=momentum_form,
            eps_root=eps_root,
            initial_accumulator_value=initial_accumulator_value,
            **options,
        )
