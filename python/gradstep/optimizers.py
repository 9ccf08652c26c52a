"""The optimizers: one class a rule. All that happens in a step is native; a class here is its signature.

Every optimizer takes

- ``params``: an ndarray, or a list, tuple or dict of them, nested as deep as you like; or a list of
  groups ``[{"params": ..., "lr": ...}, ...]`` as in torch, each with its own hyperparameters. Arrays are
  float32 or float64, writeable, aligned, dense in memory (C or F order or a transpose of these), and
  share no memory.
- hyperparameters: each a float or a `gradstep.schedules` schedule of the update number.
- ``clip_norm``, ``clip_value``: limits on the gradients of all groups together; see `Optimizer`.

Parameters are numbered and named by their path: ``"fc1.w"``, ``"blocks.3.bias"``, ``"0"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from gradstep import _core

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gradstep.schedules import Schedule

    Params: TypeAlias = (
        NDArray[np.floating[Any]] | Sequence["Params"] | Mapping[Any, "Params"] | Sequence[Mapping[str, Any]]
    )
    Rate: TypeAlias = float | Schedule

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]


class Optimizer(_core.Optimizer):
    """What all optimizers share. Not to be made directly: take a rule such as `Adam`.

    One call of `step` updates every array of every group in a single pass over memory. A step is all or
    nothing: everything is checked before the first write, and an error leaves parameters, state and
    ``step_count`` as they were.

    Attributes:
        step_count: the number of updates done; the next one is update number ``step_count``, counted
            from 0. Assign it, with the arrays of ``state``, to resume a run exactly.
        lr: the rate that the next step will use; a tuple in group order where there are several groups.
            Assign a float or a schedule to replace it in all groups, or a tuple of one for each.
        state: ``{name: {slot: ndarray}}``, live views of the optimizer's own arrays. The array of an
            optimizer of one lone array is named ``"0"``.
        grad_norm: the global norm of the last step's gradients before clipping, a float, or None if that
            step needed none, for ``clip_norm`` or for `gradstep.feedback.GradNormScaled`.
        feedback_state: the states of the `gradstep.feedback` schedules among the hyperparameters, a tuple
            of dicts of plain numbers; assign it to resume.

    With ``clip_norm=c``, the gradients of all groups are scaled by min(1, c/(‖g‖ + 10⁻⁶)), where ‖g‖ is
    the norm of all of them together, as by torch's ``clip_grad_norm_``; with ``clip_value=c`` each
    element is then limited to [−c, c]. The scaling happens inside the update; the caller's gradients stay
    as they are. Gradients with a non-finite norm are refused with a ValueError, unlike torch, which would
    make every parameter NaN.
    """

    #: The name of the native rule.
    rule: ClassVar[str]
    #: Whether weight decay shrinks the parameter instead of entering the gradient.
    decoupled_weight_decay: ClassVar[bool] = False

    def __init__(
        self, params: Params, *, clip_norm: Rate | None, clip_value: Rate | None, **hypers: Rate | bool
    ) -> None:
        super().__init__(
            self.rule,
            params,
            decoupled_weight_decay=self.decoupled_weight_decay,
            clip_norm=clip_norm,
            clip_value=clip_value,
            **hypers,
        )


class SGD(Optimizer):
    r"""Stochastic gradient descent, plain or with momentum.

    .. math::
        g &← g + λp \\
        b &← μb + (1−d)g  \quad\text{(at the first step } b ← g) \\
        p &← p − ηb, \quad\text{or with Nesterov } p ← p − η(g + μb)

    Without momentum there is no buffer, and p ← p − ηg.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        momentum: μ in [0, 1).
        dampening: d in [0, 1].
        weight_decay: λ ≥ 0, added to the gradient.
        nesterov: look ahead along the momentum; wants momentum > 0 and dampening 0.
        clip_norm: largest global norm of the gradients, ≥ 0, or None.
        clip_value: largest magnitude of an element of the gradients, ≥ 0, or None.

    State:
        momentum_buffer: b, only with momentum.

    Raises:
        TypeError: an array or a hyperparameter is of the wrong type.
        ValueError: an array cannot be updated in place, or a hyperparameter is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([1.0, 2.0])
        >>> opt = gs.SGD(w, lr=0.5, momentum=0.9)
        >>> opt.step(np.array([1.0, -1.0]))
        >>> w
        array([0.5, 2.5])

    References:
        Polyak 1964; Sutskever, Martens, Dahl, Hinton 2013 (the Nesterov form). Computed as by
        ``torch.optim.SGD``. Keras has the rate inside the buffer: v ← μv − ηg, p ← p + v; the two are
        the same while η is constant.
    """

    rule = "sgd"

    def __init__(
        self,
        params: Params,
        lr: Rate = 1e-3,
        momentum: Rate = 0.0,
        dampening: Rate = 0.0,
        weight_decay: Rate = 0.0,
        nesterov: bool = False,
        *,
        clip_norm: Rate | None = None,
        clip_value: Rate | None = None,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            clip_norm=clip_norm,
            clip_value=clip_value,
        )


class Adagrad(Optimizer):
    r"""AdaGrad: the rate of each element falls with the sum of its squared gradients.

    .. math::
        g &← g + λp \\
        s &← s + g² \\
        p &← p − \frac{η}{1 + tδ} · \frac{g}{\sqrt{s} + ε}

    where t is the number of updates done before this one.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        lr_decay: δ ≥ 0, decay of the rate with 1/t.
        weight_decay: λ ≥ 0, added to the gradient.
        initial_accumulator_value: what s starts from, ≥ 0.
        eps: ε ≥ 0, outside the root.
        clip_norm: largest global norm of the gradients, ≥ 0, or None.
        clip_value: largest magnitude of an element of the gradients, ≥ 0, or None.

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
        >>> w.round(6)
        array([0.5, 2.5])

    References:
        Duchi, Hazan, Singer 2011, "Adaptive Subgradient Methods for Online Learning and Stochastic
        Optimization". Computed as by ``torch.optim.Adagrad``. Keras and optax start s at 0.1 and have ε
        inside the root.
    """

    rule = "adagrad"

    def __init__(
        self,
        params: Params,
        lr: Rate = 1e-2,
        lr_decay: Rate = 0.0,
        weight_decay: Rate = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: Rate = 1e-10,
        *,
        clip_norm: Rate | None = None,
        clip_value: Rate | None = None,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
            clip_norm=clip_norm,
            clip_value=clip_value,
        )


class RMSprop(Optimizer):
    r"""RMSProp: the gradient over the root of its running mean square.

    .. math::
        g &← g + λp \\
        v &← αv + (1−α)g² \\
        σ² &= v, \quad\text{or centered: } a ← αa + (1−α)g, \; σ² = \max(v − a², 0) \\
        p &← p − η·g/(\sqrt{σ²} + ε)

    With momentum b ← μb + g/(√σ² + ε) and p ← p − ηb.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        alpha: α in [0, 1), the decay of the running means.
        eps: ε ≥ 0, outside the root.
        weight_decay: λ ≥ 0, added to the gradient.
        momentum: μ in [0, 1).
        centered: divide by the running standard deviation instead of the root mean square.
        clip_norm: largest global norm of the gradients, ≥ 0, or None.
        clip_value: largest magnitude of an element of the gradients, ≥ 0, or None.

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
        >>> w.round(6)
        array([0.8, 2.2])

    References:
        Tieleman, Hinton 2012, "Lecture 6.5: RMSProp"; Graves 2013 (centered). Computed as by
        ``torch.optim.RMSprop``, but where rounding makes v − a² negative, torch's root is NaN and ours
        is 0. Keras and optax have ε inside the root.
    """

    rule = "rmsprop"

    def __init__(
        self,
        params: Params,
        lr: Rate = 1e-2,
        alpha: Rate = 0.99,
        eps: Rate = 1e-8,
        weight_decay: Rate = 0.0,
        momentum: Rate = 0.0,
        centered: bool = False,
        *,
        clip_norm: Rate | None = None,
        clip_value: Rate | None = None,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            clip_norm=clip_norm,
            clip_value=clip_value,
        )


class Adam(Optimizer):
    r"""Adam: momentum over the root of the running mean square, both corrected for their start at zero.

    .. math::
        g &← g + λp \\
        m &← β₁m + (1−β₁)g \\
        v &← β₂v + (1−β₂)g² \\
        p &← p − η · \frac{m/(1−β₁^t)}{\sqrt{v/(1−β₂^t)} + ε}

    where t counts this update, from 1. With ``amsgrad``, v in the last line is the largest v so far.

    Args:
        params: p, the arrays to update in place; see `gradstep.optimizers`.
        lr: η, the learning rate, ≥ 0.
        beta1: β₁ in [0, 1), the decay of the running mean.
        beta2: β₂ in [0, 1), the decay of the running mean square.
        eps: ε ≥ 0, outside the root.
        weight_decay: λ ≥ 0, added to the gradient; see `AdamW` for the other way.
        amsgrad: never let the denominator fall.
        clip_norm: largest global norm of the gradients, ≥ 0, or None.
        clip_value: largest magnitude of an element of the gradients, ≥ 0, or None.

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
        >>> params["b"].round(6)
        array([0.1, 0.1, 0.1])
        >>> sorted(opt.state["w"])
        ['exp_avg', 'exp_avg_sq']

    References:
        Kingma, Ba 2015, arXiv:1412.6980; Reddi, Kale, Kumar 2018, arXiv:1904.09237 (AMSGrad). The
        formula of ``torch.optim.Adam``. Keras has "epsilon hat": ε is added to √v before the correction.
    """

    rule = "adam"

    def __init__(
        self,
        params: Params,
        lr: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-8,
        weight_decay: Rate = 0.0,
        amsgrad: bool = False,
        *,
        clip_norm: Rate | None = None,
        clip_value: Rate | None = None,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            clip_norm=clip_norm,
            clip_value=clip_value,
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
        amsgrad: never let the denominator fall.
        clip_norm: largest global norm of the gradients, ≥ 0, or None.
        clip_value: largest magnitude of an element of the gradients, ≥ 0, or None.

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
        >>> w
        array([ 0.95, -0.95])

    References:
        Loshchilov, Hutter 2019, arXiv:1711.05101. The formula of ``torch.optim.AdamW``.
    """

    decoupled_weight_decay = True

    def __init__(
        self,
        params: Params,
        lr: Rate = 1e-3,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-8,
        weight_decay: Rate = 1e-2,
        amsgrad: bool = False,
        *,
        clip_norm: Rate | None = None,
        clip_value: Rate | None = None,
    ) -> None:
        super().__init__(
            params, lr, beta1, beta2, eps, weight_decay, amsgrad, clip_norm=clip_norm, clip_value=clip_value
        )
