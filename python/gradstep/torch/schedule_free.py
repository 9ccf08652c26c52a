"""Rules without a schedule, which torch has not got: the average is what to evaluate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep import optimizers
from gradstep.torch.base import Optimizer

if TYPE_CHECKING:
    from typing import Unpack

    from torch.optim.optimizer import ParamsT

    from gradstep.torch.words import Number, Pair, RootOptions


class ScheduleFreeSGD(Optimizer):
    """`gradstep.ScheduleFreeSGD` as an optimizer of torch's kind.

    The formula is that of `gradstep.ScheduleFreeSGD`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        lr, momentum, warmup_steps, r, weight_lr_power, weight_decay: as of `gradstep.ScheduleFreeSGD`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.ScheduleFreeSGD([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.8000, 0.8000])
    """

    kind = optimizers.ScheduleFreeSGD

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1.0,
        momentum: Number = 0.9,
        warmup_steps: Number = 0.0,
        r: Number = 0.0,
        weight_lr_power: Number = 2.0,
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class ScheduleFreeAdamW(Optimizer):
    """`gradstep.ScheduleFreeAdamW` as an optimizer of torch's kind.

    The formula is that of `gradstep.ScheduleFreeAdamW`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, warmup_steps, r, weight_lr_power, weight_decay: as of `gradstep.ScheduleFreeAdamW`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.ScheduleFreeAdamW([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.ScheduleFreeAdamW

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 2.5e-3,
        betas: Pair = (0.9, 0.999),
        eps: Number = 1e-8,
        warmup_steps: Number = 0.0,
        r: Number = 0.0,
        weight_lr_power: Number = 2.0,
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)
