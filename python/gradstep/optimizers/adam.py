"""Adam, with both kinds of weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.hypers import Fixed, Hyper

if TYPE_CHECKING:
    from typing import Literal, Unpack

    from gradstep.optimizers.base import Options
    from gradstep.types import Params, Rate


class Adam(Optimizer):
    r"""Adam: momentum over the root of the running mean square, both corrected for their start at zero.

    .. math::
        g &← g + λp \\
        m &← β₁m + (1−β₁)g \\
        v &← β₂v + (1−β₂)g² \\
        p &← p − η · \frac{m/(1−β₁^t)}{\sqrt{v/(1−β₂^t) + ρ} + ε}

    where t counts this update, from 1. With ``amsgrad``, v in the last line is the largest v so far.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        eps: ε ≥ 0, outside the root.
        weight_decay: λ ≥ 0, added to the gradient; see `AdamW` for the other way.
        amsgrad: never let the denominator fall; ``"corrected"`` compares v/(1−β₂ᵗ) instead of v, as optax.
        eps_hat: add ε, and eps_root, before v is corrected for its start:
            p ← p − η·√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√(v + ρ) + ε).
        eps_root: ρ ≥ 0, added inside the root.
        bias_correction: whether m and v are corrected for their start.
        initial_accumulator_value: what m and v start from.
        first_count: t of the first update, > 0.
        options: what every optimizer takes; see `Optimizer`.

    State:
        exp_avg: m.
        exp_avg_sq: v.
        max_exp_avg_sq: the largest v so far, only with amsgrad.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> params = {"w": np.ones((2, 3)), "b": np.zeros(3)}
        >>> opt = gs.Adam(params, lr=0.1)
        >>> opt.step({"w": np.full((2, 3), 2.0), "b": np.full(3, -2.0)})
        True
        >>> params["b"].round(6)
        array([0.1, 0.1, 0.1])
        >>> sorted(opt.state["w"])
        ['exp_avg', 'exp_avg_sq']

    References:
        Kingma, Ba 2015, arXiv:1412.6980; Reddi, Kale, Kumar 2018, arXiv:1904.09237 (AMSGrad). The
        formula of ``torch.optim.Adam``. Keras, scikit-learn, thinc and OpenAI's
        evolution strategies have "epsilon hat".
    """

    rule = "adam"
    beta1 = Hyper()
    beta2 = Hyper()
    eps = Hyper()
    amsgrad = Fixed()
    eps_hat = Fixed()
    eps_root = Hyper()
    bias_correction = Fixed()
    initial_accumulator_value = Hyper()
    first_count = Hyper()

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-8,
        weight_decay: Rate = 0.0,
        amsgrad: bool | Literal["corrected"] = False,
        *,
        eps_hat: bool = False,
        eps_root: Rate = 0.0,
        bias_correction: bool = True,
        initial_accumulator_value: float = 0.0,
        first_count: Rate = 1.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            eps_hat=eps_hat,
            eps_root=eps_root,
            bias_correction=bias_correction,
            initial_accumulator_value=initial_accumulator_value,
            first_count=first_count,
            **options,
        )


class AdamW(Adam):
    r"""Adam with decoupled weight decay: the parameter shrinks, the gradient knows nothing of it.

    .. math::
        p ← (1 − ηλ)p, \quad\text{then as `Adam` without decay}

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        eps: ε ≥ 0, outside the root.
        weight_decay: λ ≥ 0.
        amsgrad: never let the denominator fall; ``"corrected"`` compares v/(1−β₂ᵗ) instead of v, as optax.
        eps_hat: add ε, and eps_root, before v is corrected for its start:
            p ← p − η·√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√(v + ρ) + ε).
        eps_root: ρ ≥ 0, added inside the root.
        bias_correction: whether m and v are corrected for their start.
        initial_accumulator_value: what m and v start from.
        first_count: t of the first update, > 0.
        options: what every optimizer takes; see `Optimizer`.

    State:
        As `Adam`.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, -1.0])
        >>> opt = gs.AdamW(w, lr=0.1, weight_decay=0.5)
        >>> opt.step(np.zeros(2))
        True
        >>> w
        array([ 0.95, -0.95])

    References:
        Loshchilov, Hutter 2019, arXiv:1711.05101. The formula of ``torch.optim.AdamW``.
    """

    decoupled_weight_decay = True

    def __init__(
        self,
        params: Params | None = None,
        lr: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-8,
        weight_decay: Rate = 1e-2,
        amsgrad: bool | Literal["corrected"] = False,
        *,
        eps_hat: bool = False,
        eps_root: Rate = 0.0,
        bias_correction: bool = True,
        initial_accumulator_value: float = 0.0,
        first_count: Rate = 1.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            eps_hat=eps_hat,
            eps_root=eps_root,
            bias_correction=bias_correction,
            initial_accumulator_value=initial_accumulator_value,
            first_count=first_count,
            **options,
        )
